"""How a series of readings moves: shape, trend, steps, sawtooth, and when a verdict stands."""

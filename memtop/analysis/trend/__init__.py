"""The growth verdict on a series of memory readings: shape, slope, steps, sawtooth, and a verdict that stands still."""

"""The growth verdict on a series of readings: shape, slope, steps, sawtooth; its hysteresis; the time to a limit."""

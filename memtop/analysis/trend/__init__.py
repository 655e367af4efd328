"""Trend of a series of memory readings: shape, slope, steps, sawtooth, and a verdict that does not flicker."""

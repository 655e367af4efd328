"""The charts: memory, page faults, heap; axes, curves, and what cells stand for."""

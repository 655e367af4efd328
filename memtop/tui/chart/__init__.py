"""The charts: memory, page faults, heap; axes, curves, canvas, and the styles of cells."""

"""Go: build information, metrics and heap of a Go program, and their analysis."""

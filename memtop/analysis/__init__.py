"""Analysis: pure functions that judge samples and history. No clock, no I/O, no sentences."""

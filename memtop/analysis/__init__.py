"""Analysis: pure functions that judge samples and history; no clock, no I/O, no sentences."""

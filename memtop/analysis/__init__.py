"""Judgements over facts: pure functions, no clock, no I/O, no sentences."""

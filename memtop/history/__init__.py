"""Bounded history of processes and of the machine, and the series that charts and verdicts take from it."""

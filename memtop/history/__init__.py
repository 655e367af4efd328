"""Bounded history of processes and of the machine, and the series for charts and verdicts."""

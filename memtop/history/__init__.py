"""The bounded past: of processes, as it is kept and as charts and verdicts want it, and of the machine."""

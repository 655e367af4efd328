"""Limits on a process: memory cgroups and their names, OOM score, GOMEMLIMIT; and whether the OOM killer ended it."""

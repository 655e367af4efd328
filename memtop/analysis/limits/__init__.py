"""Limits on a process: memory cgroups, OOM score, forecast; and whether the OOM killer ended it."""

"""What limits a process: cgroups, the OOM score, the forecast, and what ended a process that is gone."""

"""Schedules the readings of runtimes: of which processes, and how often. It knows no runtime by name."""

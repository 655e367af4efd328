"""Memory map of a process: its regions and their kinds, growth between readings, sharing, the cost of a reading."""

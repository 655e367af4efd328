"""The terminal below Textual: driver, start and end, signals, crash report, first picture, memory tuning."""

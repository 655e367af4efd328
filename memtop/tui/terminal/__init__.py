"""The terminal below Textual: driver, start and end, crash report, the thread that samples."""

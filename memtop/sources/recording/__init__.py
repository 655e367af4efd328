"""Recordings: everything a Source answered, in one SQLite file or a stream; a recorder and a replay.

``recorder`` writes each answer that differs from the last one. ``replay`` returns them, so a replay runs the same code
as the live machine. ``format`` has the format. The package imports nothing by itself: a screen has a recorder, and
needs SQLite only when a file is written.
"""

"""Recordings: everything a Source answered, in one SQLite file; a recorder and a replay.

:class:`Recorder` writes each answer that differs from the last one. :class:`Replay` returns them, so a replay runs the
same code as the live machine. See :mod:`memtop.sources.recording.format` for the format.
"""

from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay

__all__ = ["Recorder", "Replay"]

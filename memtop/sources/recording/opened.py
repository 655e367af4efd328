"""A recording that was opened: its tables, and its end if it is still being written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from typing import NamedTuple, Protocol

from memtop.errors import RecordingError
from memtop.sources.protocol import Growth
from memtop.sources.recording.events import has_events
from memtop.sources.recording.file_tail import FileTail
from memtop.sources.recording.opening import format_of, is_unfinished, open_recording
from memtop.sources.recording.ticks import Ticks


class Tail(Protocol):
    """The end of a recording that is being written."""

    @property
    def growth(self) -> Growth:
        """Whether it still grows."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait until more has come since the last time, or no more will. False if neither has happened."""
        ...

    def close(self) -> None:
        """Take no more."""
        ...


class Opened(NamedTuple):
    """What a replay plays."""

    ticks: Ticks
    tail: Tail | None
    """None for a recording without a writer."""
    is_unfinished: bool
    """Whether its last samples may be missing: its writer was killed."""
    missing_log: str = ""
    """Name of the log with its last samples, where it was not finished and has no log beside it."""


def open_file(path: str) -> Opened:
    """Open a file. Raises RecordingError, sqlite3.Error and OSError."""
    connection = open_recording(path)  # it checks the file first
    try:
        version, unfinished, tail = format_of(path), is_unfinished(path), FileTail.of(path)
    except OSError:
        connection.close()
        raise
    if tail is None:
        log = path + "-wal"
        missing = os.path.basename(log) if unfinished and not os.path.lexists(log) else ""
        return Opened(_ticks(lambda: connection, version), None, unfinished, missing)
    connection.close()

    def connect() -> sqlite3.Connection:
        if end := tail.missing():
            raise RecordingError(end)
        growing = open_recording(path)
        growing.execute("BEGIN")  # its writer may drop the oldest samples between two queries
        return growing

    return Opened(_ticks(connect, version), tail, is_unfinished=False)


def _ticks(connect: Callable[[], sqlite3.Connection], version: int) -> Ticks:
    return Ticks(connect, has_keys=version > 1, has_events=has_events(version))

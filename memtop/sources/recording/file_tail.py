"""The end of a recording that is being written: whether more has come, and whether more can come."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Final

from memtop.sources.protocol import Growth
from memtop.sources.recording import writer_lock
from memtop.sources.recording.opening import JOURNAL_AT, WAL

LOOK_S: Final = 0.1
"""How often to look whether the file has changed."""


class FileTail:
    """Watches a file and SQLite's log beside it. One thread calls :meth:`wait`."""

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._seen = self._stamp()
        self._changed_s = time.monotonic()
        self._interval_s: float | None = None
        self._ended = ""
        self._is_broken = False

    @classmethod
    def of(cls, path: str) -> FileTail | None:
        """The end of a file that is being written; None for a file without a writer. Raises OSError."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        if writer_lock.is_held(descriptor):
            return cls(path, descriptor)
        os.close(descriptor)
        return None

    @property
    def growth(self) -> Growth:
        """Whether it still grows."""
        age_s = time.monotonic() - self._changed_s
        return Growth(not self._ended, age_s, self._interval_s, self._ended, self._is_broken)

    def wait(self, timeout_s: float) -> bool:
        """Wait until something was written since the last time, or no more will be. False if neither happened."""
        until_s = time.monotonic() + timeout_s
        while not self._ended:
            written, self._seen = self._seen, self._stamp()
            if written != self._seen:
                before_s, self._changed_s = self._changed_s, time.monotonic()
                self._interval_s = self._changed_s - before_s
                return True
            if ended := self._end():
                self._ended = ended
                return True
            if time.monotonic() >= until_s:
                return False
            time.sleep(LOOK_S)
        return False

    def close(self) -> None:
        """Close the descriptor, after every connection to the file: it would take their locks with it."""
        os.close(self._descriptor)

    def missing(self) -> str:
        """What became of the file, if it is no longer there under its name; otherwise empty."""
        try:
            same = os.path.samestat(os.lstat(self._path), os.fstat(self._descriptor))
        except OSError:
            return "its file was removed"
        return "" if same else "its file was replaced by another one"

    def _end(self) -> str:
        if missing := self.missing():
            self._is_broken = True
            return f"the end of the recording: {missing}"
        if writer_lock.is_held(self._descriptor):
            return ""
        self._is_broken = os.pread(self._descriptor, 1, JOURNAL_AT) == WAL
        killed = "what wrote it was killed" if self._is_broken else "it is no longer being written"
        return f"the end of the recording: {killed}"

    def _stamp(self) -> tuple[int, ...]:
        stamp: list[int] = []
        for path in (self._path, self._path + "-wal"):
            with suppress(OSError):
                found = os.stat(path)
                stamp += [found.st_mtime_ns, found.st_size]
        return tuple(stamp)

"""Keeps descriptors of small files that are read again and again: those of cgroups, and status of a few processes.

To open and close such a file costs ten times as much as to read it. A descriptor of a cgroup that was removed, or of a
process that has ended, answers with an error, also after another one was made by that name: then the path is opened
again.
"""

from __future__ import annotations

import os
from typing import Final

from memtop.sources.live.bounded_read import OPENED, made_up, pread_file, read_file

IDLE_INSTANTS: Final = 64
"""A file that was not read for so many instants is closed."""


class KeptFiles:
    """At most ``most`` descriptors of files below ``prefix``."""

    def __init__(self, prefix: str, most: int) -> None:
        self._prefix = prefix
        self._most = most
        self._instant = 0
        self._kept: dict[str, int] = {}
        self._read_at: dict[str, int] = {}
        """Instant of the latest reading."""
        self._passing: set[str] = set()
        """Files read at this instant that were not kept ..."""
        self._passed: set[str] = set()
        """... and at the instant before."""

    def begin(self) -> None:
        """Open a new instant."""
        self._instant += 1
        self._passed, self._passing = self._passing, set()
        if self._instant % IDLE_INSTANTS == 0:
            for path in [path for path, at in self._read_at.items() if self._instant - at >= IDLE_INSTANTS]:
                self._close(path)

    def read(self, path: str, size: int, *, often: bool = True) -> bytes:
        """Read at most ``size`` bytes of a file. Raises OSError.

        One that is not read ``often`` is kept if it is read at two consecutive instants: those that are read in turn
        would take the places of others.
        """
        descriptor = self._kept.get(path)
        if descriptor is not None:
            try:
                data = pread_file(descriptor, size, short_lines=True)
            except OSError:
                self._close(path)
            else:
                self._read_at[path] = self._instant
                return data
        if len(self._kept) >= self._most:
            return read_file(self._prefix, path, size)
        if not often and path not in self._passed:
            self._passing.add(path)
            return read_file(self._prefix, path, size)
        descriptor = os.open(self._prefix + path, OPENED)
        try:
            kept = made_up(descriptor)
            data = pread_file(descriptor, size, short_lines=True) if kept else b""
        except OSError:
            os.close(descriptor)
            raise
        if not kept:
            os.close(descriptor)
            return read_file(self._prefix, path, size)
        self._kept[path], self._read_at[path] = descriptor, self._instant
        return data

    def close(self) -> None:
        """Close everything."""
        for path in tuple(self._kept):
            self._close(path)

    def _close(self, path: str) -> None:
        os.close(self._kept.pop(path))
        del self._read_at[path]

"""Cache of open files ``proc/PID/name``: half the cost of opening them, and proof of a process's identity.

A kept descriptor answers ESRCH after its process has gone, even if another process gets the PID. PID and start time
alone collided in 94 of 100 forced reuses.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import Final

from memtop.sources.live.bounded_read import OPENED, made_up, pread_file, read_file
from memtop.sources.protocol import READ_LIMIT

_SIZES: Final = {"statm": 256, "stat": 1024}
_SIZE: Final = 4096
_ROOM: Final = 64
"""Descriptors closed at once when the table is full."""


class FdCache:
    """Reads one file of many processes.

    statm is kept open for every process that is listed. Other files are kept open only while they are read at
    consecutive instants, so that those read in turn do not fill the table.
    """

    def __init__(self, prefix: str, budget: int, elsewhere: Callable[[str], bytes | None] = lambda path: None) -> None:
        """``elsewhere`` reads what may block and is not to be read here; None for anything else."""
        self._prefix = prefix
        self._elsewhere = elsewhere
        self._budget = budget
        self._count = 0
        self._kept: dict[str, dict[int, int]] = {}
        self._swept: dict[str, set[int]] = {}
        self._swept_before: dict[str, set[int]] = {}
        self._listed: Sequence[int] | None = None
        self._closed_for: Sequence[int] | None = None
        """The list after which those of statm were closed that are not in it."""
        self.gone: set[int] = set()
        """Processes found to have ended at this instant. Their PIDs are not opened again before the next."""

    def begin(self) -> None:
        """Open a new instant, and close what the last one did not use."""
        for name, kept in self._kept.items():
            if name == "statm" and (self._listed is None or self._listed is self._closed_for):
                continue
            unused = kept.keys() - self._swept.get(name, ())
            if name == "statm" and self._listed is not None:
                unused.difference_update(self._listed)
                self._closed_for = self._listed
            for pid in unused:
                self._close(kept.pop(pid))
        self._swept_before, self._swept = self._swept, {}
        self._listed = None
        self.gone.clear()

    def listed(self, pids: Sequence[int]) -> None:
        """Take the list of processes of this instant."""
        self._listed = pids

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        """See ``Source.sweep``."""
        kept = self._kept.setdefault(name, {})
        size = _SIZES.get(name, _SIZE)
        pread = os.pread
        answers: list[bytes | None] = []
        append = answers.append
        for pid in pids:
            try:
                data = pread(kept[pid], size, 0)
                append(data if len(data) < size else pread_file(kept[pid], READ_LIMIT))
            except KeyError:
                append(self._read_new(name, pid))
            except OSError as error:
                if error.errno == errno.ESRCH:
                    self._close(kept.pop(pid))
                    self.gone.add(pid)
                append(_unread(error))
        if name != "statm" or pids is not self._listed:  # what is listed is used
            self._swept.setdefault(name, set()).update(pids)
        return answers

    def lives(self, pid: int) -> bool | None:
        """Whether the process that was swept under this PID is still alive; None if no descriptor of it is kept."""
        descriptor = self._kept.get("statm", {}).get(pid)
        if descriptor is None:
            return None
        try:
            os.pread(descriptor, 1, 0)
        except OSError as error:
            return error.errno != errno.ESRCH
        return True

    def make_room(self) -> None:
        """Keep fewer descriptors from now on, because the table is full. Those of statm are closed last."""
        self._budget = max(0, self._count - _ROOM)
        for kept in sorted(self._kept.items(), key=lambda item: item[0] == "statm"):
            while kept[1] and self._count > self._budget:
                self._close(kept[1].popitem()[1])

    def close(self) -> None:
        """Close everything."""
        for kept in self._kept.values():
            while kept:
                self._close(kept.popitem()[1])

    def _read_new(self, name: str, pid: int) -> bytes | None:
        """Read files that are not kept, and keep those that the rules allow."""
        if pid in self.gone:
            return None
        path = f"proc/{pid}/{name}"
        if (data := self._elsewhere(path)) is not None:
            return data
        keep = name == "statm" or pid in self._swept_before.get(name, ())
        try:
            if not keep or self._count >= self._budget:
                return read_file(self._prefix, path, READ_LIMIT)
            descriptor = os.open(self._prefix + path, OPENED)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE) and self._count:
                self.make_room()
                return self._read_new(name, pid)
            return _unread(error)
        self._count += 1
        try:
            data = pread_file(descriptor, READ_LIMIT)
            if made_up(descriptor):
                self._kept[name][pid] = descriptor
                return data
        except OSError as error:
            data = _unread(error)
        self._close(descriptor)
        return data

    def _close(self, descriptor: int) -> None:
        os.close(descriptor)
        self._count -= 1


def _unread(error: OSError) -> bytes | None:
    """None for a process that has ended or is hidden; nothing but no None for a file that is broken: that is no end."""
    return None if error.errno in (errno.ESRCH, errno.ENOENT, errno.EACCES, errno.EPERM) else b""

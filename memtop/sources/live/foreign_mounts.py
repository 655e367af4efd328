"""Knows which files of /proc and /sys are not the kernel's own: another file system is mounted over them.

The kernel's files answer at once. lxcfs (FUSE) lies over /proc/meminfo in many containers, and anything may be bound
over any file, see proc_pid_mountinfo(5); what is behind such a mount may be dead or on a network.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import Final

from memtop.sources.live.bounded_read import pread_file

_LIMIT_BYTES: Final = 1 << 22
_ANSWERS: Final = frozenset(
    (b"proc", b"sysfs", b"cgroup", b"cgroup2", b"tmpfs", b"devtmpfs", b"securityfs", b"debugfs", b"tracefs", b"bpf")
)
"""File systems that are memory of the kernel."""


class ForeignMounts:
    """The mounts below ``prefix`` that a reading may block behind. None are known where mountinfo cannot be read."""

    def __init__(self, prefix: str) -> None:
        self._top = os.fsencode(prefix)
        self._points: frozenset[str] = frozenset()
        self._poll = select.poll()
        self._descriptor: int | None = None
        with suppress(OSError):
            self._descriptor = os.open(prefix + "proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            self._poll.register(self._descriptor, select.POLLPRI)
            self._read(self._descriptor)

    def begin(self) -> None:
        """Read the mounts again where the kernel says that they have changed."""
        if self._descriptor is not None and self._poll.poll(0):
            with suppress(OSError):
                self._read(self._descriptor)

    def cover(self, path: str) -> bool:
        """Whether ``path``, or a directory above it, is such a mount."""
        if not self._points:
            return False
        while path and path not in self._points:
            path = path.rpartition("/")[0]
        return bool(path)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self, descriptor: int) -> None:
        below = tuple(self._top + name for name in (b"proc/", b"sys/"))
        places = [b" " + place for place in below]
        data = pread_file(descriptor, _LIMIT_BYTES)
        lines = [line for line in data.split(b"\n") if any(place in line for place in places) and not _answers(line)]
        if not lines:
            self._points = frozenset()
            return
        from memtop.procfs.mountinfo import parse_mountinfo  # noqa: PLC0415 (0.6 ms; most machines have no such mount)

        points = [mount.point for mount in parse_mountinfo(b"\n".join(lines))]
        self._points = frozenset(
            os.fsdecode(point.removeprefix(self._top)) for point in points if point.startswith(below)
        )


def _answers(line: bytes) -> bool:
    """Whether a line of mountinfo is of a file system that is memory of the kernel."""
    return line.partition(b" - ")[2].partition(b" ")[0] in _ANSWERS

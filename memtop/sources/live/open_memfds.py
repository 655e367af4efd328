"""Reports the memfds that a process has open, from /proc/PID/fd, proc_pid_fd(5). It runs on a thread that may block."""

from __future__ import annotations

import os
import time
from functools import cache
from itertools import islice
from typing import Final

from memtop.procfs.memfds_report import Memfd, MemfdsReport, format_memfds_report

MEMFD: Final = b"/memfd:"
DELETED: Final = b" (deleted)"
BLOCK_BYTES: Final = 512
"""The unit of st_blocks, stat(3type)."""
MOST_DESCRIPTORS: Final = 4096
"""Descriptors of one process that are looked at."""
MOST_MEMFDS: Final = 512
_NAME_BYTES: Final = 64


def memfds_report(prefix: str, path: str) -> bytes:
    """The text that :mod:`memtop.procfs.memfds_report` describes. ``path`` is ``proc/PID/memfds``.

    Raises OSError if the descriptors may not be looked at.
    """
    folder = os.fsencode(f"{prefix}{os.path.dirname(path)}/fd")
    found: dict[int, Memfd] = {}
    with os.scandir(folder) as entries:
        for entry in islice(entries, MOST_DESCRIPTORS):
            try:
                target = os.readlink(entry.path)
                if not target.startswith(MEMFD):
                    continue
                status = os.stat(entry.path)
            except FileNotFoundError:
                continue  # closed meanwhile
            if status.st_dev == memfd_device() and status.st_blocks:
                name = target.removeprefix(MEMFD).removesuffix(DELETED)[:_NAME_BYTES]
                found[status.st_ino] = Memfd(status.st_ino, status.st_blocks * BLOCK_BYTES, name)
        is_cut = next(entries, None) is not None
    largest = sorted(found.values(), key=lambda memfd: memfd.size_bytes, reverse=True)
    at_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    return format_memfds_report(MemfdsReport(at_s, tuple(largest[:MOST_MEMFDS]), is_cut or len(largest) > MOST_MEMFDS))


@cache
def memfd_device() -> int:
    """The file system of memfds. Those of huge pages are in another one, and so is a file of such a name."""
    descriptor = os.memfd_create("memtop", os.MFD_CLOEXEC)
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)

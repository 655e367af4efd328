"""Reads kernel files up to a size limit, and turns OSError into the exceptions of memtop."""

from __future__ import annotations

import errno
import os
from typing import Final

from memtop.errors import AccessDenied, MemtopError, ProcessGone, Unavailable
from memtop.sources.protocol import pid_of

CHUNK: Final = 65_536
"""Bytes of one read(2). procfs usually returns a page at a time, whatever is requested."""


def read_file(prefix: str, path: str, size: int) -> bytes:
    """Open, read and close ``prefix + path``. Returns at most ``size`` bytes. Raises OSError.

    Below /proc/PID/root a process may have put any kind of file. A pipe without a writer reads as empty.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | (os.O_NONBLOCK if "/root/" in path else 0)
    descriptor = os.open(prefix + path, flags)
    try:
        parts: list[bytes] = []
        left = size
        while left > 0 and (part := os.read(descriptor, min(left, CHUNK))):
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
    finally:
        os.close(descriptor)


def pread_file(descriptor: int, size: int) -> bytes:
    """Read at most ``size`` bytes of a kept descriptor, from its start. Raises OSError."""
    data = os.pread(descriptor, min(size, CHUNK), 0)
    while len(data) < size and (part := os.pread(descriptor, min(size - len(data), CHUNK), len(data))):
        data += part
    return data


def failure(prefix: str, path: str, error: OSError) -> MemtopError:
    """The exception of memtop for an OSError of ``path``.

    If a file is missing while its process still exists, then this kernel, or this kind of process, does not have it. A
    zombie's smaps_rollup also answers ESRCH.
    """
    said = f"{path}: {os.strerror(error.errno) if error.errno else 'unreadable'}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return AccessDenied(said)
    if error.errno in (errno.ENOENT, errno.ESRCH):
        pid = pid_of(path)
        if pid is not None and not os.path.lexists(f"{prefix}proc/{pid}"):
            return ProcessGone(said)
    return Unavailable(said)

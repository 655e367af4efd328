"""Reads kernel files up to a size limit, and turns OSError into the exceptions of memtop."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from memtop.errors import AccessDenied, MemtopError, ProcessGone, RanOut, Unavailable
from memtop.sources.protocol import pid_of

OPENED: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
"""How files are opened: a pipe or a device that lies where the kernel's file should be blocks no thread."""
_RAN_OUT: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
CHUNK: Final = 65_536
"""Bytes of one read(2). procfs usually returns a page at a time, whatever is requested ..."""
FIRST_CHUNK: Final = 8192
"""... and of the first one. Most files have less, and larger blocks leave holes in malloc's heap."""
ONE_READ: Final = 2048
"""The kernel answers a read(2) with as many whole lines as fit into a page. So a shorter answer is all of a file whose
lines are shorter than the rest of the page."""


def read_file(prefix: str, path: str, size: int) -> bytes:
    """Open, read and close ``prefix + path``. Returns at most ``size`` bytes. Raises OSError.

    A pipe without a writer reads as empty.
    """
    descriptor = os.open(prefix + path, OPENED)
    try:
        parts: list[bytes] = []
        left = size
        while left > 0 and (part := os.read(descriptor, min(left, CHUNK if parts else FIRST_CHUNK))):
            parts.append(part)
            left -= len(part)
        return _compact(parts[0]) if len(parts) == 1 else b"".join(parts)
    finally:
        os.close(descriptor)


def pread_file(descriptor: int, size: int, *, short_lines: bool = False) -> bytes:
    """Read at most ``size`` bytes of a kept descriptor, from its start. Raises OSError.

    A short answer is not asked for more where all lines are shorter than ONE_READ.
    """
    data = os.pread(descriptor, min(size, FIRST_CHUNK), 0)
    if short_lines and len(data) < ONE_READ:
        return _compact(data)
    while len(data) < size and (part := os.pread(descriptor, min(size - len(data), CHUNK), len(data))):
        data += part
    return _compact(data)


def _compact(data: bytes) -> bytes:
    """Copy the bytes of one read(2). They lie at the start of a larger block, of which malloc frees the rest.

    Answers are kept while new ones are read. In such blocks those of 500 processes cost 2 MB of RES.
    """
    return memoryview(data).tobytes()


def made_up(descriptor: int) -> bool:
    """Whether this is a file that the kernel makes up: a kept descriptor gives what is true now. Raises OSError.

    An ordinary file never ends, and a pipe in the place of a file cannot be read from its start.
    """
    found = os.fstat(descriptor)
    return found.st_size == 0 and stat.S_ISREG(found.st_mode)


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
    return RanOut(said) if error.errno in _RAN_OUT else Unavailable(said)

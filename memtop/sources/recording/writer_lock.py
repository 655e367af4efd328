"""The lock that says that a recording is being written. It goes with its writer, however that ends.

It belongs to an open file description, see fcntl(2), F_OFD_SETLK. So it does not get into the way of SQLite's locks,
and is seen within one process as well. Where the file system has no such locks a recording has no writer.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from typing import Final

_PLACE: Final = 0x6D65_6D74
"""The byte that is locked, which need not exist. SQLite's are at 0x40000000."""
_FLOCK: Final = "hhqqi4x"
"""struct flock: type, whence, start, length, process."""


def hold(descriptor: int) -> None:
    """Lock a file that was opened for writing, until the descriptor is closed."""
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _lock())


def is_held(descriptor: int) -> bool:
    """Whether the file is being written through another descriptor."""
    try:
        found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _lock())
    except OSError:
        return False
    kind: int = struct.unpack(_FLOCK, found)[0]
    return kind != fcntl.F_UNLCK


def _lock() -> bytes:
    return struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _PLACE, 1, 0)

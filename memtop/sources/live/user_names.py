"""Login names of user IDs, as /proc shows them: in a user namespace, users outside of it all have one ID."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from typing import Final

from memtop.errors import MemtopError

UNMAPPED: Final = b"unmapped"
"""Stands for a user who has no ID in the user namespace of memtop."""
_EVERY_ID: Final = 2**32 - 1
_MAP_BYTES: Final = 65_536


def user_name(uid: str, read: Callable[[str, int], bytes]) -> bytes:
    """The name of a user ID, the number if it has none, or UNMAPPED; with a question mark if it may be either.

    ``read`` takes a path and a size and gives the bytes of a file. The kernel shows every user who has no ID in the
    namespace of the reader as kernel.overflowuid, an ID with a name of its own.
    """
    try:
        name = os.fsencode(pwd.getpwuid(int(uid)).pw_name)
    except (KeyError, OverflowError):
        name = uid.encode()
    try:
        if int(read("proc/sys/kernel/overflowuid", 64)) != int(uid):
            return name
        mapped = [tuple(map(int, line.split())) for line in read("proc/self/uid_map", _MAP_BYTES).splitlines()]
    except (MemtopError, ValueError):
        return name
    if sum(count for _, _, count in mapped) >= _EVERY_ID:
        return name
    return name + b"?" if any(first <= int(uid) < first + count for first, _, count in mapped) else UNMAPPED

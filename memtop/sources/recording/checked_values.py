"""Checks single values of a recording, which may be damaged or hostile. Each function raises DamagedError."""

from __future__ import annotations

import math
import os
from typing import Final

from memtop.errors import DamagedError
from memtop.sources.recording.format import PROCESS_LIMIT

WALL_LIMIT_S: Final = 253_370_764_800.0
"""The year 9999, the last year that the datetime module knows."""
MONO_LIMIT_S: Final = 1e12
"""No machine has been up for 30,000 years."""


def path_set(data: bytes) -> frozenset[str]:
    """Decode a set of paths, separated by NUL bytes. Raises DamagedError if there are too many."""
    if data.count(b"\0") >= PROCESS_LIMIT:
        raise DamagedError("a set of paths is too large")
    return frozenset(os.fsdecode(data).split("\0")) if data else frozenset()


def integer(value: object) -> int:
    """Check that a cell of the database is an integer. Raises DamagedError otherwise."""
    if not isinstance(value, int):
        raise DamagedError("a number is missing")
    return value


def _finite(value: object) -> float:
    if not isinstance(value, float) or not math.isfinite(value):
        raise DamagedError("a time is not a number")
    return value


def wall_time_s(value: object) -> float:
    """Check a time of the calendar, in seconds since 1970. Raises DamagedError if no calendar knows it."""
    wall_s = _finite(value)
    if not 0 <= wall_s < WALL_LIMIT_S:
        raise DamagedError("a time is out of range")
    return wall_s


def mono_time_s(value: object) -> float:
    """Check a time since the machine started, in seconds. Raises DamagedError if it is not one."""
    mono_s = _finite(value)
    if not 0 <= mono_s < MONO_LIMIT_S:
        raise DamagedError("a time is out of range")
    return mono_s


def blob(value: object) -> bytes:
    """Check that a cell of the database is bytes. Raises DamagedError otherwise."""
    if not isinstance(value, bytes):
        raise DamagedError("bytes are missing")
    return value

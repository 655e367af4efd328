"""The two line shapes that most kernel files share: ``Key: value kB`` and ``key value``."""

from __future__ import annotations

import re

_MOST = (1 << 63) - 1
"""What history can keep, and the most that a kernel counter says."""
_KIB = re.compile(rb"\s*(\d{1,15})\s*(kB)?\s*\Z")
_INT = re.compile(rb"\s*(-?\d{1,19})\s*\Z")


def key_values(data: bytes, separator: bytes = b":") -> dict[bytes, bytes]:
    """``key<separator>value`` lines as a dict; lines without a separator are passed over, the first of two wins."""
    lines = [line.partition(separator) for line in data.split(b"\n")]
    return {key.strip(): value for key, mark, value in reversed(lines) if mark}


def kib_to_bytes(value: bytes | None) -> int | None:
    """``  1234 kB`` in bytes; None where absent or not such a number. kB in /proc means KiB."""
    match = _KIB.match(value) if value is not None else None
    return int(match[1]) * 1024 if match else None


def int_or_none(value: bytes | None) -> int | None:
    """A plain decimal, or None where absent or something else."""
    match = _INT.match(value) if value is not None else None
    return int(match[1]) if match and abs(int(match[1])) <= _MOST else None

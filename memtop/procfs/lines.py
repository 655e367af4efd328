"""The two line shapes that most kernel files share: ``Key: value kB`` and ``key value``."""

from __future__ import annotations

_MOST = (1 << 63) - 1
"""What history can keep, and the most that a kernel counter says."""
_MOST_KIB_DIGITS = 15
"""As many bytes are less than that."""


def key_values(data: bytes, separator: bytes = b":") -> dict[bytes, bytes]:
    """``key<separator>value`` lines as a dict; lines without a separator are passed over, the first of two wins."""
    lines = [line.partition(separator) for line in data.split(b"\n")]
    return {key.strip(): value for key, mark, value in reversed(lines) if mark}


def kib_to_bytes(value: bytes | None) -> int | None:
    """``  1234 kB`` in bytes; None where absent or not such a number. kB in /proc means KiB."""
    if value is None:
        return None
    digits = value.strip().removesuffix(b"kB").rstrip()
    return int(digits) * 1024 if digits.isdigit() and len(digits) <= _MOST_KIB_DIGITS else None


def int_or_none(value: bytes | None) -> int | None:
    """A plain decimal, or None where absent or something else."""
    digits = value.strip() if value is not None else b""
    if not digits.removeprefix(b"-").isdigit() or len(digits) > 20:
        return None
    number = int(digits)
    return number if abs(number) <= _MOST else None

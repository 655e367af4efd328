"""Parses the two kinds of lines that most kernel files share: ``Key: value kB`` and ``key value``."""

from __future__ import annotations

_MOST = (1 << 63) - 1
"""The largest value that history can store, and the largest value of a kernel counter."""
_SURE_DIGITS = 19
"""A number with fewer digits than this is not larger than that."""
_MOST_KIB_DIGITS = 15
"""A size in KiB with this many digits still fits after it is converted to bytes."""


def key_values(data: bytes, separator: bytes = b":") -> dict[bytes, bytes]:
    """Parse ``key<separator>value`` lines into a dict.

    Lines without a separator are skipped; the first of two equal keys wins.
    """
    lines = [line.partition(separator) for line in data.split(b"\n")]
    return {key.strip(): value for key, mark, value in reversed(lines) if mark}


def pairs(data: bytes) -> dict[bytes, bytes]:
    """``key value`` lines as :func:`key_values`, at half the cost where all are pairs of words with their own keys."""
    words = data.split()
    lines = dict(zip(words[::2], words[1::2], strict=False))
    return lines if 2 * len(lines) == len(words) == 2 * data.count(b"\n") else key_values(data, b" ")


def kib_to_bytes(value: bytes | None) -> int | None:
    """Convert ``  1234 kB`` to bytes. None if the text is absent or malformed. kB in /proc means KiB."""
    if value is None:
        return None
    digits = value.removesuffix(b"kB").strip()
    return int(digits) * 1024 if digits.isdigit() and len(digits) <= _MOST_KIB_DIGITS else None


def int_or_none(value: bytes | None) -> int | None:
    """Parse a plain decimal number. None if it is absent or something else."""
    if value is None:
        return None
    if value.isdigit() and len(value) < _SURE_DIGITS:  # nearly all
        return int(value)
    digits = value.strip()
    if not digits.removeprefix(b"-").isdigit() or len(digits) > 20:
        return None
    number = int(digits)
    return number if abs(number) <= _MOST else None

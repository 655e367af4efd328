"""Formats and parses bytes, counts, rates and durations.

Sizes are IEC (K = 1024 bytes) with three significant digits. None means unknown and becomes a dash.
"""

from __future__ import annotations

import re
from typing import Final

UNKNOWN: Final = "–"
_UNITS: Final = "BKMGTPE"
_SIZE: Final = r"(?ia)([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(?:([kmgtpe])(?:i?b)?|b)?"
_DURATION: Final = r"(?ia)([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(ms|s|m|min|h)?"
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def _three_digits(value: float) -> str:
    if value < 9.995:
        return f"{value:.2f}"
    if value < 99.95:
        return f"{value:.1f}"
    return f"{value:.0f}"


def _scaled(size_bytes: float) -> tuple[str, str]:
    """(digits, unit letter) of a size that is 0 or more."""
    if size_bytes < 1:
        return "0", ""
    value, unit = float(size_bytes), 0
    while unit < len(_UNITS) - 1 and value >= (1000 if unit == 0 else 999.5):
        value /= 1024
        unit += 1
    return (f"{value:.0f}" if unit == 0 else _three_digits(value)), _UNITS[unit]


def size(size_bytes: float | None) -> str:
    """Format a size for a table cell, in at most 6 characters: ``212M``, ``1.24G``, ``0``; a dash if it is unknown."""
    if size_bytes is None:
        return UNKNOWN
    digits, unit = _scaled(abs(size_bytes))
    sign = "-" if size_bytes < 0 and digits != "0" else ""
    return f"{sign}{digits}{unit}"


def long_size(size_bytes: float | None) -> str:
    """Format a size for a sentence: ``212 MiB``, ``1.24 GiB``, ``0 B``."""
    if size_bytes is None:
        return UNKNOWN
    digits, unit = _scaled(abs(size_bytes))
    sign = "-" if size_bytes < 0 and digits != "0" else ""
    return f"{sign}{digits} {unit + 'iB' if unit not in ('', 'B') else 'B'}"


def signed_size(size_bytes: float | None) -> str:
    """Format a change: ``+12.4M``, ``-3.00M``, ``0``."""
    text = size(size_bytes)
    return text if text in (UNKNOWN, "0") or text.startswith("-") else "+" + text


def counted(number: int | None, noun: str) -> str:
    """A count with its noun in the singular or plural: ``1 process``, ``3 processes``; a dash if it is unknown."""
    return f"{UNKNOWN if number is None else f'{number:,}'} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """The plural of a regular noun."""
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def count(number: float | None) -> str:
    """Format a count or a rate in decimal units: ``12``, ``3.1k``, ``1.2M``."""
    if number is None:
        return UNKNOWN
    if number < 9.95 and number != int(number):
        return f"{number:.1f}"
    if number < 9_999.5:
        return f"{number:.0f}"
    for unit in "kMGTPE":
        number /= 1000
        if number < 999.5:
            return (f"{number:.1f}" if number < 99.95 else f"{number:.0f}") + unit
    return f"{number:.0f}E"


def percent(value: float | None) -> str:
    """Format a percentage as ``0.9``, ``12.3`` or ``103``, without the percent sign: the column title has it."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def duration(seconds: float | None) -> str:
    """Format a duration in at most two units: ``8 s``, ``4 min``, ``3 h 12 min``, ``5 d 2 h``."""
    if seconds is None:
        return UNKNOWN
    whole = int(seconds + 0.5)
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def parse_size(text: str) -> float:
    """Parse ``500m``, ``1.5G``, ``4096`` or ``2 GiB`` into bytes. Raises ValueError, which says what is allowed."""
    match = re.fullmatch(_SIZE, text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a size such as 4096, 500m or 1.5g")
    return float(float(match[1]) * 1024 ** _UNITS.lower().index((match[2] or "b").lower()))


def parse_duration(text: str) -> float:
    """Parse ``0.5``, ``500ms``, ``2s`` or ``5m`` into seconds. Raises ValueError, which says what is allowed."""
    match = re.fullmatch(_DURATION, text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a time such as 0.5, 500ms, 2s or 5m")
    return float(match[1]) * _SECONDS[(match[2] or "").lower()]

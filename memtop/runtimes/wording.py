"""Formats numbers for the sentences and placeholders of every runtime."""

from __future__ import annotations

from collections.abc import Mapping

from memtop.units import count, duration, long_size

Facts = dict[str, str | None]


def per_min(per_s: float | None) -> str:
    """A rate in bytes per second, formatted as a signed size per minute."""
    return "unknown" if per_s is None else f"{signed(per_s * 60)}/min"


def per_second(per_s: float | None) -> str:
    """A rate in bytes per second, formatted."""
    return "at an unknown rate" if per_s is None else f"{long_size(per_s)}/s"


def count_per_min(per_s: float | None) -> str:
    """A rate per second, formatted as a signed count per minute."""
    if per_s is None:
        return "an unknown number of"
    return f"{'+' if per_s > 0 else '-' if per_s < 0 else ''}{count(abs(per_s) * 60)}/min"


def signed(size_bytes: float) -> str:
    """A size with its sign."""
    return f"{'+' if size_bytes > 0 else ''}{long_size(size_bytes)}"


def how_often(per_s: float) -> str:
    """A frequency in words."""
    if per_s >= 0.95:
        return f"{per_s:.0f} times a second" if per_s >= 9.5 else f"{per_s:.1f} times a second"
    if per_s >= 0.7:
        return "once a second"
    return f"every {duration(1 / per_s)}" if per_s > 0 else "not lately"


def known(facts: Mapping[str, str | None]) -> dict[str, str]:
    """The facts without unknown ones."""
    return {name: text for name, text in facts.items() if text is not None}


def size_fact(size_bytes: float | None) -> str | None:
    """A size; None if unknown."""
    return None if size_bytes is None else long_size(size_bytes)


def signed_size_fact(size_bytes: float | None, times: float) -> str | None:
    """``times`` a size with its sign; None if unknown."""
    if size_bytes is None:
        return None
    text = long_size(size_bytes * times)
    return text if text.startswith(("-", "0 ")) else f"+{text}"


def signed_count_fact(number: float | None) -> str | None:
    """A count with its sign; None if unknown."""
    if number is None:
        return None
    rounded = round(number, 1)
    return f"{'-' if rounded < 0 else '+' if rounded > 0 else ''}{count(abs(rounded))}"


def whole_fact(number: int | None) -> str | None:
    """A whole number; None if unknown."""
    return None if number is None else f"{number:,}"

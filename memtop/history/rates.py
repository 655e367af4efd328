"""Rates and slopes of counters and series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_NOISE: Final = 0.002
"""Share of the largest value: a smaller range is noise."""
_FULL: Final = 0.10
"""Share of the largest value: the smallest range that is drawn in full height."""


def per_s(now: int | None, before: int | None, elapsed_s: float | None) -> float | None:
    """Growth of a counter per second of real time; None if unknown, or if the counter went back (a reset)."""
    if now is None or before is None or elapsed_s is None or elapsed_s <= 0 or now < before:
        return None
    return (now - before) / elapsed_s


def slope_per_s(times_s: Sequence[float], values: Sequence[float]) -> float | None:
    """Least-squares slope; None for fewer than three points or no spread in time."""
    if len(times_s) < 3 or times_s[0] == times_s[-1]:
        return None
    from statistics import linear_regression  # noqa: PLC0415 (10 ms of imports, not needed for one sample)

    return linear_regression(times_s, values).slope


_FLAT: dict[tuple[int | None, ...], tuple[int | None, ...]] = {}
_MOST_FLAT: Final = 256
"""Flat trends that are kept: thousands of idle processes share them."""


def levels(values: Sequence[int | None], steps: int = 8) -> tuple[int | None, ...]:
    """Values as levels from 0, their lowest, to ``steps - 1``; None stays None.

    The full height is their own range, but at least a tenth of the largest value, so that small changes look small. A
    range of two thousandths is noise and drawn level: 0 everywhere. A larger range shows a step.
    """
    known = [value for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    span = high - low
    if span <= high * _NOISE:
        flat = tuple([None if value is None else 0 for value in values])
        return _FLAT.setdefault(flat, flat) if len(_FLAT) < _MOST_FLAT else flat
    scale = max((steps - 1) / max(span, high * _FULL), 1 / span)
    return tuple([None if value is None else int((value - low) * scale + 0.5) for value in values])

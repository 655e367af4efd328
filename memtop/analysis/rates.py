"""Rates and slopes from counters and series."""

from __future__ import annotations

from collections.abc import Sequence


def per_s(now: int | None, before: int | None, elapsed_s: float | None) -> float | None:
    """Growth of a counter per second of real time; None where unknown or where the counter went back (a reset)."""
    if now is None or before is None or elapsed_s is None or elapsed_s <= 0 or now < before:
        return None
    return (now - before) / elapsed_s


def slope_per_s(times_s: Sequence[float], values: Sequence[float]) -> float | None:
    """Least-squares slope; None for fewer than three points or no spread in time."""
    if len(times_s) < 3 or times_s[0] == times_s[-1]:
        return None
    from statistics import linear_regression  # noqa: PLC0415 (10 ms of imports that one-shot output does not need)

    return linear_regression(times_s, values).slope


def levels(values: Sequence[int | None], steps: int = 8, calm: float = 0.02) -> tuple[int | None, ...]:
    """Values as levels 0 to ``steps - 1`` of their own range; None stays None.

    A range smaller than ``calm`` of the largest value is noise, and drawn as a flat line half way up.
    """
    known = [value for value in values if value is not None]
    if not known:
        return tuple(None for _ in values)
    low, high = min(known), max(known)
    if high - low <= high * calm:
        return tuple(None if value is None else steps // 2 for value in values)
    scale = (steps - 1) / (high - low)
    return tuple(None if value is None else int((value - low) * scale + 0.5) for value in values)

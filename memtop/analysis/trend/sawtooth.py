"""Finds the turning points of a series, and the sawtooth of garbage collection."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

_LEAST_SAMPLES: Final = 4
_LEAST_CLIMB: Final = 0.4
"""Share of the climb within a rise. A straight rise of ten samples or more has 0.8, one of four 0.5."""


class Sawtooth(NamedTuple):
    """A series that rises slowly and drops at once, repeatedly. Indices refer to that series."""

    peaks: tuple[int, ...]
    valleys: tuple[int, ...]
    """Complete valleys only: each after a fall that was seen, and before the last point."""
    drops: int
    period_s: float
    """Median time from peak to peak."""


def turning_points(values: Sequence[float], reversal: float) -> list[int]:
    """Indices of alternating extremes that are at least ``reversal`` apart. The last one may still move."""
    pivots: list[int] = []
    low = high = 0
    rising: bool | None = None
    for index, value in enumerate(values):
        if rising is not False and value > values[high]:
            high = index
        if rising is not True and value < values[low]:
            low = index
        if rising is not True and value - values[low] >= reversal and value > values[low]:
            pivots.append(low)
            rising, high = True, index
        elif rising is not False and values[high] - value >= reversal and value < values[high]:
            pivots.append(high)
            rising, low = False, index
    if rising is not None:
        pivots.append(high if rising else low)
    return pivots


def find_saw(times_s: Sequence[float], values: Sequence[float], reversal: float, least_drops: int) -> Sawtooth | None:
    """The sawtooth in ``values``; None if the falls are few or as slow as the rises."""
    pivots = turning_points(values, reversal)
    up = [(a, b) for a, b in pairwise(pivots) if values[b] > values[a]]
    down = [(a, b) for a, b in pairwise(pivots) if values[b] < values[a]]
    if len(down) < least_drops or not up:
        return None
    rise_s = median([times_s[b] - times_s[a] for a, b in up])
    fall_s = median([times_s[b] - times_s[a] for a, b in down])
    if rise_s < 2 * fall_s or not _gradual(values, up):
        return None
    peaks = [b for _, b in up]
    valleys = [b for _, b in down]
    if valleys and valleys[-1] == len(values) - 1:
        valleys.pop()
    periods = [times_s[b] - times_s[a] for a, b in pairwise(peaks)]
    return Sawtooth(tuple(peaks), tuple(valleys), len(down), median(periods) if periods else rise_s + fall_s)


def _gradual(values: Sequence[float], rises: Sequence[tuple[int, int]]) -> bool:
    """Whether the rises are gradual: most of the climb is inside, not at the ends as between spikes or dips."""
    climbs = []
    for a, b in rises:
        if b - a >= _LEAST_SAMPLES:
            edge = max(1, (b - a) // 10)
            climbs.append((values[b - edge] - values[a + edge]) / (values[b] - values[a]))
    return not climbs or median(climbs) > _LEAST_CLIMB

"""Floor of a series: the memory that stays in use below everything that comes and goes."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

from memtop.analysis.trend.robust import drift, mann_kendall, persistent, theil_sen, widened

BLOCKS: Final = 10
_FREAK_POINTS: Final = 8
_STAYED: Final = 0.3
_SATURATED: Final = 0.3


class Floor(NamedTuple):
    """The lower envelope and its statistics."""

    times_s: list[float]
    values: list[float]
    rising: bool
    """Whether it rises by all three tests."""
    z: float
    slope: float
    """Bytes per second. ``low`` and ``high`` are the bounds of its 90 % interval."""
    low: float
    high: float
    rise: float
    """Slope times span."""


def blocks(times: Sequence[float]) -> Iterator[range]:
    """Indices of the points in each tenth of the span, of ascending times. A tenth without points is left out."""
    start, width = times[0], (times[-1] - times[0]) / BLOCKS
    end = 0
    for tenth in range(BLOCKS - 1 if width > 0 else 0):
        begin, end = end, bisect_right(times, tenth, end, key=lambda time: int((time - start) / width))
        if begin < end:
            yield range(begin, end)
    yield range(end, len(times))


def low_point(values: list[float], block: range) -> int:
    """Index of the block's floor: its second lowest point, because a single one may be an outlier."""
    return sorted(block, key=values.__getitem__)[1 if len(block) >= _FREAK_POINTS else 0]


def measure_floor(times: list[float], values: list[float], at: Sequence[int], smallest: float) -> Floor:
    """The floor through the points ``at``. It rises only by more than ``smallest``, in order and in every part.

    Mann-Kendall distinguishes a trend from independent noise; the drift of the increments distinguishes it from a
    random walk.
    """
    floor_times, floor_values = [times[i] for i in at], [values[i] for i in at]
    trend = theil_sen(floor_times, floor_values)
    z = mann_kendall(floor_values)
    rise = trend.slope * (times[-1] - times[0])
    few = len(at) < 8
    runs = lowest_of_runs(values, at, BLOCKS)
    coarse = [values[i] for i in runs]
    if persistent(*_finer(times, values, at), trend.slope):
        trend = widened(trend, [times[i] for i in runs], coarse)
    rising = z > (1.8 if few else 2.33) and drift(coarse) > (2.0 if few else 3.0) and rise > smallest
    return Floor(floor_times, floor_values, rising, z, trend.slope, trend.low, trend.high, rise)


def _finer(times: list[float], values: list[float], at: Sequence[int]) -> tuple[list[float], list[float]]:
    """More than ten points, to estimate the noise: the valleys if there are many, otherwise some thirty medians."""
    if len(at) > BLOCKS:
        return [times[i] for i in at], [values[i] for i in at]
    reach = len(times) // 60
    middles = range(reach, len(times) - reach, 2 * reach + 1)
    return [times[i] for i in middles], [median(values[i - reach : i + reach + 1]) for i in middles]


def lowest_of_runs(values: list[float], at: Sequence[int], most: int) -> Sequence[int]:
    """At most ``most`` of the points ``at``: the lowest of each run of neighbors."""
    run = math.ceil(len(at) / most)
    return [min(at[i : i + run], key=values.__getitem__) for i in range(0, len(at), run)]


def rose_once(floor: Floor, smallest: float) -> bool:
    """Whether the floor rose in the first half and then stayed level."""
    later = floor.values[len(floor.values) // 2 :]
    rise = min(later) - floor.values[0]
    return rise > smallest and max(later) - min(later) < _STAYED * rise


def saturates(floor: Floor, share: float = _SATURATED) -> bool:
    """Whether the last third of the floors rises at less than a ``share`` of the rate of the first third, or of all."""
    third = max(3, math.ceil(len(floor.values) / 3))
    first = theil_sen(floor.times_s[:third], floor.values[:third]).slope
    last = theil_sen(floor.times_s[-third:], floor.values[-third:]).slope
    return last < share * first or last < share * floor.slope

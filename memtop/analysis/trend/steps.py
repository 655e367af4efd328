"""Finds sudden changes of level in a series: a step, a staircase."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import fmean, median
from typing import Final

_EDGE: Final = 3
"""Number of points that a level needs."""
_FLAT_SHARE: Final = 0.25
_BUCKETS: Final = 50
_MOST_JUMPS: Final = 4


@dataclass(frozen=True, slots=True)
class LevelStep:
    """The level changed by ``size`` just before the point ``index``."""

    index: int
    size: float


def find_step(values: Sequence[float], smallest: float) -> LevelStep | None:
    """The one jump between two flat levels that explains ``values`` far better than a line does, or None."""
    n = len(values)
    center = fmean(values)
    deviations = [value - center for value in values]
    total = math.fsum(d * d for d in deviations)
    middle = (n - 1) / 2
    slope_sum = math.fsum((i - middle) * d for i, d in enumerate(deviations))
    line_error = max(0.0, total - slope_sum * slope_sum * 12 / (n * (n * n - 1)))
    # With deviations from the mean the right side sums to minus the left side.
    best, split = 0.0, 0
    for index, left in enumerate(accumulate(deviations[: n - _EDGE]), 1):
        explained = left * left * n / (index * (n - index))
        if index >= _EDGE and explained > best:
            best, split = explained, index
    if not split or total - best >= 0.35 * line_error:
        return None
    before, after = values[:split], values[split:]
    size = median(after) - median(before)
    if abs(size) <= smallest or not (_level(before, abs(size)) and _level(after, abs(size))):
        return None
    return LevelStep(split, size)


def _level(values: Sequence[float], jump: float) -> bool:
    """Whether this side of a jump is level."""
    third = max(1, len(values) // 3)
    return abs(median(values[-third:]) - median(values[:third])) < _FLAT_SHARE * jump


def find_stairs(values: Sequence[float], smallest: float) -> LevelStep | None:
    """The last of two to four jumps that account for most of a rise, with the sum of their sizes; None for a slope."""
    width = max(3, len(values) // _BUCKETS)
    levels = [median(values[i : i + width]) for i in range(0, len(values) - width + 1, width)]
    rise = levels[-1] - levels[0]
    if rise <= smallest:
        return None
    steps = [later - earlier for earlier, later in pairwise(levels)]
    if -math.fsum(step for step in steps if step < -smallest) > 0.3 * rise:
        return None
    groups: list[tuple[float, int]] = []
    run = 0
    for index, step in enumerate(steps):
        run = run + 1 if step > smallest else 0
        if run > 2:
            return None  # it climbs gradually
        if run == 2:  # one jump, inside a bucket
            groups[-1] = (groups[-1][0] + step, index)
        elif run:
            groups.append((step, index))
    largest = sorted(groups, reverse=True)[:_MOST_JUMPS]
    size = math.fsum(step for step, _ in largest)
    if len(largest) < 2 or size < 0.7 * rise:
        return None
    return LevelStep((max(index for _, index in largest) + 1) * width, size)

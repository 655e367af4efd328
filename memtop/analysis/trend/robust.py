"""Robust statistics of trend and noise, which a few outliers do not change.

Theil (1950) and Sen (1968) for the slope, Sen's ranks for its interval, Mann (1945) and Kendall (1975) for whether
there is a trend at all, and a t statistic of the increments: Mann-Kendall mistakes a random walk for a trend, its
increments do not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise
from statistics import fmean, median
from typing import Final, NamedTuple

_Z90: Final = 1.645
"""Two-sided 90 % of the normal distribution."""
_T90: Final = 1.86
"""Two-sided 90 % of Student's t with eight degrees of freedom."""
_LEAST_FOR_RATIO: Final = 6
_PERSISTENT: Final = 1.0
_SIGMA_PER_MAD: Final = 1.4826
"""Standard deviation over median absolute deviation, for normal noise."""


class Trend(NamedTuple):
    """A slope with its 90 % interval, in units of value per second; low <= slope <= high."""

    slope: float
    low: float
    high: float


def _squares(values: Sequence[float]) -> float:
    """Sum of the squared differences from the mean; :func:`statistics.variance` computes in fractions, 14 times as
    long."""
    mean = fmean(values)
    return math.fsum((value - mean) ** 2 for value in values)


def _deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample of at least two values."""
    return math.sqrt(_squares(values) / (len(values) - 1))


def rank_variance(values: Sequence[float]) -> float:
    """Variance of Kendall's S for exchangeable values, corrected for ties."""
    n = len(values)
    ties = sum(t * (t - 1) * (2 * t + 5) for t in Counter(values).values() if t > 1)
    return (n * (n - 1) * (2 * n + 5) - ties) / 18


def theil_sen(times_s: Sequence[float], values: Sequence[float]) -> Trend:
    """Median of all pairwise slopes, with Sen's rank interval. It is quadratic, so use it for some dozens of points.

    ``times_s`` ascend strictly. Fewer than two points give a slope of zero.
    """
    slopes = sorted((v2 - v1) / (t2 - t1) for (t1, v1), (t2, v2) in combinations(zip(times_s, values, strict=True), 2))
    if not slopes:
        return Trend(0.0, 0.0, 0.0)
    middle = median(slopes)
    reach = _Z90 * math.sqrt(rank_variance(values))
    below = max(0, math.floor((len(slopes) - reach) / 2) - 1)
    above = min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2))
    return Trend(middle, min(slopes[below], middle), max(slopes[above], middle))


def persistent(times_s: Sequence[float], values: Sequence[float], slope: float) -> bool:
    """Whether the residuals of ``slope`` persist from point to point, as a sum of random increments does.

    Von Neumann's ratio: 2 for independent residuals, far less for such a sum.
    """
    residuals = [value - slope * time for time, value in zip(times_s, values, strict=True)]
    if len(residuals) < _LEAST_FOR_RATIO:
        return False
    return math.fsum((b - a) ** 2 for a, b in pairwise(residuals)) < _PERSISTENT * _squares(residuals)


def widened(trend: Trend, times_s: Sequence[float], values: Sequence[float]) -> Trend:
    """The same slope with an interval from the spread of the increments, which holds for persistent noise too.

    Sen's ranks assume that the points are independent of each other. In a rise made of random increments they are not.
    """
    rates = [(v2 - v1) / (t2 - t1) for (t1, v1), (t2, v2) in pairwise(zip(times_s, values, strict=True))]
    if len(rates) < 2:
        return trend
    reach = _T90 * _deviation(rates) / math.sqrt(len(rates))
    return Trend(trend.slope, min(trend.low, trend.slope - reach), max(trend.high, trend.slope + reach))


def mann_kendall(values: Sequence[float]) -> float:
    """Standard score of a rising order. Above 2.33 chance alone is under 1 %; it is negative if the values fall."""
    score = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    variance = rank_variance(values)
    if score == 0 or variance <= 0:
        return 0.0
    return (score - math.copysign(1, score)) / math.sqrt(variance)


def drift(values: Sequence[float]) -> float:
    """Student's t of the successive increments: large if they share a direction, small for a random walk."""
    steps = [later - earlier for earlier, later in pairwise(values)]
    if len(steps) < 2:
        return 0.0
    mean = fmean(steps)
    error = _deviation(steps) / math.sqrt(len(steps))
    if error <= abs(mean) * 1e-9:
        return math.copysign(math.inf, mean) if mean else 0.0
    return mean / error


def noise(values: Sequence[float]) -> float:
    """Standard deviation of one point about its neighbors. Trends and jumps do not affect it."""
    steps = [later - earlier for earlier, later in pairwise(values)]
    if not steps:
        return 0.0
    middle = median(steps)
    return _SIGMA_PER_MAD * median([abs(step - middle) for step in steps]) / math.sqrt(2)

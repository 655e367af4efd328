"""Percentiles of many latencies, and how sure the ratio of two of them is."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from statistics import median
from typing import Final, NamedTuple, TypeVar

_REPLICATES: Final = 1000
_CONFIDENCE: Final = 0.9
_T = TypeVar("_T")


class Calls:
    """How long the calls of one stretch of time took, in nanoseconds; never changed."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        """``counts`` has the number of calls for each time that a call took."""
        self._ns = sorted(counts)
        self._up_to = [0, *accumulate(counts[ns] for ns in self._ns)]

    def __len__(self) -> int:
        return self._up_to[-1]

    def at_most(self, ns: int) -> int:
        """How many took no longer than this."""
        return self._up_to[bisect_right(self._ns, ns)]

    def next_below(self, ns: int) -> int:
        """The longest time shorter than this that a call took, 0 where there is none."""
        at = bisect_left(self._ns, ns)
        return self._ns[at - 1] if at else 0

    @property
    def longest_ns(self) -> int:
        """0 where there was no call."""
        return self._ns[-1] if self._ns else 0


Pair = tuple[Calls, Calls]
"""Of two windows, one soon after the other: what is compared with, and what is compared."""


class Ratio(NamedTuple):
    """Of two percentiles, with the interval in which nine of ten repetitions would find it."""

    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """How far from 1 it may be."""
        return max(abs(self.low - 1), abs(self.high - 1))


def percentile_ns(parts: Sequence[Calls], share: float) -> float:
    """What this share of all calls of all parts did not exceed.

    Clocks tick in steps (10 ns where this was written), so between two times that were seen it is interpolated.
    """
    rank = share * sum(map(len, parts))
    longest = max(part.longest_ns for part in parts)

    def up_to(ns: int) -> int:
        return sum(part.at_most(ns) for part in parts)

    above = bisect_left(range(longest), rank, key=up_to)
    below = max(part.next_below(above) for part in parts)
    before, after = up_to(below), up_to(above)
    return below + (above - below) * (rank - before) / (after - before)


def ratio_of_medians(pairs: Sequence[Pair]) -> Ratio:
    """What lies in the middle of the pairs' ratios: from pair to pair the machine's own speed may change."""
    shares = [percentile_ns([second], 0.5) / percentile_ns([first], 0.5) for first, second in pairs]
    return _bootstrapped(shares, median)


def ratio_of_tails(pairs: Sequence[Pair], share: float) -> Ratio:
    """A high percentile of all second ones over that of all first ones: a single pair has too little of what is rare.

    The two of a pair are drawn together, as they were measured side by side.
    """

    def of(drawn: Sequence[Pair]) -> float:
        first, second = zip(*drawn, strict=True)
        return percentile_ns(second, share) / percentile_ns(first, share)

    return _bootstrapped(pairs, of)


def _bootstrapped(measured: Sequence[_T], of: Callable[[Sequence[_T]], float]) -> Ratio:
    chance = random.Random(0)  # the same measurement gives the same interval
    found = sorted(of(chance.choices(measured, k=len(measured))) for _ in range(_REPLICATES))
    outside = round(len(found) * (1 - _CONFIDENCE) / 2)
    return Ratio(of(measured), found[outside], found[-1 - outside])


def turns(arms: Sequence[str], rounds: int) -> list[list[str]]:
    """The order of things to compare: in every other turn by chance, in the one after it backwards.

    What drifts evenly over the two turns then hits all arms alike.
    """
    chance = random.Random(0)
    orders = [chance.sample(arms, len(arms)) for _ in range(rounds)]
    return [turn for order in orders for turn in (order, order[::-1])]

"""Finds a steady rise of a number that has a limit, of mappings or threads: one that fills it needs no memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Final, NamedTuple

LEAST_S: Final = 60.0
"""A rise is one after so long."""
LEAST_SHARE: Final = 0.1
"""A rise is notable from this share of the limit on."""
_THIRDS: Final = 3
_EVEN: Final = 0.5
"""A rise goes on if its last third is at least this steep, compared with all of it: a pool of threads that fills up, or
a program that starts, slows down."""


class CountRise(NamedTuple):
    """A steady rise of such a number toward its limit."""

    name: str
    limit: int
    used: int
    beyond: str
    """What happens beyond the limit."""
    size: int
    span_s: float
    full_s: float
    """Seconds until the limit at this rate."""


def find_rise(readings: Sequence[tuple[float, int]], name: str, limit: int, beyond: str) -> CountRise | None:
    """The rise over these readings, each with its time in seconds, ascending; None without a steady and notable one."""
    if len(readings) < _THIRDS:
        return None
    (from_s, first), (to_s, last) = readings[0], readings[-1]
    span_s, size = to_s - from_s, last - first
    if span_s < LEAST_S or size < LEAST_SHARE * limit or size <= 0:
        return None
    ends = [len(readings) * third // _THIRDS for third in range(_THIRDS + 1)]
    thirds = [[number for _, number in islice(readings, *part)] for part in pairwise(ends)]
    if any(max(low) >= min(high) for low, high in pairwise(thirds)):
        return None
    late_s, late = readings[ends[-2] - 1]
    if (last - late) / (to_s - late_s) < _EVEN * size / span_s:
        return None
    return CountRise(name, limit, last, beyond, size, span_s, max(0, limit - last) * span_s / size)

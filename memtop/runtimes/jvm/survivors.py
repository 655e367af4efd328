"""Growth of a JVM's old generation between full collections, by what survives the young ones.

Young collections move what is alive into the old part of the heap, where the dead are found only by a major one. So
until there were some of those, a rise of what survives may be a leak or may be nothing: it leaves the question open.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from memtop.analysis.trend.collection_floors import cycle_floor, rises
from memtop.runtimes.jvm.growth import JvmPoint

_SMALLEST_BYTES: Final = 2 << 20
_SMALLEST_SHARE: Final = 0.05


def rising_survivors_per_s(points: Sequence[JvmPoint]) -> float | None:
    """Bytes per second by which more survives from one young collection to the next; None where it does not rise,
    and where there were too few collections to tell."""
    lows = []
    for _, group in groupby(points, key=lambda point: point.heap.young_gcs):
        lowest = min(group, key=lambda point: point.heap.tenured_bytes)
        lows.append((lowest.time_s, lowest.heap.tenured_bytes))
    floor = cycle_floor(lows[1:], _SMALLEST_BYTES, _SMALLEST_SHARE)  # before the first one nothing had survived any
    return floor.slope if floor is not None and rises(floor) else None

"""Growth of a JVM's old generation between full collections, from what survives the young ones.

Young collections move live objects into the old part of the heap. Only a major collection finds the dead ones there. So
before there were some major collections, a rise of the survivors may or may not be a leak, and the verdict stays open.
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
    """Bytes per second by which more survives from one young collection to the next.

    None if it does not rise, or if there were too few collections.
    """
    lows = []
    for _, group in groupby(points, key=lambda point: point.heap.young_gcs):
        lowest = min(group, key=lambda point: point.heap.tenured_bytes)
        lows.append((lowest.time_s, lowest.heap.tenured_bytes))
    # Before the first one nothing had survived a collection.
    floor = cycle_floor(lows[1:], _SMALLEST_BYTES, _SMALLEST_SHARE)
    return floor.slope if floor is not None and rises(floor) else None

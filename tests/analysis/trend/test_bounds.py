"""Of a long series so many points are compared, and so much of the past counts."""

from __future__ import annotations

import time

from memtop.analysis.trend.classify import judge
from memtop.analysis.trend.collection_floors import MOST_FLOORS, cycle_floor
from memtop.analysis.trend.forecast import time_to
from memtop.analysis.trend.machine_room import HIGH_SLOT_S, HIGH_SLOTS, Highs
from memtop.analysis.trend.sawtooth import Sawtooth

MIB = 1 << 20


def test_of_very_many_collections_the_lowest_of_neighbors_count() -> None:
    floor = cycle_floor([(float(second), 100 * MIB + second % 3) for second in range(1000)], MIB, 0.01)
    assert floor is not None and len(floor.values) <= MOST_FLOORS


def test_of_very_many_teeth_the_lowest_valleys_of_neighbors_count() -> None:
    growth = judge(
        [float(second) for second in range(800)], [float((100 + second % 4 * 50) * MIB) for second in range(800)]
    )
    assert growth.drops > 100 and 4 < growth.floors <= MOST_FLOORS


def test_very_many_peaks_of_a_sawtooth_are_not_compared_each_with_each() -> None:
    teeth = range(3000)
    saw = Sawtooth(peaks=tuple(teeth), valleys=(), drops=len(teeth), period_s=1.0)
    began_s = time.thread_time()
    found = time_to(1000.0 * MIB, [float(tooth) for tooth in teeth], [float(MIB * tooth) for tooth in teeth], saw)
    assert found is not None
    assert time.thread_time() - began_s < 0.5, "4.5 million pairs take several seconds"


def test_what_was_as_large_long_ago_is_forgotten() -> None:
    highs = Highs()
    highs.add(0.0, 100)
    for slot in range(1, HIGH_SLOTS):
        highs.add(slot * HIGH_SLOT_S, 10)
    assert highs.before(1e9) == (0.0, 100)
    highs.add(HIGH_SLOTS * HIGH_SLOT_S, 10)
    high = highs.before(1e9)
    assert high is not None and high[1] == 10

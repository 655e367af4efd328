"""The small series of what was given back, and how it is taken off."""

from __future__ import annotations

import pytest

from memtop.engine.assessment.lazy_free import KNOWN_S, MOST, LazyFreeSeries

MIB = 1 << 20


def series(*readings: tuple[float, int]) -> LazyFreeSeries:
    made = LazyFreeSeries()
    for at_s, size_mib in readings:
        made.add(at_s, size_mib * MIB)
    return made


def test_between_readings_it_changes_evenly_and_after_the_last_it_is_unknown() -> None:
    times, used = series((10, 0), (20, 10)).taken_off([10.0, 15.0, 20.0, 30.0], [100.0 * MIB] * 4, 30.0)
    assert times == [10, 15, 20]
    assert [size / MIB for size in used] == [100, 95, 90]


def test_after_an_old_reading_it_is_assumed_to_stay() -> None:
    times, used = series((10, 0), (20, 10)).taken_off([10.0, 15.0, 20.0, 30.0], [100.0 * MIB] * 4, 21 + KNOWN_S)
    assert times == [10, 15, 20, 30]
    assert [size / MIB for size in used] == [100, 95, 90, 90]


def test_what_was_before_the_first_reading_is_not_judged() -> None:
    times, _ = series((10, 50)).taken_off([0.0, 5.0, 10.0, 15.0], [1.0] * 4, 60.0)
    assert times == [10, 15]


def test_it_is_never_more_than_there_is() -> None:
    assert series((0, 50)).taken_off([1.0], [1.0], 60.0)[1] == [0.0]


def test_an_old_reading_says_nothing_of_now() -> None:
    made = series((10, 5))
    assert made.now(10 + KNOWN_S) == 5 * MIB
    assert made.now(11 + KNOWN_S) is None
    assert LazyFreeSeries().now(0) is None


@pytest.mark.parametrize(
    ("size_mib", "used_mib", "matters"), [(0, 10, False), (1, 10, False), (2, 10, True), (2, 200, False)]
)
def test_it_matters_where_it_is_a_notable_part(size_mib: int, used_mib: int, matters: bool) -> None:
    made = series((10, size_mib))
    assert made.matters(0, used_mib * MIB) is matters
    assert not made.matters(11, used_mib * MIB), "nothing was read since"


def test_a_reading_told_twice_counts_once_and_the_oldest_go() -> None:
    made = series(*[(at, at) for at in range(MOST + 1)], (MOST, 7))
    times, _ = made.taken_off([float(at) for at in range(MOST + 1)], [0.0] * (MOST + 1), MOST + 60.0)
    assert times[0] == MOST // 4
    assert made.now(MOST) == MOST * MIB

"""A rise that is followed from sample to sample."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from memtop.analysis.trend.rising import QUIET_S, Rise, follow_rise, most_quiet_s

MIB = 1 << 20


def followed(*sizes_mib: float, step_s: float = 1.0) -> Rise | None:
    """What stands after these sizes, ``step_s`` apart, from 100 s on."""
    rise: Rise | None = None
    sizes = [round(size * MIB) for size in sizes_mib]
    for number in range(1, len(sizes)):
        at_s = 100.0 + number * step_s
        rise = follow_rise(rise, at_s - step_s, sizes[number - 1], at_s, sizes[number])
    return rise


def test_it_begins_at_the_last_sample_before_and_counts_new_highs() -> None:
    assert followed(10, 10, 11, 11, 13) == Rise(101.0, 10 * MIB, 13 * MIB, 104.0, 2)


def test_its_pace_is_that_of_what_was_seen() -> None:
    rise = followed(10, 12, 14)
    assert rise is not None and (rise.size_bytes, rise.span_s, rise.bytes_per_s) == (4 * MIB, 2.0, 2 * MIB)


@pytest.mark.parametrize("sizes", [(10,), (10, 10), (10, 8), (10, 20, 14), (10, 20, 5)])
def test_what_is_level_falls_or_has_lost_most_of_its_gain_is_no_rise(sizes: Sequence[float]) -> None:
    assert followed(*sizes) is None


def test_a_small_drop_ends_nothing() -> None:
    rise = followed(10, 20, 18, 21)
    assert rise is not None and rise.size_bytes == 11 * MIB


def test_without_a_new_high_it_is_over_after_a_while_which_is_longer_between_samples_far_apart() -> None:
    assert (most_quiet_s(1.0), most_quiet_s(10.0)) == (QUIET_S, 25.0)


@pytest.mark.parametrize(("more_mib_a_s", "goes_on"), [(0.1, False), (0.3, False), (1.0, True), (10.0, True)])
def test_what_goes_on_at_a_small_part_of_its_pace_stands_still(more_mib_a_s: float, goes_on: bool) -> None:
    """A heap that has filled its eden takes a page now and then."""
    rise = followed(*(10.0 * second for second in range(11)), *(100 + more_mib_a_s * second for second in range(1, 31)))
    assert rise is not None
    assert rise.goes_on(140.0, QUIET_S) is goes_on
    assert rise.bytes_per_s > 9 * MIB or goes_on, "its pace is that of the time in which it rose"


def test_one_that_comes_in_steps_goes_on_between_them_and_is_over_when_it_rests_for_longer() -> None:
    stairs = Rise(100.0, 10 * MIB, 130 * MIB, 121.0, 3)
    assert [stairs.goes_on(121.0 + rest_s, QUIET_S) for rest_s in (6.0, 15.0, 16.0)] == [True, True, False]
    assert stairs.may_go_on(141.0, QUIET_S) and not stairs.may_go_on(142.0, QUIET_S)
    steady = Rise(100.0, 10 * MIB, 30 * MIB, 120.0, 20)
    assert not steady.goes_on(127.0, QUIET_S)
    assert not steady._replace(high_bytes=11 * MIB).may_go_on(127.0, QUIET_S), "it is too small to come in steps"


@pytest.mark.parametrize(("more_mib", "rest_s", "goes_on"), [(0.1, 3.0, True), (0.1, 9.0, False), (20, 9.0, True)])
def test_after_a_rest_a_small_new_high_begins_another_rise(more_mib: float, rest_s: float, goes_on: bool) -> None:
    one = Rise(100.0, 10 * MIB, 50 * MIB, 101.0, 1)
    assert one.continues_with(101.0 + rest_s, round((50 + more_mib) * MIB), QUIET_S) is goes_on

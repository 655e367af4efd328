"""Rates and slopes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.history.rates import levels, per_s, slope_per_s

COUNTER = st.none() | st.integers(0, 2**64)


def test_a_rate_is_the_growth_over_the_real_time() -> None:
    assert per_s(1500, 1000, 2.5) == 200


@pytest.mark.parametrize(
    ("now", "before", "elapsed_s"),
    [(None, 1, 1.0), (1, None, 1.0), (1, 1, None), (2, 1, 0.0), (2, 1, -1.0), (1, 2, 1.0)],
)
def test_what_is_unknown_or_went_back_has_no_rate(now: int | None, before: int | None, elapsed_s: float | None) -> None:
    assert per_s(now, before, elapsed_s) is None


@given(COUNTER, COUNTER, st.none() | st.floats(-10, 10))
def test_a_rate_is_never_negative(now: int | None, before: int | None, elapsed_s: float | None) -> None:
    rate = per_s(now, before, elapsed_s)
    assert rate is None or rate >= 0


@given(st.integers(-1000, 1000), st.integers(3, 60))
def test_the_slope_of_a_straight_line_is_its_own(slope: int, points: int) -> None:
    times_s = [float(index) for index in range(points)]
    assert slope_per_s(times_s, [5e9 + slope * time_s for time_s in times_s]) == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize("times_s", [[], [1.0], [1.0, 2.0], [1.0, 1.0, 1.0]])
def test_too_few_points_or_no_spread_in_time_have_no_slope(times_s: list[float]) -> None:
    assert slope_per_s(times_s, [float(index) for index in range(len(times_s))]) is None


def test_levels_span_the_range_and_unknown_stays_unknown() -> None:
    assert levels([None, 0, 50, 100, None]) == (None, 0, 4, 7, None)


def test_what_does_not_move_lies_on_the_floor() -> None:
    assert levels([0, 0, None]) == (0, 0, None)
    assert levels([60_000, 60_000, 60_000]) == (0, 0, 0)


def test_a_change_of_a_thousandth_is_level() -> None:
    assert levels([60_000, 60_060, None, 60_030]) == (0, 0, None, 0)


def test_a_little_change_is_drawn_little() -> None:
    assert levels([10_000, 9_900, 10_000, 9_950]) == (1, 0, 1, 1)
    assert levels([10_000, 9_500, 9_750]) == (4, 0, 2)


def test_a_change_of_a_tenth_has_the_full_height() -> None:
    assert levels([9_000, 9_500, 10_000]) == (0, 4, 7)


def test_a_slow_rise_of_a_large_process_shows_a_step() -> None:
    gib = 1 << 30
    assert levels([10 * gib + i * (4 << 20) for i in range(9)]) == (0, 0, 0, 0, 1, 1, 1, 1, 1)


@given(st.integers(1 << 20, 2**62), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_height_follows_the_share_of_the_change(high: int, shares: list[float]) -> None:
    values = [high, *(int(high * (1 - share / 100)) for share in shares)]
    assert all(level is not None and level <= 1 for level in levels(values)), "one percent is one step, no mountain"


@given(st.lists(st.none() | st.integers(0, 2**62), max_size=20))
def test_levels_keep_order_and_stay_in_bounds(values: list[int | None]) -> None:
    found = levels(values)
    assert [value is None for value in values] == [level is None for level in found]
    known = sorted(
        (value, level) for value, level in zip(values, found, strict=True) if value is not None and level is not None
    )
    assert all(0 <= level <= 7 for _, level in known)
    assert [level for _, level in known] == sorted(level for _, level in known)

"""Ranges of the time to a limit: they hold the end, and they do not jump."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.trend.forecast import HELD_PERCENT, settled, time_to
from tests.lab.forecast_looks import Score, looks, overall, scores
from tests.lab.forecast_runs import KINDS, LimitRun, simulated_runs

MIB = float(1 << 20)
SPANS = st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)).map(lambda ends: (min(ends), max(ends)))


@pytest.fixture(scope="module")
def found() -> dict[str, Score]:
    """Runs of every kind with a fixed seed; python -m tests.lab.forecasts makes more of them."""
    return scores(simulated_runs(seed=7, each=4), every=12)


def test_nine_in_ten_ranges_hold_the_end_over_all_kinds_of_growth(found: dict[str, Score]) -> None:
    assert len(found) == 2 * len(KINDS)
    assert overall(found) >= HELD_PERCENT / 100


def test_no_kind_of_growth_is_missed_most_of_the_time(found: dict[str, Score]) -> None:
    assert min(score.held_share for score in found.values() if score.held) > 0.5


def test_ranges_do_not_jump_and_say_something(found: dict[str, Score]) -> None:
    assert sum(score.jumps for score in found.values()) == 0
    steady = sorted(found["steady"].factors)
    assert steady[len(steady) // 2] < 2.5


@given(SPANS, SPANS)
def test_neither_end_moves_further_than_the_range_is_wide(
    before: tuple[float, float], fresh: tuple[float, float]
) -> None:
    early, late = settled(before, fresh)
    assert early <= late
    width = max(before[1] - before[0], late - early)
    assert max(abs(early - before[0]), abs(late - before[1])) <= width + 1e-6


def test_a_range_that_was_wrong_gives_way_within_a_few_looks() -> None:
    shown = (1.0, 2.0)
    for _ in range(12):
        shown = settled(shown, (200.0, 400.0))
    assert shown[0] > 190 and shown[1] == pytest.approx(400, rel=0.01)


def test_growth_that_speeds_up_is_expected_sooner_than_its_mean_rate_says() -> None:
    times = [float(second) for second in range(300)]
    even, faster = [MIB * second for second in times], [MIB * second**2 / 300 for second in times]
    room = 300 * MIB
    even_s, faster_s = time_to(room, times, even, None), time_to(room, times, faster, None)
    assert even_s is not None and faster_s is not None
    assert even_s[0] <= 300 <= even_s[1]
    assert faster_s[0] <= 300 * (2**0.5 - 1) <= faster_s[1] < even_s[1]


def test_what_does_not_rise_has_no_forecast() -> None:
    times = [float(second) for second in range(100)]
    assert time_to(MIB, times, [5 * MIB] * 100, None) is None
    assert time_to(MIB, times[:4], [MIB * second for second in times[:4]], None) is None


def test_a_run_that_meets_no_alarm_has_no_looks() -> None:
    assert list(looks(LimitRun("flat", 1.0, [MIB] * 200, [MIB] * 200))) == []

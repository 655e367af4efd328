"""When pagemap may be read in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.memory_map.piece_budget import (
    AGAIN_S,
    DUTY,
    MOST_CPU_S,
    SECOND_AFTER_S,
    WINDOW_DUTY,
    WINDOW_S,
    PieceBudget,
    pieces_cost_s,
)
from memtop.analysis.memory_map.read_cost import CALM_S, REST_MIN_S, Why


def test_the_first_reading_may_begin_at_once_and_the_next_not_before_it_has_ended() -> None:
    budget = PieceBudget()
    assert budget.may_read(0.0).allowed
    assert budget.begun().may_read(100.0).why is Why.UNDER_WAY
    assert budget.begun().failed().may_read(0.0).allowed


@given(st.lists(st.floats(0.0, 2.0), min_size=3, max_size=60))
def test_readings_keep_to_their_duty_in_the_long_run_and_the_second_comes_soon(costs_s: list[float]) -> None:
    budget, now_s, began_s = PieceBudget(), 0.0, []
    for cpu_s in costs_s:
        began_s.append(now_s)
        budget = budget.begun().ended(now_s, now_s, cpu_s)
        now_s += budget.may_read(now_s).wait_s
    assert began_s[1] <= SECOND_AFTER_S or costs_s[0] > MOST_CPU_S
    assert sum(costs_s) <= DUTY * now_s + 1e-6


@given(st.lists(st.floats(0.0, MOST_CPU_S), min_size=1, max_size=60), st.floats(0.0, 1.0))
def test_no_window_has_more_than_a_hundredth_of_a_core(costs_s: list[float], parsing_share: float) -> None:
    budget, now_s, spent = PieceBudget(), 0.0, []
    for cpu_s in costs_s:
        spent.append((now_s, cpu_s))
        budget = budget.begun().ended(now_s, now_s, (1.0 - parsing_share) * cpu_s)
        budget = budget.also(now_s, parsing_share * cpu_s)
        now_s += budget.may_read(now_s).wait_s
    for first_s, _ in spent:
        within = [cpu_s for at_s, cpu_s in spent if first_s <= at_s < first_s + WINDOW_S]
        assert sum(within) <= WINDOW_DUTY * WINDOW_S + 1e-6


def test_a_large_process_costs_little_more_than_a_small_one_as_its_pages_are_counted() -> None:
    assert pieces_cost_s(16 << 30) < 0.385 < MOST_CPU_S
    assert pieces_cost_s(256 << 20) == pieces_cost_s(512 << 20) / 2


def test_what_takes_long_to_parse_has_no_early_second_reading() -> None:
    budget = PieceBudget().begun().ended(0.0, 0.0, 0.1)
    assert budget.also(1.0, 0.1).may_read(SECOND_AFTER_S).allowed
    assert budget.also(1.0, 0.8).may_read(1.0).wait_s == pytest.approx(0.9 / DUTY - 1.0)


def test_a_second_reading_follows_a_long_first_one_at_once() -> None:
    assert PieceBudget().begun().ended(0.0, 4.0, 0.3).may_read(4.0).allowed


def test_where_nothing_moved_the_next_one_waits_longer_and_a_mark_never_does() -> None:
    budget = PieceBudget().ended(0.0, 0.0, 0.001)
    assert budget.may_read(5.0).allowed
    assert budget.may_read(5.0, calm=True).wait_s == CALM_S - 5.0
    assert budget.may_read(1.0, asked=True, calm=True).allowed


def test_from_the_third_reading_on_one_that_costs_almost_nothing_rests_too() -> None:
    budget = PieceBudget().ended(0.0, 0.0, 0.001).ended(2.9, 2.9, 0.001)
    assert budget.may_read(5.0).wait_s == pytest.approx(2.9 + AGAIN_S - 5.0)
    assert budget.may_read(2.9 + AGAIN_S).allowed


def test_after_smaps_the_first_reading_in_pieces_rests_and_has_no_early_second_one() -> None:
    budget = PieceBudget().after_smaps(10.0)
    assert budget.may_read(11.0).wait_s == pytest.approx(10.0 + REST_MIN_S - 11.0)
    budget = budget.begun().ended(13.0, 13.1, 0.03)
    assert budget.may_read(13.1).wait_s == pytest.approx(0.03 / DUTY)

"""When pagemap may be read in pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.memory_map.piece_budget import DUTY, SECOND_AFTER_S, SECOND_CPU_S, PieceBudget
from memtop.analysis.memory_map.read_cost import CALM_S, Why


def test_the_first_reading_may_begin_at_once_and_the_next_not_before_it_has_ended() -> None:
    budget = PieceBudget()
    assert budget.may_read(0.0).allowed
    assert budget.begun().may_read(100.0).why is Why.UNDER_WAY
    assert budget.begun().failed().may_read(0.0).allowed


@given(st.lists(st.floats(0.0, 2.0), min_size=3, max_size=60))
def test_readings_take_a_hundredth_of_a_core_in_the_long_run_and_the_second_comes_soon(costs_s: list[float]) -> None:
    budget, now_s, began_s = PieceBudget(), 0.0, []
    for cpu_s in costs_s:
        began_s.append(now_s)
        budget = budget.begun().ended(now_s, now_s, cpu_s)
        now_s += budget.may_read(now_s).wait_s
    assert began_s[1] <= SECOND_AFTER_S or costs_s[0] > SECOND_CPU_S
    assert sum(costs_s) <= DUTY * now_s + 1e-6


def test_a_second_reading_follows_a_long_first_one_at_once() -> None:
    assert PieceBudget().begun().ended(0.0, 4.0, 0.3).may_read(4.0).allowed


def test_where_nothing_moved_the_next_one_waits_longer_and_a_mark_never_does() -> None:
    budget = PieceBudget().ended(0.0, 0.0, 0.001)
    assert budget.may_read(5.0).allowed
    assert budget.may_read(5.0, calm=True).wait_s == CALM_S - 5.0
    assert budget.may_read(1.0, asked=True, calm=True).allowed

"""The observer's contract: when the dear files may be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.contract import REST_FACTOR, STALL_MAX_S, Contract, Why

GIB = 1 << 30
MIB = 1 << 20


def test_a_small_process_on_screen_is_read() -> None:
    verdict = Contract().may_read(0.0, 300 * MIB, shown=True)
    assert verdict.allowed
    assert verdict.stall_s == pytest.approx(0.0035, abs=1e-4)


@pytest.mark.parametrize(
    ("contract", "rss", "how", "why"),
    [
        (Contract(), MIB, {"shown": False}, Why.NOT_SHOWN),
        (Contract(), MIB, {"shown": True, "forbidden": True}, Why.FORBIDDEN),
        (Contract(), MIB, {"shown": True, "asked": True, "forbidden": True}, Why.FORBIDDEN),
        (Contract().begun(), MIB, {"shown": True, "asked": True}, Why.UNDER_WAY),
        (Contract(), 2 * GIB, {"shown": True}, Why.TOO_DEAR),
        (Contract(), 2 * GIB, {"shown": True, "asked": True}, Why.ALLOWED),
        (Contract(), None, {"shown": True}, Why.UNKNOWN_COST),
        (Contract(), None, {"shown": True, "asked": True}, Why.ALLOWED),
        (Contract().ended(0.0, 0.001, MIB), MIB, {"shown": True}, Why.RESTING),
        (Contract().ended(0.0, 0.001, MIB), MIB, {"shown": True, "asked": True}, Why.RESTING),
    ],
)
def test_every_reason(contract: Contract, rss: int | None, how: dict[str, bool], why: Why) -> None:
    assert contract.may_read(0.5, rss, **how).why is why


def test_the_limit_is_at_about_one_and_a_half_gib() -> None:
    assert Contract().may_read(0, GIB * 3 // 2, shown=True).allowed
    assert not Contract().may_read(0, GIB * 7 // 4, shown=True).allowed


def test_after_a_reading_comes_a_rest_of_a_hundred_times_its_cost_and_at_least_a_second() -> None:
    quick, slow = Contract().ended(10.0, 0.002, GIB), Contract().ended(10.0, 0.072, 6 * GIB)
    assert quick.may_read(10.9, GIB, shown=True).wait_s == pytest.approx(0.1)
    assert quick.may_read(11.0, GIB, shown=True).allowed
    assert slow.may_read(17.1, 6 * GIB, shown=True, asked=True).why is Why.RESTING
    assert slow.may_read(17.3, 6 * GIB, shown=True, asked=True).allowed


def test_the_cost_is_learned() -> None:
    huge_pages = Contract().begun().ended(0.0, 0.0005, 6 * GIB)
    assert huge_pages.may_read(100.0, 6 * GIB, shown=True).allowed
    dear = Contract().ended(0.0, 0.020, GIB)
    assert dear.may_read(100.0, GIB * 9 // 8, shown=True).why is Why.TOO_DEAR
    assert Contract().ended(0.0, 0.5, MIB).s_per_gib == Contract().s_per_gib, "too small to learn a rate from"
    many = Contract().ended(0.0, 0.228, 256 * MIB, mappings=65_000)
    assert many.may_read(100.0, 256 * MIB, shown=True).why is Why.TOO_DEAR


def test_a_reading_that_failed_ends_too() -> None:
    assert not Contract().begun().ended(0.0, 5.0).under_way


@given(st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(1e-5, 0.3), st.integers(0, 8 * GIB), st.booleans())))
def test_whatever_happens_at_most_one_percent_of_the_time_is_spent_reading(
    moments: list[tuple[float, float, int, bool]],
) -> None:
    contract, now = Contract(), 0.0
    ends: list[float] = []
    spent: list[float] = []
    for pause, cost, rss, asked in moments:
        now += pause
        verdict = contract.may_read(now, rss, shown=True, asked=asked)
        if verdict.allowed:
            assert asked or (verdict.stall_s is not None and verdict.stall_s <= STALL_MAX_S)
            if ends:
                assert now - ends[-1] >= max(1.0, REST_FACTOR * spent[-1]) - 1e-6
            now += cost
            contract = contract.begun().ended(now, cost, rss)
            ends.append(now)
            spent.append(cost)

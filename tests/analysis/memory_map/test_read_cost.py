"""When smaps and smaps_rollup may be read: what a reading may cost the process that is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.memory_map.read_cost import (
    CALM_S,
    REST_FACTOR,
    REST_MIN_S,
    STALL_MAX_S,
    Load,
    Machine,
    ReadBudget,
    Why,
)

GIB = 1 << 30
MIB = 1 << 20
HERE = Machine()


def rss(size_bytes: int) -> Load:
    return Load(rss_bytes=size_bytes)


def test_a_small_process_on_screen_is_read() -> None:
    verdict = ReadBudget().may_read(0.0, rss(300 * MIB), HERE)
    assert verdict.allowed
    assert verdict.stall_s == pytest.approx(0.0073, abs=1e-4)


@pytest.mark.parametrize(
    ("contract", "load", "how", "why"),
    [
        (ReadBudget(), rss(MIB), {"forbidden": True}, Why.FORBIDDEN),
        (ReadBudget(), rss(MIB), {"asked": True, "forbidden": True}, Why.FORBIDDEN),
        (ReadBudget().begun(), rss(MIB), {"asked": True}, Why.UNDER_WAY),
        (ReadBudget(), rss(2 * GIB), {}, Why.TOO_DEAR),
        (ReadBudget(), rss(2 * GIB), {"asked": True}, Why.ALLOWED),
        (ReadBudget(), None, {}, Why.UNKNOWN_COST),
        (ReadBudget(), None, {"asked": True}, Why.ALLOWED),
        (ReadBudget().ended(0.0, 0.001, rss(MIB)), rss(MIB), {}, Why.RESTING),
        (ReadBudget().ended(0.0, 0.001, rss(MIB)), rss(MIB), {"asked": True}, Why.ALLOWED),
        (ReadBudget().ended(0.0, 0.100, rss(MIB)), rss(MIB), {"asked": True}, Why.RESTING),
    ],
)
def test_every_reason(contract: ReadBudget, load: Load | None, how: dict[str, bool], why: Why) -> None:
    assert contract.may_read(0.5, load, HERE, **how).why is why


@pytest.mark.parametrize(
    ("load", "allowed"),
    [
        (rss(800 * MIB), True),
        (rss(GIB), False),
        (Load(100 * MIB, mappings=4_000, texts=4_000), True),
        (Load(100 * MIB, mappings=60_000, texts=60_000), False),
        (Load(100 * MIB, mappings=20_000), True),
        (Load(100 * MIB, mappings=60_000), False),
        (Load(40 * MIB, tables_bytes=100 * MIB), False),
    ],
)
def test_the_limit_of_an_unasked_first_reading_is_pages_tables_and_mappings_together(load: Load, allowed: bool) -> None:
    assert ReadBudget().may_read(0, load, HERE).allowed is allowed


def test_after_a_reading_comes_a_rest_of_a_hundred_times_its_cost_and_at_least_three_seconds() -> None:
    quick, slow = ReadBudget().ended(10.0, 0.002, rss(GIB)), ReadBudget().ended(10.0, 0.040, rss(GIB))
    assert quick.may_read(11.0, rss(GIB), HERE).wait_s == pytest.approx(REST_MIN_S - 1)
    assert quick.may_read(10.0 + REST_MIN_S, rss(GIB), HERE).allowed
    assert slow.may_read(13.9, rss(GIB // 4), HERE).why is Why.RESTING
    assert slow.may_read(14.1, rss(GIB // 4), HERE).allowed


def test_where_nothing_has_moved_the_rest_is_longer() -> None:
    read = ReadBudget().ended(10.0, 0.002, rss(GIB))
    assert read.may_read(15.0, rss(GIB), HERE, calm=True).wait_s == pytest.approx(CALM_S - 5)
    assert read.may_read(20.0, rss(GIB), HERE, calm=True).allowed


def test_a_key_that_is_held_down_spends_a_tenth_of_the_time_at_most() -> None:
    slow = ReadBudget().ended(10.0, 0.1, rss(6 * GIB))
    assert slow.may_read(10.8, rss(6 * GIB), HERE, asked=True).why is Why.RESTING
    assert slow.may_read(10.91, rss(6 * GIB), HERE, asked=True).allowed


def test_the_cost_is_learned_for_what_was_read_and_not_for_what_came_since() -> None:
    huge_pages = ReadBudget().begun().ended(0.0, 0.0005, rss(6 * GIB))
    assert huge_pages.may_read(100.0, rss(6 * GIB), HERE).allowed
    assert huge_pages.may_read(100.0, rss(8 * GIB), HERE).stall_s == pytest.approx(0.0505)
    assert huge_pages.may_read(100.0, rss(3 * GIB), HERE).stall_s == pytest.approx(0.00025)
    dear = ReadBudget().ended(0.0, 0.040, rss(500 * MIB))
    assert dear.may_read(4.0, rss(520 * MIB), HERE).why is Why.TOO_DEAR
    sums = ReadBudget().ended(0.0, 0.004, Load(10 * MIB, mappings=10_000))
    assert sums.may_read(100.0, Load(10 * MIB, mappings=10_000, texts=10_000), HERE).why is Why.TOO_DEAR


def test_a_slow_machine_is_learned_from_any_process_and_a_quick_process_makes_it_no_faster() -> None:
    slow = HERE.after(rss(256 * MIB), 0.03125)
    assert slow.slowness == pytest.approx(3.0), "half of the surprise"
    assert ReadBudget().stall_s(rss(500 * MIB), slow) == pytest.approx(3 * 0.025 * 500 / 1024)
    assert HERE.after(rss(6 * GIB), 0.0005) == HERE
    assert HERE.after(rss(MIB), 1.0) == HERE, "too small to learn from"
    for _ in range(10):
        slow = slow.after(rss(256 * MIB), 0.003)
    assert slow == HERE


def test_one_reading_that_was_disturbed_does_not_forbid_all_others_and_two_do() -> None:
    disturbed = ReadBudget().ended(0.0, 0.010, rss(404 * MIB)).ended(10.0, 0.028, rss(404 * MIB))
    assert disturbed.may_read(13.0, rss(404 * MIB), HERE).allowed
    again = disturbed.ended(13.0, 0.028, rss(404 * MIB))
    assert again.may_read(16.0, rss(404 * MIB), HERE).why is Why.TOO_DEAR
    calmed = disturbed.ended(100.0, 0.010, rss(404 * MIB))
    assert calmed.cost_s == pytest.approx(0.010)


def test_a_reading_that_failed_ends_too_and_teaches_nothing() -> None:
    before = ReadBudget().ended(0.0, 0.002, rss(GIB))
    after = before.begun().ended(10.0, 5.0)
    assert (after.under_way, after.cost_s, after.last_load) == (False, 0.002, rss(GIB))
    assert before.begun().failed() == before


@given(st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(1e-5, 0.3), st.integers(0, 8 * GIB), st.booleans())))
def test_whatever_happens_at_most_one_percent_of_the_time_is_spent_reading_unasked(
    moments: list[tuple[float, float, int, bool]],
) -> None:
    contract, now, machine = ReadBudget(), 0.0, HERE
    ends: list[float] = []
    spent: list[float] = []
    for pause, cost, size_bytes, asked in moments:
        now += pause
        verdict = contract.may_read(now, rss(size_bytes), machine, asked=asked)
        if verdict.allowed:
            assert asked or (verdict.stall_s is not None and verdict.stall_s <= STALL_MAX_S)
            if ends and not asked:
                assert now - ends[-1] >= max(REST_MIN_S, REST_FACTOR * spent[-1]) - 1e-6
            now += cost
            contract = contract.begun().ended(now, cost, rss(size_bytes))
            machine = machine.after(rss(size_bytes), cost)
            ends.append(now)
            spent.append(cost)


def test_one_slow_reading_does_not_silence_a_process_for_ever() -> None:
    load, machine = rss(300 * MIB), Machine()
    budget = ReadBudget().begun().ended(0.0, 0.2, load, machine)
    assert budget.may_read(30.0, load, machine).why is Why.TOO_DEAR
    assert budget.may_read(200.0, load, machine).allowed


def test_a_machine_that_was_slow_once_is_believed_to_be_usual_after_a_while() -> None:
    slow = Machine().after(rss(1024 * MIB), 0.5)
    assert slow.slowness > 2
    assert slow.rested(30.0).slowness == pytest.approx(1 + (slow.slowness - 1) / 2)
    assert slow.rested(600.0).slowness == pytest.approx(1.0, abs=0.01)

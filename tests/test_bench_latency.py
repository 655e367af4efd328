"""The arithmetic of ``python -m tests.bench --latency``, and that its target says what it is asked for."""

from __future__ import annotations

import shutil
from statistics import quantiles

import pytest

from tests.bench import budgets, latency_report
from tests.bench.latency import ALONE, ARMS, NOISE, Measured
from tests.bench.mapper import Mapper, Window, compiled
from tests.bench.percentiles import Calls, Ratio, percentile_ns, ratio_of_medians, ratio_of_tails, turns

_QUIET = Ratio(1.0, 0.998, 1.002)
_NOISY = Ratio(1.0, 0.97, 1.02)


def _window(*waits_ns: int, seconds: float = 1.0) -> Window:
    calls = Calls(dict.fromkeys(range(1000, 2000), 1) | dict.fromkeys(waits_ns, 1))
    return Window(seconds, calls, waits_ns, preempted=3)


def test_a_percentile_of_many_parts_is_that_of_their_union() -> None:
    parts = [Calls({1000: 5, 3000: 1}), Calls({2000: 4})]

    assert percentile_ns(parts, 0.5) == 1000
    assert percentile_ns(parts, 0.9) == 2000
    assert percentile_ns(parts, 1) == 3000


def test_between_two_ticks_of_the_clock_a_percentile_is_interpolated() -> None:
    fine = [1000 + step / 10 for step in range(1000)]
    ticks: dict[int, int] = {}
    for ns in fine:
        ticks[int(ns // 10 + 1) * 10] = ticks.get(int(ns // 10 + 1) * 10, 0) + 1

    assert percentile_ns([Calls(ticks)], 0.333) == pytest.approx(quantiles(fine, n=1000)[332], abs=0.2)


def test_the_share_below_a_percentile_is_what_was_asked_for() -> None:
    calls = Calls({ns: ns % 7 + 1 for ns in range(100, 5000, 3)})

    for share in (0.01, 0.5, 0.999):
        assert calls.at_most(round(percentile_ns([calls], share))) == pytest.approx(share * len(calls), abs=8)


def test_the_same_calls_in_both_arms_have_the_ratio_one() -> None:
    pairs = [(_window().calls, _window().calls)] * 5

    assert ratio_of_medians(pairs) == (1, 1, 1)
    assert ratio_of_tails(pairs, 0.999) == (1, 1, 1)


def test_the_machine_may_become_slower_between_pairs_and_the_ratio_of_medians_stays_exact() -> None:
    pairs = [(Calls({base: 100}), Calls({base * 11 // 10: 100})) for base in (1000, 2000, 1500, 3000)]

    found = ratio_of_medians(pairs)

    assert found == pytest.approx((1.1, 1.1, 1.1), rel=0.001)
    assert found.error == pytest.approx(0.1, rel=0.01)


def test_the_interval_of_a_ratio_is_as_wide_as_pairs_differ() -> None:
    pairs = [(Calls({1000: 100}), Calls({1000 + shift: 100})) for shift in (-200, 200, -100, 100, 0, 150)]

    assert 0.1 < ratio_of_medians(pairs).error <= 0.2
    assert 0.1 < ratio_of_tails(pairs, 0.999).error < 0.21


def test_what_is_rare_in_every_pair_shows_in_the_tail_of_all_of_them() -> None:
    pairs = [(Calls({1000: 999, 2000: 1}), Calls({1000: 997, 2000: 1, 5000: 2}))] * 3

    assert ratio_of_tails(pairs, 0.999).value > 1.4
    assert ratio_of_medians(pairs).value == pytest.approx(1, abs=0.01)


def test_every_second_turn_goes_backwards_and_has_every_arm_once() -> None:
    order = turns(ARMS, 4)

    assert len(order) == 8
    assert all(sorted(turn) == sorted(ARMS) for turn in order)
    assert all(there == back[::-1] for there, back in zip(order[::2], order[1::2], strict=True))


def test_all_sizes_together_keep_their_pairs() -> None:
    small = Measured(_window(), {ALONE: [_window()], NOISE: [_window(5000)]})
    large = Measured(_window(), {ALONE: [_window(7000)], NOISE: [_window(9000)]})

    found = latency_report.together([small, large])

    assert [window.calls.longest_ns for window in found[ALONE]] == [1999, 7000]
    assert [window.calls.longest_ns for window in found[NOISE]] == [5000, 9000]


def test_a_stall_that_no_percentile_shows_is_told_by_its_length_and_by_its_share_of_time() -> None:
    found = latency_report.report({ALONE: [_window(), _window()], "memtop PID": [_window(), _window(12_000_000)]})

    watched = found["memtop PID"]
    assert watched.p999.value < 1.01
    assert watched.longest_ms == 12
    assert watched.waiting_of_1000 == 6
    assert found[ALONE].longest_ms == 0


def test_a_first_look_that_holds_the_target_up_for_too_long_is_told() -> None:
    assert latency_report.start_judged("1 MiB", _window(21_000_000)).verdict == "MISSED"
    assert latency_report.start_judged("1 MiB", _window()).verdict == "kept"


@pytest.mark.parametrize(
    ("watched", "noise", "verdict"),
    [
        (Ratio(1.004, 1.002, 1.006), _QUIET, "kept"),
        (Ratio(1.03, 1.02, 1.04), _QUIET, "MISSED"),
        (Ratio(1.009, 1.005, 1.013), _QUIET, "cannot be told: from +0.5 to +1.3 %"),
        (Ratio(1.004, 1.002, 1.006), _NOISY, "cannot be told: alone it differs by 3.0 %"),
        (Ratio(1.025, 1.02, 1.03), _NOISY, "cannot be told: alone it differs by 3.0 %"),
        (Ratio(1.09, 1.08, 1.1), _NOISY, "MISSED"),
    ],
)
def test_a_ratio_is_judged_only_as_far_as_noise_allows(watched: Ratio, noise: Ratio, verdict: str) -> None:
    assert budgets.of_latency("median", watched, noise).verdict == verdict


@pytest.mark.skipif(shutil.which("gcc") is None, reason="the target is made by gcc")
def test_the_target_measures_itself_for_as_long_as_it_is_told() -> None:
    with compiled() as program, Mapper(program, 1) as target:
        found = [target.measure(0.02, keep_preempted=True) for _ in range(2)]

    for window in found:
        assert 0 < percentile_ns([window.calls], 0.5) < 20_000_000
        assert window.preempted == 0
        assert all(wait <= window.calls.longest_ns for wait in window.waits_ns)


def test_a_wait_that_somebody_else_causes_as_well_is_not_laid_to_memtop() -> None:
    assert budgets.of_longest_wait("memtop PID", 25.0, alone_ms=0.0).verdict == "MISSED"
    assert budgets.of_longest_wait("memtop PID", 25.0, alone_ms=30.0).verdict.startswith("cannot be told")
    assert budgets.of_longest_wait("memtop PID", 5.0, alone_ms=30.0).verdict == "kept"


def test_calls_that_lost_the_processor_are_left_out_unless_they_are_to_be_kept() -> None:
    line = '{"counts": {"1000": 5}, "ran": [70000], "waited": [90000], "preempted": [4000000, 3000000]}'

    apart, kept = (Window.parse(line, 1.0, keep_preempted=keep) for keep in (False, True))

    assert (len(apart.calls), apart.calls.longest_ns, apart.preempted) == (7, 90_000, 2)
    assert (len(kept.calls), kept.calls.longest_ns, kept.preempted) == (9, 4_000_000, 0)
    assert apart.waits_ns == kept.waits_ns == (90_000,)

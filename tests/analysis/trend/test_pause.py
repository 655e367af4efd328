"""A rise that rests and one that is over."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from memtop.analysis.trend.classify import Growth, Shape, judge
from memtop.analysis.trend.forecast import Beside, own_share
from memtop.analysis.trend.hysteresis import Confirmation, agree
from memtop.analysis.trend.pause import find_pause
from memtop.analysis.trend.rising import Rise

MIB = float(1 << 20)


def looked_at(level: Callable[[int], float], until_s: int, since_s: int = 0) -> Growth:
    """The verdict on a series in MiB at each second."""
    times = [float(second) for second in range(since_s, until_s + 1, 2)]
    return judge(times, [MIB * level(int(time)) for time in times], 20_000 * MIB)


def stops(second: int) -> float:
    return 30 + min(second, 300)


def stairs(second: int) -> float:
    return 30.0 + 20 * (second // 20)


@pytest.mark.parametrize("level", [lambda second: 30 + second, lambda second: 30 + 0.05 * second, lambda _: 30])
def test_what_goes_on_to_rise_or_never_did_has_no_pause(level: Callable[[int], float]) -> None:
    assert looked_at(level, 300).pause is None


def test_growth_that_stops_is_said_to_be_level_within_seconds_and_has_no_forecast() -> None:
    assert looked_at(stops, 300).limit_s is not None
    growth = looked_at(stops, 318)
    assert growth.kind is Shape.LEAK, "not over yet"
    assert growth.pause is not None and growth.pause.level_s == pytest.approx(18, abs=4)
    assert growth.pause.unusual and growth.limit_s is None and growth.slow_s is None


def test_growth_that_stops_is_over_after_a_minute() -> None:
    alarm = Confirmation(alarm=True, kind=Shape.LEAK, since_s=0.0)
    assert agree(alarm, looked_at(stops, 340), 340.0).alarm
    over = looked_at(stops, 366)
    assert over.pause is not None and over.pause.over
    assert over.rise_bytes == 300 * MIB, "what it has risen, not its rate times the span"
    assert agree(alarm, over, 366.0) == Confirmation(kind=Shape.WARMUP)
    again = agree(Confirmation(kind=Shape.WARMUP), looked_at(stops, 380), 380.0)
    assert not again.alarm and again.kind is Shape.WARMUP


def test_a_staircase_that_rests_between_its_steps_keeps_verdict_and_forecast_and_says_that_it_rests() -> None:
    growth = looked_at(stairs, 318)
    assert growth.kind is Shape.LEAK
    assert growth.pause is not None and not growth.pause.unusual
    assert growth.pause.level_s == pytest.approx(18, abs=4)
    assert growth.limit_s is not None


def test_a_staircase_without_its_next_step_is_over() -> None:
    growth = looked_at(lambda second: stairs(min(second, 301)), 366)
    assert growth.pause is not None and growth.pause.over
    assert not growth.kind.alarming


def test_noise_on_the_level_is_no_rise_and_swings_are_no_rest() -> None:
    rng = random.Random(3)
    times = [float(second) for second in range(400)]
    noisy = [MIB * (stops(int(time)) + rng.uniform(-0.5, 0.5)) for time in times]
    pause = find_pause(times, noisy)
    assert pause is not None and pause.level_s == pytest.approx(100, abs=10)
    assert find_pause(times, [MIB * (30 + time % 40) for time in times]) is None


def test_a_process_seen_to_grow_for_a_minute_does_not_decide_about_hours() -> None:
    room, own = 20_000 * MIB, MIB
    assert own_share(room, own, []) == room
    alone_s = room / own
    assert own_share(room, own, [Beside(10 * MIB, 60.0)]) / own > 0.8 * alone_s
    assert own_share(room, own, [Beside(MIB, 1e6)]) == pytest.approx(room / 2)
    assert own_share(300 * MIB, MIB, [Beside(2 * MIB, 60.0)]) == pytest.approx(100 * MIB), "what is near is shared"


def test_a_curve_of_a_minute_that_seems_to_bend_does_not_fill_in_minutes_what_takes_hours() -> None:
    growth = looked_at(lambda second: 30 + max(0, second - 20), 90)
    assert growth.kind.alarming and growth.limit_s is not None
    early_s, late_s = growth.limit_s
    assert early_s > 20_000 / 4 and early_s < 20_000 < late_s


def test_a_rise_of_seconds_is_not_extrapolated_over_hours() -> None:
    rise = Rise(0.0, 0, int(300 * MIB), 3.0, 3)
    assert rise.full_s(20_000 * MIB, 15.0) is None
    assert rise.full_s(2_000 * MIB, 15.0) == pytest.approx(20)
    assert rise.full_s(20_000 * MIB) == pytest.approx(200)

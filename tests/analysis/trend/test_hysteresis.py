"""When verdicts become an alarm, how sure it is, and when it ends."""

from __future__ import annotations

import random

import pytest

from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import DIRECTIONS, Confirmation, Direction, Evidence, agree
from memtop.analysis.trend.pause import Pause


def verdict(kind: Shape, z: float = 3.5, span_s: float = 300.0, floors_above: int = 5) -> Growth:
    return Growth(kind, 300, span_s, 1.0, 0.9, 1.1, z=z, floors_above=floors_above)


LEAK = verdict(Shape.LEAK)


def after(looks: list[tuple[float, Growth]], state: Confirmation | None = None) -> Confirmation:
    state = state or Confirmation()
    for now_s, growth in looks:
        state = agree(state, growth, now_s)
    return state


def alarmed(now_s: float = 360.0, growth: Growth = LEAK) -> Confirmation:
    state = after([(now_s - 60, growth), (now_s - 30, growth), (now_s, growth)])
    assert state.alarm
    return state


def test_three_looks_in_three_tenths_raise_an_alarm() -> None:
    assert not after([(300, LEAK), (330, LEAK)]).alarm
    assert after([(300, LEAK), (330, LEAK), (360, LEAK)]).alarm


def test_looks_within_one_tenth_count_once() -> None:
    assert not after([(300 + i, LEAK) for i in range(60)]).alarm
    assert after([(300 + i, LEAK) for i in range(61)]).alarm


def test_a_look_at_a_rise_that_rests_for_longer_than_usual_adds_no_evidence() -> None:
    """A cache that has just filled is level: one more look at how it rose does not confirm that it grows."""
    rests, usual = LEAK._replace(pause=Pause(20.0, 1.0)), LEAK._replace(pause=Pause(20.0, 15.0))
    assert not after([(300, LEAK), (330, LEAK), (360, rests), (390, rests)]).alarm
    assert after([(300, LEAK), (330, LEAK), (360, usual)]).alarm
    assert after([(300, LEAK), (330, LEAK), (360, rests), (390, LEAK)]).alarm, "it goes on"
    assert agree(alarmed(), rests, 370).alarm, "what is confirmed stays until it is over"
    assert not Pause(5.0, 1.0).unusual, "too short for a word"
    just = LEAK._replace(pause=Pause(5.0, 1.0))
    assert not after([(300, LEAK), (330, LEAK), (360, just)]).alarm, "but no evidence either"


def test_a_look_that_disagrees_starts_the_count_again() -> None:
    doubt = verdict(Shape.GROWTH)
    assert not after([(300, LEAK), (330, LEAK), (345, doubt), (360, LEAK), (390, LEAK)]).alarm
    assert after([(300, LEAK), (345, doubt), (360, LEAK), (390, LEAK), (420, LEAK)]).alarm


def test_both_alarming_verdicts_agree_with_each_other() -> None:
    state = after([(300, LEAK), (330, verdict(Shape.LEAK_GC)), (360, verdict(Shape.LEAK_GC))])
    assert state.alarm
    assert state.kind is Shape.LEAK_GC


def test_an_alarm_stays_while_the_verdict_merely_doubts() -> None:
    state = after([(370 + 30 * i, verdict(Shape.GROWTH, z=1.5)) for i in range(20)], alarmed())
    assert state.alarm
    assert state.kind is Shape.LEAK


def test_an_alarm_ends_when_nothing_speaks_for_a_rise() -> None:
    assert agree(alarmed(), verdict(Shape.GROWTH, z=1.28), 370).alarm
    assert not agree(alarmed(), verdict(Shape.GROWTH, z=1.27), 370).alarm


def test_an_alarm_ends_when_three_looks_see_a_shape_that_is_no_growth() -> None:
    over = verdict(Shape.WARMUP, z=3.0)
    assert after([(370, over), (400, over)], alarmed()).alarm
    assert not after([(370, over), (400, over), (430, over)], alarmed()).alarm
    assert after([(370, over), (400, over), (415, LEAK), (430, over)], alarmed()).alarm


@pytest.mark.parametrize("growth", [Growth(Shape.INSUFFICIENT, 3, 2.0), verdict(Shape.INSUFFICIENT)])
def test_an_alarm_ends_when_there_is_nothing_to_judge(growth: Growth) -> None:
    assert agree(alarmed(), growth, 370) == Confirmation()


def test_the_words_follow_the_time_and_the_floors() -> None:
    short = verdict(Shape.LEAK, span_s=100)
    state = after([(100, short), (110, short), (120, short)])
    assert state.evidence is Evidence.GROWING
    assert agree(state, LEAK, 299).evidence is Evidence.GROWING
    assert agree(state, LEAK, 300).evidence is Evidence.POSSIBLE_LEAK
    assert agree(state, LEAK, 1800).evidence is Evidence.POSSIBLE_LEAK
    assert agree(state, LEAK, 1801).evidence is Evidence.LIKELY_LEAK
    assert agree(state, verdict(Shape.LEAK, floors_above=2), 1801).evidence is Evidence.POSSIBLE_LEAK


def test_without_an_alarm_there_is_no_evidence() -> None:
    assert after([(300, LEAK), (330, LEAK)]).evidence is None


def test_a_clock_set_back_does_not_confirm_anything() -> None:
    assert not after([(300, LEAK), (330, LEAK), (10, LEAK), (340, LEAK)]).alarm


# -- shapes


def looks(*kinds: Shape, apart_s: float = 30.0) -> list[tuple[float, Growth]]:
    return [(300 + apart_s * number, verdict(kind)) for number, kind in enumerate(kinds)]


def test_a_shape_stands_when_three_looks_agree_on_it() -> None:
    assert after(looks(Shape.SAWTOOTH, Shape.SAWTOOTH)).kind is Shape.INSUFFICIENT
    assert after(looks(Shape.SAWTOOTH, Shape.SAWTOOTH, Shape.SAWTOOTH)).kind is Shape.SAWTOOTH


def test_that_nothing_moves_needs_one_look_at_first_and_three_later() -> None:
    flat = after(looks(Shape.FLAT))
    assert flat.kind is Shape.FLAT
    stepped = after(looks(Shape.STEP, Shape.STEP, Shape.STEP), flat)
    assert stepped.kind is Shape.STEP
    assert after(looks(Shape.FLAT, Shape.FLAT), stepped).kind is Shape.STEP


def test_a_look_that_leads_elsewhere_changes_nothing() -> None:
    noisy = after(looks(Shape.NOISY, Shape.NOISY, Shape.NOISY))
    for kind in (Shape.GROWTH, Shape.LEAK, Shape.STEP, Shape.SPIKE):
        assert after(looks(kind, Shape.NOISY, kind, Shape.NOISY, kind, kind), noisy).kind is Shape.NOISY


def test_looks_of_one_direction_and_several_shapes_amount_to_what_they_have_in_common() -> None:
    assert after(looks(Shape.SPIKE, Shape.SHRINK, Shape.SAWTOOTH)).kind is Shape.NOISY
    assert after(looks(Shape.GROWTH, Shape.LEAK, Shape.GROWTH)).kind is Shape.GROWTH
    assert after(looks(Shape.STEP, Shape.STAIRS, Shape.WARMUP)).kind is Shape.WARMUP


def test_looks_for_a_rise_must_lie_apart_and_those_for_a_step_need_not() -> None:
    assert after(looks(Shape.GROWTH, Shape.GROWTH, Shape.GROWTH, apart_s=3)).kind is Shape.INSUFFICIENT
    assert after(looks(*[Shape.GROWTH] * 21, apart_s=3)).kind is Shape.GROWTH
    assert after(looks(Shape.STEP, Shape.STEP, Shape.STEP, apart_s=3)).kind is Shape.STEP


def test_the_second_look_that_leads_elsewhere_makes_it_changing() -> None:
    flat = after(looks(Shape.FLAT))
    assert not after(looks(Shape.STEP), flat).changing
    assert after(looks(Shape.STEP, Shape.STEP), flat).changing
    assert not after(looks(Shape.NOISY, Shape.NOISY), flat).changing, "level is where it was"
    assert not after(looks(Shape.STEP, Shape.STEP, Shape.STEP), flat).changing
    assert not after(looks(Shape.STEP, Shape.STEP)).changing, "nothing stands yet"
    assert after(looks(Shape.LEAK, Shape.LEAK)).changing


def test_whatever_the_looks_say_a_leak_stands_with_an_alarm_only() -> None:
    rng = random.Random(4)
    state = Confirmation()
    kinds = [kind for kind in Shape if kind is not Shape.INSUFFICIENT]
    for number in range(5000):
        kind = rng.choice([*kinds, Shape.LEAK, Shape.LEAK_GC, Shape.GROWTH, Shape.LEAK, Shape.LEAK])
        state = agree(state, verdict(kind, z=rng.choice((0.5, 1.5, 3.0))), 300 + 20 * number)
        assert state.kind.alarming == state.alarm
        assert (state.evidence is not None) == state.alarm
        assert not (state.alarm and state.changing)
        assert state.kind is Shape.GROWTH or state.alarm or DIRECTIONS[state.kind] is not Direction.RISING

"""Incidents come, stay, and change their order only when something is worse by a class."""

from __future__ import annotations

import itertools
import math

from memtop.analysis.incidents import Incident, Scope, StandingIncidents, Subject
from memtop.analysis.severity import Severity
from memtop.process_key import ProcessKey

NOTE, WARNING, DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER


def one(
    pid: int,
    *,
    name: str = "rising",
    severity: Severity = NOTE,
    weight: float = 1.0,
    certain: bool = False,
    level: bool = False,
    kills_in_s: float = math.inf,
) -> Incident:
    subject = Subject(Scope.PROCESS, f"app ({pid})", key=ProcessKey(pid, 1))
    return Incident(
        name, severity, subject, {}, weight, 0.0, "growth", certain=certain, level=level, kills_in_s=kills_in_s
    )


def standing(*samples: list[Incident], step_s: float = 1.0) -> list[list[int]]:
    """The pids that stand after each of the samples, ``step_s`` apart."""
    state, shown = StandingIncidents(), []
    for number, found in enumerate(samples):
        state = state.after(100.0 + number * step_s, found)
        shown.append([incident.subject.key.pid for incident in state.standing if incident.subject.key is not None])
    return shown


def test_an_incident_comes_with_the_second_sample_unless_it_is_certain() -> None:
    assert standing([one(1)], [one(1)]) == [[], [1]]
    assert standing([one(1)], [], [one(1)]) == [[], [], []]
    assert standing([one(1, certain=True)]) == [[1]]
    assert standing([one(1)], [one(1)], [one(1)], step_s=0.5) == [[], [], [1]], "not faster than the eye"


def test_one_that_stands_outlives_gaps_and_leaves_in_the_end() -> None:
    here = [one(1)]
    assert standing(here, here, [], [], here)[-1] == [1]
    shown = standing(here, here, *([[]] * 12))
    assert shown[6] == [1] and shown[-1] == []


def test_what_has_happened_goes_when_another_incident_tells_of_it() -> None:
    assert standing([one(1, certain=True)], [one(2, certain=True)]) == [[1], [2]], "1 was killed so long ago no more"


def test_a_level_is_shown_by_one_sample_and_does_not_flicker() -> None:
    assert standing([one(1, level=True)], [], [one(1, level=True)]) == [[1], [1], [1]]


def test_the_order_of_one_class_stands_still_while_weights_change_a_little() -> None:
    first = [[one(1, weight=10.0), one(2, weight=10.0 + number % 3)] for number in range(8)]
    assert {tuple(pids) for pids in standing(*first)[1:]} == {(1, 2)}


def test_one_that_is_twice_as_bad_or_of_a_worse_class_goes_ahead() -> None:
    before = [one(1, weight=10.0), one(2, weight=5.0)]
    assert standing(before, before, [one(1, weight=10.0), one(2, weight=30.0)])[1:] == [[1, 2], [2, 1]]
    assert standing(before, before, [one(1, weight=10.0), one(2, severity=WARNING)])[1:] == [[1, 2], [2, 1]]


def test_a_kill_within_minutes_goes_before_all_else_of_its_severity() -> None:
    hours = one(1, name="growth", severity=DANGER, weight=9.0, kills_in_s=2100.0)
    killed = one(2, name="oom_kill", severity=DANGER, certain=True)
    soon = [one(3, severity=DANGER, kills_in_s=100.0 - second) for second in range(60)]
    sooner = one(4, severity=DANGER, weight=0.1, kills_in_s=20.0)
    assert standing(*([hours, killed, one] for one in soon))[-1] == [3, 2, 1]
    assert standing(*([hours, soon[0], sooner],) * 2)[-1] == [4, 3, 1]
    beside = one(5, severity=DANGER, kills_in_s=60.0)
    assert {tuple(pids) for pids in standing(*([beside, one] for one in soon[:50]))[1:]} == {(5, 3)}, "no flicker"


def test_a_severity_rises_at_once_and_falls_late() -> None:
    mild, bad = [one(1), one(2, severity=WARNING)], [one(1, severity=DANGER), one(2, severity=WARNING)]
    shown = standing(mild, mild, bad, mild, mild, mild, mild, mild, mild, mild)
    assert (shown[1], shown[2], shown[5], shown[-1]) == ([2, 1], [1, 2], [1, 2], [2, 1])


def test_a_rise_that_becomes_confirmed_growth_is_one_incident() -> None:
    state = StandingIncidents()
    for second in range(10):
        name = "rising" if second < 5 else "growth"
        state = state.after(100.0 + second, [one(1, name=name)])
    assert [incident.name for incident in state.standing] == ["growth"]


def test_of_very_many_incidents_the_worst_stand() -> None:
    worst = [one(1000, certain=True, severity=DANGER)]
    (shown,) = standing([one(pid, certain=True) for pid in range(100)] + worst)
    assert len(shown) == 64
    assert shown[0] == 1000


def test_of_two_whose_weights_swing_the_first_stays_first() -> None:
    weights = [(10.0, 11.0), (10.0, 11.0), (15.0, 14.0), (20.0, 18.0), (25.0, 20.0), (20.0, 18.0), (15.0, 14.0)]
    swings = [[one(1, weight=here), one(2, weight=there)] for here, there in weights * 3]
    assert {tuple(pids) for pids in standing(*swings)[1:]} == {(2, 1)}


def test_a_new_one_comes_after_what_stands_unless_it_is_clearly_worse() -> None:
    before = [[one(1, weight=10.0)]] * 3
    assert standing(*before, *[[one(1, weight=10.0), one(2, weight=15.0)]] * 3)[-1] == [1, 2]
    assert standing(*before, *[[one(1, weight=10.0), one(2, weight=15.0), one(3, weight=25.0)]] * 8)[-1] == [3, 1, 2]
    worse_rule = one(2, name="growth", weight=0.1)
    assert standing(*before, *[[one(1, weight=10.0), worse_rule]] * 3)[-1] == [2, 1]


def test_one_whose_severity_swings_does_not_take_turns_with_another() -> None:
    def second(number: int) -> list[Incident]:
        return [one(1, weight=10.0), one(2, weight=9.0, severity=WARNING if number in (5, 18, 31) else NOTE)]

    shown = standing(*map(second, range(50)))
    changes = sum(here != there for here, there in itertools.pairwise(shown[1:]))
    assert changes == 1, "the first time it was worse"


def test_a_program_that_loads_for_seconds_does_not_take_the_first_place_but_one_that_goes_on_does() -> None:
    leak, loads = one(1, weight=1.0), one(2, weight=50.0)
    shown = standing(*[[leak]] * 5, *[[leak, loads]] * 5, *[[leak]] * 20)
    assert {pids[0] for pids in shown[1:]} == {1}
    shown = standing(*[[leak]] * 5, *[[leak, loads]] * 8)
    assert (shown[10][0], shown[-1][0]) == (1, 2)
    loads = one(2, severity=WARNING, weight=0.1)
    assert standing(*[[leak]] * 5, *[[leak, loads]] * 2)[-1] == [2, 1], "that does not wait"

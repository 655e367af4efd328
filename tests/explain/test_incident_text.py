"""Sentences about incidents, and the headline of the machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memtop.analysis.incidents import RULES, ExitFacts, Incident, IncidentInputs, Scope, Subject, find_incidents
from memtop.analysis.severity import Severity
from memtop.explain.finding_text import about
from memtop.explain.incident_text import headline, incident_object, incident_sentences, incident_texts, not_looked_at
from memtop.explain.topic_loader import topic
from memtop.model.incidents import IncidentReport, Unseen
from memtop.process_key import ProcessKey
from tests.rows import GIB, MIB, system_row

GROWTH = Incident(
    "growth",
    Severity.DANGER,
    Subject(Scope.PROCESS, "orders-api (4242)", key=ProcessKey(4242, 9)),
    {
        "rate_bytes_per_min": 60.0 * MIB,
        "seen_s": 180.0,
        "limit_name": "container shop",
        "limit_bytes": 300 * MIB,
        "early_s": 125.0,
        "late_s": 170.0,
    },
    weight=1.0,
    since_s=1000.0,
    show=ProcessKey(4242, 9),
)
EASE = system_row(mem_available_bytes=22 * GIB)


def test_every_rule_has_sentences_and_a_topic() -> None:
    assert set(incident_texts()) == set(RULES)
    for rule in RULES.values():
        assert topic(rule.topic).body
        assert incident_texts()[rule.name]["next"]


def test_the_headline_names_who_since_when_which_limit_and_how_many_more() -> None:
    found = headline(IncidentReport((GROWTH, GROWTH), watched_s=200.0), EASE)
    assert found.clauses == (
        "orders-api (4242) has grown 60.0 MiB/min for 3 min",
        "container shop (300 MiB) is full in 2 to 3 min",
    )
    assert (found.sign, found.more) == ("▲", 1)
    assert found.says.endswith("; and 1 more")


def test_where_nothing_is_wrong_it_says_so_and_what_it_did_not_see() -> None:
    def says(report: IncidentReport | None) -> str:
        return headline(report, EASE).says

    assert says(IncidentReport(watched_s=100.0)) == "22.0 GiB available; nothing grows, no cgroup limit is near"
    assert "nothing grows fast, " in says(IncidentReport(watched_s=60.0)), "slow growth takes longer to see"
    assert "too early to know what grows" in says(IncidentReport(watched_s=2.0))
    assert "growth needs a second sample" in says(None)
    blind = says(IncidentReport((), Unseen(hidden=3, unplaced=1, unread_cgroups=2, only=None), 60.0))
    assert "no readable cgroup limit is near; 3 processes not readable; cgroup of 1 process unknown" in blind
    assert "only 2 processes watched" in says(IncidentReport((), Unseen(only=2), 60.0))
    assert "no process is watched now" in says(IncidentReport((), Unseen(only=0), 60.0))
    assert not_looked_at(Unseen(unassessed=2)) == ["ulimits and mappings of 2 processes not checked"]
    unknown = headline(IncidentReport(watched_s=60.0), system_row(mem_available_bytes=None))
    assert unknown.clauses[0] == "available memory unknown"


def test_the_cause_of_a_fall_comes_first() -> None:
    facts: dict[str, float | str] = {
        "part": "tmpfs and shared memory",
        "rise_bytes": GIB,
        "rise_s": 20.0,
        "fall_bytes_per_min": 1.2 * GIB,
        "full_s": 260.0,
        "by": ", but no process grows that fast",
    }
    fall = Incident("memory_goes", Severity.WARNING, Subject(Scope.MACHINE), facts, 1.0, 0.0)
    assert incident_sentences(fall).clauses == (
        "tmpfs and shared memory +1.00 GiB in 20 s",
        "available falls 1.20 GiB/min, but no process grows that fast",
        "6 shows what holds it",
        "nothing is left in about 4 min at this rate",
    )


def test_a_time_at_a_pace_that_may_change_has_few_digits() -> None:
    assert [about(seconds) for seconds in (1, 43, 140, 3000, 9000)] == [
        "less than 5 s",
        "about 45 s",
        "about 2 min",
        "about 50 min",
        "about 2 h",
    ]


def test_as_json_it_has_who_what_since_when_and_the_numbers() -> None:
    found = incident_object(GROWTH, "2026-01-01T00:00:00.000Z")
    assert (found["id"], found["severity"], found["scope"], found["pid"]) == ("growth", "danger", "process", 4242)
    assert found["facts"]["limit_bytes"] == 300 * MIB and found["since"].startswith("2026")
    assert found["text"].startswith("orders-api (4242) has grown") and found["next"]


def test_a_limit_that_cannot_be_raised_is_not_to_be_raised_and_a_rate_of_one_number_is_no_range() -> None:
    rates: dict[str, float | str] = {
        "rate_bytes_per_min": 59.5 * MIB,
        "rate_low_bytes_per_min": 59.5 * MIB,
        "evidence": "growing",
    }
    same = GROWTH._replace(facts={**GROWTH.facts, **rates, "rate_high_bytes_per_min": 59.5 * MIB, "limit_bytes": 1.0})
    apart = GROWTH._replace(facts={**same.facts, "rate_high_bytes_per_min": 61.0 * MIB, "limit_of": "machine"})
    assert incident_sentences(same).evidence[0].startswith("Growing: 59.5 MiB per minute ")
    assert incident_sentences(apart).evidence[0].startswith("Growing: 59.5 MiB to 61.0 MiB per minute ")
    assert "raise the limit" in incident_sentences(same).next
    assert "raise" not in incident_sentences(apart).next


def test_a_rise_that_is_full_before_its_verdict_is_not_to_be_waited_for() -> None:
    facts: dict[str, float | str] = {
        "rise_bytes": 29 * MIB,
        "rise_s": 10.0,
        "limit_name": "shop",
        "limit_bytes": 200 * MIB,
    }
    rising = GROWTH._replace(name="rising", facts=facts)
    assert incident_sentences(rising).next.startswith(
        "Wait for the verdict (at least 90 s and 40 samples), and see which region"
    )
    late = rising._replace(facts={**facts, "full_s": 300.0, "limit_file": "/cg/shop/memory.max"})
    assert incident_sentences(late).next.startswith(
        "Wait for the verdict (at least 90 s and 40 samples), and see which region"
    )
    soon = rising._replace(facts={**facts, "full_s": 45.0, "limit_file": "/cg/a shop/memory.max"})
    at_once = "raise the limit at once (echo 300M > '/cg/a shop/memory.max'), and see which region grows (panel 1)."
    assert incident_sentences(soon).next == f"It may be full before the verdict: {at_once}"
    machine = rising._replace(facts={**facts, "full_s": 45.0})
    assert incident_sentences(machine).next == "See at once which region grows (panel 1)."


def test_a_loop_that_no_limit_ends_is_not_to_be_given_more_memory() -> None:
    loop: dict[str, float | str] = {"restarted": "4 times", "loop_s": 30.0, "each": "each ends", "end_bytes": 30 * MIB}
    failed = incident_sentences(GROWTH._replace(name="crash_loop", facts={**loop, "code": 1}))
    assert "Read its log" in failed.next and "limit" not in failed.next
    killed = incident_sentences(GROWTH._replace(name="crash_loop", facts={**loop, "oom": "OOM"}))
    assert "Raise the limit, or limit the runtime." in killed.next


@pytest.mark.parametrize(("certain", "how"), [(True, "was OOM-killed "), (False, "was probably OOM-killed ")])
def test_a_kill_is_as_certain_in_the_headline_as_in_its_report(certain: bool, how: str) -> None:
    kill = ExitFacts(ProcessKey(42, 9), "a (42)", 90.0, is_oom=True, cgroup_path="a", certain=certain)
    (found,) = find_incidents(IncidentInputs(100.0, exits=(kill,)))
    assert how in incident_sentences(found).says


@pytest.mark.parametrize(("members", "says"), [(1, "over 1 process,"), (12, "over 12 processes,")])
def test_one_process_is_not_plural(members: int, says: str) -> None:
    facts: dict[str, float | str] = {"rate_bytes_per_min": 1.0 * MIB, "seen_s": 90.0, "members_count": members}
    whole = Incident("group_growth", Severity.WARNING, Subject(Scope.PROGRAM, "app", program="app"), facts, 1.0, 0.0)
    assert says in incident_sentences(whole).says


def test_after_a_kill_by_the_machine_no_limit_is_to_be_raised() -> None:
    kill = ExitFacts(ProcessKey(42, 1), "worker (42)", 60.0, is_oom=True, limit_name="this machine's memory")
    (one,) = find_incidents(IncidentInputs(100.0, exits=(kill,)))
    assert "raise the limit" in incident_sentences(one).next
    (one,) = find_incidents(IncidentInputs(100.0, exits=(replace(kill, limit_of_machine=True),)))
    assert "raise" not in incident_sentences(one).next and "add RAM" in incident_sentences(one).next

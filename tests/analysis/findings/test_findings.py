"""Every finding: a case that makes it, and one that nearly does."""

from __future__ import annotations

from typing import Any

import pytest

from memtop.analysis.crash_loop import LoopFacts
from memtop.analysis.fault_causes import Cause
from memtop.analysis.findings import RULES, SAMPLES, Finding, FindingInputs, StandingFindings, Weight, find, weighing
from memtop.analysis.ledger.cgroup import Unmapped
from memtop.analysis.limits.count_rise import CountRise
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Evidence
from memtop.analysis.trend.pause import Pause
from memtop.process_key import ProcessKey

MIB, GIB = 1 << 20, 1 << 30


def growth(kind: Shape, **changes: Any) -> Growth:
    values: dict[str, Any] = {
        "slope_bytes_per_s": 2e5, "slope_low_bytes_per_s": 1.9e5, "slope_high_bytes_per_s": 2.1e5, "z": 4.0,
        "low_bytes": 1e7, "high_bytes": 5e7, "rise_bytes": 4e7, "floor_bytes": 5e7, "peak_bytes": 5e7,
    }  # fmt: skip
    return Growth(kind, 100, 300.0, **(values | changes))


LOOP = LoopFacts(
    key=ProcessKey(43, 9), first=ProcessKey(42, 5), keys=frozenset(), name="a", restarts=3, since_s=60.0,
    restarted_s=95.0, mean_s=12.0, ends=4, alike=4, is_oom=True, signal=None, exit_code=None, peak_bytes=200 * MIB,
    large=False,
)  # fmt: skip
LIMITED: dict[str, Any] = {"limit_name": "/app", "limit": 100 * MIB, "unreclaimable": 50 * MIB}
NEAR: dict[str, Any] = LIMITED | {"unreclaimable": 80 * MIB}
CHURNING: dict[str, Any] = {"minor_cause": Cause.CHURN, "minflt_per_s": 2e3}
LEAK: dict[str, Any] = {
    "growth": growth(Shape.LEAK, limit_s=(1000.0, 1400.0), soon=True),
    "alarm": True,
    "seen_s": 200.0,
}
PAGING: dict[str, Any] = {"psi_full_percent": 6.0, "majflt_per_s": 50.0}
THRASH: dict[str, Any] = {"psi_full_percent": 5.0, "refault_per_s": 1000.0}
COPY: dict[str, Any] = {"unshared": 30 * MIB, "still_shared": 100 * MIB, "minflt_per_s": 1001.0}
GO: dict[str, Any] = LIMITED | {"heap_limit": 0, "next_gc": 90 * MIB}
AT_GOAL: dict[str, Any] = {"heap_limit": 100 * MIB, "anon": 95 * MIB}
STORM: dict[str, Any] = {"heap_limit": 100 * MIB, "heap_held": 90 * MIB, "gc_per_s": 170.0, "minflt_per_s": 80_000.0}
SWAP: dict[str, Any] = {"swap": 101 * MIB, "swap_in_per_s": 51.0, "majflt_per_s": 11.0}
KEEPS: dict[str, Any] = {"rss": 95 * MIB, "peak_rss": 100 * MIB, "flat_s": 600.0, "minflt_per_s": 1.0}
PROTECTED: dict[str, Any] = {"protected": "db (1)", "protected_rss": 21, "mem_total": 100, "mem_available": 50}
VIRT: dict[str, Any] = {"reserved_virt": 11 * GIB, "reserved_rss": GIB, "reserved": 6 * GIB}
GIVEN_BACK: dict[str, Any] = {"given_back": 51 * MIB, "given_back_rss": 100 * MIB}
FAMILY: dict[str, Any] = {"family": 3, "family_rss": 300 * MIB, "family_pss": 200 * MIB}

THREADS: dict[str, Any] = {"threads_limit": 100, "threads_limit_name": "pids of /app"}
BRAKE: dict[str, Any] = {"brake_name": "memory.high of app", "brake_limit": 100}
LOCKED: dict[str, Any] = {"resource_limit": 100, "resource_limit_name": "ulimit -l", "resource_ends": "mlock fails"}
RISE = CountRise("vm.max_map_count", 65_530, 20_000, "mmap fails", 15_000, 90.0, 273.0)
CASES: list[tuple[str, dict[str, Any], dict[str, Any], Severity]] = [
    ("frozen", LIMITED | {"frozen": True}, LIMITED, Severity.DANGER),
    ("near_limit", NEAR, LIMITED | {"unreclaimable": 80 * MIB - 1}, Severity.WARNING),
    ("near_limit", LIMITED | {"unreclaimable": 90 * MIB}, LIMITED | {"cache": 50 * MIB}, Severity.DANGER),
    ("near_limit", LIMITED | {"unreclaimable": 95 * MIB, "unsure": 10 * MIB}, LIMITED, Severity.WARNING),
    ("near_limit", LIMITED | {"limit": 0}, {"limit": 0, "unreclaimable": 1}, Severity.DANGER),
    ("crash_loop", {"loop": LOOP, "now_s": 100.0}, {"loop": LOOP, "now_s": 1000.0}, Severity.DANGER),
    ("oom_kill", {"kills": 1}, {"kills": 0}, Severity.DANGER),
    ("growth", LEAK | {"evidence": Evidence.GROWING}, LEAK | {"alarm": False}, Severity.DANGER),
    (
        "growth",
        LEAK | {"evidence": Evidence.LIKELY_LEAK, "growth": growth(Shape.LEAK)},
        LEAK | {"alarm": False, "growth": growth(Shape.WARMUP)},
        Severity.WARNING,
    ),
    (
        "growth",
        LEAK
        | {"evidence": Evidence.LIKELY_LEAK, "growth": growth(Shape.LEAK)._replace(limit_s=None)}
        | {"heap_ends_first": "how full its heap is"},
        LEAK | {"alarm": False},
        Severity.WARNING,
    ),
    ("thrashing", PAGING, PAGING | {"psi_full_percent": 4.9}, Severity.DANGER),
    ("charge_growth", LIMITED | {"charge": growth(Shape.LEAK), "charge_name": "app"}, LIMITED, Severity.WARNING),
    ("charge_growth", {"charge": growth(Shape.LEAK), "charge_name": "own"}, {}, Severity.WARNING),
    (
        "family_growth",
        {"family_growth": growth(Shape.LEAK), "family_measure": "PSS", "family_count": 4},
        {"family_measure": "PSS", "family_count": 4},
        Severity.WARNING,
    ),
    ("huge_growth", {"huge_growth": growth(Shape.LEAK)}, {"huge_limit": 1}, Severity.WARNING),
    ("descriptors", {"opens_more": True, "opened": {"pipe": 200}}, {"opened": {"pipe": 200}}, Severity.NOTE),
    ("held_growth", {"held_growth": growth(Shape.LEAK)}, {"held_towards": "app"}, Severity.WARNING),
    (
        "held_growth",
        {"held_growth": growth(Shape.LEAK), "charge": growth(Shape.LEAK)._replace(soon=True), "charge_name": "app"},
        {"held_growth": growth(Shape.LEAK), "alarm": True},
        Severity.WARNING,
    ),
    ("count_rise", {"count_rise": RISE}, {"mappings": 20_000, "max_mappings": 65_530}, Severity.WARNING),
    ("near_high", BRAKE | {"brake_used": 80}, BRAKE | {"brake_used": 79}, Severity.WARNING),
    ("near_high", BRAKE | {"brake_used": 1, "brake_limit": 0}, BRAKE, Severity.WARNING),
    ("threads", THREADS | {"threads_used": 1, "threads_limit": 0}, THREADS | {"threads_limit": 0}, Severity.WARNING),
    ("resource_limit", LOCKED | {"resource_used": 1, "resource_limit": 0}, LOCKED, Severity.WARNING),
    ("address_space", {"virt": 1, "address_space": 0}, {"virt": 1}, Severity.WARNING),
    ("data_limit", {"data": 1, "data_limit": 0}, {"data": 0, "data_limit": 0}, Severity.WARNING),
    ("thrashing", THRASH, THRASH | {"refault_per_s": 999.0}, Severity.DANGER),
    ("thrashing", PAGING | {"majflt_per_s": 0.0, "swap_in_per_s": 100.0}, {"psi_full_percent": 9.0}, Severity.DANGER),
    ("host_low", {"mem_total": 100, "mem_available": 9}, {"mem_total": 100, "mem_available": 10}, Severity.WARNING),
    ("host_low", {"mem_total": 100, "mem_available": 4}, {"mem_total": 100}, Severity.DANGER),
    ("throttled", {"high_limit": MIB, "high_per_s": 1.1}, {"high_limit": MIB, "high_per_s": 1.0}, Severity.WARNING),
    ("address_space", {"virt": 81, "address_space": 100}, {"virt": 80, "address_space": 100}, Severity.WARNING),
    ("data_limit", {"data": 81, "data_limit": 100}, {"data": 80, "data_limit": 100}, Severity.WARNING),
    (
        "commit",
        {"overcommit": 2, "committed": 91, "commit_limit": 100},
        {"overcommit": 0, "committed": 91, "commit_limit": 100},
        Severity.WARNING,
    ),
    ("threads", THREADS | {"threads_used": 81}, THREADS | {"threads_used": 80}, Severity.WARNING),
    ("resource_limit", LOCKED | {"resource_used": 81}, LOCKED | {"resource_used": 80}, Severity.WARNING),
    ("mappings", {"mappings": 81, "max_mappings": 100}, {"mappings": 80, "max_mappings": 100}, Severity.WARNING),
    ("copying", COPY, COPY | {"minflt_per_s": 1000.0}, Severity.WARNING),
    ("copying", COPY, COPY | {"still_shared": GIB}, Severity.WARNING),
    ("go_limit", GO, GO | {"next_gc": 70 * MIB}, Severity.WARNING),
    ("go_held", AT_GOAL, AT_GOAL | {"heap_held": 85 * MIB}, Severity.NOTE),
    ("go_held", AT_GOAL, AT_GOAL | {"lazyfree": 20 * MIB}, Severity.NOTE),
    ("go_held", AT_GOAL, AT_GOAL | {"heap_limit": 0}, Severity.NOTE),
    ("go_held", AT_GOAL | {"anon": 109 * MIB}, AT_GOAL | {"anon": 111 * MIB}, Severity.NOTE),
    ("go_limit", GO | {"heap_limit": 100 * MIB}, GO | {"heap_limit": 90 * MIB}, Severity.WARNING),
    (
        "go_limit",
        {"heap_limit": MIB, "gc_per_s": 11.0, "minflt_per_s": 10_001.0},
        {"heap_limit": MIB, "gc_per_s": 10.0, "minflt_per_s": 10_001.0},
        Severity.WARNING,
    ),
    ("go_limit", STORM, STORM | {"heap_limit": 0}, Severity.WARNING),
    ("go_limit", STORM, STORM | {"heap_held": 89 * MIB}, Severity.WARNING),
    ("heap_full", {"heap_alarm": "heap_full", "heap_live": GIB}, {"heap_alarm": "heap_leak"}, Severity.DANGER),
    ("heap_leak", {"heap_alarm": "heap_leak", "heap_live": GIB}, {"steady_live": GIB}, Severity.WARNING),
    ("heap_open", {"surviving_per_s": 9e5}, {"surviving_per_s": 9e5, "heap_alarm": "heap_leak"}, Severity.NOTE),
    (
        "heap_varies",
        {"may_rise_per_s": 9e5, "heap_collections": 6},
        {"may_rise_per_s": 9e5, "heap_alarm": "heap_leak"},
        Severity.NOTE,
    ),
    ("goroutines", {"heap_alarm": "goroutines"}, {"heap_alarm": ""}, Severity.WARNING),
    (
        "outside_heap",
        {"outside": 33 * MIB, "outside_of": 100 * MIB},
        {"outside": 33 * MIB, "outside_of": GIB},
        Severity.WARNING,
    ),
    (
        "hidden",
        {"limit_name": "/app", "limit": 9 * GIB, "unreclaimable": GIB, "unmapped": Unmapped(250 * MIB, 0, 30 * MIB)},
        {"limit_name": "/app", "limit": 9 * GIB, "unreclaimable": GIB, "unmapped": Unmapped(220 * MIB, 0, 30 * MIB)},
        Severity.WARNING,
    ),
    (
        "hidden",
        {"limit_name": "/app", "limit": 128 * MIB, "unreclaimable": 97 * MIB, "unmapped": Unmapped(94 * MIB, 0, 0)},
        {"limit_name": "/app", "limit": 128 * MIB, "unreclaimable": 97 * MIB, "unmapped": Unmapped(24 * MIB, 0, 0)},
        Severity.WARNING,
    ),
    ("swapping", SWAP, SWAP | {"swap_in_per_s": 50.0}, Severity.WARNING),
    ("swapping", SWAP | {"swap_in_per_s": 0.0}, SWAP | {"swap": 100 * MIB}, Severity.NOTE),
    ("page_tables", {"page_tables": 65 * MIB, "rss": MIB}, {"page_tables": 65 * MIB, "rss": GIB}, Severity.WARNING),
    ("zombies", {"zombies": 1}, {"zombies": 0}, Severity.NOTE),
    ("swap_in", {"major_cause": Cause.SWAP_IN, "majflt_per_s": 20.0}, {"majflt_per_s": 20.0}, Severity.NOTE),
    ("refault", {"major_cause": Cause.REFAULT, "refault_per_s": 2e3}, {"refault_per_s": 2e3}, Severity.NOTE),
    ("cold_files", {"major_cause": Cause.COLD_FILES, "majflt_per_s": 20.0}, {"majflt_per_s": 20.0}, Severity.NOTE),
    ("churn", {"minor_cause": Cause.CHURN, "minflt_per_s": 2e3}, {"minflt_per_s": 2e3}, Severity.NOTE),
    ("copies", {"minor_cause": Cause.COPY_ON_WRITE, "minflt_per_s": 2e3}, {"minflt_per_s": 2e3}, Severity.NOTE),
    ("first_touch", {"minor_cause": Cause.FIRST_TOUCH, "minflt_per_s": 2e3}, {"minflt_per_s": 2e3}, Severity.NOTE),
    ("sawtooth", {"growth": growth(Shape.SAWTOOTH, period_s=9.0)}, {"growth": growth(Shape.NOISY)}, Severity.NOTE),
    ("maybe_growing", {"growth": growth(Shape.GROWTH)}, {"growth": growth(Shape.FLAT)}, Severity.NOTE),
    ("confirming", {"changing": growth(Shape.LEAK)}, LEAK | {"changing": growth(Shape.LEAK)}, Severity.NOTE),
    ("confirming", {"changing": growth(Shape.GROWTH)}, {"changing": growth(Shape.STEP)}, Severity.NOTE),
    ("rising", {"rise": MIB, "rise_s": 2.0}, {"rise_s": 2.0}, Severity.NOTE),
    (
        "rising",
        {"rise": MIB, "rise_s": 2.0, "growth": growth(Shape.INSUFFICIENT)},
        {"rise": MIB, "rise_s": 2.0, "growth": growth(Shape.WARMUP)},
        Severity.NOTE,
    ),
    ("step", {"growth": growth(Shape.STEP)}, {"growth": growth(Shape.FLAT)}, Severity.NOTE),
    ("stairs", {"growth": growth(Shape.STAIRS)}, {"growth": growth(Shape.STEP)}, Severity.NOTE),
    ("warmup", {"growth": growth(Shape.WARMUP)}, {"growth": growth(Shape.FLAT)}, Severity.NOTE),
    ("spike", {"growth": growth(Shape.SPIKE)}, {"growth": growth(Shape.STEP)}, Severity.NOTE),
    ("shrink", {"growth": growth(Shape.SHRINK)}, {"growth": growth(Shape.FLAT)}, Severity.NOTE),
    ("cache_in_use", LIMITED | {"working_set": 80 * MIB}, NEAR | {"working_set": 80 * MIB}, Severity.NOTE),
    ("limit_touched", LIMITED | {"limit_events_per_s": 9.0}, NEAR | {"limit_events_per_s": 9.0}, Severity.NOTE),
    ("virt_reserved", VIRT, VIRT | {"reserved": 5 * GIB}, Severity.NOTE),
    ("family", FAMILY, FAMILY | {"family_pss": 240 * MIB}, Severity.NOTE),
    ("lazyfree", GIVEN_BACK, GIVEN_BACK | {"given_back_rss": GIB}, Severity.NOTE),
    (
        "merged",
        {"merged": 9 * MIB, "merged_rss": 100 * MIB},
        {"merged": 9 * MIB, "merged_rss": 180 * MIB},
        Severity.NOTE,
    ),
    (
        "counted_again",
        {"counted_again": 51 * MIB, "rss": 500 * MIB},
        {"counted_again": 51 * MIB, "rss": 520 * MIB},
        Severity.NOTE,
    ),
    ("keeps", KEEPS, KEEPS | {"flat_s": 599.0}, Severity.NOTE),
    ("gave_back", {"rss": 100 * MIB, "peak_rss": 151 * MIB}, {"rss": 100 * MIB, "peak_rss": 150 * MIB}, Severity.NOTE),
    ("deleted", {"deleted_file": "app"}, {"deleted_file": ""}, Severity.NOTE),
    ("protected", PROTECTED, PROTECTED | {"protected_rss": 20}, Severity.NOTE),
    ("leader_gone", {"leader_gone": True}, {}, Severity.NOTE),
    ("stopped", {"state": "T"}, {"state": "S"}, Severity.NOTE),
    ("stopped", {"state": "t"}, {"state": ""}, Severity.NOTE),
    ("address_space", {"virt": 81, "narrow_space": 100}, {"virt": 80, "narrow_space": 100}, Severity.WARNING),
    ("denied", {"denied": True}, {}, Severity.NOTE),
    ("young", {"age_s": 59.0}, {"age_s": 60.0}, Severity.NOTE),
]


@pytest.mark.parametrize(
    ("name", "fires", "nearly", "severity"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_each_finding_is_made_by_its_case_and_not_by_one_that_is_near(
    name: str, fires: dict[str, Any], nearly: dict[str, Any], severity: Severity
) -> None:
    found = {one.name: one.severity for one in find(FindingInputs(**fires))}
    assert found.get(name) is severity
    assert name not in {one.name for one in find(FindingInputs(**nearly))}


def test_every_rule_has_its_cases() -> None:
    assert set(RULES) == {case[0] for case in CASES}


def test_nothing_is_found_where_nothing_is_known() -> None:
    assert find(FindingInputs()) == []


def test_the_worst_comes_first_and_equals_keep_the_order_of_the_table() -> None:
    found = find(
        FindingInputs(**(LIMITED | {"zombies": 1, "unreclaimable": 95 * MIB, "high_limit": MIB, "high_per_s": 9.0}))
    )
    assert [one.name for one in found] == ["near_limit", "throttled", "zombies"]


def test_a_lowered_limit_is_said_and_a_group_kill_has_no_single_victim() -> None:
    over = find(
        FindingInputs(**(LIMITED | {"unreclaimable": 120 * MIB, "victim": "x", "victim_of": 3, "group_kill": True}))
    )[0]
    assert (over.facts["over_bytes"], over.facts["group"], "victim" in over.facts) == (20 * MIB, "all", False)


def test_where_a_cgroup_may_swap_its_limit_is_a_warning_and_names_no_victim() -> None:
    near = find(
        FindingInputs(**(LIMITED | {"unreclaimable": 95 * MIB, "victim": "x", "victim_of": 3, "swap_room": 7 * MIB}))
    )[0]
    assert (near.severity, near.facts["swap_room_bytes"], "victim" in near.facts) == (Severity.WARNING, 7 * MIB, False)


def test_where_the_oom_killer_is_disabled_no_victim_is_named() -> None:
    near = find(
        FindingInputs(**(LIMITED | {"unreclaimable": 95 * MIB, "victim": "x", "victim_of": 1, "spared": True}))
    )[0]
    assert (near.severity, "alone" in near.facts, near.facts["spared"]) == (Severity.DANGER, False, "tasks")


@pytest.mark.parametrize("alarm", ["heap_leak", "heap_full", "goroutines"])
def test_what_a_runtime_indicated_has_the_age_of_its_figures(alarm: str) -> None:
    found = find(FindingInputs(heap_alarm=alarm, heap_live=90 * MIB, heap_past_s=40.0))
    assert [(one.name, one.facts["past_s"]) for one in found] == [(alarm, 40.0)]


def test_a_finding_comes_at_the_third_look_and_goes_at_the_third() -> None:
    assert looks(find(FindingInputs(**CHURNING)), find(FindingInputs())) == [0, 0, 1, 1, 1, 0]


def test_a_level_is_shown_by_one_look_and_goes_at_the_third() -> None:
    assert looks(find(FindingInputs(**NEAR)), find(FindingInputs(**LIMITED))) == [1, 1, 1, 1, 1, 0]


def looks(now: list[Finding], later: list[Finding]) -> list[int]:
    """How many findings stand after each of three looks that find ``now`` and three that find ``later``."""
    standing, seen = StandingFindings(), []
    for found in [now] * SAMPLES + [later] * SAMPLES:
        standing = standing.after(found)
        seen.append(len(standing.standing))
    return seen


def test_a_flickering_condition_neither_comes_nor_goes() -> None:
    near, fine = find(FindingInputs(**CHURNING)), find(FindingInputs())
    standing = StandingFindings()
    for found in [near, fine] * 5:
        standing = standing.after(found)
        assert standing.standing == ()
    for _ in range(SAMPLES):
        standing = standing.after(near)
    for found in [fine, near] * 5:
        standing = standing.after(found)
        assert len(standing.standing) == 1


def test_danger_that_becomes_a_warning_stays_danger_for_three_looks() -> None:
    danger, warning = find(FindingInputs(**(LIMITED | {"unreclaimable": 91 * MIB}))), find(FindingInputs(**NEAR))
    standing = StandingFindings()
    for _ in range(SAMPLES):
        standing = standing.after(danger)
    seen = []
    for _ in range(SAMPLES):
        standing = standing.after(warning)
        seen.append(standing.standing[0].severity)
    assert seen == [Severity.DANGER, Severity.DANGER, Severity.WARNING]


def test_what_is_steady_by_itself_comes_and_goes_at_once() -> None:
    standing = StandingFindings().after(find(FindingInputs(growth=growth(Shape.SAWTOOTH, period_s=9.0))))
    assert [one.name for one in standing.standing] == ["sawtooth"]
    assert standing.after(find(FindingInputs(growth=growth(Shape.NOISY)))).standing == ()


def test_growth_says_what_of_res_is_given_back_and_why_that_is_not_known() -> None:
    grown = LEAK | {"evidence": Evidence.GROWING}
    assert find(FindingInputs(**grown, lazyfree=30 * MIB))[0].facts["lazyfree_bytes"] == 30 * MIB
    assert "lazyfree_bytes" not in find(FindingInputs(**grown, lazyfree=0))[0].facts
    assert find(FindingInputs(**grown, lazyfree_unread="denied"))[0].facts["unread"] == "denied"


def test_a_kill_is_told_at_once() -> None:
    assert [one.name for one in StandingFindings().after(find(FindingInputs(kills=1))).standing] == ["oom_kill"]


def test_what_the_collector_finds_level_is_told_and_is_no_likely_leak() -> None:
    likely = LEAK | {"evidence": Evidence.LIKELY_LEAK}
    held, level = find(FindingInputs(**likely)), find(FindingInputs(**(likely | {"steady_live": 30 * MIB})))
    assert (held[0].name, held[0].facts["evidence"], "live_bytes" in held[0].facts) == ("growth", "likely leak", False)
    assert (level[0].name, level[0].facts["evidence"], level[0].facts["live_bytes"]) == ("growth", "growing", 30 * MIB)


def test_memory_that_a_collector_holds_at_its_goal_is_no_warm_up() -> None:
    rose: dict[str, Any] = {"growth": growth(Shape.WARMUP), "anon": 95 * MIB}
    assert [one.name for one in find(FindingInputs(**rose))] == ["warmup"]
    assert [one.name for one in find(FindingInputs(**rose, heap_limit=100 * MIB))] == ["go_held"]
    assert weighing(find(FindingInputs(**rose, heap_limit=100 * MIB)), Weight.UNDECIDED), (
        "--check does not call it fine"
    )


def test_a_leak_on_a_limited_heap_says_when_it_is_full() -> None:
    known = FindingInputs(
        heap_alarm="heap_leak",
        heap_live=MIB,
        heap_end_name="-Xmx",
        heap_end_limit=256 * MIB,
        heap_end_s=(240.0, 300.0),
        heap_ends_soon=True,
    )
    (finding,) = [one for one in find(known) if one.name == "heap_leak"]
    assert finding.severity is Severity.DANGER
    assert (finding.facts["heap_limit"], finding.facts["early_s"]) == ("-Xmx", 240.0)


def test_a_rise_that_is_being_confirmed_has_the_numbers_of_now() -> None:
    old: dict[str, Any] = {"changing": growth(Shape.LEAK, rise_bytes=4e7)}
    now = find(FindingInputs(**old, rise=54 * MIB, rise_anon=53 * MIB, rise_s=54.0))[0].facts
    assert (now["rise_bytes"], now["span_s"]) == (53 * MIB, 54.0)
    files = find(FindingInputs(**old, rise=54 * MIB, rise_anon=MIB, rise_s=54.0))[0].facts
    assert (files["rise_bytes"], files["span_s"]) == (4e7, 300.0)


def test_growth_that_pauses_has_no_time_to_a_limit_and_is_no_danger() -> None:
    paused = growth(Shape.LEAK, pause=Pause(40.0, 5.0))
    one = find(FindingInputs(growth=paused, alarm=True, evidence=Evidence.GROWING, seen_s=200.0))[0]
    assert one.severity is Severity.WARNING
    assert (one.facts["level_s"], one.facts["seen_s"]) == (40.0, 160.0)
    assert "early_s" not in one.facts and "rests_s" not in one.facts


def test_a_rise_that_its_heap_explains_and_that_is_level_now_is_no_alarm() -> None:
    """Two GiB of -Xmx, used for the first time: it was called growing after it had been level for 35 s."""
    rests = growth(Shape.LEAK)._replace(pause=Pause(level_s=35.0, usual_s=1.0))
    inputs = FindingInputs(growth=rests, alarm=True, evidence=Evidence.GROWING, seen_s=90.0)
    (rose,) = [one for one in find(inputs) if one.name == "growth"]
    assert weighing((rose,), Weight.ALARMING)
    (found,) = [one for one in find(inputs._replace(heap_may_take=GIB)) if one.name == "growth"]
    assert "level_s" in found.facts
    assert not weighing((found,), Weight.ALARMING) and weighing((found,), Weight.OPEN)

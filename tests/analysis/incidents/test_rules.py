"""The rules of incidents: facts in, the incident and its severity out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from memtop.analysis.crash_loop import LoopFacts
from memtop.analysis.incidents import (
    RULES,
    BrakeFacts,
    CgroupFacts,
    ExitFacts,
    GroupFacts,
    GrowthFacts,
    Incident,
    IncidentInputs,
    LimitFacts,
    MachineFacts,
    StandingIncidents,
    find_incidents,
)
from memtop.analysis.incidents.cgroups import is_thrash
from memtop.analysis.incidents.processes import forecast_of
from memtop.analysis.ledger.machine import MachinePart
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.rising import Rise
from memtop.analysis.trend.soon import is_soon
from memtop.process_key import ProcessKey

MIB, GIB = 1 << 20, 1 << 30
NOTE, WARNING, DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER
KEY, OTHER = ProcessKey(42, 500), ProcessKey(43, 500)
MACHINE = LimitFacts("this machine's memory", 16 * GIB, 8 * GIB)
SHOP = LimitFacts("container shop", 300 * MIB, 200 * MIB, "sys/fs/cgroup/shop")


LOOP = LoopFacts(
    key=OTHER, first=KEY, keys=frozenset({KEY}), name="a", restarts=3, since_s=60.0, restarted_s=95.0, mean_s=12.0,
    ends=4, alike=4, is_oom=True, signal=None, exit_code=None, peak_bytes=200 * MIB, large=False,
)  # fmt: skip


def rise(size_mib: float, span_s: float, steps: int = 5) -> Rise:
    return Rise(100.0 - span_s, 10 * MIB, int((10 + size_mib) * MIB), 100.0, steps)


POOL = GroupFacts("worker.py", "worker.py", is_cgroup=False, members=9, oldest=KEY, limit=MACHINE, rise=rise(90, 8.0))


def rising(size_mib: float, span_s: float, *, limit: LimitFacts = MACHINE, **changes: Any) -> GrowthFacts:
    one = rise(size_mib, span_s)
    return GrowthFacts(KEY, "app (42)", limit, one, one.size_bytes, age_s=1000.0)._replace(**changes)


def growing(limit: LimitFacts = MACHINE, limit_s: tuple[float, float] | None = None) -> GrowthFacts:
    verdict = Growth(Shape.LEAK, 60, 120.0, 1e6, 0.9e6, 1.1e6, limit_s=limit_s, soon=is_soon(limit_s, was=False))
    return GrowthFacts(KEY, "app (42)", limit, growth=verdict, seen_s=120.0)


def found(**facts: Any) -> list[tuple[str, Severity]]:
    machine = facts.pop("machine", MachineFacts(16 * GIB, 8 * GIB))
    return [(one.name, one.severity) for one in find_incidents(IncidentInputs(100.0, machine=machine, **facts))]


def incident(**facts: Any) -> Incident:
    (one,) = find_incidents(IncidentInputs(100.0, **facts))
    return one


def test_a_machine_at_ease_has_none() -> None:
    assert found() == []
    quiet = CgroupFacts("a", "a", 300 * MIB, 200 * MIB)
    assert found(cgroups=(quiet,), growing=(rising(0.5, 20.0),)) == []


@pytest.mark.parametrize(
    ("one", "severity"),
    [
        (growing(), WARNING),
        (growing(SHOP, (600.0, 900.0)), DANGER),
        (growing(SHOP, (7200.0, 9000.0)), WARNING),
        (growing(SHOP._replace(kills=False), (600.0, 900.0)), WARNING),
    ],
)
def test_confirmed_growth_is_a_danger_where_a_limit_that_kills_is_less_than_an_hour_away(
    one: GrowthFacts, severity: Severity
) -> None:
    assert found(growing=(one,)) == [("growth", severity)]


def test_the_time_to_a_limit_counts_all_that_grow_towards_it_and_says_so() -> None:
    """Or the fall of available memory, if that is faster."""
    ram = MACHINE._replace(room_bytes=600 * MIB, is_machine=True)
    one, other = rising(60, 20.0, limit=ram), rising(120, 20.0, limit=ram, key=OTHER)
    elsewhere = rising(500, 20.0, limit=SHOP, key=ProcessKey(44, 500))

    def first(*growing: GrowthFacts, fall_mib: float = 0.0) -> Mapping[str, float | str]:
        used = rise(fall_mib, 20.0) if fall_mib else None
        inputs = IncidentInputs(100.0, growing, machine=MachineFacts(16 * GIB, 600 * MIB, used=used))
        return next(
            found.facts for found in find_incidents(inputs) if found.name == "rising" and found.subject.key == KEY
        )

    assert first(one)["full_s"] == pytest.approx(200.0)
    assert "beside_count" not in first(one)
    assert first(one, other, elsewhere)["full_s"] == pytest.approx(200 / 3)
    assert first(one, other, elsewhere)["beside_count"] == 1
    assert first(one, fall_mib=600)["full_s"] == pytest.approx(20.0)
    assert first(one, fall_mib=600)["falls"] == "yes"
    assert "falls" not in first(one, fall_mib=61)


def test_the_time_until_the_machine_is_full_counts_what_the_machine_has_lost_and_not_what_others_free() -> None:
    ram = MACHINE._replace(room_bytes=600 * MIB, is_machine=True)
    grow = rising(60, 20.0, limit=ram), rising(120, 20.0, limit=ram, key=OTHER)

    def first(*used_mib: int) -> Mapping[str, float | str]:
        lately = tuple((70.0 + 10.0 * number, used * MIB) for number, used in enumerate(used_mib))
        inputs = IncidentInputs(100.0, grow, machine=MachineFacts(16 * GIB, 600 * MIB, used_lately=lately))
        return next(
            found.facts for found in find_incidents(inputs) if found.name == "rising" and found.subject.key == KEY
        )

    assert first(5000, 5000, 5090, 5180)["full_s"] == pytest.approx(200 / 3)
    assert first(5000, 5000, 5050, 5120)["full_s"] == pytest.approx(100.0), "others free a third"
    assert first(5000, 5000, 5050, 5120)["beside_count"] == 1
    assert first(5000, 5000, 5020, 5040)["full_s"] == pytest.approx(200.0), "others free as much as others take"
    assert "beside_count" not in first(5000, 5000, 5020, 5040)
    assert "full_s" not in first(5000, 5000, 5010, 5020)
    assert "full_s" not in first(5400, 5200, 5100, 5000)
    assert first(5000)["full_s"] == pytest.approx(200 / 3), "one sample says nothing of it"


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (rising(12, 12.0), [("rising", NOTE)]),
        (rising(12, 4.0), []),
        (rising(100, 2.5), [("rising", WARNING)]),
        (rising(60, 6.0, limit=SHOP), [("rising", DANGER)]),
        (rising(10, 20.0, limit=SHOP), [("rising", WARNING)]),
        (rising(3, 6.0, limit=SHOP._replace(room_bytes=20 * MIB)), [("rising", DANGER)]),
        (rising(12, 12.0, anon_bytes=MIB), []),
        (rising(12, 6.0, age_s=7.0), []),
        (rising(12, 9.0, age_s=10.0), [("rising", NOTE)]),
        (rising(6, 9.0, age_s=10.0)._replace(rise=rise(6, 9.0, steps=9)), []),
        (rising(9, 40.0, age_s=45.0), []),
        (rising(6, 9.0)._replace(rise=rise(6, 9.0, steps=9)), [("rising", NOTE)]),
    ],
    ids=[
        "slow",
        "short",
        "fast",
        "limit at once",
        "limit in minutes",
        "small room",
        "files",
        "loading",
        "still loading",
        "little, and young",
        "slow, and young",
        "little, but steady",
    ],
)
def test_a_rise_is_named_once_it_is_no_hiccup_and_the_worse_the_nearer_its_limit(
    one: GrowthFacts, expected: list[tuple[str, Severity]]
) -> None:
    assert found(growing=(one,)) == expected


@pytest.mark.parametrize(
    ("room_mib", "changes", "expected"),
    [
        (90, {}, []),
        (50, {}, [("near_limit", WARNING)]),
        (20, {}, [("near_limit", DANGER)]),
        (20, {"swap_room_bytes": GIB}, [("near_limit", WARNING)]),
        (200, {"rise": rise(30, 6.0)}, [("filling", WARNING)]),
        (200, {"rise": rise(5, 6.0)}, [("filling", NOTE)]),
        (200, {"rise": rise(60, 12.0)}, [("filling", DANGER)]),
        (200, {"rise": rise(60, 12.0), "swap_room_bytes": GIB}, [("filling", WARNING)]),
        (50, {"rise": rise(60, 12.0)}, [("near_limit", DANGER)]),
        (200, {"rise": rise(0.9, 60.0)}, []),
    ],
)
def test_a_cgroup_is_named_where_it_is_nearly_full_or_fills(
    room_mib: int, changes: dict[str, Any], expected: list[tuple[str, Severity]]
) -> None:
    one = CgroupFacts("sys/fs/cgroup/shop", "shop", 300 * MIB, room_mib * MIB)._replace(**changes)
    assert found(cgroups=(one,)) == expected


@pytest.mark.parametrize(("waits", "severity"), [(None, WARNING), (40.0, WARNING), (0.5, NOTE)])
def test_a_cgroup_over_its_memory_high_is_named(waits: float | None, severity: Severity) -> None:
    one = BrakeFacts("sys/fs/cgroup/shop", "container shop", 300 * MIB, waits, KEY, "app (42)")
    assert found(brakes=(one,)) == [("throttled", severity)]
    assert incident(brakes=(one,)).facts.get("some_percent") == waits


@pytest.mark.parametrize(
    ("room_mib", "expected"), [(20, [("near_high", WARNING)]), (100, []), (-5, [("near_high", WARNING)])]
)
def test_a_cgroup_near_its_memory_high_is_named_before_it_is_slowed_down(
    room_mib: int, expected: list[tuple[str, Severity]]
) -> None:
    one = BrakeFacts("sys/fs/cgroup/shop", "shop", 300 * MIB, room_bytes=room_mib * MIB)
    assert found(brakes=(one,)) == expected


@pytest.mark.parametrize(
    ("refault_per_s", "usage_mib", "limit_mib", "expected"),
    [
        (4000.0, 64, 64, True),
        (4000.0, 62, 64, True),
        (4000.0, 50, 64, False),
        (500.0, 64, 64, False),
        (4000.0, 4096, 4096, False),
        (None, 64, 64, False),
        (4000.0, None, 64, False),
        (4000.0, 64, None, False),
    ],
)
def test_a_cgroup_thrashes_where_much_of_its_limit_comes_back_each_second_while_it_is_full(
    refault_per_s: float | None, usage_mib: int | None, limit_mib: int | None, expected: bool
) -> None:
    sizes = [None if size is None else size * MIB for size in (usage_mib, limit_mib)]
    assert is_thrash(refault_per_s, *sizes) is expected


def test_a_cgroup_that_thrashes_is_named_after_seconds() -> None:
    db = CgroupFacts("sys/fs/cgroup/db", "db", 64 * MIB, 30 * MIB, refault_per_s=16_384.0)
    assert found(cgroups=(db._replace(thrash_s=4.0),)) == []
    one = incident(cgroups=(db._replace(thrash_s=6.0),))
    assert (one.name, one.severity, one.facts["reread_bytes"]) == ("thrashing", WARNING, 64 * MIB)


def test_a_cgroup_whose_use_could_not_be_divided_is_not_called_full() -> None:
    one = CgroupFacts("sys/fs/cgroup/shop", "shop", 300 * MIB, 2 * MIB, undivided=True)
    assert found(cgroups=(one,)) == [("near_limit", WARNING)]
    assert incident(cgroups=(one,)).facts["undivided"] == "yes"


def test_a_cgroup_that_is_full_in_seconds_goes_before_a_machine_that_is_full_in_an_hour() -> None:
    shop = CgroupFacts("sys/fs/cgroup/shop", "shop", 300 * MIB, 50 * MIB, rise=rise(60, 12.0))
    leak = growing(limit_s=(2100.0, 9000.0))
    assert incident(cgroups=(shop,)).facts["full_s"] == pytest.approx(10.0)
    state = StandingIncidents()
    for second in range(3):
        found = find_incidents(IncidentInputs(100.0, growing=(leak,), cgroups=(shop,)))
        state = state.after(100.0 + second, found)
    assert [(one.name, one.severity) for one in state.standing] == [("near_limit", DANGER), ("growth", DANGER)]


def test_the_process_that_fills_a_cgroup_tells_the_story_of_both() -> None:
    shop = CgroupFacts("sys/fs/cgroup/shop", "shop", 300 * MIB, 20 * MIB)
    assert found(cgroups=(shop,), growing=(rising(60, 6.0, limit=SHOP),)) == [("rising", DANGER)]
    assert found(cgroups=(shop,), growing=(rising(10, 20.0, limit=SHOP),)) == [
        ("near_limit", DANGER),
        ("rising", WARNING),
    ]


def test_a_cgroup_in_another_that_is_full_before_has_no_time_of_its_own() -> None:
    inner = CgroupFacts("sys/fs/cgroup/pod/a", "a", 500 * MIB, 400 * MIB, rise=rise(40, 10.0))
    assert [one.name for one in find_incidents(IncidentInputs(100.0, cgroups=(inner,)))] == ["filling"]
    assert find_incidents(IncidentInputs(100.0, cgroups=(inner._replace(above_bytes=50 * MIB),))) == []
    roomy = inner._replace(above_bytes=900 * MIB)
    assert [one.name for one in find_incidents(IncidentInputs(100.0, cgroups=(roomy,)))] == ["filling"]
    near = inner._replace(room_bytes=60 * MIB, above_bytes=50 * MIB)
    (found_near,) = find_incidents(IncidentInputs(100.0, cgroups=(near,)))
    assert found_near.name == "near_limit" and "full_s" not in found_near.facts


def test_the_process_that_fills_a_cgroup_is_named_though_another_limit_is_nearer_to_it() -> None:
    path = "sys/fs/cgroup/pod/a"
    inner = CgroupFacts(path, "a", 500 * MIB, 200 * MIB, rise=rise(3, 6.0), largest=OTHER, largest_name="big (43)")
    small = rising(2, 6.0, limit=SHOP, age_s=15.0, chain=(path, "sys/fs/cgroup/pod"))
    found_here = find_incidents(IncidentInputs(100.0, cgroups=(inner,), growing=(small,)))
    assert [(one.name, one.facts.get("gainer")) for one in found_here] == [("filling", "app (42)")]


def test_a_cgroup_that_fills_names_the_process_that_fills_it_as_soon_as_one_is_known_to() -> None:
    shop = CgroupFacts("sys/fs/cgroup/shop", "shop", 300 * MIB, 200 * MIB, rise=rise(3, 6.0), largest=OTHER)
    shop = shop._replace(largest_name="big (43)")
    (by_none,) = find_incidents(IncidentInputs(100.0, cgroups=(shop,)))
    assert (by_none.show, by_none.facts["largest"]) == (OTHER, "big (43)")
    small = rising(2, 6.0, limit=SHOP, age_s=15.0)
    (filled,) = find_incidents(IncidentInputs(100.0, cgroups=(shop,), growing=(small,)))
    assert (filled.name, filled.show, filled.facts["gainer"]) == ("filling", KEY, "app (42)")
    assert "largest" not in filled.facts, "no sentence says that no process grows"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"available_bytes": GIB}, [("host_low", WARNING)]),
        ({"available_bytes": GIB // 2}, [("host_low", DANGER)]),
        ({"committed_bytes": 91 * MIB, "commit_limit_bytes": 100 * MIB}, [("commit", WARNING)]),
        ({"committed_bytes": 89 * MIB, "commit_limit_bytes": 100 * MIB}, []),
        ({"committed_bytes": 91 * MIB}, []),
        ({"some_percent": 9.0}, []),
        ({"some_percent": 34.0}, [("pressure", WARNING)]),
        ({"some_percent": 34.0, "full_percent": 20.0, "refault_per_s": 5000.0}, [("pressure", DANGER)]),
        ({"swap_used": rise(100, 20.0), "swap_free_bytes": 200 * MIB}, [("swap_fills", WARNING)]),
        ({"swap_used": rise(100, 20.0), "swap_free_bytes": 20 * GIB}, [("swap_fills", NOTE)]),
        ({"swap_used": rise(100, 20.0)._replace(high_s=90.0), "swap_free_bytes": 200 * MIB}, [("swap_fills", NOTE)]),
        (
            {"swap_used": rise(100, 20.0), "swap_free_bytes": 200 * MIB, "available_bytes": GIB},
            [("host_low", WARNING), ("swap_fills", DANGER)],
        ),
        ({"parts": {MachinePart.HUGETLB_USED: rise(1024, 3.0)}}, []),
        ({"parts": {MachinePart.HUGETLB_USED: rise(1024, 3.0)}, "used": rise(1100, 3.0)}, [("memory_goes", NOTE)]),
        ({"parts": {MachinePart.SHMEM: rise(1024, 3.0)}}, [("memory_goes", NOTE)]),
        ({"parts": {MachinePart.SHMEM: rise(30, 3.0)}}, []),
        ({"parts": {MachinePart.SLAB_RECLAIMABLE: rise(190, 9.0)}}, [("memory_goes", NOTE)]),
        ({"used": rise(1200, 20.0)}, [("memory_goes", WARNING)]),
        ({"used": rise(4000, 20.0)}, [("memory_goes", DANGER)]),
        ({"used": rise(4000, 2.0)}, [("memory_goes", NOTE)]),
        ({"used": rise(4000, 20.0)._replace(high_s=90.0)}, [("memory_goes", NOTE)]),
        ({"used": rise(100, 20.0)}, []),
    ],
)
def test_the_machine_speaks_for_itself(changes: dict[str, Any], expected: list[tuple[str, Severity]]) -> None:
    assert found(machine=replace(MachineFacts(16 * GIB, 8 * GIB), **changes)) == expected


def test_what_ends_all_memory_soon_goes_before_how_little_is_left() -> None:
    low = MachineFacts(16 * GIB, GIB // 2, swap_used=rise(100, 20.0), swap_free_bytes=200 * MIB)
    falls = MachineFacts(16 * GIB, GIB // 2, used=rise(400, 20.0))
    for machine in (low, falls):
        kills = {one.name: one.kills_in_s for one in find_incidents(IncidentInputs(100.0, machine=machine))}
        assert math.isinf(kills.pop("host_low"))
        assert all(20.0 < one < 60.0 for one in kills.values()) and kills


def test_what_the_machine_has_lost_is_explained_by_a_part_by_a_process_or_by_nothing() -> None:
    lost = MachineFacts(16 * GIB, 8 * GIB, used=rise(1200, 20.0))
    tmpfs = replace(lost, parts={MachinePart.SHMEM: rise(1000, 20.0)})
    assert incident(machine=tmpfs).facts["part"] == "tmpfs and shared memory"
    slab = replace(lost, parts={MachinePart.SLAB_RECLAIMABLE: rise(1000, 20.0)}, slab_holds="dentries")
    assert incident(machine=slab).facts["part"] == "slab (dentries)"
    little = {part: rise(40, 20.0) for part in (MachinePart.SHMEM, MachinePart.SLAB_UNRECLAIMABLE)}
    shown = incident(machine=replace(lost, used=None, parts=little))
    assert shown.facts["part"] == "slab, not reclaimable", "no process shows it, so half is enough"
    taken = replace(lost, gainer=KEY, gainer_name="app (42)", gained_bytes=1100 * MIB)
    one = incident(machine=taken)
    assert (one.facts["gainer"], one.show) == ("app (42)", KEY)
    assert found(machine=taken, growing=(rising(1100, 20.0),)) == [("rising", WARNING)], "that process is the story"
    assert "part" not in incident(machine=lost).facts
    many = replace(lost, parts={MachinePart.ANONYMOUS: rise(1000, 20.0)})
    assert incident(machine=many).facts["part"] == "anonymous memory of many processes"
    blind = incident(machine=replace(many, all_watched=False)).facts
    assert (blind["part"], blind["by"]) == ("anonymous memory of processes that are not watched", "")


def test_the_pressure_names_the_cgroup_with_the_most_refaults() -> None:
    db = CgroupFacts("db", "db.service", GIB, GIB // 2, largest=OTHER, refault_per_s=4000.0)
    one = incident(machine=MachineFacts(16 * GIB, 8 * GIB, some_percent=34.0), cgroups=(db,))
    assert (one.facts["cgroup"], one.show) == ("db.service", OTHER)


def test_a_kill_calls_for_action_at_first_and_is_reported_for_long() -> None:
    kill = ExitFacts(KEY, "worker (42)", 60.0, is_oom=True, cgroup_name="shop.slice")
    one = incident(exits=(kill,))
    assert (one.severity, one.facts["ago_s"], one.show, one.certain) == (DANGER, 40.0, KEY, True)
    ages = [incident(exits=(replace(kill, at_s=at_s),)).facts["ago_s"] for at_s in (99.8, 96.5, 91.0)]
    assert ages == [1.0, 3.0, 5.0], "whole seconds at first, then steps"
    assert found(exits=(replace(kill, at_s=-100.0),)) == [("oom_kill", WARNING)]
    assert found(exits=(replace(kill, at_s=-1000.0),)) == []


def test_kills_of_processes_that_are_not_seen_are_one_note_behind_all_else() -> None:
    kill = ExitFacts(None, "", 90.0, is_oom=True)
    assert found(exits=(kill, kill)) == [("unseen_kill", NOTE)]
    assert incident(exits=(kill, kill)).facts["kills_count"] == 2
    assert found(exits=(replace(kill, cgroup_path="a", cgroup_name="a"),)) == [("oom_kill", DANGER)]
    assert list(RULES)[-1] == "unseen_kill"


def test_of_other_ends_only_those_of_large_processes_that_went_wrong_are_named() -> None:
    end = ExitFacts(KEY, "db (42)", 90.0, is_oom=False, signal=11, peak_bytes=3 * GIB, large=True)
    assert found(exits=(end,)) == [("died", WARNING)]
    assert found(exits=(replace(end, signal=None, exit_code=1),)) == [("died", NOTE)]
    assert found(exits=(replace(end, signal=15),)) == [("died", NOTE)], "it was asked to end"
    assert found(exits=(replace(end, signal=None, exit_code=0),)) == []
    assert found(exits=(replace(end, large=False),)) == []


def test_a_program_that_comes_back_again_and_again_is_one_incident_and_its_lives_are_none() -> None:
    assert found(loops=(LOOP,)) == [("crash_loop", DANGER)]
    assert incident(loops=(LOOP,)).show == OTHER
    assert incident(loops=(LOOP,)).facts["each"] == "each ends"
    assert incident(loops=(LOOP._replace(alike=3),)).facts["each"] == "3 of 4 runs ended"
    once = LOOP._replace(ends=1, alike=1, restarts=1, kills=3)
    assert incident(loops=(once,)).facts["each"] == "that run ended"
    kill = ExitFacts(KEY, "a (42)", 90.0, is_oom=True)
    assert found(loops=(LOOP,), exits=(kill,)) == [("crash_loop", DANGER)]
    assert found(loops=(LOOP._replace(restarts=1),), exits=(kill,)) == [("oom_kill", DANGER)], "once is no loop"
    assert found(loops=(LOOP._replace(restarted_s=-100.0),)) == [], "it has stopped"
    segfault = LOOP._replace(is_oom=False, signal=11)
    assert found(loops=(segfault,)) == [("crash_loop", WARNING)]
    killed = LOOP._replace(is_oom=False, signal=9, peak_bytes=9 * MIB)
    assert found(loops=(killed,)) == [], "somebody kills a small program"
    assert found(loops=(killed._replace(large=True),)) == [("crash_loop", WARNING)]
    once = LOOP._replace(restarts=1, ends=1, alike=1)
    assert found(loops=(once._replace(kills=1),)) == []
    assert incident(loops=(once._replace(kills=7),)).facts["kills_count"] == 7, "killed before memtop started too"
    failing = LOOP._replace(is_oom=False, exit_code=1, peak_bytes=100 * MIB)
    assert found(loops=(failing,)) == [("crash_loop", WARNING)], "whatever its share of RAM"
    assert found(loops=(failing._replace(restarts=2),)) == [], "a person tries again"
    assert found(loops=(failing._replace(exit_code=None),)) == [("crash_loop", NOTE)], "how is not known"
    small = LOOP._replace(is_oom=False, exit_code=1, peak_bytes=9 * MIB)
    assert found(loops=(small,)) == [], "a small program that fails is no matter of memory"
    assert found(loops=(small._replace(large=True),)) == [("crash_loop", WARNING)]
    assert found(loops=(small._replace(exit_code=0, large=True),)) == [("crash_loop", NOTE)]


def test_a_crash_that_was_followed_by_a_restart_is_named_before_there_is_a_loop_and_becomes_it() -> None:
    once = LOOP._replace(restarts=1, ends=1, alike=1, is_oom=False, signal=11)
    assert found(loops=(once,)) == [("died", NOTE)]
    first = incident(loops=(once,))
    assert first.facts["again"] == "it was started again"
    then = incident(loops=(once._replace(restarts=2, ends=2, alike=2),))
    assert (then.name, then.subject.identity, then.story) == ("crash_loop", first.subject.identity, first.story)
    assert found(loops=(once._replace(signal=9, peak_bytes=9 * MIB),)) == [], "another program ended a small one"
    assert found(loops=(once._replace(restarted_s=-100.0),)) == [], "long ago"
    end = ExitFacts(KEY, "db (42)", 90.0, is_oom=False, signal=11, peak_bytes=3 * GIB, large=True)
    assert found(loops=(once,), exits=(end,)) == [("died", WARNING)], "one end is told once"


def test_a_loop_stays_the_same_incident_from_life_to_life() -> None:
    later = LOOP._replace(key=ProcessKey(77, 900), keys=frozenset({KEY, OTHER}))
    assert incident(loops=(LOOP,)).subject.identity == incident(loops=(later,)).subject.identity


def test_what_grows_as_a_whole_is_an_incident_of_its_own_and_explains_what_the_machine_loses() -> None:
    assert found(groups=(POOL,)) == [("group_rising", NOTE)]
    assert incident(groups=(POOL._replace(limit=SHOP._replace(room_bytes=40 * MIB)),)).severity is DANGER
    assert found(groups=(POOL._replace(rise=rise(10, 8.0)),)) == [], "too little"
    new = rise(100, 6.0)._replace(from_bytes=0)
    assert found(groups=(POOL._replace(rise=new),)) == [], "a program that starts loads"
    assert found(groups=(POOL._replace(growth=growing().growth),)) == [("group_growth", WARNING)]
    falls = MachineFacts(16 * GIB, 8 * GIB, used=rise(600, 8.0), parts={MachinePart.ANONYMOUS: rise(600, 8.0)})
    assert found(machine=falls) == [("memory_goes", DANGER)]
    whole = POOL._replace(rise=rise(550, 8.0)._replace(from_bytes=100 * MIB))
    assert found(machine=falls, groups=(whole,)) == [("group_rising", WARNING)]


def test_memory_that_is_copied_after_a_fork_is_told_of_the_process_that_copies_it() -> None:
    fall = rise(1200, 20.0)
    lost = MachineFacts(16 * GIB, 8 * GIB, used=fall, parts={MachinePart.ANONYMOUS: fall})
    assert "copier" not in incident(machine=lost).facts
    copied = incident(machine=replace(lost, copier=KEY, copier_name="redis (42)", copied_per_s=15_000.0))
    assert (copied.name, copied.show, copied.facts["copier"]) == ("memory_goes", KEY, "redis (42)")
    files = replace(lost, copier=KEY, copier_name="redis (42)", parts={MachinePart.SHMEM: fall})
    assert all("copier" not in one.facts for one in find_incidents(IncidentInputs(100.0, machine=files)))


def test_memory_of_processes_that_are_not_seen_is_not_laid_to_those_that_are() -> None:
    falls = MachineFacts(16 * GIB, 8 * GIB, used=rise(600, 8.0), parts={MachinePart.ANONYMOUS: rise(600, 8.0)})
    assert incident(machine=falls).facts["part"] == "anonymous memory of many processes"
    outside = incident(machine=replace(falls, all_seen=False))
    assert outside.facts["part"] == "anonymous memory of processes that are not seen here"


def test_every_rule_is_tried_here() -> None:
    everything = IncidentInputs(
        100.0,
        growing=(growing(), rising(12, 12.0)._replace(key=OTHER)),
        cgroups=(
            CgroupFacts("a", "a", 300 * MIB, 20 * MIB),
            CgroupFacts("b", "b", 300 * MIB, 200 * MIB, rise=rise(30, 6.0)),
            CgroupFacts("e", "e", 300 * MIB, 200 * MIB, refault_per_s=9000.0, thrash_s=9.0),
        ),
        machine=MachineFacts(
            16 * GIB,
            GIB,
            19 * GIB,
            20 * GIB,
            some_percent=50.0,
            pool_bytes=GIB,
            pool_used=rise(100, 20.0),
            swap_used=rise(100, 20.0),
            swap_free_bytes=GIB,
            used=rise(1200, 20.0),
        ),
        exits=(
            ExitFacts(OTHER, "a (43)", 90.0, is_oom=True),
            ExitFacts(None, "", 90.0, is_oom=True),
            ExitFacts(KEY, "b (42)", 90.0, is_oom=False, signal=9, large=True),
        ),
        loops=(LOOP._replace(keys=frozenset()),),
        groups=(POOL, POOL._replace(identity="b", growth=growing().growth)),
        brakes=(BrakeFacts("c", "c", 300 * MIB), BrakeFacts("d", "d", 300 * MIB, room_bytes=0)),
    )
    assert {one.name for one in find_incidents(everything)} == set(RULES)


def test_shared_memory_that_rises_is_named_beside_what_takes_more() -> None:
    parts = {MachinePart.ANONYMOUS: rise(1500, 20.0), MachinePart.SHMEM: rise(478, 20.0)}
    machine = MachineFacts(total_bytes=24 * GIB, available_bytes=9 * GIB, used=rise(2000, 20.0), parts=parts)
    named = {one.facts["part_id"] for one in find_incidents(IncidentInputs(100.0, machine=machine))}
    assert named == {MachinePart.ANONYMOUS.value, MachinePart.SHMEM.value}


def test_the_forecast_of_a_process_is_that_of_its_incident() -> None:
    first, other = rising(600, 10.0), rising(300, 10.0)._replace(key=OTHER)
    inputs = IncidentInputs(100.0, growing=(first, other))
    found = next(one for one in find_incidents(inputs) if one.subject.key == first.key)
    forecast = forecast_of(first.key, inputs)
    assert forecast is not None
    assert (forecast.others, forecast.full_s) == (found.facts["beside_count"], found.facts["full_s"])
    assert forecast_of(ProcessKey(7, 7), inputs) is None


def test_all_incidents_of_one_list_count_the_same_others() -> None:
    first, second, third = rising(600, 10.0), rising(300, 10.0)._replace(key=OTHER), rising(200, 10.0)
    third = third._replace(key=ProcessKey(44, 500))
    standing = StandingIncidents()
    for now_s in (100.0, 110.0, 120.0):
        standing = standing.after(now_s, find_incidents(IncidentInputs(100.0, growing=(first, second, third))))
    standing = standing.after(121.0, find_incidents(IncidentInputs(100.0, growing=(first, second))))
    assert len(standing.standing) == 3
    assert {one.facts["beside_count"] for one in standing.standing if "beside_count" in one.facts} == {1}


def test_a_process_that_rises_faster_than_a_group_comes_first() -> None:
    slow = POOL._replace(rise=rise(32, 39.0))
    found = StandingIncidents().after(
        100.0, find_incidents(IncidentInputs(100.0, growing=(rising(155, 60.0),), groups=(slow,)))
    )
    names = [entry.incident.name for entry in found.entries]
    assert names == ["rising", "group_rising"]


@pytest.mark.parametrize(
    ("mib", "age_s", "first"),
    [(70, 11.0, "group_rising"), (70, 1000.0, "rising"), (70, 31.0, "rising"), (200, 11.0, "rising")],
)
def test_a_program_that_has_just_started_goes_behind_what_grows_as_a_whole_unless_it_is_much_faster(
    mib: float, age_s: float, first: str
) -> None:
    span_s = min(30.0, age_s)
    pool = POOL._replace(rise=rise(4 * span_s, span_s))
    starts = rising(mib * span_s / 10, span_s, age_s=age_s)
    standing = StandingIncidents().after(
        100.0, find_incidents(IncidentInputs(100.0, growing=(starts,), groups=(pool,)))
    )
    assert standing.entries[0].incident.name == first


def test_what_a_process_takes_at_its_start_says_less_of_hours_than_what_an_old_one_takes() -> None:
    room = MACHINE._replace(room_bytes=4 * GIB, is_machine=True)
    assert found(growing=(rising(150, 10.0, limit=room),)) == [("rising", WARNING)]
    assert found(growing=(rising(150, 10.0, limit=room, age_s=11.0),)) == [("rising", NOTE)]
    assert found(growing=(rising(600, 20.0, limit=room, age_s=21.0),)) == [("rising", WARNING)], "it goes on"


@pytest.mark.parametrize(
    ("grows_mib", "part"),
    [
        (
            {"unaccounted": 1100, "slab_unreclaimable": 40},
            "memory in no counter (pipes, sockets, drivers, GPU, balloon)",
        ),
        ({"unaccounted": 100, "slab_unreclaimable": 40}, None),
        ({"unaccounted": 1100, "slab_unreclaimable": 1000}, "slab, not reclaimable"),
    ],
    ids=["no counter has it", "nothing explains it", "a part explains it"],
)
def test_a_fall_names_only_a_part_that_explains_it(grows_mib: Mapping[str, int], part: str | None) -> None:
    parts = {MachinePart(name): rise(mib, 20.0) for name, mib in grows_mib.items()}
    found = find_incidents(
        IncidentInputs(100.0, machine=MachineFacts(16 * GIB, 8 * GIB, used=rise(1200, 20.0), parts=parts))
    )
    (fall,) = (one for one in found if "fall_bytes_per_min" in one.facts)
    assert fall.facts.get("part") == part


def test_what_no_counter_has_is_named_only_where_available_memory_falls() -> None:
    parts = {MachinePart.UNACCOUNTED: rise(1100, 20.0)}
    assert find_incidents(IncidentInputs(100.0, machine=MachineFacts(16 * GIB, 8 * GIB, parts=parts))) == []


def test_what_takes_little_of_a_fall_of_available_memory_goes_behind_what_takes_most_of_it() -> None:
    fall = rise(3000, 20.0)
    ram = MACHINE._replace(room_bytes=4 * GIB, is_machine=True)
    machine = MachineFacts(16 * GIB, 4 * GIB, used=fall, parts={MachinePart.SHMEM: rise(2600, 20.0)})
    small, group = rising(60, 20.0, limit=ram), POOL._replace(limit=ram, rise=rise(400, 20.0))
    inputs = IncidentInputs(100.0, (small,), machine=machine, groups=(group,))
    names = [entry.incident.name for entry in StandingIncidents().after(100.0, find_incidents(inputs)).entries]
    assert names[0] == "memory_goes"
    by_name = {one.name: one.severity for one in find_incidents(inputs)}
    assert by_name == {"memory_goes": DANGER, "rising": NOTE, "group_rising": NOTE}
    large = rising(1500, 20.0, limit=ram)
    assert ("rising", DANGER) in found(machine=machine, growing=(large,)), "half of it is its own"


def test_a_fall_of_available_memory_counts_for_a_rise_for_no_longer_than_it_says_something() -> None:
    """Other programs that start take so much for seconds; 21 GiB are not full in four minutes for that."""
    ram = MACHINE._replace(room_bytes=21 * GIB, is_machine=True)
    one = rising(26, 13.0, limit=ram)

    def facts(fall: Rise) -> Mapping[str, float | str]:
        inputs = IncidentInputs(100.0, (one,), machine=MachineFacts(24 * GIB, 21 * GIB, used=fall))
        return next(found.facts for found in find_incidents(inputs) if found.name == "rising")

    short = facts(rise(1200, 13.0))
    assert "full_s" not in short and "falls" not in short
    long = facts(rise(5400, 60.0))
    assert long["full_s"] == pytest.approx(21 * 1024 / 90)
    assert long["falls"] == "yes"


def test_a_rise_of_res_has_no_time_to_a_limit_of_a_runtime_which_is_of_one_heap_alone() -> None:
    heap = LimitFacts("-Xmx", 256 * MIB, 200 * MIB, of_heap=True)
    full = rising(60, 10.0, limit=heap._replace(of_heap=False))
    assert found(growing=(full,)) == [("rising", DANGER)]
    one, other = rising(60, 10.0, limit=heap), rising(60, 10.0, limit=heap, key=OTHER)
    assert found(growing=(one, other)) == [("rising", NOTE)] * 2
    assert "limit_name" not in incident(growing=(one,)).facts
    leaks = rising(60, 10.0, limit=heap._replace(heap_full_s=(50.0, 90.0)))
    assert found(growing=(leaks,)) == [("rising", WARNING)], "old objects may be garbage too"
    assert incident(growing=(leaks,)).facts["full_s"] == 50.0
    confirmed = growing(heap, (600.0, 900.0))
    assert incident(growing=(confirmed,)).facts["limit_name"] == "-Xmx"
    both = find_incidents(IncidentInputs(100.0, (confirmed, other)))
    assert all("beside_count" not in one.facts for one in both)

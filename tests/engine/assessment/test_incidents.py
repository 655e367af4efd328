"""From samples to the incidents of the machine, on a fake world of version 2."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from memtop.analysis.incidents import Incident
from memtop.engine.assessment import incident_inputs, rise_tracker
from memtop.engine.assessment.assessor import MOST_URGENT
from memtop.engine.assessment.growth_tracker import GrowthTracker
from memtop.engine.assessment.incident_tracker import UNSEEN_TICKS
from memtop.engine.engine import Engine
from memtop.explain.incident_text import headline, incident_sentences, kills_before
from memtop.model.frame import Frame
from memtop.model.group import By
from memtop.model.incidents import IncidentReport
from memtop.model.request import RowSelection
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.engine.groups.worlds import ROOT
from tests.engine.groups.worlds import world as groups_world
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import request
from tests.sampling.test_cgroups import APP, MIB, POD, v2

EASY = b"MemTotal: 24000000 kB\nMemFree: 20000000 kB\nMemAvailable: %d kB\nShmem: %d kB\nSReclaimable: %d kB\n"


def meminfo(available_kib: int = 20_000_000, shmem_kib: int = 1000, slab_kib: int = 100_000) -> bytes:
    return EASY % (available_kib, shmem_kib, slab_kib) + b"AnonPages: 1000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"


def world(*processes: FakeProcess) -> tuple[FakeSource, Engine]:
    source = v2(*processes)
    source.files["proc/meminfo"] = meminfo()
    source.files[f"{APP}/memory.high"] = b"max\n"
    source.files[f"{APP}/memory.stat"] = b"anon 20000000\nfile 0\n"
    source.files[f"{APP}/memory.current"] = b"20000000\n"
    return source, Engine(source)


def step(engine: Engine) -> Frame:
    frame = engine.step(request())
    assert frame is not None
    return frame


def report(frame: Frame) -> IncidentReport:
    assert frame.incidents is not None
    return frame.incidents


def names(frame: Frame) -> list[str]:
    return [incident.name for incident in report(frame).standing]


def first(frame: Frame) -> Incident:
    return report(frame).standing[0]


def test_the_first_sample_alone_reports_nothing_and_then_all_is_well() -> None:
    _, engine = world(FakeProcess(42))
    assert step(engine).incidents is None
    for _ in range(14):
        frame = step(engine)
    assert names(frame) == []
    grows = "19.1 GiB available; nothing grows fast, no cgroup limit is near"
    assert headline(frame.incidents, frame.system).says == grows


def test_time_in_which_nothing_was_watched_does_not_count() -> None:
    source, engine = world(FakeProcess(42))
    for _ in range(4):
        step(engine)
    source.step_s = 120.0  # memtop was stopped, or the machine slept
    frame = step(engine)
    assert report(frame).watched_s < 5
    assert "too early to know what grows" in headline(frame.incidents, frame.system).says


@cache
def leak(seconds: int, mib_a_s: int) -> list[Frame]:
    """A process out of focus that leaks in a cgroup of 100 MiB, among others that do nothing."""
    process = FakeProcess(42, comm=b"leaky", cmdline=b"/usr/bin/leaky\0")
    source, engine = world(process, *(FakeProcess(100 + number) for number in range(50)))
    frames = []
    for second in range(seconds):
        frames.append(step(engine))
        process.rss_pages += mib_a_s * MIB_PAGES
        source.files[f"{APP}/memory.current"] = b"%d\n" % (20_000_000 + second * mib_a_s * MIB)
        source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % (20_000_000 + second * mib_a_s * MIB)
    return frames


def test_in_nested_cgroups_only_the_limit_that_is_reached_first_has_a_time() -> None:
    process = FakeProcess(42, comm=b"leaky", cmdline=b"leaky\0")
    source, engine = world(process)
    source.files[f"{APP}/memory.max"] = b"%d\n" % (500 * MIB)
    source.files[f"{POD}/memory.max"] = b"%d\n" % (150 * MIB)
    for second in range(14):
        frame = step(engine)
        process.rss_pages += 4 * MIB_PAGES
        for path in (APP, POD):
            source.files[f"{path}/memory.current"] = b"%d\n" % (20_000_000 + second * 4 * MIB)
            source.files[f"{path}/memory.stat"] = b"anon %d\nfile 0\n" % (20_000_000 + second * 4 * MIB)
    assert [(one.name, one.facts.get("limit_bytes")) for one in report(frame).standing] == [("rising", 150 * MIB)]


def test_the_next_step_names_the_file_of_the_limit_and_a_higher_one() -> None:
    frames = leak(100, 1)
    for frame in (frames[11], frames[-1]):
        assert first(frame).facts["limit_file"] == f"/{APP}/memory.max"
        assert f"(echo 150M > /{APP}/memory.max)" in incident_sentences(first(frame)).next


@pytest.mark.parametrize(
    ("both", "is_named"),
    [(b"9223372036854771712\n", True), (b"%d\n" % (200 * MIB), True), (b"%d\n" % (100 * MIB), False)],
)
def test_a_limit_that_version_1_would_not_raise_alone_has_no_command(both: bytes, is_named: bool) -> None:
    folder = "sys/fs/cgroup/memory/app"
    source = FakeSource(FakeProcess(42), FakeProcess(43))
    source.files |= {
        "proc/meminfo": meminfo(),
        "proc/self/mountinfo": b"1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
        "proc/42/cgroup": b"4:memory:/app\n",
        f"{folder}/memory.limit_in_bytes": b"%d\n" % (100 * MIB),
        f"{folder}/memory.memsw.limit_in_bytes": both,
        f"{folder}/memory.memsw.usage_in_bytes": b"99000000\n",
        f"{folder}/memory.usage_in_bytes": b"99000000\n",
        f"{folder}/memory.stat": b"total_rss 99000000\ntotal_cache 0\n",
        f"{folder}/memory.oom_control": b"oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
    }
    engine = Engine(source)
    for _ in range(8):
        frame = step(engine)
    assert first(frame).name == "near_limit"
    command = f"(echo 150M > /{folder}/memory.limit_in_bytes)"
    assert (command in incident_sentences(first(frame)).next) is is_named


def test_the_process_that_fills_a_cgroup_is_named_though_many_others_rise_more() -> None:
    leaky = FakeProcess(42, comm=b"leaky", cmdline=b"/usr/bin/leaky\0")
    others = [FakeProcess(100 + number, cmdline=b"load%d\0" % number) for number in range(30)]
    source, engine = world(leaky, *others)
    for other in others:
        source.files[f"proc/{other.pid}/cgroup"] = b"0::/\n"
    for second in range(12):
        frame = step(engine)
        leaky.rss_pages += 3 * MIB_PAGES
        for other in others:
            other.rss_pages += 8 * MIB_PAGES
        source.files[f"{APP}/memory.current"] = b"%d\n" % (20_000_000 + second * 3 * MIB)
        source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % (20_000_000 + second * 3 * MIB)
    assert first(frame).subject.name == "leaky (42)"


def test_the_rise_of_a_process_whose_main_thread_has_ended_stands_at_every_sample() -> None:
    process = FakeProcess(42, state="Z", threads=2)
    source, engine = world(process)
    source.threads[42] = [42, 44]
    for second in range(20):
        source.files["proc/42/task/44/statm"] = b"90000 %d 100 1 0 9 0\n" % (5000 + second * 3 * MIB_PAGES)
        frame = step(engine)
        assert second < 12 or names(frame)[:1] == ["rising"], second


@pytest.mark.parametrize(
    ("command", "limit"), [(b"leaky\0", True), (b"java\0-jar\0a.jar\0", False), (b"node20\0a.js\0", False)]
)
def test_what_has_a_heap_of_limited_size_is_not_said_to_fill_the_machine(command: bytes, limit: bool) -> None:
    process = FakeProcess(42, comm=b"main", cmdline=command)
    source, engine = world(process)
    for name in ("memory.max", "memory.high"):
        source.files[f"{APP}/{name}"] = b"max\n"
    for second in range(12):
        frame = step(engine)
        process.rss_pages += 64 * MIB_PAGES
        source.files["proc/meminfo"] = meminfo(20_000_000 - 65_536 * second)
    assert first(frame).name == "rising"
    assert ("limit_name" in first(frame).facts) is limit


def test_what_takes_only_what_others_free_does_not_fill_the_machine() -> None:
    process = FakeProcess(42, comm=b"leaky", cmdline=b"leaky\0")
    source, engine = world(process)
    source.files[f"{APP}/memory.max"] = b"max\n"
    for second in range(12):
        frame = step(engine)
        process.rss_pages += 64 * MIB_PAGES
        source.files["proc/meminfo"] = meminfo(20_000_000 - 400 * second)
    assert first(frame).name == "rising" and "limit_name" not in first(frame).facts


def full(source: FakeSource, engine: Engine, pids: frozenset[int] | None) -> Incident:
    """The incident of a cgroup whose limit is nearly reached, after some samples of these processes."""
    source.files[f"{APP}/memory.stat"] = b"anon 99000000\nfile 0\n"
    source.files[f"{APP}/memory.current"] = b"99000000\n"
    for _ in range(8):
        frame = engine.step(request(only=pids))
    assert frame is not None
    return next(one for one in report(frame).standing if one.name == "near_limit")


def test_the_largest_process_of_a_full_cgroup_is_named_where_all_are_read() -> None:
    processes = FakeProcess(42), FakeProcess(43, rss_pages=60 * MIB_PAGES, cmdline=b"giant\0")
    assert full(*world(*processes), None).facts["largest"] == "giant (43)"
    assert "largest" not in full(*world(*processes), frozenset({42})).facts


@pytest.mark.parametrize(("swappiness", "room"), [(b"60\n", 40 * MIB), (b"0\n", None)])
def test_what_a_full_cgroup_may_still_swap_is_what_its_limit_leaves(swappiness: bytes, room: int | None) -> None:
    source, engine = world(FakeProcess(42))
    source.files |= {
        "proc/meminfo": b"MemTotal: 24000000 kB\nMemAvailable: 20000000 kB\nSwapFree: 800000 kB\n",
        "proc/sys/vm/swappiness": swappiness,
        f"{APP}/memory.swap.max": b"%d\n" % (50 * MIB),
        f"{APP}/memory.swap.current": b"%d\n" % (10 * MIB),
    }
    assert full(source, engine, None).facts.get("swap_room_bytes") == room


@pytest.mark.parametrize(("used_mib", "named"), [(50, True), (10, False)])
def test_a_cgroup_that_its_memory_high_slows_down_is_named_while_it_does(used_mib: int, named: bool) -> None:
    """The counter of events counts those of the cgroups below it too, which is no news of this one."""
    source, engine = world(FakeProcess(42))
    source.files |= {
        f"{APP}/memory.high": b"%d\n" % (50 * MIB),
        f"{APP}/memory.current": b"%d\n" % (used_mib * MIB),
        f"{APP}/memory.pressure": b"some avg10=45.00 avg60=0.00 avg300=0.00 total=5\n",
    }
    for second in range(30):
        source.files[f"{APP}/memory.events"] = b"low 0\nhigh %d\nmax 0\noom 0\noom_kill 0\n" % (50 * second)
        frame = step(engine)
    assert (names(frame) == ["throttled"]) is named
    if named:
        assert (
            headline(frame.incidents, frame.system)
            .clauses[0]
            .endswith("is slowed down: it uses more than its memory.high (50.0 MiB)")
        )
    for _ in range(30):
        frame = step(engine)
    assert names(frame) == (["near_high"] if named else []), "it is as full as before, but nothing waits"


@pytest.mark.parametrize(("used", "refaults", "named"), [(104, 4000, True), (60, 4000, False), (104, 200, False)])
def test_a_cgroup_whose_page_cache_does_not_fit_into_its_limit_is_said_to_thrash(
    used: int, refaults: int, named: bool
) -> None:
    source, engine = world(FakeProcess(42, cmdline=b"db\0"))
    for second in range(20):
        source.files[f"{APP}/memory.current"] = b"%d000000\n" % used
        source.files[f"{APP}/memory.stat"] = b"anon 20000000\nfile %d000000\nactive_file %d000000\n" % (
            used - 20,
            used - 20,
        ) + b"workingset_refault_file %d\n" % (7 + refaults * second)
        frame = step(engine)
    assert names(frame) == (["thrashing"] if named else [])
    if named:
        said = headline(report(frame), frame.system).clauses
        assert said[0].endswith("thrashes: 15.6 MiB/s of evicted pages come back"), said
    for _ in range(15):
        frame = step(engine)
    assert names(frame) == []


@pytest.mark.parametrize(("name", "incident"), [("memory.max", "near_limit"), ("memory.high", "near_high")])
def test_what_is_said_of_a_limit_goes_at_once_when_that_is_raised(name: str, incident: str) -> None:
    source, engine = world(FakeProcess(42, cmdline=b"db\0"))
    source.files[f"{APP}/memory.max"] = b"max\n"
    source.files |= {f"{APP}/{name}": b"100000000\n", f"{APP}/memory.stat": b"anon 95000000\nfile 0\n"}
    source.files[f"{APP}/memory.current"] = b"95000000\n"
    frames = [step(engine) for _ in range(6)]
    assert names(frames[-1]) == [incident]
    source.files[f"{APP}/{name}"] = b"400000000\n"
    assert names([step(engine) for _ in range(2)][-1]) == [], "the old limit is not spoken of any more"


def test_memory_that_takes_the_place_of_page_cache_in_a_full_cgroup_is_seen_though_its_use_stands_still() -> None:
    source, engine = world(FakeProcess(42, cmdline=b"db\0"))
    source.files[f"{APP}/memory.current"] = b"104000000\n"
    for second in range(40):
        anon = min(95, 20 + 4 * second)
        stat = anon, 104 - anon, 104 - anon
        source.files[f"{APP}/memory.stat"] = b"anon %d000000\nfile %d000000\ninactive_file %d000000\n" % stat
        frame = step(engine)
    assert names(frame) == ["near_limit"]
    assert first(frame).facts["used_percent"] == pytest.approx(100 * 95e6 / 104857600)


def test_the_parts_of_a_cgroup_below_a_full_one_are_read_though_its_use_stands_still() -> None:
    source, engine = world(FakeProcess(42, cmdline=b"db\0"))
    pod = APP.rpartition("/")[0]
    source.files[f"{APP}/memory.max"] = b"max\n"
    source.files |= {f"{pod}/memory.max": b"100000000\n", f"{pod}/memory.stat": b"anon 20000000\nfile 80000000\n"}
    asked = request(needs_all=Need.MEMBERSHIP | Need.GROUPS)._replace(rows=RowSelection(by=By.CGROUP))
    for limit_full, expected in ((False, 20_000_000), (True, 60_000_000)):
        used = b"100000000\n" if limit_full else b"50000000\n"
        source.files[f"{pod}/memory.current"] = source.files[f"{APP}/memory.current"] = used
        for second in range(30):
            anon = 20 + second if limit_full and second < 20 else 60 if limit_full else 20
            source.files[f"{APP}/memory.stat"] = b"anon %d000000\nfile %d000000\n" % (anon, 100 - anon)
            frame = engine.step(asked)
        assert frame is not None and frame.groups is not None
        assert [row.anon_bytes for row in frame.groups if row.path == APP] == [expected]


def test_a_process_that_grows_in_steps_is_named_after_the_third_and_stays_named_between_them() -> None:
    process = FakeProcess(42, comm=b"batch", cmdline=b"/usr/bin/batch\0")
    _, engine = world(process)
    step(engine)
    said = []
    for second in range(60):
        said.append(names(step(engine)))
        if second % 10 == 5:
            process.rss_pages += 40 * MIB_PAGES
    assert said[27:] == [["rising"]] * 33 and not any(said[:25])


def test_a_part_is_not_said_to_rise_where_only_the_sum_of_the_counters_was_cut() -> None:
    """Counters that are read while memory moves add up to more than MemTotal at times."""
    source, engine = world(FakeProcess(42))
    for second in range(20):
        excess = 500_000 if second % 2 else 0
        source.files["proc/meminfo"] = (
            meminfo() + b"VmallocUsed: 600000 kB\nPercpu: 2400000 kB\nCached: %d kB\n" % excess
        )
        frame = step(engine)
        assert not second or names(frame) == []


def test_a_leak_out_of_focus_is_named_with_its_limit_within_seconds_and_confirmed_later() -> None:
    frames = leak(12, 2)
    told = next(number for number, frame in enumerate(frames) if frame.incidents and names(frame))
    assert told <= 8
    incident = first(frames[told])
    assert (incident.name, incident.subject.name, incident.facts["limit_name"]) == ("rising", "leaky (42)", "app.scope")
    assert incident.show is not None and incident.show.pid == 42
    rest = [first(frame) for frame in leak(100, 1)[15:]]
    assert {incident.subject.name for incident in rest} == {"leaky (42)"}, "one story, without a gap"
    assert [rest[0].name, rest[-1].name] == ["rising", "growth"]


def test_what_a_program_did_before_it_became_another_is_not_told_of_the_other() -> None:
    process = FakeProcess(42, comm=b"python3", cmdline=b"python3\0first.py\0")
    _, engine = world(process, FakeProcess(43))
    for _ in range(12):
        frame = step(engine)
        process.rss_pages += 4 * MIB_PAGES
    assert first(frame).subject.name == "first.py (42)"
    process.start_stack += 4096
    process.cmdline, process.rss_pages = b"python3\0second.py\0", 10 * MIB_PAGES
    told = [one.subject.name for _ in range(8) for one in report(step(engine)).standing]
    assert not told, "though it is not on screen"


def test_what_is_written_to_tmpfs_and_what_slab_holds_is_named() -> None:
    source, engine = world(FakeProcess(42))
    for _ in range(4):
        step(engine)
    source.files["proc/meminfo"] = meminfo(available_kib=19_000_000, shmem_kib=1_001_000)
    for _ in range(3):
        frame = step(engine)
    assert first(frame).facts["part_id"] == "shmem"
    source, engine = world(FakeProcess(42))
    source.files["proc/sys/fs/dentry-state"] = b"100000 90000 45 0 10000 0\n"
    for _ in range(4):
        step(engine)
    source.files["proc/meminfo"] = meminfo(slab_kib=300_000)
    source.files["proc/sys/fs/dentry-state"] = b"1100000 1090000 45 0 1010000 0\n"
    for _ in range(3):
        frame = step(engine)
    assert first(frame).facts["part"] == "slab (negative dentries)"


@pytest.mark.parametrize(
    ("counter", "sets", "says"),
    [
        ("PageTables", lambda one, mib: setattr(one, "page_tables_kib", mib << 10), "scan (43) has 280 MiB of it"),
        ("KernelStack", lambda one, mib: setattr(one, "threads", mib << 6), "scan (43) has 17,920 threads"),
    ],
)
def test_the_process_is_named_that_has_the_page_tables_or_the_stacks_that_rise(
    counter: str, sets: Callable[[FakeProcess, int], None], says: str
) -> None:
    scan = FakeProcess(43, comm=b"scan", cmdline=b"scan\0", virt_pages=64 * 1024 * MIB_PAGES)
    others = [FakeProcess(pid, rss_pages=200 * MIB_PAGES, virt_pages=1024 * MIB_PAGES) for pid in range(100, 140)]
    source, engine = world(FakeProcess(42), scan, *others)
    for _ in range(3):
        step(engine)
    for second in range(1, 30):
        sets(scan, 10 * second)
        scan.virt_pages += 1
        source.files["proc/meminfo"] = meminfo() + b"%s: %d kB\n" % (counter.encode(), 10 * second << 10)
        frame = step(engine)
    assert says in incident_sentences(first(frame)).says
    assert first(frame).show == next(row.key for row in frame.rows if row.pid == 43)


def test_the_process_is_named_that_has_gained_the_shared_memory_that_rises_not_one_that_had_more() -> None:
    cache, old = FakeProcess(43, comm=b"cache", cmdline=b"cache\0"), FakeProcess(44, comm=b"old", cmdline=b"old\0")
    cache.virt_pages = old.virt_pages = 1000 * MIB_PAGES
    old.rss_pages, old.shr_pages, old.shmem_kib = 900 * MIB_PAGES, 890 * MIB_PAGES, 880 << 10
    source, engine = world(FakeProcess(42), cache, old)
    for _ in range(3):
        step(engine)
    for second in range(1, 30):
        cache.shmem_kib = 10 * second << 10
        cache.rss_pages, cache.shr_pages = (20 + 10 * second) * MIB_PAGES, (5 + 10 * second) * MIB_PAGES
        source.files["proc/meminfo"] = meminfo(shmem_kib=1000 + (10 * second << 10))
        frame = step(engine)
    assert "cache (43) maps 290 MiB of it" in incident_sentences(first(frame)).says
    assert first(frame).show == next(row.key for row in frame.rows if row.pid == 43)


def test_where_no_process_has_most_of_a_part_the_panel_is_named_that_shows_what_holds_it() -> None:
    source, engine = world(*[FakeProcess(pid, page_tables_kib=4000) for pid in range(40, 60)])
    for second in range(20):
        source.files["proc/meminfo"] = meminfo() + b"PageTables: %d kB\n" % (10 * second << 10)
        frame = step(engine)
    assert "6 shows what holds it" in incident_sentences(first(frame)).says
    assert first(frame).show is None


def killed() -> tuple[FakeSource, Engine]:
    """A worker that the OOM killer has just ended, before the sample that finds it."""
    process = FakeProcess(42, comm=b"worker", cmdline=b"worker\0")
    source, engine = world(process, FakeProcess(43))
    for _ in range(4):
        step(engine)
    del source.processes[42]
    source.ended = [Exit(42, source.wall_s, 9)]
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    return source, engine


def test_kills_before_memtop_started_are_said_to_be_that_and_never_to_be_new() -> None:
    source, engine = world(FakeProcess(42))
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 3\n"
    for _ in range(6):
        frame = step(engine)
    assert names(frame) == []
    assert report(frame).killed_before == (("app.scope", 3),)
    says = kills_before(frame.system, frame.incidents)
    assert says == "4 OOM kills before memtop started (3 in app.scope): see dmesg -T"
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 5\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 4\n"
    for _ in range(6):
        frame = step(engine)
    assert report(frame).killed_before == (("app.scope", 3),)
    assert names(frame) != []


def test_of_many_cgroups_with_kills_before_memtop_started_those_with_most_are_named() -> None:
    source = groups_world(**{f"p{pid}": f"/app-{pid}" for pid in range(1, 7)})
    source.files |= {"proc/meminfo": meminfo(), "proc/vmstat": b"pgfault 1000\noom_kill 21\n"}
    for pid in range(1, 7):
        source.files[f"{ROOT}/app-{pid}/memory.events.local"] = b"oom_kill %d\n" % pid
    engine = Engine(source)
    for _ in range(6):
        frame = step(engine)
    assert report(frame).killed_before == (("/app-6", 6), ("/app-5", 5), ("/app-4", 4))


def test_a_kill_of_which_nothing_says_whether_memtop_had_started_is_not_said_to_be_before() -> None:
    source, engine = world(FakeProcess(42))
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    del source.files[f"{APP}/memory.events.local"]
    del source.files[f"{APP}/memory.events"]
    for _ in range(2):
        step(engine)
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 5\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 1\n"  # its count could not be read before
    for _ in range(4):
        frame = step(engine)
    assert report(frame).killed_before == ()


@pytest.mark.parametrize("fstype", [b"fuse.lxcfs lxcfs", b"ext4 /dev/sda1"])
def test_memory_of_which_a_container_has_its_own_meminfo_is_not_called_the_machines(fstype: bytes) -> None:
    process = FakeProcess(42, comm=b"leaky", cmdline=b"/usr/bin/leaky\0")
    source, engine = world(process)
    mounts = source.read("proc/self/mountinfo")
    source.files["proc/self/mountinfo"] = mounts + b"40 1 0:40 /x /proc/meminfo rw - %s rw\n" % fstype
    source.files[f"{APP}/memory.max"] = b"max\n"
    for second in range(12):
        frame = step(engine)
        process.rss_pages += 64 * MIB_PAGES
        source.files["proc/meminfo"] = meminfo(20_000_000 - 65_536 * second)
    assert first(frame).facts["limit_name"] == "this container's memory"


def test_of_two_processes_that_rise_in_one_cgroup_only_that_without_a_heap_of_its_own_fills_the_machine() -> None:
    java = FakeProcess(42, comm=b"java", cmdline=b"java\0-jar\0orders.jar\0")
    plain = FakeProcess(43, comm=b"plain", cmdline=b"plain\0")
    source, engine = world(java, plain)
    source.files[f"{APP}/memory.max"] = b"max\n"
    for second in range(14):
        frame = step(engine)
        for process in (java, plain):
            process.rss_pages += 100 * MIB_PAGES
        source.files["proc/meminfo"] = meminfo(8_000_000 - 204_800 * second)
    limits = {one.subject.name: one.facts.get("limit_name") for one in report(frame).standing if one.name == "rising"}
    assert limits == {"orders.jar (42)": None, "plain (43)": "this machine's memory"}


def huge_pages(free: int, reserved: int = 0, *, total: int = 512, available_kib: int = 20_000_000) -> bytes:
    pool = b"HugePages_Total: %d\nHugePages_Free: %d\nHugePages_Rsvd: %d\nHugepagesize: 2048 kB\n"
    return meminfo(available_kib) + pool % (total, free, reserved)


def test_a_pool_of_huge_pages_that_fills_is_named_and_one_that_was_full_before_is_not() -> None:
    source, engine = world(FakeProcess(42))
    for second in range(8):
        source.files["proc/meminfo"] = huge_pages(free=400, reserved=50 * second)
        frame = step(engine)
    incident = first(frame)
    assert incident.name == "huge_pool"
    says = incident_sentences(incident).says
    assert "(1.00 GiB) fills: 90.2 % in use or reserved, 100 MiB left; +600 MiB in 6 s; full in" in says
    for _ in range(70):
        frame = step(engine)
    assert "huge_pool" not in names(frame)


@pytest.mark.parametrize(("grows", "part"), [(0, "anonymous"), (40, "hugetlb_used")])
def test_pages_taken_from_a_pool_are_what_the_machine_loses_only_where_the_pool_grows(grows: int, part: str) -> None:
    source, engine = world(FakeProcess(42))
    for second in range(10):
        total = 512 + grows * second
        available_kib = 20_000_000 - 2048 * 40 * second
        anon = b"AnonPages: %d kB\n" % (1_000_000 + (0 if grows else 2048 * 40 * second))
        pool = huge_pages(free=total - 40 * second, total=total, available_kib=available_kib)
        source.files["proc/meminfo"] = pool.replace(b"AnonPages: 1000000 kB\n", anon)
        frame = step(engine)
    assert first(frame).facts["part_id"] == part


def test_a_kill_by_the_oom_killer_is_named_at_once_with_its_cgroup() -> None:
    source, engine = killed()
    frame = step(engine)
    source.ended = []
    incident = first(frame)
    assert (incident.name, incident.facts["victim"], incident.facts["limit_name"]) == (
        "oom_kill",
        "worker (42)",
        "app.scope",
    )
    for _ in range(8):
        frame = step(engine)
    assert names(frame).count("oom_kill") == 1, "the machine has counted the same kill"


@pytest.mark.parametrize("signal", [9, 0])
def test_what_has_ended_is_not_said_to_grow_and_the_cgroup_of_a_kill_not_to_fill(signal: int) -> None:
    process = FakeProcess(42, comm=b"leaky", cmdline=b"/usr/bin/leaky\0")
    source, engine = world(process, *(FakeProcess(100 + number) for number in range(5)))
    for second in range(16):
        frame = step(engine)
        process.rss_pages += 4 * MIB_PAGES
        source.files[f"{APP}/memory.current"] = b"%d\n" % (20_000_000 + second * 4 * MIB)
        source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % (20_000_000 + second * 4 * MIB)
    assert first(frame).name in ("growth", "rising", "filling"), "it rises until its end"
    del source.processes[42]
    source.ended = [Exit(42, source.wall_s, signal)]
    if signal:
        source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
        source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    source.files[f"{APP}/memory.current"] = b"100000\n"
    source.files[f"{APP}/memory.stat"] = b"anon 100000\nfile 0\n"
    frame = step(engine)
    assert names(frame) == (["oom_kill"] if signal else [])
    assert headline(frame.incidents, frame.system).says.startswith("leaky (42) was OOM-killed" if signal else "19.1")


def test_a_storm_of_small_ends_does_not_displace_a_kill() -> None:
    source, engine = killed()
    step(engine)
    source.ended = []
    for _ in range(3):
        children = [source.add(FakeProcess(pid, rss_pages=10)) for pid in range(1000, 1100)]
        engine.step(request(visible=frozenset(child.key for child in children)))
        for child in children:
            del source.processes[child.pid]
        source.ended = [Exit(child.pid, source.wall_s, 256) for child in children]
        step(engine)
        source.ended = []
    for _ in range(12):
        frame = step(engine)
    assert (first(frame).name, first(frame).facts["victim"]) == ("oom_kill", "worker (42)")


def test_a_kill_that_no_end_explains_is_reported_without_a_name() -> None:
    source, engine = world(FakeProcess(42))
    for _ in range(4):
        step(engine)
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    for _ in range(6):
        frame = step(engine)
    assert first(frame).name == "unseen_kill"


def pool(seconds: int, *, charged: bool = True, taken: bool = True) -> list[Frame]:
    """A parent whose children live for three seconds and are larger each time.

    ``charged`` says whether the charge of their cgroup rises with them, ``taken`` whether the memory of the machine
    does: neither where they share their pages.
    """
    parent = FakeProcess(42, comm=b"pool", cmdline=b"/usr/bin/pool\0", start_ticks=10)
    source, engine = world(parent, *(FakeProcess(100 + number) for number in range(50)))
    source.files[f"{APP}/memory.max"] = b"max\n"
    frames = []
    for second in range(seconds):
        frames.append(step(engine))
        source.processes.pop(1000 + second - 3, None)
        child = source.add(FakeProcess(1000 + second, ppid=42, comm=b"pool", cmdline=b"/usr/bin/pool\0"))
        child.rss_pages = (20 + 4 * second) * MIB_PAGES
        source.files[f"proc/{child.pid}/cgroup"] = source.files["proc/42/cgroup"]
        if charged:
            source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % (20_000_000 + second * 12 * MIB)
            source.files[f"{APP}/memory.current"] = b"%d\n" % (20_000_000 + second * 12 * MIB)
        if taken:
            source.files["proc/meminfo"] = meminfo().replace(b"1000000", b"%d" % (1_000_000 + 12 * 1024 * second))
    return frames


def test_a_pool_of_children_that_come_and_go_is_named_as_a_whole_within_seconds() -> None:
    frames = pool(14)
    told = next(number for number, frame in enumerate(frames) if frame.incidents and names(frame))
    assert told <= 10
    incident = first(frames[told])
    assert (incident.name, incident.subject.name) == ("group_rising", "pool")
    assert incident.show is not None and incident.show.pid == 42, "the parent, which stays"


def test_what_processes_of_several_cgroups_take_together_does_not_fill_the_cgroup_of_one_of_them() -> None:
    members = [FakeProcess(42 + n, comm=b"api", cmdline=b"/usr/bin/api\0", start_ticks=10 + n) for n in range(3)]
    source, engine = world(*members)
    for outside in members[1:]:
        source.files[f"proc/{outside.pid}/cgroup"] = b"0::/\n"
    for second in range(14):
        frame = step(engine)
        for member in members:
            member.rss_pages += 2 * MIB_PAGES
        source.files[f"{APP}/memory.current"] = b"%d\n" % (20_000_000 + second * 2 * MIB)
        source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % (20_000_000 + second * 2 * MIB)
        source.files["proc/meminfo"] = meminfo().replace(b"1000000", b"%d" % (1_000_000 + 6 * 1024 * second))
    (whole,) = [one for one in report(frame).standing if one.name == "group_rising"]
    assert whole.facts.get("limit_name") != "app.scope"
    (inside,) = [one for one in report(frame).standing if one.subject.key == members[0].key]
    assert inside.facts["limit_name"] == "app.scope"


def test_pages_that_forked_children_share_are_no_growth_of_the_whole() -> None:
    for frames in (pool(14, charged=False, taken=False), pool(14, charged=False)):
        assert not any("group_rising" in names(frame) for frame in frames if frame.incidents)


def test_one_that_grows_alone_is_the_story_and_not_its_program() -> None:
    assert {first(frame).name for frame in leak(16, 4) if frame.incidents and names(frame)} == {"rising"}


def test_what_is_not_looked_at_is_counted() -> None:
    _, engine = world(FakeProcess(42))
    for _ in range(12):
        frame = engine.step(request(only=frozenset({42})))
    assert frame is not None and report(frame).unseen.only == 1
    assert report(frame).unseen.unread_cgroups == 0
    assert report(frame).unseen.unassessed == 1, "no process is in focus"
    watched = request(focus=ProcessKey(42, 500), only=frozenset({42}))
    for _ in range(UNSEEN_TICKS):
        frame = engine.step(watched)
    assert frame is not None and report(frame).unseen.unassessed == 0


def test_many_that_a_signal_ended_in_the_same_way_are_one_incident() -> None:
    """Pods of one deployment, each in a cgroup of its own."""
    pods = [
        FakeProcess(100 + number, comm=b"pod", cmdline=b"/bin/pod\0", rss_pages=1000 * MIB_PAGES) for number in range(7)
    ]
    source, engine = world(FakeProcess(42), *pods)
    for _ in range(4):
        step(engine)
    for number, pod in enumerate(pods):
        del source.processes[pod.pid]
        source.ended = [Exit(pod.pid, source.wall_s, 9 if number else 11)]
        frame = step(engine)
    assert names(frame) == ["died", "died"]
    said = sorted("; ".join(incident_sentences(one).clauses) for one in report(frame).standing)
    assert "so did" not in said[0] and "signal 11" in said[0]
    assert "so did 5 more of that program" in said[1] and "signal 9" in said[1]


@pytest.mark.parametrize(
    ("processes", "shmem_gib", "said"),
    [
        ([(42, b"java\0-jar\0shop.jar\0", 9000), (43, b"cron\0", 20)], 1, "largest: shop.jar (42) with 8.78 GiB"),
        (
            [(pid, b"php-fpm: pool www", 1000) for pid in range(50, 59)],
            1,
            "largest: php-fpm (9 processes) with at most 8.75 GiB",
        ),
        ([(42, b"cron\0", 20)], 12, "largest: tmpfs and shared memory with 12.0 GiB"),
    ],
    ids=["process", "program", "part"],
)
def test_where_little_is_left_what_holds_the_most_is_named_though_nothing_grows(
    processes: list[tuple[int, bytes, int]], shmem_gib: int, said: str
) -> None:
    source, engine = world(
        *(FakeProcess(pid, cmdline=command, rss_pages=mib * MIB_PAGES) for pid, command, mib in processes)
    )
    source.files["proc/meminfo"] = meminfo(available_kib=900_000, shmem_kib=shmem_gib << 20)
    for _ in range(3):
        frame = step(engine)
    assert first(frame).name == "host_low"
    assert said in headline(frame.incidents, frame.system).clauses


def test_of_a_cgroup_that_is_full_of_tmpfs_no_process_is_named_but_that() -> None:
    source, engine = world(FakeProcess(42))
    full(source, engine, None)
    source.files[f"{APP}/memory.stat"] = b"anon 20000000\nfile 79000000\nshmem 79000000\n"
    source.files[f"{APP}/memory.current"] = b"99000001\n"
    for _ in range(8):
        frame = step(engine)
    assert "most of it is tmpfs and shared memory: 75.3 MiB" in headline(frame.incidents, frame.system).clauses
    assert "largest" not in first(frame).facts


def own_start(program: bytes, own_pid: int | None, path: str) -> list[list[str]]:
    """What is named while a young process grows: now, and in a recording of it."""
    process = FakeProcess(42, comm=program, cmdline=program + b"\0")
    source, _ = world(process)
    source.own_pid = own_pid
    process.start_ticks = int(source.mono_s * os.sysconf("SC_CLK_TCK"))
    recorder = Recorder(source, path)
    engine = Engine(recorder)
    for _ in range(16):
        frame = step(engine)
        process.rss_pages += 4 * MIB_PAGES
    recorder.close()
    replay = Replay(path)
    played = Engine(replay, position=replay.position)
    frames = [step(played) for _ in range(16)]
    replay.close()
    return [names(frame), names(frames[-1])]


@pytest.mark.parametrize(
    ("program", "own_pid", "is_named"), [(b"memtop", 42, False), (b"memtop", 43, True), (b"leaky", 42, True)]
)
def test_what_memtop_itself_takes_when_it_starts_is_no_incident(
    program: bytes, own_pid: int, is_named: bool, tmp_path: Path
) -> None:
    for found in own_start(program, own_pid, str(tmp_path / "r")):
        assert ("rising" in found) is is_named, "another memtop is a program as any other"


def test_a_process_that_shrinks_again_is_not_said_to_rise() -> None:
    process = FakeProcess(42, comm=b"app", cmdline=b"app\0", rss_pages=100 * MIB_PAGES)
    _, engine = world(process)
    step(engine)
    said = []
    for mib in (*range(100, 300, 40), *range(240, 60, -40)):
        process.rss_pages = mib * MIB_PAGES
        said.append("rising" in names(step(engine)))
    assert said[-5:] == [True, True, False, False, False], "it is said until most of what it had gained is lost"


def test_what_goes_up_and_down_between_the_same_heights_is_said_to_rise_only_at_first() -> None:
    process = FakeProcess(42, comm=b"gc", cmdline=b"gc\0")
    source, engine = world(process)
    step(engine)
    said = []
    for _ in range(6):
        said.append(set[str]())
        for mib in range(20, 80, 5):
            process.rss_pages = mib * MIB_PAGES
            source.files[f"{APP}/memory.current"] = b"%d\n" % (mib * MIB)
            source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % (mib * MIB)
            said[-1].update(names(step(engine)))
    assert "rising" in said[0]
    assert said[3:] == [set()] * 3
    for mib in range(80, 98, 3):
        process.rss_pages = mib * MIB_PAGES
        frame = step(engine)
    assert names(frame) == ["rising"], "it is higher than ever before"


def test_of_processes_that_give_memory_back_the_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rise_tracker, "MOST_TEETH", 2)
    them = [FakeProcess(42 + number, cmdline=b"/bin/gc%d\0" % number) for number in range(3)]
    _, engine = world(*them)
    for cycle in range(5):
        for mib in range(20, 80, 5):
            for number, one in enumerate(them):  # each loses its rise at another tick
                one.rss_pages = (20 + (mib - 20 - 10 * number) % 60) * MIB_PAGES
            frame = step(engine)
            if cycle == 4 and mib > 65:
                assert "rising" in names(frame), "each of them displaces another"


def test_what_a_balloon_takes_is_a_fall_of_available_memory() -> None:
    source, engine = world(FakeProcess(42))
    for second in range(14):
        total, available = 24_000_000 - 500_000 * second, 20_000_000 - 500_000 * second
        source.files["proc/meminfo"] = b"MemTotal: %d kB\nMemFree: 2000 kB\nMemAvailable: %d kB\n" % (total, available)
        frame = step(engine)
    assert names(frame) == ["memory_goes"]


def test_of_many_that_grow_the_fastest_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_inputs, "MOST_GROWING", 2)
    monkeypatch.setattr(rise_tracker, "MOST", 0)
    growing = [FakeProcess(42 + number, cmdline=b"/bin/grows%d\0" % number) for number in range(5)]
    source, engine = world(*growing)
    for _ in range(90):
        for number, process in enumerate(growing):
            process.rss_pages += (1 + number) * MIB_PAGES
            source.files[f"proc/{process.pid}/cgroup"] = b"0::/\n"
        frame = step(engine)
    found = {one.subject.key.pid for one in report(frame).standing if one.subject.key is not None}
    assert found == {45, 46}


def test_of_many_that_rise_some_are_judged_out_of_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    look, firsts = GrowthTracker.look, [0]

    def noted(self: GrowthTracker, now_s: float, delay_s: float, first: Sequence[ProcessKey], *rest: Any) -> Any:
        firsts.append(len(first))
        return look(self, now_s, delay_s, first, *rest)

    monkeypatch.setattr(GrowthTracker, "look", noted)
    rising = [FakeProcess(42 + number, cmdline=b"/bin/rises%d\0" % number) for number in range(MOST_URGENT + 3)]
    _, engine = world(*rising)
    for _ in range(12):
        for process in rising:
            process.rss_pages += 9 * MIB_PAGES
        step(engine)
    assert max(firsts) == MOST_URGENT


@pytest.mark.parametrize("bound", ["MOST", "LOOKED_AT"])
def test_of_many_that_rise_those_that_rose_most_are_named(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rise_tracker, bound, 2)
    rising = [FakeProcess(42 + number, cmdline=b"/bin/rises%d\0" % number) for number in range(5)]
    _, engine = world(*rising)
    for _ in range(12):
        for number, process in enumerate(rising):
            process.rss_pages += (6 + number) * MIB_PAGES
        frame = step(engine)
    found = {one.subject.key.pid for one in report(frame).standing if one.subject.key is not None}
    assert found == {45, 46}

"""Which ends are remembered, and programs that crash and come back."""

from __future__ import annotations

import os
import signal

import pytest

from memtop.analysis.limits.exit_cause import Oom
from memtop.analysis.severity import Severity
from memtop.engine.assessment import assessor, exit_analysis, incident_tracker, lives
from memtop.engine.assessment.exit_analysis import AUTOPSIES
from memtop.engine.engine import Engine
from memtop.explain.exit_text import autopsy_lines, autopsy_next
from memtop.filter import parse_query
from memtop.model.frame import Frame
from memtop.model.group import By
from memtop.model.request import Request
from memtop.model.row import Note
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.sampling.commands import SignalSent
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import changed, request
from tests.sampling.test_cgroups import APP, v2

CLK_TCK = os.sysconf("SC_CLK_TCK")
SMALL = 400
"""Pages."""
FILTERED = request(where=parse_query("dead").where, dead=True)


def step(engine: Engine, ask: Request = Request(), times: int = 1) -> Frame:  # noqa: B008 (it is immutable)
    for _ in range(times):
        frame = engine.step(ask)
    assert frame is not None
    return frame


def end(source: FakeSource, pid: int, status: int | None) -> None:
    if status is not None:
        source.ended.append(Exit(pid, source.wall_s, status))
    del source.processes[pid]


def started(
    source: FakeSource, pid: int, *, rss_pages: int = SMALL, cgroup: str = "", **changes: object
) -> FakeProcess:
    start_ticks = int(source.mono_s * CLK_TCK) + 1
    process = source.add(FakeProcess(pid, rss_pages=rss_pages, start_ticks=start_ticks, **changes))  # type: ignore[arg-type]
    if cgroup:
        source.files[f"proc/{pid}/cgroup"] = f"0::{cgroup}\n".encode()
    return process


@pytest.mark.parametrize(
    ("rss_pages", "status", "listed"),
    [
        (12 * MIB_PAGES, None, True),
        (12 * MIB_PAGES, 0, True),
        (SMALL, signal.SIGKILL, True),
        (SMALL, signal.SIGTERM, True),
        (SMALL, signal.SIGPIPE, False),
        (SMALL, 0, False),
        (SMALL, 1 << 8, False),
        (SMALL, None, False),
    ],
)
def test_of_those_that_nobody_watched_the_large_and_the_killed_are_listed(
    rss_pages: int, status: int | None, listed: bool
) -> None:
    source = FakeSource(FakeProcess(1), FakeProcess(42, rss_pages=rss_pages))
    engine = Engine(source)
    step(engine, times=3)
    end(source, 42, status)
    frame = step(engine)
    assert [one.key.pid for one in frame.ended] == ([42] if listed else [])
    assert [one.key.pid for one in step(engine, times=3).ended] == ([42] if listed else [])
    assert [row.pid for row in step(engine, FILTERED).rows] == ([42] if listed else [])
    assert [row.pid for row in step(engine).rows] == [1], "without a filter only those that live"


def test_a_report_says_how_large_it_was_and_how_long_it_lived() -> None:
    source = FakeSource(FakeProcess(1), FakeProcess(42, rss_pages=50 * MIB_PAGES))
    engine = Engine(source)
    step(engine, times=3)
    source.processes[42].rss_pages = 12 * MIB_PAGES
    step(engine, times=2)
    end(source, 42, 3 << 8)
    (report,) = step(engine).ended
    assert (report.exit_code, report.signal, report.large, report.wanted) == (3, None, True, False)
    assert report.peak_rss_bytes == 50 * MIB_PAGES * OWN_PAGE_BYTES
    assert report.lived_s is not None and report.lived_s > 5


def test_one_that_was_watched_is_listed_however_small_and_well_it_ended() -> None:
    small = FakeProcess(42, rss_pages=SMALL)
    source = FakeSource(FakeProcess(1), small)
    engine = Engine(source)
    step(engine, request(focus=small.key), times=3)
    end(source, 42, 0)
    assert [one.wanted for one in step(engine).ended] == [True]


@pytest.mark.parametrize("seen_first", [False, True])
@pytest.mark.parametrize(("sent", "is_ours"), [(signal.SIGKILL, True), (signal.SIGTERM, False)])
def test_a_signal_of_memtop_is_no_crash_and_its_sender_is_known(seen_first: bool, sent: int, is_ours: bool) -> None:
    victim = FakeProcess(42, rss_pages=50 * MIB_PAGES)
    source = FakeSource(FakeProcess(1), victim)
    engine = Engine(source)
    step(engine, times=3)
    if not seen_first:
        engine.view(request(), [SignalSent(victim.key, sent)])
    end(source, 42, signal.SIGKILL)
    step(engine)
    if seen_first:
        engine.view(request(), [SignalSent(victim.key, sent)])
    (report,) = step(engine).ended
    assert (report.ended_by_memtop, report.is_crash) == (is_ours, not is_ours)
    assert ("memtop sent the signal" in " ".join(autopsy_lines(report))) is is_ours
    assert bool(autopsy_next(report)) is not is_ours, "what sent it needs no search"


def test_signals_of_memtop_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exit_analysis, "MOST_SENT", 2)
    processes = [FakeProcess(pid, rss_pages=50 * MIB_PAGES) for pid in (42, 43, 44)]
    source = FakeSource(FakeProcess(1), *processes)
    engine = Engine(source)
    step(engine, times=3)
    engine.view(request(), [SignalSent(one.key, signal.SIGKILL) for one in processes])
    for one in processes:
        end(source, one.pid, signal.SIGKILL)
    assert {one.key.pid: one.ended_by_memtop for one in step(engine).ended} == {42: False, 43: True, 44: True}


def test_looking_back_finds_one_that_has_ended() -> None:
    source = FakeSource(FakeProcess(1), FakeProcess(42, rss_pages=12 * MIB_PAGES))
    engine = Engine(source)
    frame = step(engine, times=5)
    end(source, 42, signal.SIGKILL)
    step(engine, times=5)
    then = engine.view(request(cursor_s=frame.at_s - 1))
    assert then is not None
    assert {row.pid: row.note for row in then.rows}[42] is Note.NONE


def test_a_storm_of_small_ends_displaces_neither_the_large_nor_those_that_were_asked_for() -> None:
    asked = FakeProcess(42, rss_pages=SMALL)
    source = FakeSource(FakeProcess(1), asked, FakeProcess(43, rss_pages=12 * MIB_PAGES))
    engine = Engine(source)
    step(engine, request(focus=asked.key), times=3)
    end(source, 42, 0)
    end(source, 43, 0)
    step(engine)
    for pid in range(100, 100 + AUTOPSIES + 20):
        started(source, pid)
        step(engine)
        end(source, pid, signal.SIGKILL)
        frame = step(engine)
    pids = [one.key.pid for one in frame.ended]
    assert {42, 43} <= set(pids)
    assert len(pids) == AUTOPSIES + 1, "one of them was asked for"
    assert pids[0] == 119 + AUTOPSIES, "the latest first"


def test_processes_that_are_not_read_any_more_have_not_ended() -> None:
    source = FakeSource(FakeProcess(1), *(FakeProcess(pid, rss_pages=12 * MIB_PAGES) for pid in range(42, 52)))
    engine = Engine(source)
    step(engine, times=3)
    frame = step(engine, request(only=frozenset({1})), times=3)
    assert frame.ended == () and frame.exits == ()


def crashing(status: int, lives: int = 3, *, rss_pages: int = SMALL) -> tuple[FakeSource, Engine, FakeProcess]:
    """A program that has ended so often with this status, and its successor."""
    source = v2(FakeProcess(1, cmdline=b"init\0"))
    engine = Engine(source)
    for life in range(lives + 1):
        process = started(
            source, 100 + life, rss_pages=rss_pages, cgroup="/kubepods.slice/pod1/app.scope", cmdline=b"/bin/api\0"
        )
        step(engine, request(focus=process.key, needs=Need.STAT), times=4)
        if life < lives:
            end(source, process.pid, status)
            step(engine)
    return source, engine, process


@pytest.mark.parametrize(
    ("status", "incidents", "finding"),
    [
        (signal.SIGSEGV, [("crash_loop", Severity.WARNING)], Severity.WARNING),
        (signal.SIGTERM, [], None),
        (1 << 8, [], Severity.WARNING),
        (0, [], None),
    ],
)
def test_a_program_that_crashes_and_comes_back_is_one_story(
    status: int, incidents: list[tuple[str, Severity]], finding: Severity | None
) -> None:
    _, engine, process = crashing(status)
    frame = step(engine, request(focus=process.key, points=60))
    assert frame.incidents is not None and frame.detail is not None and frame.detail.outlook is not None
    assert [(one.name, one.severity) for one in frame.incidents.standing if one.name == "crash_loop"] == incidents
    for one in frame.incidents.standing:
        if one.name == "crash_loop":
            assert (one.facts["restarts_count"], one.show, one.subject.name) == (3, process.key, "api")
    found = [one.severity for one in frame.detail.outlook.findings if one.name == "crash_loop"]
    assert found == ([finding] if finding is not None else [])


def failing(status: int | None, *, rss_mib: int, rises: bool = True) -> list[tuple[str, Severity]]:
    """The incidents after five runs of a program on a machine of 24 GiB."""
    source = FakeSource(FakeProcess(1, cmdline=b"init\0"))
    source.files["proc/meminfo"] = b"MemTotal: 25165824 kB\nMemAvailable: 12582912 kB\n"
    engine = Engine(source)
    for run in range(5):
        process = started(source, 100 + run, cmdline=b"python3\0crashy.py\0", rss_pages=rss_mib * MIB_PAGES // 3)
        for part in (2, 3, 3) if rises else (3, 3, 3, 3, 3, 3):
            step(engine)
            process.rss_pages = part * rss_mib * MIB_PAGES // 3
        step(engine)
        if run < 4:
            end(source, process.pid, status)
            if status is None:
                source.ended.append(Exit(process.pid, source.wall_s, None))
            step(engine, times=2)
    frame = step(engine)
    assert frame.incidents is not None
    assert len(frame.ended) == (4 if status and rss_mib > 32 else 0)
    return [(one.name, one.severity) for one in frame.incidents.standing if one.name in ("crash_loop", "died")]


def test_a_program_of_any_share_of_ram_that_fails_again_and_again_is_a_loop() -> None:
    assert failing(1 << 8, rss_mib=100) == [("crash_loop", Severity.WARNING)]
    assert failing(1 << 8, rss_mib=12) == [], "a small tool in a shell loop"
    assert failing(0, rss_mib=100) == [], "a tool that ends well"


def test_where_the_cause_is_unknown_runs_that_rise_until_their_end_are_a_loop() -> None:
    assert failing(None, rss_mib=100) == [("crash_loop", Severity.NOTE)]
    assert failing(None, rss_mib=12) == []


def test_of_the_runs_of_a_program_asked_for_by_name_the_ended_ones_do_not_pile_up() -> None:
    source = FakeSource(FakeProcess(1, cmdline=b"init\0"))
    engine, ask = Engine(source), request(only=frozenset(), names=("crashy",))
    for run in range(4):
        started(source, 100 + run, comm=b"python3", cmdline=b"python3\0crashy.py\0")
        assert [row.pid for row in step(engine, ask, times=3).rows] == [100 + run]
        end(source, 100 + run, 1 << 8)
        frame = step(engine, ask, times=2)
        assert [(row.pid, row.note) for row in frame.rows] == [(100 + run, Note.GONE)], "the latest stays"


def test_a_program_stays_among_the_groups_between_two_runs() -> None:
    source = FakeSource(FakeProcess(1, cmdline=b"init\0"))
    engine, ask = Engine(source), request(by=By.PROGRAM, where=parse_query("crashy").where)
    started(source, 100, comm=b"python3", cmdline=b"python3\0crashy.py\0", rss_pages=100 * MIB_PAGES)
    assert [(row.name, row.members) for row in step(engine, ask, times=3).groups or ()] == [("crashy.py", 1)]
    end(source, 100, 1 << 8)
    (row,) = step(engine, ask, times=2).groups or ()
    assert (row.name, row.members) == ("crashy.py", 0)
    assert row.gone_s is not None
    started(source, 101, comm=b"python3", cmdline=b"python3\0crashy.py\0", rss_pages=100 * MIB_PAGES)
    assert [(row.name, row.members) for row in step(engine, ask, times=3).groups or ()] == [("crashy.py", 1)]


def test_large_lives_that_end_well_are_a_loop_too() -> None:
    _, engine, process = crashing(0, rss_pages=12 * MIB_PAGES)
    frame = step(engine, request(focus=process.key))
    assert frame.incidents is not None
    assert ("crash_loop", Severity.NOTE) in [(one.name, one.severity) for one in frame.incidents.standing]


def test_the_kills_of_a_loop_are_said_once_with_their_limit() -> None:
    source = v2(FakeProcess(1, cmdline=b"init\0"))
    engine = Engine(source)
    for life in range(4):
        process = started(
            source, 100 + life, rss_pages=30 * MIB_PAGES, cgroup="/kubepods.slice/pod1/app.scope", cmdline=b"/bin/api\0"
        )
        step(engine, times=4)
        if life < 3:
            end(source, process.pid, signal.SIGKILL)
            source.files[f"{APP}/memory.events.local"] = b"oom_kill %d\n" % (2 + life)
            source.files["proc/vmstat"] = b"pgfault 1000\noom_kill %d\n" % (4 + life)
            step(engine)
    frame = step(engine)
    assert frame.incidents is not None
    (loop,) = [one for one in frame.incidents.standing if one.name in ("crash_loop", "oom_kill")]
    assert (loop.name, loop.severity, loop.facts["restarts_count"]) == ("crash_loop", Severity.DANGER, 3)
    assert loop.facts["limit_name"] == "app.scope"


def test_a_program_without_a_known_cgroup_has_a_story_too() -> None:
    source = FakeSource(FakeProcess(1, cmdline=b"init\0"))
    engine = Engine(source)
    for life in range(4):
        process = started(source, 100 + life, cmdline=b"/bin/api\0")
        step(engine, times=8)
        if life < 3:
            end(source, process.pid, signal.SIGSEGV)
    frame = step(engine)
    assert frame.incidents is not None
    assert [one.facts["restarts_count"] for one in frame.incidents.standing if one.name == "crash_loop"] == [3]


def test_the_chart_of_a_successor_shows_the_lives_before_it_and_where_each_ended() -> None:
    _, engine, process = crashing(signal.SIGSEGV, rss_pages=12 * MIB_PAGES)
    frame = step(engine, request(focus=process.key, points=60, window_s=30.0))
    assert frame.detail is not None and process.key.pid == 103
    assert [mark.label for mark in frame.detail.marks if mark.kind == "gone"] == ["signal 11"] * 3
    known = [value is not None for value in frame.detail.series.rss_bytes]
    lives = sum(now and not before for before, now in zip([False, *known], known, strict=False))
    assert lives == 4, "each is a piece of its own"
    back = changed(request(focus=process.key, points=60), cursor_s=frame.at_s - 12)
    then = engine.view(back)
    assert then is not None and then.detail is not None
    assert then.detail.row.pid in (100, 101), "the life at that instant"


def test_the_chart_of_one_that_has_ended_stands_still_at_its_end() -> None:
    source = FakeSource(FakeProcess(1), FakeProcess(42, rss_pages=12 * MIB_PAGES))
    engine = Engine(source)
    step(engine, times=20)
    end(source, 42, signal.SIGKILL)
    (report,) = step(engine).ended
    frame = step(engine, request(focus=report.key, points=60), times=200)
    assert frame.detail is not None
    assert any(value is not None for value in frame.detail.series.rss_bytes)
    assert frame.detail.window.right_edge_s < report.at_s + 10
    assert frame.detail.outlook is not None and frame.detail.outlook.autopsy is not None


def test_of_several_that_ended_as_many_as_were_killed_are_the_largest() -> None:
    sizes = {42: 30 * MIB_PAGES, 43: 20 * MIB_PAGES, 44: SMALL}
    source = v2(*(FakeProcess(pid, rss_pages=pages) for pid, pages in sizes.items()))
    engine = Engine(source)
    asked = request(only=frozenset(sizes))
    step(engine, asked, times=3)
    for pid in sizes:
        end(source, pid, None)
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 3\n"  # it was 1
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 5\n"
    found = {one.key.pid: one.oom for one in step(engine, asked).exits}
    assert found == {42: Oom.PROBABLE, 43: Oom.PROBABLE, 44: Oom.UNKNOWN}


def test_a_zombie_that_is_collected_later_has_ended_once_in_text_chart_and_row() -> None:
    process = FakeProcess(42, rss_pages=12 * MIB_PAGES)
    source = FakeSource(FakeProcess(1), process)
    engine, ask = Engine(source), request(focus=process.key, needs=Need.STAT | Need.STATUS)
    step(engine, ask, times=3)
    process.state = "Z"
    source.ended.append(Exit(42, source.wall_s, signal.SIGKILL))
    step(engine, ask, times=3)
    end(source, 42, None)
    frame = step(engine, ask)
    assert frame.detail is not None and frame.detail.outlook is not None
    report, row = frame.detail.outlook.autopsy, frame.detail.row
    assert report is not None and row.gone_s == report.at_s < source.wall_s - 2
    assert row.state == "X" and row.rss_bytes is not None, "its last numbers, marked"


def test_of_a_storm_of_ends_of_large_processes_only_so_many_are_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exit_analysis, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(assessor, "LARGEST", 0)  # the largest are watched, and each of their ends is examined
    pids = range(42, 52)
    source = FakeSource(FakeProcess(1), *(FakeProcess(pid, rss_pages=12 * MIB_PAGES) for pid in pids))
    engine = Engine(source)
    step(engine, times=3)
    for pid in pids:
        end(source, pid, None)
    assert len(step(engine).ended) == 3


def test_of_a_program_that_crashes_for_ever_only_the_last_lives_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "MOST_LIVES", 3)
    _, engine, process = crashing(signal.SIGSEGV, lives=5, rss_pages=12 * MIB_PAGES)
    frame = step(engine, request(focus=process.key, points=60, window_s=60.0))
    assert frame.detail is not None
    assert [mark.label for mark in frame.detail.marks if mark.kind == "gone"] == ["signal 11"] * 3


def test_of_a_storm_of_new_processes_only_the_last_are_tried_as_successors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "MOST_AT_ONCE", 2)
    marks = []
    for others in (1, 2):
        source, engine, process = crashing(signal.SIGSEGV, lives=1, rss_pages=12 * MIB_PAGES)
        end(source, process.pid, signal.SIGSEGV)
        step(engine)
        successor = started(source, 110, cgroup="/kubepods.slice/pod1/app.scope", cmdline=b"/bin/api\0")
        for pid in range(111, 111 + others):
            started(source, pid, cmdline=b"other\0")
        frame = step(engine, request(focus=successor.key, needs=Need.STAT, points=60, window_s=60.0), times=4)
        assert frame.detail is not None
        marks.append(sum(mark.kind == "gone" for mark in frame.detail.marks))
    assert marks == [2, 0]


def test_a_program_is_forgotten_after_the_ends_of_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = []
    for most in (2, 1):
        monkeypatch.setattr(lives, "MOST_PROGRAMS", most)
        source, engine, process = crashing(signal.SIGSEGV, rss_pages=12 * MIB_PAGES)
        other = started(source, 200, rss_pages=12 * MIB_PAGES, cmdline=b"/bin/other\0")
        step(engine, times=2)
        end(source, other.pid, signal.SIGSEGV)
        frame = step(engine, request(focus=process.key, points=60, window_s=30.0), times=2)
        assert frame.detail is not None
        marks.append(sum(mark.kind == "gone" for mark in frame.detail.marks))
    assert marks == [3, 0]


def test_a_program_that_crashes_long_after_its_last_restart_begins_a_new_story() -> None:
    restarts = []
    for rest_s in (1.0, 1000.0):
        source, engine, process = crashing(signal.SIGSEGV, rss_pages=12 * MIB_PAGES)
        source.step_s = rest_s
        step(engine)
        source.step_s = 1.0
        end(source, process.pid, signal.SIGSEGV)
        step(engine)
        started(source, 110, cgroup="/kubepods.slice/pod1/app.scope", cmdline=b"/bin/api\0", rss_pages=12 * MIB_PAGES)
        found = step(engine, times=4).incidents
        assert found is not None
        restarts += [one.facts["restarts_count"] for one in found.standing if one.name == "crash_loop"]
    assert restarts == [4]


def oom_killed(count: int) -> Frame:
    """What is shown after so many processes were taken by the OOM killer, one after the other."""
    source = v2(FakeProcess(1, cmdline=b"init\0"))
    engine = Engine(source)
    for number in range(count):
        started(
            source,
            100 + number,
            cgroup="/kubepods.slice/pod1/app.scope",
            cmdline=b"/bin/%d\0" % number,
            rss_pages=12 * MIB_PAGES,
        )
        step(engine, times=3)
        end(source, 100 + number, signal.SIGKILL)
        source.files[f"{APP}/memory.events.local"] = b"oom_kill %d\n" % (2 + number)
        source.files["proc/vmstat"] = b"pgfault 1000\noom_kill %d\n" % (4 + number)
        frame = step(engine)
    return frame


def test_reports_on_oom_kills_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exit_analysis, "MOST_TAKEN", 3)
    ended = oom_killed(6).ended
    assert [(one.key.pid, one.is_oom) for one in ended] == [(105, True), (104, True), (103, True)]


def test_ends_that_are_incidents_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_tracker, "EXITS", 3)
    found = oom_killed(6).incidents
    assert found is not None
    kills = [one for one in found.standing if one.name == "oom_kill"]
    assert len(kills) == 3


def test_reports_on_those_that_were_in_focus_are_bounded() -> None:
    source = FakeSource(FakeProcess(1))
    engine = Engine(source)
    for pid in range(100, 170):
        process = started(source, pid)
        step(engine, request(focus=process.key))
        end(source, pid, 0)
    frame = step(engine, times=2)
    assert [one.key.pid for one in frame.ended] == [*range(169, 105, -1)]


@pytest.mark.parametrize(("other_ended", "oom"), [(True, Oom.PROBABLE), (False, Oom.CERTAIN)])
def test_a_kill_is_not_certain_where_a_process_that_is_not_watched_ended_as_well(other_ended: bool, oom: Oom) -> None:
    source = v2(FakeProcess(42), FakeProcess(43))
    engine = Engine(source)
    ask = request(focus=FakeProcess(42).key, only=frozenset({42}))
    step(engine, ask, 4)
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"  # it was 1
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/cgroup.procs"] = b"" if other_ended else b"43\n"
    end(source, 42, signal.SIGKILL)
    if other_ended:
        end(source, 43, None)
    detail = step(engine, ask).detail
    assert detail is not None and detail.outlook is not None and detail.outlook.autopsy is not None
    assert detail.outlook.autopsy.oom is oom

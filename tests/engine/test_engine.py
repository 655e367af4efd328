"""From samples to frames: rates, rows, the past, and who is shown."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from memtop.columns import BY_NAME, DEFAULT_COLUMNS
from memtop.engine import updater
from memtop.engine.assessment import assessor
from memtop.engine.departed import DEPARTED
from memtop.engine.engine import Engine
from memtop.engine.watched_history import MOST_WATCHED
from memtop.errors import AccessDenied
from memtop.explain.name_choice import choice_sentences
from memtop.filter import of_user, parse_query
from memtop.history.rings import EVENTS_KEPT, DetailedTrack, Track
from memtop.model.detail import Detail
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.sampling.request import Need
from memtop.sources.live import LiveSource
from tests.children import python, tell
from tests.fakes import KERNEL_FLAGS, MIB_PAGES, FakeProcess, FakeSource, frame_after
from tests.requests import changed, request

EVERYTHING = request(needs_all=~Need.NONE)
MIB = 1 << 20


def step(engine: Engine, ask: Request = EVERYTHING, times: int = 1) -> Frame:
    return frame_after(engine, ask, times)


def row(frame: Frame, pid: int = 42) -> ProcessRow:
    (found,) = [row for row in frame.rows if row.pid == pid]
    return found


def detail(frame: Frame) -> Detail:
    assert frame.detail is not None
    return frame.detail


def on(process: FakeProcess, **changes: object) -> Request:
    return changed(EVERYTHING, focus=process.key, window_s=30.0, points=30, **changes)


def living(kind: type) -> int:
    """How many objects of a class are in memory."""
    gc.collect()
    return sum(type(found) is kind for found in gc.get_objects())


def known(values: tuple[float | None, ...]) -> list[float]:
    return [value for value in values if value is not None]


# -- rates


def test_the_first_sample_has_no_rates() -> None:
    frame = step(Engine(FakeSource(FakeProcess(42))))
    first = row(frame)
    assert (first.minflt_per_s, first.majflt_per_s, first.cpu_percent, first.growth_bytes_per_min) == (None,) * 4
    assert (frame.elapsed_s, frame.system.pgfault_per_s) == (None, None)
    assert first.minflt == 100


def test_rates_use_the_time_that_has_really_gone_by() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    step(engine)
    source.step_s = 2.5
    process.minflt += 500
    process.majflt += 5
    process.cpu_ticks += 125
    source.files["proc/vmstat"] = b"pgfault 6000\npgmajfault 10\noom_kill 4\n"
    frame = step(engine)
    assert (row(frame).minflt_per_s, row(frame).majflt_per_s) == (200.0, 2.0)
    assert row(frame).cpu_percent == pytest.approx(50)
    assert (frame.elapsed_s, frame.system.pgfault_per_s, frame.system.pgmajfault_per_s) == (2.5, 2000.0, 0.0)
    assert (frame.system.oom_kills, frame.system.oom_kills_boot) == (1, 4)


def rates_of_machine_and_process(step_s: float, samples: int) -> tuple[int, list[tuple[float | None, float | None]]]:
    """How often the machine was read, and the rates of each sample."""
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    step(engine)
    source.step_s = step_s
    readings, rates, faults = 0, [], 1000.0
    for _ in range(samples):
        faults += 500 * step_s
        process.minflt += round(100 * step_s)
        source.files["proc/vmstat"] = b"pgfault %d\npgmajfault 10\noom_kill 3\n" % faults
        frame = step(engine)
        readings += source.read_paths.count("proc/vmstat")
        rates.append((row(frame).minflt_per_s, frame.system.pgfault_per_s))
    return readings, rates


def rounded(rates: list[tuple[float | None, float | None]]) -> list[tuple[int, int]]:
    return [(round(mine or 0), round(everybodys or 0)) for mine, everybodys in rates]


def test_ten_times_a_second_the_machine_is_read_once_a_second_and_its_rates_are_true() -> None:
    readings, rates = rates_of_machine_and_process(0.1, 30)
    assert readings == 4  # one of them because at the second sample there are processes to be watched
    assert rounded(rates[9:]) == [(100, 500)] * 21


def test_twice_a_second_the_machine_is_read_every_time() -> None:
    readings, rates = rates_of_machine_and_process(0.5, 4)
    assert readings == 4
    assert rounded(rates) == [(100, 500)] * 4


def test_when_somebody_ends_the_machine_is_read_again_at_once() -> None:
    source = FakeSource(FakeProcess(42), FakeProcess(43))
    engine = Engine(source)
    step(engine)
    source.step_s = 0.1
    assert step(engine).system.oom_kills == 0
    del source.processes[43]
    source.files["proc/vmstat"] = b"pgfault 1000\npgmajfault 10\noom_kill 4\n"
    assert step(engine).system.oom_kills == 1


def test_between_two_readings_of_the_machine_sizes_are_noted_and_programs_and_ends_are_noticed() -> None:
    one, two = FakeProcess(42), FakeProcess(43)
    source = FakeSource(one, two, step_s=0.1)
    engine = Engine(source)
    ask = on(one)
    step(engine, ask, times=12)
    one.rss_pages = 90 * MIB_PAGES
    assert engine.take(ask)
    one.rss_pages = 30 * MIB_PAGES
    assert engine.take(ask)
    frame = engine.step(ask)
    assert frame is not None
    assert row(frame).rss_bytes == 30 * MIB
    assert max(known(detail(frame).series.rss_bytes)) == 90 * MIB  # in a sample that was not shown
    one.start_code += 1
    one.minflt += 1
    assert engine.take(ask)
    assert engine.take(ask)
    frame = engine.step(ask)
    assert frame is not None
    assert [mark.kind for mark in detail(frame).marks] == ["exec"]
    del source.processes[43]
    assert engine.take(ask)
    frame = engine.step(ask)
    assert frame is not None
    assert 43 not in [one.pid for one in frame.rows if one.gone_s is None]


def test_rates_fall_to_zero_when_nothing_happens() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process))
    step(engine)
    process.minflt += 500
    assert row(step(engine)).minflt_per_s == 500
    assert row(step(engine)).minflt_per_s == 0


def test_a_counter_that_goes_back_has_no_rate() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    step(engine)
    process.minflt, process.majflt, process.cpu_ticks = 1, 0, 0
    source.files["proc/vmstat"] = b"pgfault 5\npgmajfault 1\n"
    frame = step(engine)
    assert (row(frame).minflt_per_s, row(frame).majflt_per_s, row(frame).cpu_percent) == (None,) * 3
    assert (frame.system.pgfault_per_s, frame.system.oom_kills) == (None, None)


def test_growth_is_the_change_over_the_last_minute_and_before_that_what_was_seen_so_far() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process))
    seen: list[float | None] = []
    for _ in range(70):
        seen.append(row(step(engine)).growth_bytes_per_min)
        process.rss_pages += MIB_PAGES
    assert seen[:2] == [None, None]
    assert seen[2:12] == [count * MIB for count in range(2, 12)]
    assert seen[-1] == pytest.approx(60 * MIB)


# -- what is unknown


def test_what_may_not_be_read_is_unknown_and_not_zero() -> None:
    source = FakeSource(FakeProcess(42))
    for name in ("status", "cmdline", "oom_score"):
        source.files[f"proc/42/{name}"] = AccessDenied(f"proc/42/{name}")
    found = row(step(Engine(source)))
    assert (found.oom_score, found.peak_rss_bytes, found.page_tables_bytes, found.uid) == (None,) * 4
    assert found.command == "app"  # brackets are the sign of kernel threads
    assert found.rss_bytes == 20 * MIB


def test_hidden_processes_are_counted() -> None:
    source = FakeSource(FakeProcess(42), FakeProcess(43))
    source.files["proc/43/stat"] = AccessDenied("proc/43/stat")
    frame = step(Engine(source))
    assert (frame.hidden, [row.pid for row in frame.rows]) == (1, [42])


def test_a_zombie_and_a_leader_that_has_gone_are_said() -> None:
    zombie, leaderless = FakeProcess(42, state="Z"), FakeProcess(43, state="Z", threads=2)
    source = FakeSource(zombie, leaderless)
    source.threads[43] = [43, 44]
    source.files["proc/43/task/44/statm"] = b"900 800 100 1 0 9 0\n"
    frame = step(Engine(source))
    assert (row(frame).note, row(frame).rss_bytes, row(frame).mem_percent) == (Note.ZOMBIE, None, None)
    assert (row(frame, 43).note, row(frame, 43).rss_bytes) == (Note.LEADER_GONE, 800 * OWN_PAGE_BYTES)


def test_kernel_threads_are_shown_only_when_asked_for() -> None:
    source = FakeSource(FakeProcess(2, comm=b"kthreadd", flags=KERNEL_FLAGS), FakeProcess(42))
    engine = Engine(source)
    assert [row.pid for row in step(engine).rows] == [42]
    found = row(step(engine, changed(EVERYTHING, kernel_threads=True)), 2)
    assert (found.note, found.command, found.rss_bytes) == (Note.KERNEL, "[kthreadd]", None)


def test_a_start_that_a_time_namespace_puts_before_boot_is_unknown() -> None:
    assert row(step(Engine(FakeSource(FakeProcess(42, start_ticks=2**64 - 5))))).started_s is None


def test_without_swap_on_the_machine_nothing_is_swapped() -> None:
    source = FakeSource(FakeProcess(42))
    source.files["proc/42/status"] = AccessDenied("proc/42/status")
    assert row(step(Engine(source))).swap_bytes == 0
    source.files["proc/meminfo"] = b"SwapTotal: 10 kB\n"
    found = row(step(Engine(source)))
    assert (found.swap_bytes, found.mem_percent) == (None, None)


# -- who is shown, and in which order


def family() -> FakeSource:
    return FakeSource(
        FakeProcess(10, comm=b"shell", cmdline=b"shell\0", rss_pages=50),
        FakeProcess(20, comm=b"api", cmdline=b"api\0--port\0", ppid=10, rss_pages=30),
        FakeProcess(30, comm=b"worker", cmdline=b"worker\0", ppid=20, rss_pages=90, uid=0),
        FakeProcess(40, comm=b"other", cmdline=b"other\0", ppid=1, rss_pages=70),
    )


@pytest.mark.parametrize(
    ("ask", "pids"),
    [
        (request(), [30, 40, 10, 20]),
        (request(only=frozenset({20, 40})), [40, 20]),
        (request(only=frozenset({20}), children=True), [30, 20]),
        (request(only=frozenset(), names=("ap",)), [20]),
        (request(only=frozenset({40}), names=("work",)), [30, 40]),
        (request(only=frozenset(), names=("shell",), children=True), [30, 10, 20]),
        (request(where=of_user("ann")), [40, 10, 20]),
        (request(where=of_user("0")), [30]),
        (request(where=parse_query("port").where), [20]),
        (request(sort="pid", descending=False), [10, 20, 30, 40]),
        (request(sort="command", descending=True), [30, 10, 40, 20]),
        (request(tree=True), [10, 20, 30, 40]),
    ],
)
def test_who_is_shown_and_in_which_order(ask: Request, pids: list[int]) -> None:
    frame = step(Engine(family()), ask)
    assert [row.pid for row in frame.rows] == pids
    assert (frame.tree is not None) is ask.rows.tree


def named(name: str, *processes: FakeProcess) -> list[int]:
    """The pids that a bare name on the command line lists."""
    return [row.pid for row in step(Engine(FakeSource(*processes)), request(only=frozenset(), names=(name,))).rows]


@pytest.mark.parametrize(
    ("comm", "cmdline", "listed"),
    [
        (b"tail", b"tail\0-f\0nosuchdaemon.log\0", False),
        (b"sh", b"sh\0-c\0nosuchdaemon --serve\0", False),
        (b"nosuchdaemon", b"", True),
        (b"worker", b"/opt/bin/nosuchdaemon\0--x\0", True),
        (b"worker", b"/opt/nosuchdaemon/bin/other\0", False),
        (b"python", b"/venv/bin/python\0/srv/nosuchdaemon.py\0", True),
        (b"python", b"python\0-m\0nosuchdaemon\0", True),
        (b"python", b"python\0main.py\0nosuchdaemon\0", False),
        (b"java", b"java\0-jar\0/opt/nosuchdaemon.jar\0", True),
    ],
)
def test_a_name_is_that_of_the_program_and_never_an_argument(comm: bytes, cmdline: bytes, listed: bool) -> None:
    assert named("nosuchdaemon", FakeProcess(20, comm=comm, cmdline=cmdline)) == ([20] if listed else [])


def test_a_name_never_stands_for_memtop_or_its_ancestors() -> None:
    own = os.getpid()
    shell, other = FakeProcess(own + 1, comm=b"api-shell", cmdline=b"api-shell\0"), FakeProcess(own + 2, comm=b"api")
    memtop = FakeProcess(own, comm=b"api-memtop", cmdline=b"api-memtop\0", ppid=own + 1)
    assert named("api", shell, other, memtop) == [own + 2]
    ask = request(only=frozenset({own, own + 1}), names=("api",))
    assert {row.pid for row in step(Engine(FakeSource(shell, other, memtop)), ask).rows} == {own, own + 1, own + 2}


SHELLS = (
    FakeProcess(20, comm=b"bash", cmdline=b"-bash\0"),
    FakeProcess(21, comm=b"sh", cmdline=b"/bin/sh\0/etc/init.d/x\0"),
    FakeProcess(22, comm=b"sshd", cmdline=b"/usr/sbin/sshd\0-D\0"),
    FakeProcess(23, comm=b"python", cmdline=b"python\0/srv/push.sh\0"),
    FakeProcess(24, comm=b"kworker/R-slub_flushwq", cmdline=b"", flags=KERNEL_FLAGS),
)


def test_a_name_that_a_program_has_stands_for_no_other_that_contains_it() -> None:
    assert named("sh", *SHELLS) == [21]
    assert sorted(named("ssh", *SHELLS)) == [22], "none has it, so it is a part of a name"
    assert named("push.sh", *SHELLS) == [23]
    assert (named("/srv/push.sh", *SHELLS), named("/usr/sbin/sshd", *SHELLS)) == ([23], [22])
    assert named("/opt/sshd", *SHELLS) == []
    assert named("kworker/R-slub_flushwq", *SHELLS) == [24], "a kernel thread only by its whole name"


def test_what_a_name_stands_for_is_said_where_there_was_a_choice() -> None:
    def told(name: str, *processes: FakeProcess) -> list[str]:
        return choice_sentences(step(Engine(FakeSource(*processes)), request(only=frozenset(), names=(name,))).choices)

    assert told("sh", *SHELLS) == [
        "sh: 1 process of exactly that name; 3 more contain it (bash, sshd, push.sh): -f 'sh' lists them too"
    ]
    assert told("ssh", *SHELLS) == [
        "ssh: no process has exactly that name; chosen: those whose name contains it (sshd)"
    ]
    assert told("push", *SHELLS) == [], "a script is called by its name without its suffix"
    assert told("sshd", *SHELLS) == []


def test_a_name_stays_a_whole_name_after_its_last_process_has_ended() -> None:
    source = FakeSource(*SHELLS)
    engine, ask = Engine(source), request(only=frozenset(), names=("sh",))
    assert [row.pid for row in step(engine, ask).rows] == [21]
    del source.processes[21]
    assert [row.pid for row in step(engine, ask, times=2).rows if row.gone_s is None] == []


def test_a_part_of_names_becomes_a_whole_name_when_a_process_has_it() -> None:
    source = FakeSource(*SHELLS)
    engine, ask = Engine(source), request(only=frozenset(), names=("ssh",))
    assert [row.pid for row in step(engine, ask, times=5).rows] == [22]
    source.add(FakeProcess(30, comm=b"ssh", cmdline=b"ssh\0host\0", start_ticks=2000))
    frame = step(engine, ask, times=2)
    assert [row.pid for row in frame.rows] == [30]
    assert [one.exact for one in frame.choices] == [1]


def test_a_name_longer_than_the_kernel_keeps_finds_a_process_that_has_overwritten_its_command_line() -> None:
    assert named("a-very-long-daemon", FakeProcess(20, comm=b"a-very-long-dae", cmdline=b"serving\0")) == [20]


@pytest.mark.parametrize(
    ("filter_text", "listed"),
    [
        ("hunter2", {"other"}),
        ("!hunter[0-9]", {"other"}),
        ("command=hunter2", {"other"}),
        ("shell", {"shell", "other"}),
    ],
)
def test_a_filter_does_not_find_memtop_and_its_ancestors_by_the_text_that_they_were_given(
    filter_text: str, listed: set[str]
) -> None:
    own = os.getpid()
    line = b"\0-c\0memtop -f hunter2 shell\0"
    found = step(
        Engine(
            FakeSource(
                FakeProcess(own, comm=b"memtop", cmdline=b"memtop" + line, ppid=own + 1),
                FakeProcess(own + 1, comm=b"shell", cmdline=b"shell" + line),
                FakeProcess(own + 2, comm=b"other", cmdline=b"other" + line),
            )
        ),
        request(where=parse_query(filter_text).where),
        times=2,
    )
    assert {one.name for one in found.rows} == listed
    assert found.total == 3, "they live, whether the filter finds them or not"


def test_the_pids_of_a_recording_are_no_ancestors_of_memtop() -> None:
    engine = Engine(FakeSource(FakeProcess(os.getpid(), comm=b"api")), position=lambda: (1, 1))
    assert [row.pid for row in step(engine, request(only=frozenset(), names=("api",))).rows] == [os.getpid()]


def test_the_table_shows_a_script_without_its_interpreters_path_and_json_the_whole_command_line() -> None:
    raw = b"/root/.pyenv/versions/3.11/bin/python\0-u\0/srv/orders\x1b.py\0--fast\0"
    shown = row(step(Engine(FakeSource(FakeProcess(42, cmdline=raw)))))
    assert BY_NAME["command"].text(shown) == "python orders^[.py --fast"
    assert shown.command == "/root/.pyenv/versions/3.11/bin/python -u /srv/orders^[.py --fast"


def test_a_command_line_overwritten_with_nothing_is_shown_as_the_kernels_name() -> None:
    shown = row(step(Engine(FakeSource(FakeProcess(42, cmdline=b"\0\0 \0\0")))))
    assert (shown.command, shown.short_command) == ("app", "app")


def test_total_counts_before_the_filter() -> None:
    frame = step(Engine(family()), request(where=parse_query("api").where))
    assert (frame.total, len(frame.rows)) == (4, 1)


@pytest.mark.parametrize("descending", [True, False])
def test_unknown_sorts_last_in_either_direction_and_equals_by_pid(descending: bool) -> None:
    source = family()
    source.add(FakeProcess(15, state="Z"))
    source.add(FakeProcess(5, state="Z"))
    source.add(FakeProcess(35, rss_pages=30))
    engine = Engine(source)
    step(engine)
    source.add(FakeProcess(7, rss_pages=30))
    pids = [row.pid for row in step(engine, request(descending=descending)).rows]
    assert pids == [30, 40, 10, 7, 20, 35, 5, 15] if descending else [7, 20, 35, 10, 40, 30, 5, 15]


def test_matches_that_appear_later_join() -> None:
    source = family()
    engine = Engine(source)
    ask = request(only=frozenset(), names=("api",))
    assert len(step(engine, ask).rows) == 1
    source.add(FakeProcess(50, comm=b"api", cmdline=b"api\0"))
    assert {row.pid for row in step(engine, ask).rows} == {20, 50}


# -- rows as objects


def test_a_row_in_which_nothing_has_changed_is_the_same_object() -> None:
    still, moving = FakeProcess(42), FakeProcess(43)
    engine = Engine(FakeSource(still, moving))
    step(engine, times=3)
    before = step(engine)
    moving.rss_pages += 1
    after = step(engine)
    assert row(after) is row(before)
    assert row(after, 43) is not row(before, 43)


# -- the past


def test_a_process_that_is_looked_at_later_shows_its_past() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process, FakeProcess(43)))
    for _ in range(10):
        step(engine, request())
        process.rss_pages += MIB_PAGES
    found = detail(step(engine, on(process)))
    assert len(known(found.series.rss_bytes)) == 11
    assert known(found.series.rss_bytes)[0] == 20 * MIB
    assert known(found.series.rss_bytes)[-1] == 30 * MIB
    assert known(found.series.minflt_per_s) == []
    process.minflt += 70
    assert known(detail(step(engine, on(process))).series.minflt_per_s) == [70]


def test_exec_starts_history_anew_and_leaves_a_mark() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process))
    step(engine, on(process), times=5)
    process.start_code, process.comm, process.rss_pages = 0x9999_0000, b"new\x1b", MIB_PAGES
    found = detail(step(engine, on(process)))
    assert known(found.series.rss_bytes) == [MIB]
    assert [(mark.kind, mark.label) for mark in found.marks] == [("exec", "became new^[")]
    assert len(detail(step(engine, on(process))).marks) == 1


def test_a_rename_keeps_history() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process))
    step(engine, on(process), times=5)
    process.comm = b"renamed"
    frame = step(engine, on(process))
    assert row(frame).name == "renamed"
    assert len(known(detail(frame).series.rss_bytes)) == 6
    assert detail(frame).marks == ()


def test_a_process_in_focus_keeps_its_row_and_its_chart_when_it_has_gone() -> None:
    process = FakeProcess(42)
    source = FakeSource(process, FakeProcess(43))
    engine = Engine(source)
    step(engine, on(process), times=5)
    del source.processes[42]
    frame = step(engine, on(process), times=3)
    assert (row(frame).note, row(frame).rss_bytes) == (Note.GONE, 20 * MIB)
    assert row(frame).gone_s == pytest.approx(source.wall_s - 2)
    found = detail(frame)
    assert (found.gone, found.status) == (True, None)
    assert [(mark.kind, mark.label) for mark in found.marks] == [("gone", "ended")], "that it is gone is said once"
    assert found.series.rss_bytes[-4:] == (20.0 * MIB, None, None, None)
    assert [row.pid for row in step(engine).rows] == [43]


def test_the_dead_keep_their_sizes_and_have_no_rates() -> None:
    """The fault rates of its last second stood in the table and over the chart for ever."""
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    for _ in range(15):
        process.minflt, process.majflt = process.minflt + 900, process.majflt + 3
        process.rss_pages += MIB_PAGES
        frame = step(engine, on(process))
    alive = row(frame)
    assert (alive.minflt_per_s, alive.majflt_per_s) == (900, 3) and (alive.growth_bytes_per_min or 0) > MIB
    del source.processes[42]
    frame = step(engine, on(process), times=2)
    dead = row(frame)
    assert (dead.minflt_per_s, dead.majflt_per_s, dead.growth_bytes_per_min, dead.cpu_percent) == (None,) * 4
    assert (dead.rss_bytes, dead.minflt) == (alive.rss_bytes, alive.minflt)
    assert detail(frame).why_unknown["majflt_per_s"] == "gone"
    shown = {column.title: column.text(dead) for column in DEFAULT_COLUMNS}
    assert (shown["MINFLT/s"], shown["MAJFLT/s"], shown["Δ/min"], shown["CPU%"]) == ("–",) * 4
    past = row(step(engine, on(process, cursor_s=source.wall_s - 4, frozen=True)))
    assert past.minflt_per_s == 900, "looking back, the rate is that of the moment looked at"


@pytest.mark.parametrize("gone", [False, True])
def test_looking_back_counts_from_now_wherever_the_chart_ends(gone: bool) -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    step(engine, on(process), times=100)
    if gone:
        del source.processes[42]
        step(engine, on(process), times=50)
    past_s = source.wall_s - 90
    found = detail(step(engine, on(process, cursor_s=past_s, frozen=True)))
    assert found.window.right_edge_s < source.wall_s - 30, "the window was moved to the instant"
    assert found.window.shown_s == pytest.approx(past_s) and found.window.shown_age_s == pytest.approx(
        source.wall_s - past_s
    )


def test_a_pid_that_is_reused_has_a_row_of_its_own_beside_the_one_that_has_gone() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    step(engine, on(process), times=3)
    heir = source.add(FakeProcess(42, comm=b"heir", rss_pages=MIB_PAGES))
    step(engine, on(process))
    frame = step(engine, on(process))
    assert {row.name: row.note for row in frame.rows} == {"app": Note.GONE, "heir": Note.NONE}
    assert known(detail(frame).series.rss_bytes) == [20 * MIB] * 3
    assert len(step(engine, on(process, tree=True)).rows) == 2
    assert heir.key[:2] == process.key[:2]


def test_of_pids_asked_for_the_one_that_has_gone_stays_and_its_heir_is_not_taken_for_it() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    ask = request(only=frozenset({42}))
    step(engine, ask, times=3)
    source.add(FakeProcess(42, comm=b"heir"))
    frame = step(engine, ask, times=3)
    assert [(row.name, row.note) for row in frame.rows] == [("app", Note.GONE)]


def test_the_chart_of_a_zombie_ends_where_its_memory_did() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process))
    step(engine, on(process), times=5)
    process.state = "Z"
    found = detail(step(engine, on(process), times=3))
    assert found.series.rss_bytes[-4:] == (20.0 * MIB, None, None, None)


def test_a_suspend_is_a_gap_in_the_chart_and_no_spike() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    step(engine, on(process), times=5)
    source.step_s = 12.0
    process.minflt += 120
    found = detail(step(engine, on(process)))
    assert found.series.rss_bytes[-14:] == (20.0 * MIB, *[None] * 11, 20.0 * MIB, None)  # the last is yet to come
    assert max(known(found.series.minflt_per_s)) <= 10


def test_a_frozen_view_stands_still_while_sampling_goes_on() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process))
    step(engine, on(process), times=3)
    frozen = step(engine, on(process, frozen=True))
    process.rss_pages += 5 * MIB_PAGES
    later = step(engine, on(process, frozen=True), times=3)
    assert (later.tick, later.at_s, later.rows) == (frozen.tick, frozen.at_s, frozen.rows)
    assert detail(later).series == detail(frozen).series
    assert row(step(engine, on(process))).rss_bytes == 25 * MIB


def test_a_cursor_shows_rows_as_they_were_then() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    for _ in range(10):
        step(engine, on(process))
        process.rss_pages += MIB_PAGES
        process.minflt += 10
    source.add(FakeProcess(43, start_ticks=int((source.mono_s + 0.5) * 100)))
    frame = step(engine, on(process, cursor_s=source.wall_s - 4, frozen=True))
    assert [row.pid for row in frame.rows] == [42]
    found = row(frame)
    assert (found.rss_bytes, found.minflt_per_s, found.oom_score) == (25 * MIB, 10, None)
    assert detail(frame).window.cursor_s == pytest.approx(-6)  # the right edge stands on a whole column of two points
    assert detail(frame).why_unknown["oom_score"] == "not kept for this moment in the past"


def test_looking_back_what_was_not_kept_is_unknown_even_if_it_is_known_now() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    now = row(step(engine, on(process), times=10))
    assert (now.state, now.threads) == ("S", 1)
    then = row(step(engine, on(process, cursor_s=source.wall_s - 4, frozen=True)))
    assert (then.state, then.threads, then.name, then.rss_bytes) == ("?", None, now.name, now.rss_bytes)
    del source.processes[42]
    assert row(step(engine, on(process), times=2)).state == "X"
    then = row(step(engine, on(process, cursor_s=source.wall_s - 6, frozen=True)))
    assert (then.state, then.note) == ("?", Note.NONE), "it was alive"
    after = row(step(engine, on(process, cursor_s=source.wall_s, frozen=True)))
    assert (after.state, after.note) == ("X", Note.GONE)


def test_a_cursor_before_everything_knows_nothing() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    step(engine, on(process))
    frame = step(engine, on(process, cursor_s=source.wall_s - 100))
    assert row(frame).rss_bytes is None


def test_the_view_can_change_between_two_samples() -> None:
    engine = Engine(family())
    assert engine.view(request()) is None
    step(engine)
    frame = engine.view(request(sort="pid", descending=False))
    assert frame is not None
    assert [row.pid for row in frame.rows] == [10, 20, 30, 40]


def test_what_is_kept_of_processes_that_were_looked_at_is_bounded() -> None:
    detailed_tracks, tracks = living(DetailedTrack), living(Track)
    processes = [FakeProcess(pid, rss_pages=600) for pid in range(100, 150)]
    source = FakeSource(*processes)
    engine = Engine(source)
    for process in processes:
        step(engine, on(process))
    assert living(DetailedTrack) - detailed_tracks == MOST_WATCHED
    source.processes.clear()
    step(engine, times=2)
    of_groups = 2  # of their user and of their program, which stay for a while
    assert living(Track) - tracks <= MOST_WATCHED + of_groups


def test_the_rows_of_as_many_departed_are_kept_as_are_promised() -> None:
    source = FakeSource(FakeProcess(1, b"init", cmdline=b"init\0"))
    engine = Engine(source)
    pids = range(100, 100 + DEPARTED + 3)
    for pid in pids:
        step(engine, on(source.add(FakeProcess(pid))))
        del source.processes[pid]
    gone = step(engine, request(only=frozenset(pids))).rows
    assert sorted(row.pid for row in gone) == [*pids][-DEPARTED:]
    assert all(row.note is Note.GONE for row in gone)


def test_the_latest_events_of_a_process_are_kept() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process))
    for number in range(EVENTS_KEPT + 5):
        process.start_code += 0x1000
        process.comm = b"app%d" % number
        found = detail(step(engine, on(process)))
    found = detail(step(engine, changed(on(process), window_s=300.0)))
    assert [mark.label for mark in found.marks] == [f"became app{number}" for number in range(5, EVENTS_KEPT + 5)]


def test_parse_errors_reach_the_view_with_their_path() -> None:
    source = FakeSource(FakeProcess(42))
    source.files["proc/42/statm"] = b"?"
    assert step(Engine(source)).problems[0].startswith("proc/42/statm: ")


def test_a_real_process_that_grows_is_seen_growing_with_its_faults() -> None:
    code = (
        "import mmap, sys\nm = mmap.mmap(-1, 64 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); m.madvise(15)\n"
        "print(flush=True); sys.stdin.readline()\nfor at in range(0, 32 << 20, 4096): m[at] = 1\n"
        "print(flush=True); sys.stdin.read()"
    )
    source = LiveSource()
    engine = Engine(source)
    try:
        with python(code) as child:
            ask = changed(EVERYTHING, only=frozenset({child.pid}))
            before = row(step(engine, ask), child.pid)
            tell(child)
            frame = step(engine, ask)
            after = row(frame, child.pid)
            assert after.rss_bytes is not None and before.rss_bytes is not None and frame.elapsed_s is not None
            assert 32 * MIB <= after.rss_bytes - before.rss_bytes < 34 * MIB
            assert after.virt_bytes == before.virt_bytes
            assert after.minflt_per_s is not None
            assert after.minflt_per_s * frame.elapsed_s == pytest.approx((32 << 20) / OWN_PAGE_BYTES, rel=0.1)
        assert row(step(engine, ask), child.pid).note is Note.GONE
    finally:
        source.close()


def test_once_prepared_the_second_sample_waits_for_no_import() -> None:
    code = (
        "import sys\n"
        "from memtop.engine.engine import Engine\n"
        "from memtop.model.request import Request, RowSelection\n"
        "from tests.fakes import FakeProcess, FakeSource\n"
        "engine, ask = Engine(FakeSource(FakeProcess(42))), Request(rows=RowSelection(only=frozenset({42})))\n"
        "engine.step(ask)\n"
        "print(len([name for name in sys.modules if name == 'memtop.engine.assessment']))\n"
        "engine.prepare()\n"
        "before = set(sys.modules)\n"
        "engine.step(ask)\n"
        "print(sorted(set(sys.modules) - before))\n"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "0\n[]\n"


def test_a_process_carries_its_cgroup_and_a_filter_finds_it_at_the_first_sample() -> None:
    source = FakeSource(FakeProcess(42), FakeProcess(43))
    source.files["proc/42/cgroup"] = b"0::/system.slice/web.service\n"
    query = parse_query("unit=web")
    ask = request(where=query.where, where_needs=query.needs, needs_all=query.needs)
    engine = Engine(source)
    for _ in range(3):
        frame = step(engine, ask)
        assert [(row.pid, row.cgroup, row.unit) for row in frame.rows] == [
            (42, "/system.slice/web.service", "web.service")
        ]
    source.files["proc/42/cgroup"] = b"0::/system.slice/other.service\n"
    assert step(engine, ask, 6).rows == ()


def test_names_come_to_the_rows_of_all_processes_though_no_column_asks_for_them() -> None:
    source = FakeSource(*(FakeProcess(pid) for pid in range(100, 140)))
    source.files["proc/120/cgroup"] = b"0::/lxc.payload.db/system.slice/pg.service\n"
    frame = step(Engine(source), request(), 3)
    found = row(frame, 120)
    assert (found.container, found.unit) == ("db", "pg.service")


def test_rows_out_of_view_move_on_in_turn_and_not_all_at_one_tick() -> None:
    source = FakeSource(*(FakeProcess(100 + number) for number in range(130)))
    engine, ask = Engine(source), request(visible=frozenset({ProcessKey(100, 500)}))
    before = {row.key: row for row in frame_after(engine, ask, 40).rows}
    moved: list[set[ProcessKey]] = []
    for _ in range(30):
        rows = {row.key: row for row in frame_after(engine, ask, 1).rows}
        moved.append({key for key, row in rows.items() if row is not before[key]})
        before = rows
    assert max(map(len, moved)) < 30
    assert len(set().union(*moved)) == 130, "their trends have moved on by two cells"


def test_a_large_process_that_lost_its_memory_before_it_was_gone_keeps_its_last_numbers() -> None:
    large, other = FakeProcess(42, rss_pages=4000 * MIB_PAGES), FakeProcess(50)
    source = FakeSource(large, other)
    engine = Engine(source)
    step(engine, on(other), times=2)
    large.state = "Z"
    step(engine, on(other))
    del source.processes[42]
    step(engine, on(other))
    assert row(step(engine, on(large))).rss_bytes == 4000 * MIB


def test_of_many_programs_with_a_name_in_theirs_some_are_named() -> None:
    names = [b"worker%d" % number for number in range(8)]
    source = FakeSource(*(FakeProcess(100 + at, comm=name, cmdline=name + b"\0") for at, name in enumerate(names)))
    (choice,) = frame_after(Engine(source), request(names=("work",)), 3).choices
    assert (len(choice.containing), choice.processes) == (5, 8)


def test_of_very_many_asked_for_the_ends_of_some_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("LARGEST", "YOUNGEST"):  # who are watched in any case
        monkeypatch.setattr(assessor, bound, 1)
    monkeypatch.setattr(updater, "HELD", 3)
    source = FakeSource(*(FakeProcess(pid) for pid in range(100, 120)))
    frame_after(Engine(source), request(only=frozenset(range(100, 120))), 3)
    assert len(source.watched) <= 3 + 2

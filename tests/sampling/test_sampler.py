"""One instant at a time: who is there, who has left, what is read of whom."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from memtop.errors import AccessDenied, Unavailable
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.sampling import process_reader
from memtop.sampling.cgroups.memberships import AGAIN, LOOKUPS
from memtop.sampling.process_reader import LIVES_KEPT, TURN_TICKS
from memtop.sampling.process_record import STALE_TICKS
from memtop.sampling.request import Need
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sampling.sampler import Sampler
from memtop.sources.live import LiveSource
from memtop.sources.protocol import READ_LIMIT, Answer
from tests.children import SLEEPER, eventually, python, tell
from tests.fakes import KERNEL_FLAGS, MIB_PAGES, FakeProcess, FakeSource
from tests.requests import plan, request

ALL = request()
DENIED = AccessDenied("proc/42/stat: Permission denied")


def looking_at(process: FakeProcess | ProcessKey, needs: Need = Need.STAT | Need.STATUS | Need.OOM) -> Request:
    key = process if isinstance(process, ProcessKey) else process.key
    return request(focus=key, visible=frozenset({key}), needs=needs)


def take(sampler: Sampler, ask: Request = ALL) -> Sample:
    sample = sampler.sample(plan(ask))
    assert sample is not None
    return sample


def seen(sampler: Sampler, pid: int = 42, ask: Request = ALL) -> ProcessSample:
    return take(sampler, ask).processes[pid]


# -- coming and going


def test_a_command_line_is_read_up_to_its_limit() -> None:
    sampler = Sampler(FakeSource(FakeProcess(42, cmdline=b"app\0" + b"x" * 1_000_000)))
    found = [take(sampler).processes[42].command_raw for _ in range(3)]
    assert found[-1] is not None and found[-1].startswith(b"app\0x") and len(found[-1]) <= 4096


def test_the_first_sample_of_all_processes_has_their_names() -> None:
    sampler = Sampler(FakeSource(FakeProcess(42), FakeProcess(43, cmdline=b"python3\0orders.py\0")))
    take(sampler, request(only=frozenset({42})))
    assert take(sampler).processes[43].command_raw == b"python3\0orders.py\0"


@pytest.mark.parametrize(("patient", "waiting"), [(True, 0), (False, 72)])
def test_where_no_person_waits_the_first_sample_of_all_has_all_their_cgroups(*, patient: bool, waiting: int) -> None:
    sampler = Sampler(FakeSource(*[FakeProcess(pid) for pid in range(100, 100 + LOOKUPS + 72)]))
    take(sampler, request(only=frozenset({100}), patient=patient))
    sampler.prepare()
    cgroups = take(sampler, request(patient=patient)).cgroups
    assert cgroups is not None and cgroups.waiting == waiting


def test_a_process_comes_and_goes() -> None:
    source = FakeSource(FakeProcess(42))
    sampler = Sampler(source)
    assert take(sampler).processes.keys() == {42}
    source.add(FakeProcess(43, start_ticks=900))
    assert take(sampler).processes.keys() == {42, 43}
    del source.processes[42]
    sample = take(sampler)
    assert (set(sample.processes), sample.gone) == ({43}, (ProcessKey(42, 500),))
    assert take(sampler).gone == ()


def test_a_pid_reused_in_the_same_tick_is_a_new_life_even_with_the_same_start() -> None:
    source = FakeSource(FakeProcess(42))
    sampler = Sampler(source)
    first = seen(sampler).key
    source.add(FakeProcess(42, comm=b"other"))
    assert take(sampler).gone == (first,)
    second = seen(sampler)
    assert second.key == ProcessKey(42, 500, life=1)
    assert (second.name_raw, second.stat_before) == (b"other", None)


def test_a_pid_reused_unnoticed_by_statm_is_found_out_by_its_start() -> None:
    source = FakeSource(FakeProcess(42))
    sampler = Sampler(source)
    first = seen(sampler).key
    source.processes[42] = FakeProcess(42, start_ticks=900)
    assert take(sampler, looking_at(first)).gone == (first,)
    assert seen(sampler).key == ProcessKey(42, 900)


def test_only_the_pids_asked_for_are_looked_at() -> None:
    source = FakeSource(*(FakeProcess(pid) for pid in (41, 42, 43)))
    sampler = Sampler(source)
    assert take(sampler, request(only=frozenset({42, 99}))).processes.keys() == {42}
    assert source.swept["statm"] == 2


def test_a_process_that_the_listing_misses_is_read_where_it_was_asked_for() -> None:
    source = FakeSource(FakeProcess(42))
    source.pids = lambda: []  # type: ignore[method-assign]
    sampler = Sampler(source)
    assert take(sampler).processes == {}
    assert take(sampler, request(only=frozenset({42}))).processes.keys() == {42}


def test_the_end_of_the_world_is_none() -> None:
    source = FakeSource()
    source.begin = lambda: None  # type: ignore[method-assign,assignment,return-value]
    assert Sampler(source).sample(plan(ALL)) is None


def test_watched_pids_are_held_while_they_live() -> None:
    source = FakeSource(FakeProcess(42))
    sampler = Sampler(source)
    sampler.sample(plan(ALL, (42, 77)))
    assert source.watched == [42]


# -- what a process is


def test_exec_is_noticed_by_its_code_and_forgets_the_reading_before() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    sampler = Sampler(source)
    seen(sampler)
    assert seen(sampler, ask=looking_at(process)).stat_before is not None
    process.start_code, process.comm, process.cmdline = 0x7777_0000, b"worker", b"worker\0"
    after = seen(sampler, ask=looking_at(process))
    assert (after.execs, after.stat_before, after.name_raw) == (1, None, b"worker")
    assert seen(sampler, ask=looking_at(process)).command_raw == b"worker\0"


def test_exec_of_a_program_whose_code_never_moves_is_noticed_by_its_stack() -> None:
    process = FakeProcess(42, start_code=0x40_0000)
    sampler = Sampler(FakeSource(process))
    seen(sampler, ask=looking_at(process))
    process.start_stack += 0x1000
    process.cmdline = b"python3\0second.py\0"
    seen(sampler, ask=looking_at(process))
    after = seen(sampler, ask=looking_at(process))
    assert (after.execs, after.command_raw) == (1, b"python3\0second.py\0")
    process.start_stack = 0
    assert seen(sampler, ask=looking_at(process)).execs == 1, "its memory is torn down"


def test_a_new_process_that_execs_soon_is_known_by_its_program_though_it_is_not_on_screen() -> None:
    source = FakeSource(FakeProcess(1))
    sampler = Sampler(source)
    sampler.sample(plan(Request()))
    child = source.add(FakeProcess(42, comm=b"bash", cmdline=b"bash\0loop.sh\0", start_ticks=102_000))
    sampler.sample(plan(Request()))
    child.comm, child.cmdline, child.start_stack = b"python3", b"python3\0eater.py\0", 0x7FFE_0000
    for _ in range(4):
        found = take(sampler, Request()).processes[42]
    assert (found.name_raw, found.command_raw, found.execs) == (b"python3", b"python3\0eater.py\0", 1)


class EarlyAnswers(FakeSource):
    """Reads what is asked for at once, and answers later, as a thread does that was quick."""

    def __init__(self, *processes: FakeProcess) -> None:
        super().__init__(*processes)
        self._read: dict[str, bytes] = {}

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        if path in self._read:
            return Answer(self._read.pop(path), self.took_s)
        self._read[path] = self._content(path)[:size]
        return None


def test_a_command_line_that_was_read_just_before_an_exec_is_read_again() -> None:
    source = EarlyAnswers(FakeProcess(1))
    sampler = Sampler(source)
    take(sampler)
    child = source.add(FakeProcess(42, comm=b"bash", cmdline=b"bash\0start\0", start_ticks=102_000))
    take(sampler)
    child.comm, child.cmdline, child.start_code = b"python3", b"python3\0eater.py\0", 0x7777_0000
    found = [take(sampler).processes[42].command_raw for _ in range(3)]
    assert found[-1] == b"python3\0eater.py\0"


def test_a_title_that_a_server_writes_over_its_command_line_is_read() -> None:
    """Its name and its program stay the same. A new process is read again soon, a row on screen in its turn."""
    source = FakeSource(FakeProcess(1))
    sampler = Sampler(source)
    take(sampler, Request())
    worker = source.add(FakeProcess(42, comm=b"nginx", cmdline=b"nginx\0-g\0x\0", start_ticks=102_000))
    take(sampler, Request())
    worker.cmdline = b"nginx: worker process\0"
    assert [take(sampler, Request()).processes[42].command_raw for _ in range(6)][-1] == worker.cmdline
    worker.cmdline = b"nginx: worker process is shutting down\0"
    found = [take(sampler, looking_at(worker)).processes[42].command_raw for _ in range(TURN_TICKS + 2)]
    assert found[-1] == worker.cmdline


def test_a_process_whose_memory_is_gone_when_its_command_line_is_read_again_keeps_what_is_known() -> None:
    source = FakeSource(FakeProcess(1))
    sampler = Sampler(source)
    take(sampler, Request())
    source.add(FakeProcess(42, start_ticks=102_000))
    take(sampler, Request())
    take(sampler, Request())
    source.files["proc/42/cmdline"] = b""
    assert [take(sampler, Request()).processes[42].command_raw for _ in range(6)] == [b"app\0--serve\0"] * 6


def test_a_new_program_never_has_the_arguments_of_the_one_before() -> None:
    """The sample that finds the exec has the new command line or, where its answer hangs, none."""
    process = FakeProcess(42)
    source = FakeSource(process)
    sampler = Sampler(source)
    for hangs, cmdline in ((False, b"worker\0-c\0x\0"), (True, b"other\0--later\0")):
        for _ in range(3):
            seen(sampler, ask=looking_at(process))
        process.start_code += 0x1000
        process.comm, process.cmdline = cmdline.split(b"\0")[0], cmdline
        source.hanging = {42} if hangs else set()
        after = seen(sampler, ask=looking_at(process))
        assert (after.name_raw, after.command_raw) == (process.comm, None if hangs else cmdline)
    source.hanging = set()
    assert seen(sampler, ask=looking_at(process)).command_raw == b"other\0--later\0"


def test_exec_is_noticed_by_a_peak_that_falls_where_the_code_may_not_be_read() -> None:
    process = FakeProcess(42, start_code=1)
    source = FakeSource(process)
    sampler = Sampler(source)
    seen(sampler, ask=looking_at(process))
    process.peak_virt_kib //= 2
    assert seen(sampler, ask=looking_at(process)).execs == 1
    assert [seen(sampler, ask=looking_at(process)).execs for _ in range(3)] == [1, 1, 1]


def test_one_exec_is_counted_once_though_peak_and_code_show_it_at_different_times() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    sampler = Sampler(source)
    ask = request(visible=frozenset({process.key}), needs=Need.STATUS)
    seen(sampler, ask=ask)
    process.peak_virt_kib //= 2
    process.rss_pages += 1
    process.start_code += 0x1000
    for _ in range(TURN_TICKS + 1):
        execs = seen(sampler, ask=ask).execs
    assert execs == 1


def test_a_new_name_by_prctl_is_no_exec_but_the_command_is_read_again() -> None:
    process = FakeProcess(42)
    sampler = Sampler(FakeSource(process))
    assert seen(sampler).command_raw == b"app\0--serve\0"
    process.comm, process.cmdline = b"renamed", b"renamed: idle\0"
    assert seen(sampler, ask=looking_at(process)).execs == 0
    after = seen(sampler, ask=looking_at(process))
    assert (after.name_raw, after.command_raw, after.execs) == (b"renamed", b"renamed: idle\0", 0)


def test_a_dying_process_whose_code_reads_zero_has_not_become_another() -> None:
    process = FakeProcess(42)
    sampler = Sampler(FakeSource(process))
    seen(sampler)
    process.start_code, process.state = 0, "Z"
    assert seen(sampler, ask=looking_at(process)).execs == 0


def test_a_zombie_has_no_memory_and_that_is_unknown_not_zero() -> None:
    process = FakeProcess(42)
    sampler = Sampler(FakeSource(process))
    assert seen(sampler).statm is not None
    process.state = "Z"
    after = seen(sampler)
    assert after.stat is not None
    assert (after.statm, after.stat.state, after.leader_gone) == (None, "Z", False)


def test_where_all_of_many_threads_are_ending_the_first_are_looked_at() -> None:
    process = FakeProcess(42, state="Z", threads=5000)
    source = FakeSource(process)
    source.threads[42] = list(range(42, 5042))
    seen(Sampler(source))
    assert 2 < sum("/task/" in path and path.endswith("/statm") for path in source.read_paths) < 100


def whose_leader_ended() -> tuple[FakeProcess, FakeSource, Sampler]:
    """Process 42, sampled while its leader lived, and whose thread 44 now lives on."""
    process = FakeProcess(42, threads=3)
    source = FakeSource(process)
    sampler = Sampler(source)
    seen(sampler)
    process.state, process.threads = "Z", 2
    source.threads[42] = [42, 44]
    source.files["proc/42/task/44/statm"] = b"900 800 100 1 0 9 0\n"
    return process, source, sampler


def test_where_the_leader_has_ended_memory_is_read_from_another_thread_and_ends_with_it() -> None:
    process, source, sampler = whose_leader_ended()
    source.files["proc/42/task/44/status"] = b"Name:\tapp\nPid:\t44\nVmHWM:\t9000 kB\nRssFile:\t400 kB\nVmPTE:\t60 kB\n"
    source.files["proc/42/task/44/cmdline"] = b"worker\0"
    after = seen(sampler, ask=looking_at(process))
    assert (after.leader_gone, after.folder) == (True, "proc/42/task/44")
    assert after.status is not None
    status = after.status.peak_rss_bytes, after.status.file_bytes, after.status.page_tables_bytes
    assert status == (9000 << 10, 400 << 10, 60 << 10)
    assert after.statm == (900 * OWN_PAGE_BYTES, 800 * OWN_PAGE_BYTES, 100 * OWN_PAGE_BYTES)
    source.files["proc/42/task/44/statm"] = b"900 850 100 1 0 9 0\n"
    after = seen(sampler)
    assert after.statm is not None and after.statm.rss_bytes == 850 * OWN_PAGE_BYTES
    source.files["proc/42/task/44/statm"] = Unavailable("proc/42/task/44/statm: No such file or directory")
    assert not take(sampler).problems
    source.threads[42] = [42, 44, 45]
    source.files["proc/42/task/45/statm"] = b"900 860 100 1 0 9 0\n"
    assert seen(sampler).folder == "proc/42/task/45", "the next thread that lives takes its place"
    source.files["proc/42/task/45/statm"] = b"0 0 0 0 0 0 0\n"
    process.threads = 1
    source.threads[42] = [42]
    after = seen(sampler)
    assert (after.leader_gone, after.statm) == (False, None)


def test_when_the_leader_ends_status_is_read_again_from_a_living_thread_also_of_a_process_that_nobody_looks_at() -> (
    None
):
    _, source, sampler = whose_leader_ended()
    source.files["proc/42/task/44/status"] = b"Name:\tapp\nPid:\t44\nVmHWM:\t9000 kB\n"
    after = seen(sampler)
    assert after.status is not None
    assert (after.leader_gone, after.status.peak_rss_bytes) == (True, 9000 << 10)


def test_a_new_process_is_read_by_sweeps_and_again_only_what_a_sweep_does_not_have() -> None:
    source = FakeSource(FakeProcess(42), FakeProcess(43))
    source.files["proc/43/statm"] = AccessDenied("proc/43/statm: Permission denied")
    processes = take(Sampler(source)).processes
    assert processes.keys() == {42}
    assert [path for path in source.read_paths if path.endswith(("/stat", "/statm"))] == ["proc/43/statm"]


def test_a_process_whose_main_thread_had_ended_before_it_was_met_has_its_command_line() -> None:
    process = FakeProcess(42, threads=2, state="Z", cmdline=b"")
    source = FakeSource(process)
    source.threads[42] = [42, 44]
    source.files |= {"proc/42/task/44/statm": b"900 800 100 1 0 9 0\n", "proc/42/task/44/cmdline": b"worker\0"}
    sampler = Sampler(source)
    seen(sampler)
    assert seen(sampler).command_raw == b"worker\0"


def test_a_kernel_thread_has_no_command_and_nobody_waits_for_one() -> None:
    source = FakeSource(FakeProcess(2, comm=b"kthreadd", flags=KERNEL_FLAGS, ppid=0, uid=0))
    after = seen(Sampler(source), 2)
    assert (after.command_raw, after.statm) == (b"", None)
    assert "proc/2/cmdline" not in source.asked


def test_a_child_whose_parent_ends_gets_its_new_parent_at_once() -> None:
    child = FakeProcess(43, ppid=42)
    source = FakeSource(FakeProcess(42), child)
    sampler = Sampler(source)
    seen(sampler)
    del source.processes[42]
    child.ppid = 1
    stat = seen(sampler, 43).stat
    assert stat is not None and stat.ppid == 1


# -- what may not be read, and what cannot be understood


def test_processes_that_may_not_be_read_are_counted_and_not_asked_again() -> None:
    source = FakeSource(FakeProcess(42), FakeProcess(43))
    source.files["proc/42/stat"] = source.files["proc/42/statm"] = DENIED
    sampler = Sampler(source)
    assert (take(sampler).hidden, set(take(sampler).processes)) == (1, {43})
    assert "proc/42/stat" not in source.read_paths
    del source.processes[42]
    assert take(sampler).hidden == 0


INVISIBLE = b"22 1 0:20 / /proc rw - proc proc rw,hidepid=%b\n"


@pytest.mark.parametrize(
    ("option", "others", "hidden"),
    [
        (b"invisible", [], None),
        (b"2", [], None),
        (b"4", [], None),
        (b"ptraceable", [FakeProcess(1, uid=1000)], None),
        (b"invisible", [FakeProcess(1, uid=0)], 0),
        (b"noaccess", [], 0),
        (b"1", [], 0),
    ],
)
def test_how_many_are_invisible_is_not_known(option: bytes, others: list[FakeProcess], hidden: int | None) -> None:
    source = FakeSource(FakeProcess(42), *others)
    source.files["proc/self/mountinfo"] = INVISIBLE % option
    sampler = Sampler(source)
    assert take(sampler).hidden == hidden
    assert take(sampler).hidden == hidden
    assert take(sampler, request(only=frozenset({42}))).hidden == 0, "of those that were asked for"


def test_a_proc_that_lies_below_another_mount_hides_nothing() -> None:
    source = FakeSource(FakeProcess(42))
    source.files["proc/self/mountinfo"] = INVISIBLE % b"2" + b"23 1 0:21 / /proc rw - proc proc rw\n"
    assert take(Sampler(source)).hidden == 0


def test_a_command_line_that_may_not_be_read_is_unknown() -> None:
    source = FakeSource(FakeProcess(42))
    source.files["proc/42/cmdline"] = AccessDenied("proc/42/cmdline: Permission denied")
    assert seen(Sampler(source)).command_raw is None


def test_files_of_the_machine_that_are_missing_are_unknown() -> None:
    source = FakeSource()
    for path in ("proc/meminfo", "proc/vmstat", "proc/pressure/memory"):
        source.files[path] = Unavailable(path)
    system = take(Sampler(source)).system
    assert (system.meminfo, system.vmstat, system.pressure) == (None, None, None)


def test_parse_errors_are_counted_and_said_with_their_path() -> None:
    source = FakeSource(FakeProcess(42), FakeProcess(43))
    source.files["proc/42/stat"] = b"nonsense"
    sampler = Sampler(source)
    assert take(sampler).problems == ("proc/42/stat: no name in parentheses",)
    assert take(sampler).problems == ("proc/42/stat: no name in parentheses (2 times)",)
    assert take(sampler).processes.keys() == {43}


@pytest.mark.parametrize("name", ["statm", "status"])
def test_a_file_that_makes_no_sense_leaves_its_fields_unknown_and_the_rest_alone(name: str) -> None:
    source = FakeSource(FakeProcess(42))
    source.files[f"proc/42/{name}"] = b"nonsense\n"
    sample = take(Sampler(source))
    process = sample.processes[42]
    assert getattr(process, name) is None
    assert process.stat is not None
    assert sample.problems[0].startswith(f"proc/42/{name}: ")


def test_hostile_text_in_a_problem_is_cleaned() -> None:
    source = FakeSource(FakeProcess(42))
    source.files["proc/42/status"] = Unavailable("proc/42/status: \x1b[2J")
    assert take(Sampler(source)).problems == ("proc/42/status: ^[[2J",)


# -- names of users and commands, which come when they come


def test_the_user_is_a_number_until_the_name_is_known() -> None:
    source = FakeSource(FakeProcess(42))
    sampler = Sampler(source)
    assert seen(sampler).user == "ann"
    source.add(FakeProcess(43, uid=77))
    assert seen(sampler, 43).user == "77"
    source.files["user/77"] = b"e\x1bve"
    assert seen(sampler, 43).user == "e^[ve"


class Busy(FakeSource):
    """Time passes while it is waited for."""

    def settle(self, seconds: float) -> None:
        self.mono_s += seconds


@pytest.mark.parametrize("once", [True, False])
def test_the_only_sample_waits_for_the_commands_that_a_name_is_looked_for_in(once: bool) -> None:
    source = Busy(FakeProcess(42, cmdline=b"needle\0"))
    source.delays_s["proc/42/cmdline"] = 1.0
    sample = Sampler(source).sample(plan(request(once=once)))
    assert sample is not None
    assert (sample.processes[42].command_raw == b"needle\0") is once


def test_the_command_of_a_later_process_comes_a_tick_later() -> None:
    source = FakeSource()
    sampler = Sampler(source)
    take(sampler)
    source.add(FakeProcess(42))
    before = seen(sampler)
    after = seen(sampler)
    assert (before.command_raw, after.command_raw) == (None, b"app\0--serve\0")
    assert seen(sampler) is after


def test_a_process_of_which_nothing_has_changed_keeps_its_sample() -> None:
    moving, idle = FakeProcess(42), FakeProcess(43)
    sampler = Sampler(FakeSource(moving, idle))
    needs = request(needs_all=Need.STAT | Need.STATUS | Need.OOM)
    for _ in range(3):  # command lines come, and rates fall to zero
        before = take(sampler, needs)
    moving.rss_pages += 1
    after = take(sampler, needs)
    assert after.processes[43] is before.processes[43]
    assert after.processes[42] is not before.processes[42]
    assert before.processes[42].statm != after.processes[42].statm, "the one before stays as it was"
    assert after.stat_pids == {42, 43}


def test_the_lives_of_as_many_ended_processes_are_remembered_as_are_promised() -> None:
    source = FakeSource(FakeProcess(1))
    sampler = Sampler(source)
    take(sampler)
    for pid in range(2, LIVES_KEPT + 4):
        source.add(FakeProcess(pid))
        take(sampler)
        del source.processes[pid]
    take(sampler)
    lives = []
    for pid in (2, LIVES_KEPT + 3):
        source.add(FakeProcess(pid))
        lives.append(seen(sampler, pid).key.life)
    assert lives == [0, 1], "the first of them is forgotten, the last is not"


# -- what it costs


@pytest.mark.parametrize("count", [3100])
def test_thousands_of_idle_processes_cost_one_sweep_and_a_few_look_ups(count: int) -> None:
    source = FakeSource(*(FakeProcess(pid) for pid in range(100, 100 + count)))
    sampler = Sampler(source)
    take(sampler)
    for _ in range(STALE_TICKS + 2):
        take(sampler)
        read = [path for path in source.read_paths if path.startswith("proc/") and path.split("/")[1].isdigit()]
        assert len(read) <= LOOKUPS + 2 * AGAIN
        assert {path.rpartition("/")[2] for path in read} <= {"cgroup"}
        assert source.swept["statm"] == count
        assert source.swept["stat"] <= count // TURN_TICKS + 1
        assert source.asked == []


def test_every_process_has_its_turn() -> None:
    processes = [FakeProcess(pid) for pid in range(100, 200)]
    sampler = Sampler(FakeSource(*processes))
    take(sampler)
    for process in processes:
        process.minflt += 1000
    for _ in range(TURN_TICKS):
        sample = take(sampler)
    assert {process.stat.minflt for process in sample.processes.values() if process.stat} == {1100}


def test_of_a_few_that_were_asked_for_everything_is_read_every_time() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    sampler = Sampler(source)
    ask = request(only=frozenset({42}), needs_all=Need.STAT | Need.STATUS | Need.OOM)
    take(sampler, ask)
    process.peak_virt_kib, process.oom_score = process.peak_virt_kib + 4, 700
    found = seen(sampler, ask=ask)
    assert found.status is not None
    assert (found.status.virt_peak_bytes, found.oom_score) == (process.peak_virt_kib * 1024, 700)


def test_of_ten_samples_a_second_oom_scores_are_read_with_the_files_of_the_machine() -> None:
    source = FakeSource(process := FakeProcess(42), step_s=0.1)
    new = FakeProcess(43, oom_score=7)
    ask = request(only=frozenset({42, 43}), visible=frozenset({process.key, new.key}), needs=Need.STAT | Need.OOM)
    sampler, read = Sampler(source), []
    for process.oom_score in range(40):
        sample = take(sampler, ask)
        read.append("proc/42/oom_score" in source.read_paths)
        assert ("proc/meminfo" in source.read_paths) is read[-1]
    assert sum(read) in (4, 5)
    assert 30 <= (sample.processes[42].oom_score or 0) < 40
    while "proc/meminfo" not in source.read_paths:
        take(sampler, ask)
    source.add(new)
    assert take(sampler, ask).processes[43].oom_score == 7
    assert "proc/meminfo" not in source.read_paths and "proc/42/oom_score" not in source.read_paths


def test_needs_of_the_order_are_read_of_every_process() -> None:
    source = FakeSource(*(FakeProcess(pid) for pid in range(100, 200)))
    sampler = Sampler(source)
    take(sampler, request(needs_all=Need.OOM))
    sample = take(sampler, request(needs_all=~Need.NONE))
    assert {process.oom_score for process in sample.processes.values()} == {670}
    assert source.swept["stat"] == 100


def test_status_is_read_again_when_memory_has_moved_or_after_a_while() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    sampler = Sampler(source)
    ask = request(visible=frozenset({process.key}), needs=Need.STATUS)
    take(sampler, ask)
    take(sampler, ask)
    assert "proc/42/status" not in source.read_paths
    process.rss_pages += MIB_PAGES
    take(sampler, ask)
    assert "proc/42/status" in source.read_paths
    read = 0
    for _ in range(2 * STALE_TICKS):
        take(sampler, ask)
        read += "proc/42/status" in source.read_paths
    assert read == 2


# -- the real thing


@pytest.fixture
def linux() -> Iterator[LiveSource]:
    source = LiveSource()
    yield source
    source.close()


def test_a_real_child_comes_grows_and_goes(linux: LiveSource) -> None:
    sampler = Sampler(linux)
    take(sampler)
    code = (
        "import sys\nprint(flush=True); sys.stdin.readline()\n"
        "x = bytearray(40 << 20)\nprint(flush=True); sys.stdin.read()"
    )
    with python(code) as child:
        before = take(sampler).processes[child.pid]
        assert before.statm is not None
        rss_bytes, key = before.statm.rss_bytes, before.key
        assert eventually(lambda: take(sampler).processes[child.pid].command_raw is not None)
        tell(child)
        after = take(sampler, looking_at(key)).processes[child.pid]
        assert after.statm is not None and after.command_raw is not None
        assert after.statm.rss_bytes - rss_bytes >= 40 << 20
        assert after.command_raw.startswith(os.fsencode(sys.executable) + b"\0")
        assert after.uid == os.geteuid()
    assert take(sampler).gone.count(key) == 1


def test_a_real_exec_is_noticed_and_a_real_rename_is_not_one(linux: LiveSource) -> None:
    sampler = Sampler(linux)
    code = (
        "import ctypes, os, sys\nprint(flush=True); sys.stdin.readline()\n"
        "ctypes.CDLL(None).prctl(15, b'a) R (b\\n\\xc3)')\nprint(flush=True); sys.stdin.readline()\n"
        f"os.execv(sys.executable, [sys.executable, '-S', '-c', {SLEEPER!r}])"
    )
    with python(code) as child:
        ask = looking_at(take(sampler).processes[child.pid].key)
        tell(child)
        renamed = take(sampler, ask).processes[child.pid]
        assert (renamed.name_raw, renamed.execs) == (b"a) R (b\n\xc3)", 0)
        tell(child)
        after = take(sampler, ask).processes[child.pid]
        assert (after.execs, after.stat_before) == (1, None)
        assert [take(sampler, ask).processes[child.pid].execs for _ in range(3)] == [1, 1, 1]


def test_a_real_zombie_is_one(linux: LiveSource) -> None:
    sampler = Sampler(linux)
    child = subprocess.Popen([sys.executable, "-S", "-c", "pass"])
    try:

        def zombie() -> bool:
            found = take(sampler).processes[child.pid]
            return found.stat is not None and found.stat.state == "Z" and found.statm is None

        assert eventually(zombie)
    finally:
        child.wait()
    assert child.pid not in take(sampler).processes


def test_a_real_process_whose_main_thread_has_ended_keeps_its_memory(linux: LiveSource) -> None:
    code = (
        "import ctypes, threading, time\nx = bytearray(30 << 20)\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\nprint(flush=True)\n"
        "ctypes.CDLL(None).pthread_exit(None)"
    )
    sampler = Sampler(linux)
    with python(code) as child:
        assert eventually(lambda: take(sampler).processes[child.pid].leader_gone)
        found = take(sampler).processes[child.pid]
        assert found.statm is not None
        assert found.statm.anon_bytes > 30 << 20
        assert found.status is not None and found.status.peak_rss_bytes is not None
        assert found.status.peak_rss_bytes > 30 << 20
        child.kill()
        assert eventually(lambda: take(sampler).processes[child.pid].statm is None)
        assert not take(sampler).processes[child.pid].leader_gone


def test_of_very_many_new_processes_only_some_are_read_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_reader, "MOST_YOUNG", 5)
    source = FakeSource(FakeProcess(1))
    sampler = Sampler(source)
    for _ in range(3):
        sampler.sample(plan(request()))
    for pid in range(100, 300):
        source.add(FakeProcess(pid))
    read = []
    for _ in range(6):
        sampler.sample(plan(request()))
        read.append(source.swept.get("stat", 0) + sum(path.endswith("/stat") for path in source.read_paths))
    assert max(read[1:]) < 20, "those that were new, and one in thirty-two of all"

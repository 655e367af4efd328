"""What is kept of processes that come and go is bounded: on the screen, in the chart, and in memory."""

from __future__ import annotations

import gc

from memtop.engine.departed import DEPARTED
from memtop.engine.engine import Engine
from memtop.model.row import Note
from memtop.process_key import ProcessKey
from memtop.sampling.process_reader import LIVES_KEPT
from memtop.sampling.request import Need
from tests.fakes import FakeProcess, FakeSource, frame_after
from tests.requests import changed, request

EVERYTHING = request(needs_all=~Need.NONE, window_s=600.0, points=30)
MOST_MARKS_OF_A_PROCESS = 32
ROUNDS = DEPARTED + 10
MORE = 60
CGROUP = "sys/fs/cgroup/app.scope"


def test_the_oldest_of_those_that_have_ended_leave_the_list() -> None:
    source = FakeSource()
    engine = Engine(source)
    pids = range(100, 100 + DEPARTED + 10)
    for pid in pids:
        source.processes = {pid: FakeProcess(pid)}
        engine.step(changed(EVERYTHING, focus=source.processes[pid].key))
    source.processes.clear()
    frame = frame_after(engine, changed(EVERYTHING, names=("app",)), 1)
    assert {row.note for row in frame.rows} == {Note.GONE}
    assert sorted(row.pid for row in frame.rows) == [*pids][-DEPARTED:]


def test_a_process_that_keeps_executing_programs_has_marks_for_the_last_of_them_only() -> None:
    process = FakeProcess(42)
    engine = Engine(FakeSource(process))
    ask = changed(EVERYTHING, focus=process.key)
    engine.step(ask)
    for _ in range(MOST_MARKS_OF_A_PROCESS + 8):
        process.start_code += 0x1000
        process.minflt += 10
        frame = frame_after(engine, ask, 1)
    assert frame.detail is not None
    found = [mark.at_s for mark in frame.detail.marks if mark.kind == "exec"]
    assert len(found) == MOST_MARKS_OF_A_PROCESS
    assert max(found) - min(found) == MOST_MARKS_OF_A_PROCESS - 1, "the newest, one a second"


def test_no_container_keeps_the_keys_of_all_processes_that_came_and_went() -> None:
    source = FakeSource()
    source.files |= {
        "proc/self/mountinfo": b"30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
        "sys/fs/cgroup/cgroup.controllers": b"cpu memory pids\n",
        f"{CGROUP}/memory.max": b"104857600\n",
        f"{CGROUP}/memory.current": b"60000000\n",
    }
    engine = Engine(source)

    def round_(number: int) -> None:
        """A process comes, is in focus, and ends."""
        process = source.add(FakeProcess(1000 + number))
        ask = changed(EVERYTHING, focus=process.key)
        source.files[f"proc/{process.pid}/cgroup"] = b"0::/app.scope\n"
        for _ in range(2):
            engine.step(ask)
        del source.processes[process.pid], source.files[f"proc/{process.pid}/cgroup"]
        engine.step(ask)
        source.asked.clear()
        source.asked_ever.clear()

    def kept_keys(rounds: range) -> int:
        """How many keys of processes are anywhere in memory after these rounds."""
        for number in rounds:
            round_(number)
        gc.collect()
        return sum(type(found) is ProcessKey for found in gc.get_objects())

    once = kept_keys(range(ROUNDS))
    assert kept_keys(range(ROUNDS, ROUNDS + MORE)) < once + MORE / 2, "some containers are emptied now and then"


def test_an_ended_process_is_remembered_until_many_others_have_ended() -> None:
    """One that is started in the same clock tick with the same PID is told apart by the number of its life."""
    source = FakeSource(FakeProcess(42))
    engine = Engine(source)

    def life() -> int:
        source.processes[42] = FakeProcess(42)
        (row,) = frame_after(engine, EVERYTHING, 1).rows
        del source.processes[42]
        engine.step(EVERYTHING)
        return row.key.life

    assert [life(), life(), life()] == [0, 1, 2]
    for pid in range(1000, 1000 + LIVES_KEPT):
        source.add(FakeProcess(pid))
    engine.step(EVERYTHING)
    source.processes.clear()
    engine.step(EVERYTHING)
    assert life() == 0

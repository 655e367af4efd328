"""Rows of which only those that changed are visited are those that building all of them gives."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.engine.row_builder import trend
from memtop.engine.row_table import RowInputs, RowTable
from memtop.history.rings import History, Track
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.stat import parse_stat
from memtop.procfs.statm import Statm
from memtop.sampling.sample import ProcessSample, Sample, SystemSample
from tests.fakes import FakeProcess, FakeSource
from tests.rows import system_row

PIDS = range(100, 120)
BUSY_TICKS = 150
TICKS = BUSY_TICKS + 120
"""The last of them without a change."""


class Machine:
    """Processes that come, go, grow and become other programs, and PSS that is read now and then."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.processes: dict[int, ProcessSample] = {}
        self._shares: dict[ProcessKey, tuple[int | None, int | None]] = {}
        self._lives = 0

    def change(self) -> tuple[ProcessKey | None, ProcessKey | None]:
        """Something happens to one process. Returns the one that has ended, and the one of which PSS was read."""
        pid = self._random.choice(PIDS)
        old = self.processes.get(pid)
        event = self._random.choice(("comes", "grows", "grows", "exec", "goes", "PSS"))
        if old is None or event == "comes":
            self._lives += 1
            self.processes[pid] = self._sized(self._born(ProcessKey(pid, 500, self._lives)))
            return (old.key if old is not None else None), None
        if event == "goes":
            return self.processes.pop(pid).key, None
        if event == "PSS":
            self._shares[old.key] = self._random.randrange(1000), self._random.randrange(1000)
            return None, old.key
        execs = old.execs + (event == "exec")
        self.processes[pid] = self._sized(old._replace(execs=execs, name_raw=b"program-%d" % execs))
        return None, None

    def share_of(self, key: ProcessKey) -> tuple[int | None, int | None]:
        """PSS and USS."""
        return self._shares.get(key, (None, None))

    def _born(self, key: ProcessKey) -> ProcessSample:
        raw = FakeSource(FakeProcess(key.pid)).read(f"proc/{key.pid}/stat")
        return ProcessSample(key, b"program-0", b"program\0", stat=parse_stat(raw))

    def _sized(self, process: ProcessSample) -> ProcessSample:
        return process._replace(statm=Statm(*(self._random.randrange(1, 1 << 20) for _ in range(3))))


def of_all(sample: Sample, history: History, inputs: RowInputs) -> dict[int, ProcessRow]:
    """All rows, built from nothing."""
    table = RowTable(history)
    table.build(sample, inputs, moving=None)
    return table.by_pid()


def at_rest(row: ProcessRow) -> ProcessRow:
    """Without what moves with time alone, which has its turn later."""
    return row._replace(growth_bytes_per_min=None, trend=())


@pytest.mark.parametrize("seed", range(5))
def test_the_same_as_building_all(seed: int) -> None:
    random = Random(seed)
    machine, history = Machine(random), History()
    table = RowTable(history)
    before: dict[int, ProcessSample] = {}
    told: dict[int, ProcessRow] = {}
    unseen: set[int] = set()
    execs: list[ProcessKey] = []

    def on_exec(process: ProcessSample) -> None:
        execs.append(process.key)
        history.forget(process.key)

    for tick in range(TICKS):
        happened = [machine.change() for _ in range(random.randrange(4))] if tick < BUSY_TICKS else []
        gone = tuple(ended for ended, _ in happened if ended is not None)
        renewed = {read for _, read in happened if read is not None}
        now_s = 100.0 + 2.0 * tick
        now = dict(machine.processes)
        sample = Sample(now_s, now_s, SystemSample(None, None, None), now, gone, (), 0)
        for key in gone:
            table.remove(key)
        execs.clear()
        table.note(sample, on_exec)
        changed = {pid for pid, one in now.items() if before.get(pid) is not one}
        assert execs == [
            one.key
            for pid, one in now.items()
            if (old := before.get(pid)) and old.key == one.key and old.execs < one.execs
        ]
        inputs = RowInputs(now_s, 0.0, system_row(), machine.share_of, {}, lambda key: {})
        shown = random.random() < 0.7 or tick >= BUSY_TICKS
        visible = set(random.sample(list(now), len(now) // 2)) if tick < BUSY_TICKS else set()
        moving = {now[pid].key for pid in visible} if shown else ()
        table.build(sample, inputs, moving=moving, renewed=renewed, trends=None if shown else ())
        rows, whole = table.by_pid(), of_all(sample, history, inputs)
        told |= {pid: rows[pid] for pid in table.take_touched() if pid in rows}
        assert all(at_rest(told[pid]) == at_rest(row) for pid, row in rows.items()), "it says which have changed"
        assert {pid: at_rest(row) for pid, row in rows.items()} == {pid: at_rest(row) for pid, row in whole.items()}
        unseen |= changed
        if shown:
            for pid in (visible | unseen) & now.keys():
                assert rows[pid] == whole[pid]
            unseen.clear()
        before = now
    assert rows == whole, "all had their turn, and nothing has changed for so long that no row moves any more"


@given(st.integers(0, 10_000_000), st.integers(0, 400))
def test_a_process_that_has_never_changed_has_the_level_trend_of_its_series(first_ms: int, half_seconds: int) -> None:
    once, twice = (Track(first_ms / 1000) for _ in range(2))
    for track, entries in ((once, 1), (twice, 2)):
        for _ in range(entries):
            track.add(first_ms / 1000, 9, 7, 3, most=48)
    now_s = first_ms / 1000 + half_seconds / 2
    assert trend(once, 7, now_s) == trend(twice, 7, now_s)

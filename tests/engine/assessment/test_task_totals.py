"""Sums over the processes of a cgroup that are kept from tick to tick are those that adding up everything gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import pytest

from memtop.engine.assessment.task_totals import TaskSums, TaskTotals
from memtop.model.row import ProcessRow
from tests.rows import proc_row

PIDS = range(100, 112)
PATHS = ("/a", "/b")
TICKS = 60


def plain_sums(rows: Sequence[ProcessRow | None]) -> TaskSums | None:
    """What the sums are, added up from nothing."""
    known = [row for row in rows if row is not None and row.rss_bytes is not None and row.anon_bytes is not None]
    if len(known) < len(rows):
        return None
    own = [row for row in known if row.same_memory_as is None]
    return TaskSums(
        sum(row.rss_bytes or 0 for row in own),
        sum(row.anon_bytes or 0 for row in own),
        sum((row.shr_bytes or 0) if row.shmem_bytes is None else row.shmem_bytes for row in own),
    )


class Machine:
    """Processes that come and go, grow, become other programs, move to another cgroup, and lose what they tell."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.rows: dict[int, ProcessRow] = {}
        self.paths: dict[int, str] = {}

    def change(self) -> None:
        """Something happens to one process, whose row is a new object then."""
        pid = self._random.choice(PIDS)
        row = self.rows.get(pid)
        if row is None:
            self.rows[pid], self.paths[pid] = self._sized(proc_row(pid)), self._random.choice(PATHS)
            return
        event = self._random.choice(("goes", "goes unseen", "moves", "grows", "exec", "denied", "borrows", "no shmem"))
        if event == "goes":
            del self.rows[pid], self.paths[pid]
        elif event == "goes unseen":  # cgroup.procs was read before its end, and names it once more
            del self.rows[pid]
        elif event == "moves":
            self.paths[pid] = next(path for path in PATHS if path != self.paths[pid])
        elif event == "grows":
            self.rows[pid] = self._sized(row)
        elif event == "exec":
            self.rows[pid] = self._sized(row._replace(name="another", same_memory_as=None))
        elif event == "denied":
            self.rows[pid] = (
                row._replace(rss_bytes=None) if self._random.random() < 0.5 else row._replace(anon_bytes=None)
            )
        elif event == "borrows":
            self.rows[pid] = row._replace(same_memory_as=1)
        else:
            self.rows[pid] = row._replace(shmem_bytes=None)

    def _sized(self, row: ProcessRow) -> ProcessRow:
        rss, anon, shr, shmem = (self._random.randrange(1, 1000) for _ in range(4))
        return row._replace(rss_bytes=rss, anon_bytes=anon, shr_bytes=shr, shmem_bytes=shmem)

    def heal(self) -> None:
        """Everything can be read again, so that sums are known."""
        for pid, row in self.rows.items():
            if row.rss_bytes is None or row.anon_bytes is None:
                self.rows[pid] = self._sized(row)
        self.paths = {pid: path for pid, path in self.paths.items() if pid in self.rows}

    def members(self, path: str) -> tuple[int, ...]:
        """PIDs in a cgroup, in the order of the kernel's file."""
        return tuple(pid for pid, at in self.paths.items() if at == path)


def asked(random: Random) -> Iterable[str]:
    """Cgroups that a tick wants: not always each, and some more than once."""
    return random.choices(PATHS, k=3)


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_adding_up_everything(seed: int) -> None:
    random = Random(seed)
    machine, totals = Machine(random), TaskTotals()
    known = 0
    for _ in range(TICKS):
        for _ in range(random.randrange(4)):
            machine.change()
        if random.random() < 0.4:
            machine.heal()
        rows = dict(machine.rows)
        totals.begin()
        for path in asked(random):
            members = machine.members(path)
            sums = totals.of(path, members, rows)
            assert sums == plain_sums([rows.get(pid) for pid in members])
            known += sums is not None and len(members) > 1
    assert known > TICKS / 3, "most of what this compares is known"

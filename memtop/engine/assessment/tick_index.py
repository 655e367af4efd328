"""Indexes of the processes of one tick, each computed at most once: every process that is assessed in full asks."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Final

from memtop.engine.assessment.oom_candidates import order_in_cgroup, order_on_machine, protected_giant
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.assessment.task_totals import TaskSums, TaskTotals
from memtop.model.assessment import LimitRow
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED
from memtop.procfs.pressure import Pressure
from memtop.procfs.stat import PidStat
from memtop.sampling.cgroup_reading import CgroupReading

_FINE_PERCENT: Final = 80
_FINEST: Final = 2000


class TickIndex:
    """Indexes of one tick."""

    def __init__(self, step: StepInput, totals: TaskTotals) -> None:
        self._step = step
        self._totals = totals
        self._in_cgroups: dict[tuple[str | None, int], list[int]] = {}
        self._around: dict[tuple[str, ...], tuple[object, ...]] = {}

    def order_in_cgroup(self, limit: LimitRow) -> list[int]:
        """PIDs in the order in which the OOM killer of a cgroup's limit takes them."""
        place = limit.path, limit.limit_bytes
        if place not in self._in_cgroups:
            self._in_cgroups[place] = order_in_cgroup(limit, self._step)
        return self._in_cgroups[place]

    def around(self, key: ProcessKey) -> tuple[object, ...]:
        """The state of a process's cgroups and of the machine, in steps: while it stays the same, nothing around a
        process that does not change is news."""
        chain = self._step.chain(key)
        if chain not in self._around:
            self._around[chain] = (self._machine_state, *map(_state_of, self._step.readings(key)))
        return self._around[chain]

    @cached_property
    def _machine_state(self) -> tuple[object, ...]:
        system, meminfo, policy = self._step.sample.system, self._step.meminfo, self._step.cgroups.policy
        available = committed = None
        if meminfo is not None and meminfo.available_bytes is not None and meminfo.total_bytes:
            available = _step_of(meminfo.total_bytes - meminfo.available_bytes, meminfo.total_bytes)
        if meminfo is not None and policy.overcommit == 2:
            committed = _step_of(meminfo.committed_bytes, meminfo.commit_limit_bytes)
        is_full = meminfo is not None and meminfo.swap_free_bytes == 0
        return available, committed, is_full, _stalled_percent(system.pressure), policy

    @cached_property
    def order_on_machine(self) -> list[int]:
        """PIDs in the order in which the OOM killer of the machine takes them."""
        return order_on_machine(self._step)

    @cached_property
    def protected_giant(self) -> ProcessRow | None:
        """The largest of all processes, if the OOM killer never kills it."""
        return protected_giant(self._step)

    def task_sums(self, path: str, members: tuple[int, ...]) -> TaskSums | None:
        """Sums over all processes of a cgroup; None if not all are known."""
        return self._totals.of(path, members, self._step.rows)

    def zombies_of(self, pid: int) -> list[ProcessKey]:
        """Children that have ended and are not collected."""
        return self._zombies.get(pid, [])

    @cached_property
    def _zombies(self) -> dict[int | None, list[ProcessKey]]:
        found: defaultdict[int | None, list[ProcessKey]] = defaultdict(list)
        for row in self._step.rows.values():
            if row.note is Note.ZOMBIE:
                found[row.ppid].append(row.key)
        return found

    def has_relatives(self, key: ProcessKey) -> bool:
        """Whether the parent or a child of a process runs the same program as it does since its last exec."""
        own = self._step.process(key)
        if own is None or own.stat is None or own.stat.start_code <= 1:
            return False
        parent = self._step.sample.processes.get(own.stat.ppid)
        return _program(own.stat) in self._programs_of_children.get(key.pid, ()) or (
            parent is not None and parent.stat is not None and _same_program(parent.stat, own.stat)
        )

    @cached_property
    def _programs_of_children(self) -> dict[int, set[tuple[int, int]]]:
        found: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
        for process in self._step.sample.processes.values():
            if process.stat is not None and process.stat.state not in "ZX":
                found[process.stat.ppid].add(_program(process.stat))
        return found


def _state_of(reading: CgroupReading) -> tuple[object, ...]:
    limits = reading.limit_bytes, reading.high_bytes, reading.swap_limit_bytes
    return (  # what was not read is as good as nothing: some files of a cgroup are read in turn
        *(UNLIMITED if limit is None else limit for limit in limits),
        *(_FINEST * (reading.usage_bytes or 0) // limit if limit else 0 for limit in limits[:2]),  # what it grows by
        reading.oom_kill or 0,
        reading.high_events or 0,
        bool(reading.under_oom),
        reading.unread,
        _stalled_percent(reading.pressure),
    )


def _step_of(part: int | None, whole: int | None) -> int:
    """A part of the whole in twentieths, and above four fifths in hundredths."""
    percent = 100 * part // whole if part is not None and whole else 0
    return percent if percent >= _FINE_PERCENT else percent // 5 * 5


def _stalled_percent(pressure: Pressure | None) -> int:
    return int(pressure.full.avg10_percent) if pressure is not None and pressure.full is not None else 0


def _program(stat: PidStat) -> tuple[int, int]:
    """What processes have in common that run the same program, without an exec in between."""
    return stat.start_code, stat.arg_start


def _same_program(one: PidStat, other: PidStat) -> bool:
    return one.state not in "ZX" and _program(one) == _program(other)

"""Indexes of the processes of one tick, each computed at most once: every process that is assessed in full asks."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from memtop.engine.assessment.oom_candidates import order_in_cgroup, order_on_machine, protected_giant
from memtop.engine.assessment.step_input import StepInput
from memtop.model.assessment import LimitRow
from memtop.model.frame import Note, ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.stat import PidStat


class TickIndex:
    """Indexes of one tick."""

    def __init__(self, step: StepInput) -> None:
        self._step = step
        self._in_cgroups: dict[tuple[str | None, int], list[int]] = {}

    def order_in_cgroup(self, limit: LimitRow) -> list[int]:
        """PIDs in the order in which the OOM killer of a cgroup's limit takes them."""
        place = limit.path, limit.limit_bytes
        if place not in self._in_cgroups:
            self._in_cgroups[place] = order_in_cgroup(limit, self._step)
        return self._in_cgroups[place]

    @cached_property
    def order_on_machine(self) -> list[int]:
        """PIDs in the order in which the OOM killer of the machine takes them."""
        return order_on_machine(self._step)

    @cached_property
    def protected_giant(self) -> ProcessRow | None:
        """The largest of all processes, if the OOM killer never kills it."""
        return protected_giant(self._step)

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


def _program(stat: PidStat) -> tuple[int, int]:
    """What processes have in common that run the same program, without an exec in between."""
    return stat.start_code, stat.arg_start


def _same_program(one: PidStat, other: PidStat) -> bool:
    return one.state not in "ZX" and _program(one) == _program(other)

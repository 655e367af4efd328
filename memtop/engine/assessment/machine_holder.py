"""Finds what holds most of the machine's memory while little of it is left: a process, a program, or a part of RAM."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.analysis.findings.limits import low_severity
from memtop.analysis.ledger.machine import MachinePart
from memtop.analysis.severity import Severity
from memtop.engine.assessment.machine_trend import MachineTrend
from memtop.engine.assessment.process_names import process_name
from memtop.engine.assessment.step_input import StepInput
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey

EVERY_TICKS: Final = 5
"""How often it is found again: that goes through all processes."""


class MachineHolder(NamedTuple):
    """What holds most of the machine's memory that cannot be taken back."""

    name: str
    """``orders-api (4242)``, or ``php-fpm (200 processes)``; empty for a part of RAM."""
    size_bytes: int
    """Of processes their anonymous memory; of several at most that, since pages that they share count in each."""
    part: MachinePart | None = None
    """The part of RAM that is larger than what any program has."""
    key: ProcessKey | None = None
    """The process, where it is one."""


class HolderFinder:
    """:meth:`take` once a tick."""

    def __init__(self) -> None:
        self._ticks = 0
        self._holder: MachineHolder | None = None

    def take(self, step: StepInput, trend: MachineTrend) -> MachineHolder | None:
        """The holder; None while enough memory is available, and where not all processes are read."""
        meminfo = step.meminfo
        if meminfo is None or meminfo.total_bytes is None or meminfo.available_bytes is None or not step.everybody:
            return None
        if low_severity(meminfo.available_bytes, meminfo.total_bytes, was=Severity.WARNING) is None:
            self._ticks, self._holder = 0, None
            return None
        if self._ticks % EVERY_TICKS == 0:
            self._holder = _found(step, trend)
        self._ticks += 1
        return self._holder


def _found(step: StepInput, trend: MachineTrend) -> MachineHolder | None:
    programs: dict[str, list[ProcessRow]] = {}
    for row in step.rows.values():
        if row.anon_bytes and row.same_memory_as is None:
            programs.setdefault(row.program, []).append(row)
    sizes = {name: sum(row.anon_bytes or 0 for row in rows) for name, rows in programs.items()}
    largest = max(sizes, key=lambda name: sizes[name], default=None)
    part = trend.largest_part
    if part is not None and (largest is None or part[1] > sizes[largest]):
        return MachineHolder("", part[1], part[0])
    if largest is None:
        return None
    rows = programs[largest]
    if len(rows) == 1:
        return MachineHolder(process_name(rows[0]), sizes[largest], key=rows[0].key)
    return MachineHolder(f"{largest} ({len(rows)} processes)", sizes[largest])

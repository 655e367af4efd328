"""The facts of one tick, as the input of the modules of :mod:`memtop.engine.assessment`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from memtop.analysis.ledger.machine import MachinePart
from memtop.analysis.trend.machine_room import MachineRoom
from memtop.analysis.trend.rising import Rise
from memtop.model.assessment import LimitRow
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.meminfo import Meminfo
from memtop.procfs.status import PidStatus
from memtop.runtimes.view import FindingFacts
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample
from memtop.sampling.request import SamplePlan
from memtop.sampling.sample import ProcessSample, Sample, SampleChanges, changes_between

_CLK_TCK: Final = os.sysconf("SC_CLK_TCK")


class StepInput(NamedTuple):
    """The sample, its plan, and the rows that were built from it."""

    sample: Sample
    before: Sample | None
    """The previous sample, for rates."""
    plan: SamplePlan
    cgroups: CgroupSample
    rows: Mapping[int, ProcessRow] = MappingProxyType({})
    """By PID, of all that live. Empty while growth is judged, because a row is built with that verdict."""
    runtimes: Mapping[ProcessKey, FindingFacts] = MappingProxyType({})
    """What the runtimes of those processes report that are assessed in full, or whose heap seems to grow; while growth
    is judged, that of the tick before."""
    machine_room: MachineRoom = MachineRoom()
    """What the machine's memory leaves to those that grow."""
    rises: Mapping[MachinePart, Rise] = MappingProxyType({})
    """The parts of RAM that have risen within the last minute."""
    limits: dict[tuple[str, ...], tuple[LimitRow, ...]] | None = None
    """The limits that the processes of a chain of cgroups share, by that chain, so that they are computed once a tick;
    None where they are not kept."""
    unread: dict[tuple[str, ...], list[str]] | None = None
    """What is unknown of these, in the same way."""
    changes: SampleChanges | None = None
    """As the rows were built from; None where they were not."""

    @property
    def now_s(self) -> float:
        """On the clock of Instant.mono_s."""
        return self.sample.mono_s

    @property
    def everybody(self) -> bool:
        """Whether all processes were read."""
        return self.sample.everybody

    @property
    def meminfo(self) -> Meminfo | None:
        """/proc/meminfo of this tick; None if it could not be read."""
        return self.sample.system.meminfo

    @property
    def machine_is_low(self) -> bool:
        """Whether less than a tenth of RAM is available."""
        return is_low(self.meminfo)

    @property
    def changed(self) -> list[tuple[int, ProcessSample]]:
        """The processes that have changed since the previous sample, or come; none without one."""
        if self.before is None:
            return []
        before, now = self.before.processes, self.sample.processes
        known = self.changes is not None and self.changes.are_between(before, now)
        return (self.changes if known and self.changes is not None else changes_between(before, now)).changed

    def row(self, key: ProcessKey) -> ProcessRow | None:
        """The row of a process; None if it has ended."""
        row = self.rows.get(key.pid)
        return row if row is not None and row.key == key else None

    def process(self, key: ProcessKey) -> ProcessSample | None:
        """The process as it was sampled; None if it has ended."""
        seen = self.sample.processes.get(key.pid)
        return seen if seen is not None and seen.key == key else None

    def age_s(self, key: ProcessKey) -> float | None:
        """For how long it has lived, by a clock that is never set; None if a time namespace hides it."""
        age_s = self.now_s - key.start_ticks / _CLK_TCK
        return max(0.0, age_s) if age_s >= -1 else None

    def status(self, key: ProcessKey) -> PidStatus | None:
        """Its status file as last read."""
        seen = self.process(key)
        return seen.status if seen is not None else None

    def virt_bytes(self, key: ProcessKey) -> int | None:
        """Its VIRT; None if unknown."""
        seen = self.process(key)
        return seen.statm.virt_bytes if seen is not None and seen.statm is not None else None

    def narrow_bytes(self, key: ProcessKey) -> int | None:
        """The size of its address space if it is a 32-bit program; None if it is not, or that is unknown."""
        seen = self.process(key)
        return seen.stat.address_space_bytes if seen is not None and seen.stat is not None else None

    def chain(self, key: ProcessKey) -> tuple[str, ...]:
        """Its memory cgroup and the ancestors, nearest first; empty if unknown, or none."""
        return self.cgroups.chains.get(key, ())

    def leaf(self, key: ProcessKey) -> CgroupReading | None:
        """Its memory cgroup as read at this tick."""
        chain = self.chain(key)
        return self.cgroups.readings.get(chain[0]) if chain else None

    def readings(self, key: ProcessKey) -> list[CgroupReading]:
        """Of its chain, nearest first: as read at this tick, else as read last in turn."""
        now, latest, found = self.cgroups.readings, self.cgroups.latest, []
        for path in self.chain(key):
            if (one := now.get(path)) is not None:
                found.append(one)
            elif (timed := latest.get(path)) is not None:
                found.append(timed.reading)
        return found


def is_low(meminfo: Meminfo | None) -> bool:
    """Whether less than a tenth of RAM is available; False if that is unknown."""
    if meminfo is None or not meminfo.total_bytes or meminfo.available_bytes is None:
        return False
    return meminfo.available_bytes < 0.1 * meminfo.total_bytes

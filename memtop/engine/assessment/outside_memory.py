"""Judges the memory of one process that RES does not have: what it keeps without mapping it, and its page tables."""

from __future__ import annotations

from collections import deque
from typing import Final

from memtop.analysis.ledger.machine import MachinePart
from memtop.analysis.ledger.outside import SOME_BYTES
from memtop.analysis.trend.classify import Growth
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.assessment.sum_tracker import SumTracker, held_is_notable, held_point, unseen_point
from memtop.model.assessment import LimitRow
from memtop.model.row import ProcessRow
from memtop.sampling.cgroup_reading import HeldMemory
from memtop.units import long_size

_MINUTE_S: Final = 60.0
_MINUTE_SHARE: Final = 0.5
"""What has written less than this part of what shared memory has gained has not filled it."""
_SLAB_BYTES_PER_CPU_S: Final = 200 << 20
"""What has run for less time than this takes has not filled the slab: a dentry of 192 bytes takes a microsecond."""
_SLAB: Final = (MachinePart.SLAB_RECLAIMABLE, MachinePart.SLAB_UNRECLAIMABLE)


class OutsideMemory:
    """That of one process over time."""

    def __init__(self) -> None:
        self._known, self._untold = SumTracker(), SumTracker()
        self._written: deque[tuple[float, int]] = deque()
        """What its system calls had written at each reading of the last minute."""
        self._ran: deque[tuple[float, float]] = deque()
        """The CPU time of each sample of the last minute, in seconds."""
        self.growth: Growth | None = None
        """Confirmed growth of what is known of it."""
        self.opens_more = False
        """Whether the number of its descriptors grows of which the kernel does not tell what they keep."""
        self.open = False
        """Whether it is not known yet whether it grows."""
        self.doubt = ""
        """What is not known of it, as a clause; empty for nothing."""

    @property
    def rise_bytes(self) -> float | None:
        """What it has gained in a rise that is over; None without one."""
        return self._known.rise_bytes

    def take(self, row: ProcessRow, held: HeldMemory | None, limit: LimitRow | None, step: StepInput) -> None:
        """One tick. ``limit`` is the limit that kills first."""
        now_s, interval_s = step.now_s, step.plan.interval_s
        self.growth = self._known.take(now_s, held_point(row, held, limit, now_s), interval_s)
        self.opens_more = self._untold.take(now_s, unseen_point(row, held, now_s), interval_s) is not None
        self.open = held_is_notable(row, held) and (self._known.open or self._known.creeps)
        self._note_written(held, now_s)
        if row.cpu_percent is not None:
            self._ran.append((now_s, row.cpu_percent / 100 * interval_s))
        while self._ran and self._ran[0][0] <= now_s - _MINUTE_S:
            self._ran.popleft()
        self.doubt = self._of_descriptors(held) or self._of_shared_memory(held, step) or self._of_slab(step)

    def _note_written(self, held: HeldMemory | None, now_s: float) -> None:
        report, points = held.report if held is not None else None, self._written
        if report is None or report.written_bytes is None:
            return
        if not points or report.at_s > points[-1][0]:
            points.append((report.at_s, report.written_bytes))
        while len(points) > 1 and points[1][0] <= now_s - _MINUTE_S:
            points.popleft()

    def _of_descriptors(self, held: HeldMemory | None) -> str:
        """Whether it opens a few more all the time, fewer than are reported."""
        if held is None or held.report is None or self.opens_more or not self._untold.creeps:
            return ""
        return f"whether it keeps opening descriptors ({held.report.untold_number:,} are open)"

    def _of_shared_memory(self, held: HeldMemory | None, step: StepInput) -> str:
        """Whether it may be what fills shared memory: no process holds a file on tmpfs that was written and closed."""
        report, rise = held.report if held is not None else None, step.rises.get(MachinePart.SHMEM)
        is_told = self._known.grows or (self._known.open and report is not None and report.known_bytes >= SOME_BYTES)
        if rise is None or is_told:
            return ""
        gained = self._written[-1][1] - self._written[0][1] if self._written else None
        if report is not None and gained is not None and gained < _MINUTE_SHARE * rise.size_bytes:
            return ""
        size, why = long_size(rise.size_bytes), ": it writes as much, to whichever files"
        return f"whether it fills shared memory (tmpfs), which rose by {size} on this machine{why if report else ''}"

    def _of_slab(self, step: StepInput) -> str:
        """Whether it may be what fills the kernel's slab: whose that is, the kernel does not tell."""
        gained = sum(step.rises[part].size_bytes for part in _SLAB if part in step.rises)
        if not gained or sum(ran_s for _, ran_s in self._ran) * _SLAB_BYTES_PER_CPU_S < gained:
            return ""
        return f"whether it makes the kernel's slab grow, which rose by {long_size(gained)} on this machine"

"""Tracks what several processes take together: it grows with memory that no single RES shows as growth.

Workers that stop sharing memory after fork, children that come and go, and files on tmpfs all raise the charge of a
cgroup. Where no cgroup shows it, the sum of PSS over a fork family does, for all but tmpfs.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Collection, Hashable
from typing import Final, NamedTuple

from memtop.analysis.ledger.cgroup import cgroup_ledger, reclaimable_bytes
from memtop.analysis.ledger.outside import SOME_BYTES
from memtop.analysis.limits.heap_use import HeapUse, heaps_end_before
from memtop.analysis.trend.classify import RISES, Growth, Shape, judge
from memtop.analysis.trend.hysteresis import Confirmation, agree
from memtop.analysis.trend.soon import is_soon
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.assessment.verdict_time import window_s
from memtop.model.assessment import LimitRow
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import CgroupReading, HeldMemory
from memtop.sampling.smaps.smaps_view import FamilySum

STEP_S: Final = 2.0
"""Least time between two points: a verdict needs 30 of them within its first minute, and ten minutes have 300."""
LOOK_EVERY_S: Final = 5.0


class SumPoint(NamedTuple):
    """One reading of what several processes take together."""

    who: Hashable
    """Whose sum it is. Another one begins a new series."""
    at_s: float
    """On the clock of Instant.mono_s."""
    used_bytes: int
    room_bytes: int
    """What the limit that they meet first leaves."""


class SumTracker:
    """One sum over time."""

    def __init__(self) -> None:
        self._who: Hashable = None
        self._points: deque[tuple[float, float]] = deque()
        self._state = Confirmation()
        self._growth: Growth | None = None
        self._looked_s = 0.0

    @property
    def open(self) -> bool:
        """Whether the readings do not suffice yet to say whether it grows, a look found that it may, or it has risen
        and not been level for long."""
        if self._growth is None or self._growth.kind is Shape.INSUFFICIENT:
            return True
        if self._state.alarm:
            return False
        return self._growth.kind.alarming or (self._has_risen and not self._rise_is_over)

    @property
    def creeps(self) -> bool:
        """Whether it rises steadily, by less than what is reported."""
        return self._growth is not None and self._growth.creeps

    @property
    def risen_bytes(self) -> float:
        """Its change over all readings that are kept, whether there is a verdict or not."""
        return self._points[-1][1] - self._points[0][1] if self._points else 0.0

    @property
    def grows(self) -> bool:
        """Whether its growth is confirmed."""
        return self._state.alarm and self._growth is not None and self._growth.kind.alarming

    @property
    def rise_bytes(self) -> float | None:
        """What it has gained in a rise that is over; None without one."""
        return self._growth.rise_bytes if self._growth is not None and self._has_risen and self._rise_is_over else None

    @property
    def _has_risen(self) -> bool:
        return self._growth is not None and (self._growth.kind in RISES or self._growth.kind is Shape.STEP)

    @property
    def _rise_is_over(self) -> bool:
        growth = self._growth
        if growth is None:
            return False
        return growth.kind is Shape.STEP or (growth.pause is not None and growth.pause.over)

    def take(
        self, now_s: float, point: SumPoint | None, interval_s: float, heaps: Collection[HeapUse] = ()
    ) -> Growth | None:
        """One tick. The answer is the growth of the sum, with the time to the limit; None unless it is confirmed.

        ``interval_s`` is the time between samples, ``heaps`` are those of the processes in the sum that are being used
        for the first time.
        """
        who = point.who if point is not None else None
        if who != self._who:
            self._who, self._growth, self._state = who, None, Confirmation()
            self._points.clear()
        if point is None:
            return None
        if not self._points or point.at_s - self._points[-1][0] >= STEP_S * 0.9:
            self._points.append((point.at_s, float(point.used_bytes)))
        while self._points[0][0] < now_s - window_s(interval_s) and len(self._points) > 1:
            self._points.popleft()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            times, used = zip(*self._points, strict=True)
            growth = judge(list(times), list(used), float(max(0, point.room_bytes)))
            if heaps_end_before(heaps, growth.slope_bytes_per_s or 0.0, point.room_bytes):
                growth = growth._replace(limit_s=None)
            self._state = agree(self._state, growth, now_s)
            was_soon = self._growth is not None and self._growth.soon
            self._growth = growth._replace(soon=self._state.alarm and is_soon(growth.limit_s, was=was_soon))
        return self._growth if self.grows else None


def charge_point(
    row: ProcessRow, limit: LimitRow | None, leaf: CgroupReading | None, step: StepInput
) -> SumPoint | None:
    """The part of a cgroup's charge that cannot be reclaimed.

    It is the cgroup whose limit kills first; without a limit the process's own, if all in it run the same program. None
    without either. ``limit`` is the limit that kills first, the machine's too.
    """
    if limit is None:
        return None
    if limit.path is not None:
        return SumPoint(limit.path, step.now_s, limit.used_bytes, limit.headroom_max_bytes)
    if leaf is None or leaf.members is None or len(leaf.members) < 2 or leaf.usage_bytes is None or leaf.stat is None:
        return None
    if any((one := step.rows.get(pid)) is None or one.name != row.name for pid in leaf.members):
        return None
    ledger = cgroup_ledger(leaf.usage_bytes, leaf.stat)
    used_bytes = ledger.whole_bytes - reclaimable_bytes(ledger)
    return SumPoint(leaf.path, step.now_s, used_bytes, limit.headroom_max_bytes)


def huge_point(row: ProcessRow, now_s: float) -> SumPoint | None:
    """Its huge pages (hugetlb), which RES does not have; None if it has none.

    It has no room: what their pool leaves may be reserved for it.
    """
    return SumPoint(row.key, now_s, row.hugetlb_bytes, sys.maxsize) if row.hugetlb_bytes else None


def held_point(row: ProcessRow, held: HeldMemory | None, limit: LimitRow | None, now_s: float) -> SumPoint | None:
    """The memory of a process that RES does not have: what it keeps by what it has open or has created, all of it, of
    which RES has what is mapped; and its page tables. None where nothing of that is known.

    ``limit`` is the limit that kills first.
    """
    report = held.report if held is not None else None
    if report is None and row.page_tables_bytes is None:
        return None
    used_bytes = (row.page_tables_bytes or 0) + (report.known_bytes if report is not None else 0)
    known = (row.key, row.page_tables_bytes is None, report is None)
    return SumPoint(known, now_s, used_bytes, limit.headroom_max_bytes if limit is not None else sys.maxsize)


def unseen_point(row: ProcessRow, held: HeldMemory | None, now_s: float) -> SumPoint | None:
    """About what the kernel may hold for descriptors of which it does not tell: a number of them that grows."""
    report = held.report if held is not None else None
    return SumPoint(row.key, now_s, report.untold_bytes, sys.maxsize) if report is not None else None


def held_is_notable(row: ProcessRow, held: HeldMemory | None) -> bool:
    """Whether that is so much that its growth matters."""
    known_bytes = held.report.known_bytes if held is not None and held.report is not None else 0
    return known_bytes + (row.page_tables_bytes or 0) >= SOME_BYTES


def family_point(key: ProcessKey, family: FamilySum | None, limit: LimitRow | None) -> SumPoint | None:
    """What the fork family of a process takes; None while that is not known."""
    if family is None or family.at_s is None or family.size_bytes is None or limit is None:
        return None
    return SumPoint((key, family.measure), family.at_s, family.size_bytes, limit.headroom_max_bytes)

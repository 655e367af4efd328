"""Admission of smaps readings: whether one reading may begin now, within its own budget and the common one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from memtop.analysis.memory_map.piece_budget import SMAPS_MAX_S, pieces_cost_s
from memtop.analysis.memory_map.read_cost import Why
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample
from memtop.sampling.smaps.collector import Collector
from memtop.sampling.smaps.process_readings import PAGEMAP, ProcessReadings
from memtop.sampling.smaps.smaps_view import Missing

FIRST_SETTLE_S: Final = 0.03
"""Time to wait for a first reading, so that a panel opens with numbers in it."""
TURN_MOST: Final = 32
"""Most rollups that begin at one tick ..."""
WAITED_MOST: Final = 2
"""Readings of pagemap under way beyond which even one that the user waits for does not begin ..."""
TURN_S: Final = 0.010
"""... the most that they may cost together ..."""
TURN_DUTY: Final = 0.01
"""... and the share of the time that they may use in the long run."""
TURN_CPU_DUTY: Final = 0.005
"""The same for pagemap, which is read where smaps_rollup would hold a process up: a share of a core."""
ONCE_S: Final = 150.0
"""How long a run of one sample waits for its readings at most: a reading that hangs is reported sooner ..."""
ONCE_SETTLE_S: Final = 0.5
"""... looking at this interval whether one does."""

_WHY: Final = {Why.FORBIDDEN: Missing.FORBIDDEN, Why.TOO_DEAR: Missing.TOO_DEAR, Why.UNKNOWN_COST: Missing.UNKNOWN_COST}


class Admission:
    """Begins readings that may begin. It belongs to the scheduler and is used in the engine's thread only."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._credit_s, self._credit_at_s = TURN_S, -math.inf
        """Time that rollups may cost now. They may overdraw it once; then they wait."""
        self._cpu_credit_s = TURN_S
        """The same for pagemap in their place, in processor time of memtop."""
        self.wanted: set[ProcessKey] = set()
        """Processes of which a reading is wanted at this tick."""
        self._unsettled: list[tuple[ProcessSample, str]] = []
        """Readings that the user waits for: the first one of a process, or one that the user asked for."""

    def take_turns(
        self, plan: SamplePlan, waiting: Sequence[ProcessSample], from_s: float, *, calm: bool, lazy_free: bool = False
    ) -> None:
        """Begin rollups within their common budget: the oldest first, and of equals the largest process first."""
        if self._credit_at_s < self._collector.now_s:
            elapsed_s = self._collector.now_s - self._credit_at_s
            self._credit_s = min(TURN_S, self._credit_s + TURN_DUTY * elapsed_s)
            self._cpu_credit_s = min(TURN_S, self._cpu_credit_s + TURN_CPU_DUTY * elapsed_s)
            self._credit_at_s = self._collector.now_s
        self._cpu_credit_s, self._collector.refund_s = self._cpu_credit_s + self._collector.refund_s, 0.0
        begun = 0
        self.wanted.update(seen.key for seen in waiting)
        for seen in sorted(waiting, key=self._rank):
            if begun == TURN_MOST or self._credit_s <= 0:
                return
            begun += self.begin(plan, seen, "smaps_rollup", from_s, calm=calm, lazy_free=lazy_free)

    def _rank(self, seen: ProcessSample) -> tuple[float, int]:
        record = self._collector.records.get(seen.key)
        rss_bytes = seen.statm.rss_bytes if seen.statm is not None else 0
        return record.tried_s if record is not None else -math.inf, -rss_bytes

    def begin(
        self,
        plan: SamplePlan,
        seen: ProcessSample,
        name: str,
        from_s: float,
        *,
        calm: bool = False,
        seldom: bool = False,
        lazy_free: bool = False,
    ) -> bool:
        """Begin one reading if the budget allows it. Returns whether it was begun.

        ``calm``: if nothing has moved, the last reading is good for longer. ``seldom``: it is, even if something has
        moved. ``lazy_free``: the reading is for a field that pagemap does not have.
        """
        record = self._collector.record(seen.key)
        record.verdict = None
        self.wanted.add(seen.key)
        if seen.statm is None:
            record.missing = why_without_memory(seen)
            return False
        if record.parsing_s is not None or (record.pending and not record.budget.under_way):
            return False
        readings = plan.readings
        looked_at = seen.key == readings.focus or seen.key in readings.visible or seen.key.pid in (plan.pids or ())
        urgent = record.asked or (looked_at and record.tried_s == -math.inf)
        if readings.smaps and not record.asked and record.must_be_counted(name, self._collector.now_s):
            self._collector.count(seen, record, from_s)
            if record.pending:
                self._unsettled += [(seen, name)] * urgent
                return True
        load = record.load(name, seen)
        stall_s = None if load is None else record.budget.stall_s(load, self._collector.machine, self._collector.now_s)
        by_pieces = plan.readings.smaps and not (record.asked or lazy_free) and self._holds_up(record, stall_s)
        if by_pieces and name == "smaps_rollup" and self._cpu_credit_s <= 0 and not self._is_waited_for(plan, record):
            return False
        if by_pieces:
            marking = record.mark is not None and record.mark.regions is None
            calm = seldom or (calm and record.calm(PAGEMAP, seen))
            verdict = record.pieces.may_read(self._collector.now_s, asked=marking, calm=calm)
        else:
            verdict = record.budget.may_read(
                self._collector.now_s,
                load,
                self._collector.machine,
                asked=record.asked,
                calm=seldom or (calm and record.calm(name, seen)),
                forbidden=not plan.readings.smaps,
            )
        record.verdict = verdict
        if not verdict.allowed:
            record.missing = _WHY.get(verdict.why, record.missing)
            return False
        if record.missing in _WHY.values():
            record.missing = Missing.UNREAD
        is_turn = name == "smaps_rollup"
        if by_pieces:
            charge_s = pieces_cost_s(seen.statm.rss_bytes) if is_turn else 0.0
            self._cpu_credit_s -= charge_s
            self._collector.begin(seen, record, PAGEMAP, from_s, None, charged_s=charge_s)
        else:
            self._credit_s -= (stall_s or 0.0) if is_turn else 0.0
            self._collector.begin(seen, record, name, from_s, load)
        self._unsettled += [(seen, name)] * urgent
        return True

    def _is_waited_for(self, plan: SamplePlan, record: ProcessReadings) -> bool:
        """Whether the user waits for this first reading, and few others of that kind are under way."""
        if Need.FAMILY_SOON not in plan.readings.focus_needs or record.tried_s != -math.inf:
            return False
        pending = (path for one in self._collector.records.values() for path in one.pending)
        return sum(path.endswith(f"/{PAGEMAP}") for path in pending) < WAITED_MOST

    def _holds_up(self, record: ProcessReadings, stall_s: float | None) -> bool:
        """Whether pagemap is read instead of smaps: it exists, and smaps may hold the process up."""
        return self._collector.now_s > record.no_pieces_until_s and (stall_s is None or stall_s > SMAPS_MAX_S)

    def settle(self, plan: SamplePlan, from_s: float) -> None:
        """Wait briefly for readings that the user waits for."""
        unsettled, self._unsettled = self._unsettled, []
        if not unsettled:
            return
        self._collector.settle(FIRST_SETTLE_S)
        for seen, name in unsettled:
            if self._collector.records[seen.key].tried_s == -math.inf:
                self.begin(plan, seen, name, from_s)

    def forget_waiting(self) -> None:
        """Wait for none of the readings that have begun."""
        self._unsettled.clear()

    def wait_for_all(self) -> None:
        """Wait for all readings that are under way, up to ONCE_S."""
        left = round(ONCE_S / ONCE_SETTLE_S)
        while left and any(record.pending for record in self._collector.records.values()):
            self._collector.settle(ONCE_SETTLE_S)
            left -= 1


def why_without_memory(seen: ProcessSample | None) -> Missing:
    """Why a process has no memory map to read; None stands for a process that has gone."""
    if seen is None:
        return Missing.GONE
    if seen.stat is not None and seen.stat.kernel_thread:
        return Missing.KERNEL
    if seen.stat is not None and seen.stat.state in "ZX":
        return Missing.ZOMBIE
    return Missing.ENDING if seen.stat is not None and seen.stat.ending else Missing.EMPTY

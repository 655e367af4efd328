"""Row marks from the assessment: the sign of growth (column V), share of the limit (%LIM), OOM rank (OOM#)."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final, NamedTuple

from memtop.analysis.trend.classify import Shape
from memtop.analysis.trend.hysteresis import Confirmation, Evidence
from memtop.engine.assessment.growth_tracker import GrowthTracker, Verdict, growth_now
from memtop.engine.assessment.heap_verdict import heap_verdict, towards
from memtop.engine.assessment.memory_limits import first_met, limit_rows, used_percent
from memtop.engine.assessment.oom_candidates import order_on_machine
from memtop.engine.assessment.step_input import StepInput
from memtop.model.assessment import Limit
from memtop.process_key import ProcessKey
from memtop.runtimes.view import FindingFacts
from memtop.sampling.request import Need

_SHAPES: Final = {
    Shape.FLAT: ("─", 0),
    Shape.NOISY: ("~", 1),
    Shape.SAWTOOTH: ("w", 1),
    Shape.SPIKE: ("^", 1),
    Shape.SHRINK: ("↘", 1),
    Shape.STEP: ("┘", 2),
    Shape.STAIRS: ("┘", 2),
    Shape.WARMUP: ("╭", 2),
    Shape.GROWTH: ("?", 3),
    Shape.LEAK: ("↗", 3),
    Shape.LEAK_GC: ("↗", 3),
    Shape.INSUFFICIENT: ("", -1),
}
"""Shape of the verdict, and its importance. An upward arrow is confirmed."""
_RISING: Final = frozenset({Shape.GROWTH, Shape.LEAK, Shape.LEAK_GC})
_CHANGING: Final = ("?", 3)
WARNING_SIGN: Final = "!"
DANGER_SIGN: Final = "▲"
_RANKS: Final = {Evidence.GROWING: 4, Evidence.POSSIBLE_LEAK: 5, Evidence.LIKELY_LEAK: 6}
_SOON_RANK: Final = 7
"""Of growth that meets a limit within the hour: it is sorted first."""


class RowMarks(NamedTuple):
    """Fields of ProcessRow."""

    verdict: str = ""
    verdict_rank: int | None = None
    limit_percent: float | None = None
    oom_rank: int | None = None


_NOTHING: Final = RowMarks()


class Marks:
    """The latest marks of all rows."""

    def __init__(self, verdicts: GrowthTracker) -> None:
        self._verdicts = verdicts
        self._marks: dict[ProcessKey, RowMarks] = {}
        self._percents: dict[ProcessKey, float | None] = {}
        self._ranks: dict[int, int] = {}
        self._ranked = False
        """Whether ranks were computed at this tick."""
        self._heaps: dict[ProcessKey, tuple[Confirmation, bool]] = {}
        """Verdicts on heaps of runtimes, and whether the heap is full now or within the hour; kept until newer figures
        refute them."""

    def of(self, key: ProcessKey) -> RowMarks:
        """The marks of a row."""
        return self._marks.get(key, _NOTHING)

    @property
    def heaps(self) -> Iterable[ProcessKey]:
        """Processes whose marks rest on figures of their runtimes."""
        return self._heaps.keys()

    def forget(self, key: ProcessKey) -> None:
        """Drop a process that has ended or become another program."""
        self._marks.pop(key, None)
        self._heaps.pop(key, None)

    def renew(self, judged: set[ProcessKey], step: StepInput) -> list[ProcessKey]:
        """Update the marks of the processes ``judged`` at this tick and of those on screen.

        Returns those that changed.
        """
        for key, facts in step.runtimes.items():
            found = heap_verdict(facts, step.now_s)
            if found is not None:
                self._heaps[key] = found[0], _heap_ends_soon(facts)
            else:
                self._heaps.pop(key, None)
        touched = judged | step.runtimes.keys() | self._look(step) | set(self._verdicts.alarmed())
        return [key for key in touched if self._renew(key, step)]

    def _look(self, step: StepInput) -> set[ProcessKey]:
        """The columns of limits and OOM rank, if they are on screen."""
        readings, processes = step.plan.readings, step.sample.processes
        needs = readings.row_needs
        touched: set[ProcessKey] = set()
        self._percents, self._ranks, self._ranked = {}, {}, Need.VICTIM in needs
        if Need.CGROUP in needs:
            everything = Need.CGROUP in readings.needs_all
            keys = [seen.key for seen in processes.values()] if everything else list(readings.visible)
            by_chain: dict[tuple[str, ...], float | None] = {}
            for key in keys:
                if chain := step.chain(key):
                    if chain not in by_chain:
                        by_chain[chain] = used_percent(key, step)
                    self._percents[key] = by_chain[chain]
                    touched.add(key)
        if Need.VICTIM in needs:
            self._ranks = {pid: rank for rank, pid in enumerate(order_on_machine(step), 1)}
            touched.update(seen.key for seen in processes.values())
        return touched

    def _renew(self, key: ProcessKey, step: StepInput) -> bool:
        if step.process(key) is None:
            return False
        old = self._marks.get(key, _NOTHING)
        verdict, heap = self._verdicts.of(key), self._heaps.get(key)
        by_heap = heap is not None and (verdict is None or not verdict.alarm)
        found, rank = (
            sign_of(heap[0], soon=heap[1])
            if by_heap and heap is not None
            else sign(verdict, soon=_soon(key, verdict, step))
        )
        oom_rank = self._ranks.get(key.pid) if self._ranked else old.oom_rank
        fresh = RowMarks(found, rank, self._percents.get(key, old.limit_percent), oom_rank)
        if fresh == old:
            return False
        self._marks[key] = fresh
        return True


def _heap_ends_soon(facts: FindingFacts) -> bool:
    """Whether the finding about its heap is a danger."""
    return facts.alarm == "heap_full" or facts.ends_soon


def _soon(key: ProcessKey, verdict: Verdict | None, step: StepInput) -> bool:
    """Whether confirmed growth meets a limit that kills, or at which allocations fail, within the hour."""
    growth = growth_now(verdict, step.now_s) if verdict is not None and verdict.alarm else None
    if growth is None:
        return False
    met = first_met(key, limit_rows(key, step), step)
    growth = towards(growth, met, step.runtimes.get(key))
    return growth is not None and growth.soon and met is not None and met.limit is not Limit.HIGH


def sign(verdict: Verdict | None, *, soon: bool = False) -> tuple[str, int | None]:
    """Two cells, severity and shape, and their value for sorting the column; empty and None before a verdict.

    ``soon``: confirmed growth meets its limit within the hour.
    """
    return ("", None) if verdict is None else sign_of(verdict.state, soon=soon, rests=verdict.pauses)


def sign_of(state: Confirmation, *, soon: bool = False, rests: bool = False) -> tuple[str, int | None]:
    """The same for a state. The sign of severity is that of the finding.

    ``rests``: it has been level for longer than it usually rests.
    """
    shape, rank = _SHAPES[state.kind] if not state.changing else _CHANGING
    if rests and state.kind in _RISING:
        shape, rank = _SHAPES[Shape.WARMUP]
    if state.evidence is not None:
        return (DANGER_SIGN if soon else WARNING_SIGN) + shape, _SOON_RANK if soon else _RANKS[state.evidence]
    return (sys.intern(" " + shape), rank) if shape else ("", None)  # most rows have the same one

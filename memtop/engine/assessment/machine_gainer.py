"""Finds the process that has gained most within the last minute, while the machine's available memory falls."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Final, NamedTuple

from memtop.analysis.incidents.machine import LEAST_GAIN_BYTES, least_fall_bytes
from memtop.analysis.trend.rising import Rise
from memtop.engine.assessment.fork_copier import find_copier
from memtop.engine.assessment.step_input import StepInput
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey

EVERY_TICKS: Final = 15
"""How often all processes are compared. Between, those are that rise."""
COPIER_TICKS: Final = 5
"""How often all are searched for one that copies memory."""
_SEEN_SHARE: Final = 0.5
"""The processes that are read must hold so much of the machine's anonymous memory to be all there are."""

_ANON: Final = attrgetter("anon_bytes")
_GAIN: Final = attrgetter("growth_bytes_per_min")


class MachineGainer(NamedTuple):
    """What is known of the processes, of a fall of available memory."""

    row: ProcessRow | None = None
    """The process that has gained most, where it may explain what falls; None where nothing does."""
    all_seen: bool = True
    """Whether those that are read hold most of the machine's anonymous memory."""
    copier: ProcessRow | None = None
    """A process that copies memory which it shares since a fork, where that explains what the machine loses."""


class GainerFinder:
    """:meth:`take` once a tick."""

    def __init__(self) -> None:
        self._ticks = 0
        self._key: ProcessKey | None = None
        self._rising: set[int] = set()
        """PIDs of those that have risen since the last but one time that all were compared, and of the one that had
        gained most then: what grows may stand still at one tick."""
        self._lately: set[int] = set()
        """Of those that have risen since all were compared."""
        self._most_of_others = 0.0
        """The most that one of the others had gained then: they have gained no more since. 0 where that explains no
        fall."""
        self._all_seen = True
        self._copier: ProcessKey | None = None

    def take(self, step: StepInput, used: Rise | None, risen: Iterable[int], anon: Rise | None) -> MachineGainer:
        """``used`` is the rise of RAM that is not available, ``anon`` that of anonymous memory, ``risen`` the PIDs of
        those that are larger than at the sample before, and large enough."""
        total_bytes = step.meminfo.total_bytes if step.meminfo is not None else None
        if used is None or used.size_bytes < least_fall_bytes(total_bytes or 0):
            self._ticks = 0
            return MachineGainer()
        is_due = self._ticks % EVERY_TICKS == 0
        if is_due:
            self._all_seen = _all_seen(step)
        if self._ticks % COPIER_TICKS == 0:
            copier = find_copier(step.rows.values(), anon) if anon is not None else None
            self._copier = copier.key if copier is not None else None
        copies = step.row(self._copier) if self._copier is not None else None
        self._rising.update(risen)
        self._lately.update(risen)
        best = self._most_of_rising(step)
        if is_due or best is None or (_GAIN(best) or 0.0) < self._most_of_others:
            self._compare_all(step)
            best = self._most_of_rising(step)
        self._ticks += 1
        self._key = best.key if best is not None else None
        return MachineGainer(best, self._all_seen, copies)

    def _most_of_rising(self, step: StepInput) -> ProcessRow | None:
        """That which has gained most of those that rise; of equal ones it stays the same."""
        known = step.row(self._key) if self._key is not None else None
        rows = list(filter(None, (known, *map(step.rows.get, self._rising))))
        gains = [gain or 0.0 for gain in map(_GAIN, rows)]
        return rows[gains.index(max(gains))] if rows else None

    def _compare_all(self, step: StepInput) -> None:
        gains = dict(zip(step.rows, [gain or 0.0 for gain in map(_GAIN, step.rows.values())], strict=True))
        self._rising = {*self._lately, *([max(gains, key=gains.__getitem__)] if gains else [])}
        self._lately = set()
        for pid in self._rising:
            gains.pop(pid, None)
        most = max(gains.values(), default=0.0)
        self._most_of_others = most if most >= LEAST_GAIN_BYTES else 0.0


def _all_seen(step: StepInput) -> bool:
    anon_bytes = step.meminfo.anon_bytes if step.meminfo is not None else None
    return anon_bytes is None or sum(filter(None, map(_ANON, step.rows.values()))) >= _SEEN_SHARE * anon_bytes

"""Finds the events of a tick, to go to in a recording: ends, OOM kills, restarts, growth verdicts, limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from memtop.analysis.incidents import CgroupFacts, Incident, IncidentInputs, MachineFacts
from memtop.analysis.trend.hysteresis import Evidence
from memtop.engine.assessment.growth_tracker import GrowthTracker
from memtop.engine.assessment.process_names import process_name
from memtop.engine.assessment.step_input import StepInput
from memtop.model.assessment import ExitReport
from memtop.model.row import ProcessRow
from memtop.model.timeline import EventKind
from memtop.process_key import ProcessKey
from memtop.sources.protocol import NotedEvent

LEVELS: Final = (80.0, 90.0)
"""Percentages of a limit whose crossing is an event, those of the incidents."""
BELOW: Final = 5.0
"""A level can be crossed again after the use was so many points below it."""
SOON_S: Final = 60.0
"""A program that ends or comes back again within so long does so in a loop: of its events there are the first, the
second, the fourth and so on. One each second would hide all others from who goes from event to event."""
MOST_LOOPS: Final = 256
"""Most programs whose events are counted."""
_RANK: Final = {evidence: rank for rank, evidence in enumerate(Evidence)}
_MACHINE: Final = ""


class EventFinder:
    """:meth:`take` once a tick. What holds at the first look at it is no event: it may have begun long before.

    Of a process that ended in the ordinary way, unwatched and small, the end is no event: each second has some.
    """

    def __init__(self) -> None:
        self._alarms: dict[ProcessKey, int] | None = None
        """Evidence for each confirmed growth, as a rank; None before the first tick."""
        self._levels: dict[str, int] = {}
        """Levels that each cgroup, or the machine, is above."""
        self._kills: set[tuple[str | None, float]] = set()
        """OOM kills of unknown processes, by cgroup and time."""
        self._counts: dict[tuple[EventKind, str, bool], tuple[int, float]] = {}
        """Events of each kind and program, of watched processes apart, one soon after the other: how many, and when the
        last was."""

    def take(
        self,
        step: StepInput,
        ends: Iterable[tuple[ExitReport, ProcessRow | None]],
        restarted: Iterable[ProcessRow],
        verdicts: GrowthTracker,
        *,
        inputs: IncidentInputs,
        standing: Iterable[Incident],
    ) -> tuple[NotedEvent, ...]:
        """The events of one tick. ``ends`` have the last row of the process, where there is one."""
        return (
            *self._ends(ends, step.now_s),
            *self._nameless_kills(standing),
            *self._restarts(restarted, step.now_s),
            *self._verdicts(step, verdicts),
            *self._crossed(inputs.cgroups, inputs.machine),
        )

    def _ends(self, ends: Iterable[tuple[ExitReport, ProcessRow | None]], now_s: float) -> Iterator[NotedEvent]:
        for report, row in ends:
            name = process_name(row) if row is not None else f"{report.name} ({report.key.pid})"
            if report.is_oom:
                yield NotedEvent(EventKind.OOM, report.key.pid, name)
            elif report.is_notable and (
                times := self._counted(EventKind.EXIT, report.command, now_s, wanted=report.wanted)
            ):
                yield NotedEvent(EventKind.EXIT, report.key.pid, name if times == 1 else f"{name}, {times} ends so far")

    def _restarts(self, restarted: Iterable[ProcessRow], now_s: float) -> Iterator[NotedEvent]:
        for row in restarted:
            if times := self._counted(EventKind.RESTART, row.command, now_s):
                name = process_name(row)
                label = name if times == 1 else f"{name}, {times} restarts so far"
                yield NotedEvent(EventKind.RESTART, row.pid, label)

    def _counted(self, kind: EventKind, command: str, now_s: float, *, wanted: bool = False) -> int:
        """How many such events there are by now, one soon after the other; 0 for one to be left out."""
        at = kind, command, wanted
        times, last_s = self._counts.pop(at, (0, now_s))
        times = times + 1 if now_s - last_s <= SOON_S else 1
        self._counts[at] = times, now_s
        if len(self._counts) > MOST_LOOPS:
            del self._counts[next(iter(self._counts))]
        return times if times & (times - 1) == 0 else 0

    def _nameless_kills(self, standing: Iterable[Incident]) -> Iterator[NotedEvent]:
        kills = {
            (one.subject.path, one.since_s): one.subject.name
            for one in standing
            if one.name in ("oom_kill", "unseen_kill") and one.subject.key is None
        }
        for kill, name in kills.items():
            if kill not in self._kills:
                yield NotedEvent(EventKind.OOM, None, f"a process of {name}" if name else "a process")
        self._kills = set(kills)

    def _verdicts(self, step: StepInput, verdicts: GrowthTracker) -> Iterator[NotedEvent]:
        before, now = self._alarms, {}
        for key in verdicts.alarmed():
            found = verdicts.of(key)
            evidence = found.state.evidence if found is not None else None
            if evidence is None:
                continue
            now[key] = _RANK[evidence]
            is_news = before is not None and now[key] > before.get(key, -1)
            if is_news and (row := step.row(key)) is not None:
                yield NotedEvent(EventKind.VERDICT, key.pid, f"{process_name(row)}: {evidence.value}")
        self._alarms = now

    def _crossed(self, cgroups: Iterable[CgroupFacts], machine: MachineFacts) -> Iterator[NotedEvent]:
        uses = {one.path: (one.name, one.used_percent) for one in cgroups}
        if machine.total_bytes and machine.available_bytes is not None:
            uses[_MACHINE] = "RAM", 100 * (1 - machine.available_bytes / machine.total_bytes)
        levels: dict[str, int] = {}
        for path, (name, percent) in uses.items():
            above, before = sum(percent >= level for level in LEVELS), self._levels.get(path)
            if before is not None and above > before:
                yield NotedEvent(EventKind.LIMIT, None, f"{name}: {LEVELS[above - 1]:.0f} %")
            if before is not None and above < before and percent > LEVELS[before - 1] - BELOW:
                above = before
            levels[path] = above
        self._levels = levels

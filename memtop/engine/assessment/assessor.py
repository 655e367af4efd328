"""Assesses all processes at every tick: row marks, assessments and exit reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from itertools import islice
from types import MappingProxyType
from typing import Final

from memtop.analysis.incidents.processes import forecast_of
from memtop.analysis.limits.heap_use import HeapUse
from memtop.analysis.severity import Severity
from memtop.analysis.trend.forecast import Room
from memtop.engine.assessment.event_counters import Counters
from memtop.engine.assessment.event_finder import EventFinder
from memtop.engine.assessment.exit_analysis import AUTOPSIES, ExitAnalysis
from memtop.engine.assessment.expensive_inputs import ExpensiveInputs
from memtop.engine.assessment.growing_group import GrowingGroup
from memtop.engine.assessment.growth_tracker import GrowthTracker
from memtop.engine.assessment.heap_uses import heap_uses
from memtop.engine.assessment.incident_tracker import IncidentTracker
from memtop.engine.assessment.lives import LivesTracker, loop_facts
from memtop.engine.assessment.machine_trend import MachineTrend
from memtop.engine.assessment.memory_limits import room_of
from memtop.engine.assessment.part_owners import OWNED
from memtop.engine.assessment.process_assessor import ProcessAssessor, at_its_end
from memtop.engine.assessment.process_names import process_name
from memtop.engine.assessment.rise_tracker import RiseTracker
from memtop.engine.assessment.row_marks import Marks, RowMarks
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.assessment.task_totals import TaskTotals
from memtop.engine.assessment.tick_index import TickIndex
from memtop.history.rings import History
from memtop.model.assessment import Assessment, ExitReport
from memtop.model.incidents import IncidentReport
from memtop.model.lives import Lives
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey
from memtop.runtimes.program_names import counts_its_heap
from memtop.runtimes.view import FindingFacts
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.request import SamplePlan
from memtop.sampling.sample import Sample, SampleChanges
from memtop.sources.protocol import NotedEvent

LARGEST: Final = 50
"""Number of the largest processes whose end is reported, in addition to watched ones."""
LARGEST_TICKS: Final = 5
"""Ticks after which the largest are determined again."""
YOUNGEST: Final = 1024
"""Number of the processes started last that are watched too, so that the status of their end is known."""

MOST_FAMILIES: Final = 64
"""Processes whose fork families are summed: in a recording every process is judged."""
MOST_HEAPS: Final = 12
"""Heaps of runtimes that are looked into out of focus, every few seconds: each costs a quarter of a millisecond."""
_UNSEEN: Final = {
    "family_growth": "the fork family",
    "held_growth": "memory outside RES",
    "huge_growth": "memory in huge pages",
}
"""Findings about growth that RES does not show, and what grows."""
_NEAR: Final = "near_limit"
"""The finding that names the first victim of a limit."""
MOST_URGENT: Final = 4
"""Processes that have gained most since they began to rise, whose growth is judged every few seconds."""


class Assessor:
    """Assesses all processes.

    Once a tick: :meth:`judge_growth`, then :meth:`assess` with the rows that were built from it.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self.verdicts = GrowthTracker(history)
        self.rises = RiseTracker(history)
        self.fresh: tuple[ExitReport, ...] = ()
        """Exit reports of this tick."""
        self.events: tuple[NotedEvent, ...] = ()
        """What happened at this tick, for recordings."""
        self._events = EventFinder()
        self._tick = 0
        self._largest: list[int] = []
        self._largest_heaps: list[int] = []
        """Those of the largest that may have a heap that can be read."""
        self._pids: frozenset[int] = frozenset()
        self._youngest: dict[int, None] = {}
        """PIDs of the processes first seen last, the oldest first."""
        self._large_or_young: dict[int, None] | None = None
        """The PIDs of both, until one changes."""
        self._counters = Counters()
        self._exit_analysis = ExitAnalysis(history, self._counters)
        self._lives = LivesTracker(self._counters)
        self._machine = MachineTrend()
        self._incidents = IncidentTracker(self.verdicts, self.rises, self._counters, self._machine)
        self._marks = Marks(self.verdicts)
        self._totals = TaskTotals()
        self._studies: dict[ProcessKey, ProcessAssessor] = {}
        self._ends: dict[ProcessKey, Assessment] = {}
        """Processes that ended while they were assessed in full, with their last assessment."""
        self.outlooks: dict[ProcessKey, Assessment] = {}
        """Assessments of all processes that are assessed in full, at this tick."""
        self.heap_uses: Mapping[ProcessKey, HeapUse] = {}
        """The rises that the heaps of processes explain, at the latest tick."""
        self._grows_unseen = ""
        """See :attr:`IncidentReport.grows_unseen`."""
        self._step: StepInput | None = None
        """The facts of the latest tick."""
        self.lacks_victim = False
        """Whether a limit is near, and what decides about its first victim is not known yet."""
        self.wants_all = False
        """Whether a limit was near whose first victim may be a process that is not read. It stays so: processes that
        are no longer read would look like ended ones."""

    def to_watch(self, keys: Iterable[ProcessKey]) -> list[int]:
        """PIDs whose end is to be noticed with its status: those of ``keys``, the largest, the youngest."""
        if self._large_or_young is None:
            self._large_or_young = dict.fromkeys([*self._largest, *reversed(self._youngest)])
        return list(dict.fromkeys([key.pid for key in keys]) | self._large_or_young)

    def row_marks(self, key: ProcessKey) -> RowMarks:
        """The marks of a row."""
        return self._marks.of(key)

    def forget(self, key: ProcessKey) -> None:
        """Drop a process that has ended. What was last said of it stays for its exit report."""
        self.verdicts.forget(key)
        self.rises.forget(key)
        self._marks.forget(key)

    def begin_again(self, key: ProcessKey) -> None:
        """Drop all that is known of a process that has become another program."""
        self.forget(key)
        self._studies.pop(key, None)

    def report_on(self, key: ProcessKey) -> ExitReport | None:
        """How a process ended; None while it lives, and if its end is not remembered."""
        return self._exit_analysis.of(key)

    @property
    def ended(self) -> tuple[ExitReport, ...]:
        """The ends of processes that were watched, large or killed, the latest first."""
        return self._exit_analysis.ended

    @property
    def restarted(self) -> tuple[ProcessRow, ...]:
        """Processes found at this tick that take the place of one that crashed."""
        return self._lives.restarted

    def note_signal(self, key: ProcessKey, number: int) -> None:
        """Note that memtop itself sent a signal to a process."""
        self._exit_analysis.note_signal(key, number)

    def lives(self, key: ProcessKey) -> Lives | None:
        """The lives of the program that a process runs; None if it has not ended and come back."""
        return self._lives.of(key)

    def hold(self, living: Iterable[ProcessKey], watched: Iterable[ProcessKey]) -> None:
        """Watch the ``living`` of the ``watched`` processes from the next instant on."""
        self._exit_analysis.hold(living, watched)

    def wants_lazy_free(self, key: ProcessKey, now_s: float, *, always: bool = False) -> bool:
        """Whether the verdict on this process needs LazyFree now."""
        return self.verdicts.wants_lazy_free(key, now_s, always=always)

    def heaps_to_read(self, rows: Mapping[int, ProcessRow]) -> list[ProcessKey]:
        """Processes whose heaps are to be read, because RES does not tell what is alive on them.

        First those that were found to fill, until they are found not to; then those whose RES rises; then the largest.
        """
        largest = (rows[pid].key for pid in self._largest_heaps if pid in rows)
        found = (
            (key, rows.get(key.pid)) for key in dict.fromkeys([*self._marks.heaps, *self.verdicts.risers(), *largest])
        )
        counting = (key for key, row in found if row is not None and row.key == key and _may_count(row))
        return list(islice(counting, MOST_HEAPS))

    def families(self, plan: SamplePlan) -> list[ProcessKey]:
        """The processes that are judged of which :meth:`wants_family_sum` holds, those that were asked for first."""
        return list(islice(filter(self.wants_family_sum, plan.assessed), MOST_FAMILIES))

    def wants_family_sum(self, key: ProcessKey | None) -> bool:
        """Whether a process has fork relatives whose memory no cgroup's charge shows."""
        study = self._studies.get(key) if key is not None else None
        return study is not None and study.wants_family_sum

    def row_wanting_lazy_free(self, focus: ProcessKey | None, now_s: float) -> ProcessKey | None:
        """A process out of focus whose growth only LazyFree may refute; None if none is due."""
        return self.verdicts.row_wanting_lazy_free(focus, now_s)

    def judge_growth(
        self,
        sample: Sample,
        plan: SamplePlan,
        lazy_free: Mapping[ProcessKey, tuple[float, int]],
        before: Sample | None = None,
    ) -> list[ProcessKey]:
        """Judge the growth of processes from sample and history. Returns those whose :meth:`row_marks` changed.

        ``lazy_free`` has time and bytes of memory that processes have given back by MADV_FREE, if that was read.
        ``before`` is the sample before the first that is judged: counters have risen since it.
        """
        before = self._step.sample if self._step is not None else before
        runtimes = self._step.runtimes if self._step is not None else {}
        step = StepInput(
            sample, before, plan, sample.cgroups or CgroupSample(), runtimes=runtimes, limits={}, unread={}
        )
        self._machine.take(step)
        step = self._step = step._replace(machine_room=self._machine.room, rises=self._machine.parts)
        for key, reading in lazy_free.items():
            self.verdicts.note_lazy_free(key, *reading)
        first = list(dict.fromkeys([*list(self.rises.largest)[:MOST_URGENT], *plan.assessed]))
        changed = self.verdicts.look(step.now_s, plan.interval_s, first, lambda key: self._room(key, step))
        return self._marks.renew(set(changed), step)

    def assess(
        self,
        rows: Mapping[int, ProcessRow],
        last: Mapping[ProcessKey, ProcessRow],
        inputs_of: Mapping[ProcessKey, ExpensiveInputs] = MappingProxyType({}),
        groups: Sequence[GrowingGroup] = (),
        heaps: Mapping[ProcessKey, FindingFacts] = MappingProxyType({}),
        *,
        changes: SampleChanges | None = None,
    ) -> None:
        """Report exits, and assess in full the processes that the plan of this tick names.

        ``rows`` are those of this tick by PID, ``last`` the rows of those that ended now, ``inputs_of`` the expensive
        inputs of those assessed in full, ``groups`` what grows as a whole, ``heaps`` what runtimes of others report,
        ``changes`` those that the rows were built from.
        """
        assert self._step is not None, "judge_growth comes first"
        runtimes = {**heaps, **{key: inputs.heap for key, inputs in inputs_of.items() if inputs.heap is not None}}
        step = self._step = self._step._replace(rows=rows, runtimes=runtimes, changes=changes)
        self._tick += 1
        self._counters.note(step)
        self.rises.take(step)
        ends = self._exit_analysis.examine(step, last, self.outlooks)
        new = self._note_new(step)
        was_read = not self.wants_all or step.before is None or step.before.everybody == step.everybody
        self._lives.take(step, ends, new if was_read else ())  # otherwise they are older than the first look at them
        self.fresh = tuple(
            one._replace(first_life=self._lives.first(one.key))
            for one in ends
            if self._exit_analysis.of(one.key) is not None
        )
        self.heap_uses = heap_uses(step, self.verdicts, self.rises)
        report = self._incidents.take(step, self.fresh, last, self._lives.loops(step), groups, heaps=self.heap_uses)
        assert self._incidents.inputs is not None
        self.events = self._events.take(
            step,
            [(one, last.get(one.key) or step.row(one.key)) for one in self.fresh],
            self.restarted,
            self.verdicts,
            inputs=self._incidents.inputs,
            standing=report.standing,
        )
        if self._tick % LARGEST_TICKS == 1:
            largest = nlargest(LARGEST, rows.values(), key=lambda row: row.rss_bytes or 0)
            self._largest = [row.pid for row in largest if row.rss_bytes]
            self._largest_heaps = [row.pid for row in largest if row.rss_bytes and _may_count(row)]
            self._large_or_young = None
        assessed = step.plan.assessed
        self._studies = {key: self._studies.get(key) or self._new_study() for key in assessed}
        self._totals.begin()
        index = TickIndex(step, self._totals)
        self.outlooks = {
            key: self._look_at(key, study, step, index, inputs_of.get(key, ExpensiveInputs()))
            for key, study in self._studies.items()
        }
        self._grows_unseen = self._find_growing_unseen(step)
        self.lacks_victim = any(map(_lacks_victim, self.outlooks.values()))
        self.wants_all |= self.lacks_victim and not step.everybody
        self._exit_analysis.hold_only([*self._largest, *(key.pid for key in step.plan.readings.visible)], step)

    def _find_growing_unseen(self, step: StepInput) -> str:
        for key, outlook in self.outlooks.items():
            what = next((_UNSEEN[one.name] for one in outlook.findings if one.name in _UNSEEN), None)
            row = step.row(key) if what is not None else None
            if row is not None:
                return f"{what} of {process_name(row)}"
        return ""

    def _note_new(self, step: StepInput) -> list[int]:
        """The processes that were not there at the previous tick."""
        rows = step.rows
        new = sorted((rows.keys() - self._pids) | {key.pid for key in step.sample.gone if key.pid in rows})
        if not new and len(rows) == len(self._pids):
            return []
        self._pids, self._large_or_young = frozenset(rows), None
        for pid in [pid for pid in self._youngest if pid not in rows]:
            del self._youngest[pid]
        self._youngest |= dict.fromkeys(pid for pid in new[-YOUNGEST:] if rows[pid].note is not Note.KERNEL)
        for pid in list(self._youngest)[:-YOUNGEST]:
            del self._youngest[pid]
        return new

    def growing_alone(self) -> dict[ProcessKey, float]:
        """The processes that rise, or whose growth is confirmed, in bytes a second."""
        found = {key: fact.rise.bytes_per_s for key, fact in self.rises.largest.items()}
        for key in self.verdicts.alarmed():
            verdict = self.verdicts.of(key)
            slope = verdict.standing.slope_bytes_per_s if verdict is not None else None
            found[key] = max(found.get(key, 0.0), slope or 0.0)
        return found

    @property
    def wants_holders(self) -> bool:
        """Whether a part of RAM rises that belongs to the kernel, and that one process may cause."""
        report = self.incidents
        return report is not None and any(one.facts.get("part_id") in OWNED for one in report.standing)

    def severities_of(self, chain: Sequence[str]) -> dict[str, Severity]:
        """By rule the worst severity of the incidents that the machine and these cgroups have."""
        return self._incidents.severities_of(chain)

    @property
    def incidents(self) -> IncidentReport | None:
        """What deserves attention on the machine; None before the first tick."""
        report = self._incidents.report
        return report._replace(grows_unseen=self._grows_unseen) if report is not None else None

    def known(self, keys: Iterable[ProcessKey]) -> dict[ProcessKey, Assessment]:
        """The assessments of these processes at the last tick, or at their end.

        Those that were not assessed have none.
        """
        found = {key: self.outlooks.get(key) or self._ended(key) for key in keys}
        return {key: outlook for key, outlook in found.items() if outlook is not None}

    def at_last_tick(self, key: ProcessKey) -> Assessment | None:
        """The assessment of a process that came into focus after the last tick, by what was read then; or None."""
        step = self._step
        row = step.row(key) if step is not None else None
        if step is None or row is None or row.note is Note.ZOMBIE or row.rss_bytes is None:
            return None
        return self._look_at(key, self._new_study(), step, TickIndex(step, self._totals), ExpensiveInputs())

    def _ended(self, key: ProcessKey) -> Assessment | None:
        if self._step is not None:  # a successor may have come while the process was not assessed
            self._exit_analysis.follow(key, self._step)
        autopsy = self._exit_analysis.of(key)
        return at_its_end(self._ends.get(key, Assessment()), autopsy, self._counters) if autopsy is not None else None

    def _new_study(self) -> ProcessAssessor:
        return ProcessAssessor(self.verdicts, self.rises, self._counters, self._history)

    def _look_at(
        self, key: ProcessKey, study: ProcessAssessor, step: StepInput, index: TickIndex, inputs: ExpensiveInputs
    ) -> Assessment:
        """Assess one process in full, alive or not."""
        row = step.row(key)
        if row is not None and row.note is not Note.ZOMBIE:
            if (leaf := step.leaf(key)) is not None:
                self._exit_analysis.note_alive(key, leaf, step.now_s)
            lives = self._lives.of(key)
            if key in step.plan.in_turn and lives is None and study.rests(row, index, inputs):
                return study.last
            forecast = forecast_of(key, found) if (found := self._incidents.inputs) is not None else None
            loop = loop_facts(lives) if lives is not None else None
            incidents = self._incidents.severities_of(step.chain(key))
            return study.judge(
                row, step, index, inputs, loop, forecast=forecast, incidents=incidents, heaps=self.heap_uses
            )
        self._exit_analysis.follow(key, step)
        if key not in self._ends:
            self._ends[key] = study.last
            if len(self._ends) > AUTOPSIES:  # those of the command line or in focus stay
                oldest = next((one for one in self._ends if one not in self._studies), None)
                if oldest is not None:
                    del self._ends[oldest]
        return at_its_end(self._ends[key], self._exit_analysis.of(key), self._counters)

    def _room(self, key: ProcessKey, step: StepInput) -> Room | None:
        """Room that the limits leave to a process, as far as they have been read."""
        return room_of(key, step, self.verdicts) if step.process(key) is not None else None


def _may_count(row: ProcessRow) -> bool:
    """Whether the heap of a process may be read at any time."""
    return counts_its_heap(row.program_names[:2])


def _lacks_victim(outlook: Assessment) -> bool:
    """Whether a limit is near, and whom the OOM killer would kill there is not known."""
    return outlook.in_cgroup is None and any(one.name == _NEAR for one in outlook.findings)

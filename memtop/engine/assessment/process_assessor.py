"""Full assessment of one process, tick by tick: limits, growth, findings; kept after its exit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from memtop.analysis.crash_loop import LoopFacts
from memtop.analysis.findings import StandingFindings, find
from memtop.analysis.incidents.processes import Forecast
from memtop.analysis.limits.heap_use import HeapUse
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.engine.assessment.count_tracker import CountTracker
from memtop.engine.assessment.event_counters import Counters
from memtop.engine.assessment.expensive_inputs import CopyTrail, ExpensiveInputs, ReadFacts, with_expensive_inputs
from memtop.engine.assessment.finding_inputs import Judged, case_of
from memtop.engine.assessment.growth_tracker import GrowthTracker, Verdict, growth_now
from memtop.engine.assessment.heap_verdict import heap_verdict, towards, with_time_to_heap_limit
from memtop.engine.assessment.limit_names import cgroup_name, limit_name
from memtop.engine.assessment.memory_limits import (
    count_limits,
    first_met,
    first_to_kill,
    growing_beside,
    limit_rows,
    rivals_of,
)
from memtop.engine.assessment.oom_candidates import is_place_known_in, is_place_wanted, kills_group, place_in
from memtop.engine.assessment.outside_memory import OutsideMemory
from memtop.engine.assessment.rise_tracker import RiseTracker
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.assessment.sum_tracker import SumTracker, charge_point, family_point, huge_point
from memtop.engine.assessment.tick_index import TickIndex
from memtop.engine.assessment.unread_limits import limits_not_looked_at, unread_limits
from memtop.history.process_history import file_change_bytes
from memtop.history.rings import History
from memtop.model.assessment import Assessment, Events, ExitReport
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.membership import CgroupOwner
from memtop.sampling.smaps.smaps_view import Missing

AROUND_TICKS: Final = 5
"""How often zombies and the protected giant are searched, because that visits all processes."""


REST_TICKS: Final = 5
"""How often a process of which nothing has changed is assessed again, where it may rest."""
UNCOLLECTED_S: Final = 3.0
"""A child that has ended is worth a finding once two looks this far apart have found it uncollected."""
_RISEN_BYTES: Final = 8 << 20
"""A charge that has risen by this is no sign that all is well, before there is a verdict on it."""


class ProcessAssessor:
    """Assesses one process in full. The Assessor owns one for each such process."""

    def __init__(self, verdicts: GrowthTracker, rises: RiseTracker, counters: Counters, history: History) -> None:
        self._verdicts = verdicts
        self._rises = rises
        self._counters = counters
        self._history = history
        self._standing = StandingFindings()
        self._trail = CopyTrail()
        self._read = ReadFacts()
        self._charge = SumTracker()
        self._counts = CountTracker()
        self._family, self._huge, self._outside = SumTracker(), SumTracker(), OutsideMemory()
        self._has_relatives = False
        self.wants_family_sum = False
        """Whether it has fork relatives, and no cgroup's charge shows what they take together."""
        self._tick = -1
        self._zombies: dict[ProcessKey, float] = {}
        """Children that have ended and are not collected, and when they were first seen so."""
        self._giant: ProcessRow | None = None
        self._seen: tuple[object, ...] = ()
        """What the latest assessment was made of; see :meth:`rests`."""
        self._verdict: Verdict | None = None
        self._rested = 0
        self.last = Assessment(unread=("its limits have not been read",))
        """The assessment of the latest tick."""

    def rests(self, row: ProcessRow, index: TickIndex, inputs: ExpensiveInputs) -> bool:
        """Whether the latest assessment still holds, because nothing has changed that it was made of.

        It never does for more than REST_TICKS, nor while anything but notes stands or is about to.
        """
        verdict = self._verdicts.of(row.key)
        state = verdict.state if verdict is not None else None
        shape = (state.kind, state.evidence, state.changing) if state is not None else None
        seen = (*_NUMBERS(row), shape, index.around(row.key))
        is_calm = state is None or not (state.alarm or state.looks)
        if (
            seen == self._seen
            and is_calm
            and (inputs.heap or inputs.family) is None
            and self._rested < REST_TICKS
            and self._standing.is_calm
            and self._rises.of(row.key) is None
        ):
            self._rested += 1
            if verdict is not None and verdict is not self._verdict:
                self.last = replace(self.last, growth=growth_now(verdict, verdict.looked_s), state=verdict.state)
                self._verdict = verdict
            return True
        self._seen, self._verdict, self._rested = seen, verdict, 0
        return False

    def judge(
        self,
        row: ProcessRow,
        step: StepInput,
        index: TickIndex,
        inputs: ExpensiveInputs,
        loop: LoopFacts | None = None,
        *,
        forecast: Forecast | None = None,
        incidents: Mapping[str, Severity] = MappingProxyType({}),
        heaps: Mapping[ProcessKey, HeapUse] = MappingProxyType({}),
    ) -> Assessment:
        """Assess one tick of a living process; ``loop`` are the earlier lives of its program, if it crashed,
        ``forecast`` is what the incidents of the machine say of it, ``incidents`` the severities of those of its
        cgroups and of the machine, by rule, and ``heaps`` are those of all processes that are
        being used for the first time."""
        key, chain, leaf = row.key, step.chain(row.key), step.leaf(row.key)
        now_s, interval_s = step.now_s, step.plan.interval_s
        self._tick += 1
        if self._tick % AROUND_TICKS == 0:
            self._zombies = {one: self._zombies.get(one, now_s) for one in index.zombies_of(row.pid)}
            self._giant = index.protected_giant
            self._has_relatives = index.has_relatives(key)
        limits = limit_rows(key, step)
        target = first_met(key, limits, step)
        kills = first_to_kill(limits)
        in_cgroup = on_machine = None
        if kills is not None and is_place_known_in(kills, step):
            in_cgroup = place_in(index.order_in_cgroup(kills), key, step)
        if in_cgroup is not None and kills is not None:
            bound = step.cgroups.readings.get(kills.path or "")
            in_cgroup = in_cgroup._replace(all_die=kills_group(in_cgroup.first, bound, step) is True)
        if is_place_wanted(step):
            on_machine = place_in(index.order_on_machine, key, step)
        tasks = sums = None
        if leaf is not None and leaf.members is not None and row.pid in leaf.members:
            tasks, sums = len(leaf.members), index.task_sums(leaf.path, leaf.members)
        copying = self._trail.take(now_s, key, inputs.sharing)
        verdict = self._verdicts.of(key)
        growth = towards(growth_now(verdict, now_s), target, step.runtimes.get(key))
        counts, held = count_limits(key, step), step.cgroups.held.get(key)
        charged = charge_point(row, kills, leaf, step)
        inside = [heap for one, heap in heaps.items() if charged is not None and charged.who in step.chain(one)]
        if charged is not None and charged.who in step.cgroups.remade:
            self._charge = SumTracker()
        charge = self._charge.take(now_s, charged, interval_s, inside)
        self.wants_family_sum = charged is None and self._has_relatives
        family = self._family.take(now_s, family_point(key, inputs.family, kills), interval_s)
        self._outside.take(row, held, kills, step)
        judged = Judged(
            limits=limits,
            charge=charge,
            charge_name=limit_name(str(charged.who), step) if charged is not None else None,
            family=family,
            huge=self._huge.take(now_s, huge_point(row, now_s), interval_s),
            held=self._outside.growth,
            opens_more=self._outside.opens_more,
            counts=counts,
            count_rise=self._counts.take(now_s, counts),
            verdict=verdict,
            growth=growth,
            rise=self._rises.of(key),
            target=target,
            siblings=forecast.others
            if forecast is not None
            else len(growing_beside(key, target, step, self._verdicts))
            if target is not None
            else 0,
            forecast=forecast,
            rivals=rivals_of(key, target, step, self._verdicts) if target is not None else None,
            in_cgroup=in_cgroup,
            on_machine=on_machine,
            copied_bytes_per_s=copying.copied_bytes_per_s if copying is not None else None,
            zombies=sum(now_s - since_s >= UNCOLLECTED_S for since_s in self._zombies.values()),
            giant=self._giant,
            tasks=sums,
            loop=loop,
        )
        self._read.take(inputs, copying)
        case = self._read.added_to(case_of(row, step, judged, self._counters, self._history), now_s)
        case = with_expensive_inputs(case, inputs)
        own = {one.name: one.severity for one in self._standing.standing}
        case = case._replace(standing={**own, **{name: max(incidents[name], own.get(name, 0)) for name in incidents}})
        self._standing = self._standing.after(find(case))
        state = verdict.state if verdict is not None else None
        heap = heap_verdict(inputs.heap, now_s) if state is None or not state.alarm else None
        if heap is not None and inputs.heap is not None:
            state, growth = heap[0], with_time_to_heap_limit(heap[1], inputs.heap, target)
        self.last = Assessment(
            findings=self._standing.standing,
            growth=growth,
            state=state,
            verdict_s=case.verdict_s,
            of_heap=heap is not None,
            lazy_free_bytes=case.lazyfree,
            level_s=_level_s(verdict, growth),
            file_change_bytes=file_change_bytes(self._history, key, growth.span_s, now_s) if growth else None,
            heap_level=case.steady_live is not None,
            limits=limits,
            counts=counts,
            first_met=target,
            cgroup=leaf,
            cgroup_name=cgroup_name(chain[0], step) if chain else "",
            owner=names.owner if (names := step.cgroups.names.get(key)) is not None else CgroupOwner(),
            unread=unread_limits(key, step),
            not_looked_at=(*limits_not_looked_at(key, step), *_family_unread(inputs)),
            charge_open=self._charge.open and self._charge.risen_bytes >= _RISEN_BYTES,
            family_open=self.wants_family_sum and _family_known(inputs) and self._family.open,
            held=held.report if held is not None else None,
            held_open=self._outside.open,
            held_doubt=self._outside.doubt,
            held_rise_bytes=self._outside.rise_bytes,
            family_rise_bytes=self._family.rise_bytes if self.wants_family_sum and _family_known(inputs) else None,
            cgroup_known=bool(chain),
            events=self._counters.events(leaf.path) if leaf is not None else Events(),
            policy=step.cgroups.policy,
            in_cgroup=in_cgroup,
            on_machine=on_machine,
            tasks_rss_bytes=sums.rss_bytes if sums is not None else None,
            tasks=tasks,
            tools=inputs.tools,
        )
        return self.last


_NUMBERS: Final = attrgetter(
    "rss_bytes",
    "virt_bytes",
    "anon_bytes",
    "shmem_bytes",
    "swap_bytes",
    "hugetlb_bytes",
    "page_tables_bytes",
    "minflt_per_s",
    "majflt_per_s",
    "threads",
    "state",
    "note",
    "name_raw",
    "oom_score_adj",
)
"""The numbers of a row that findings are made of, apart from its age."""


def _family_known(inputs: ExpensiveInputs) -> bool:
    """Whether the sum over its family was read, or is being read."""
    return inputs.family is not None and inputs.family.missing in (Missing.NOTHING, Missing.UNREAD)


def _family_unread(inputs: ExpensiveInputs) -> tuple[str, ...]:
    """Why the sum over its family is not known, as a clause; empty if it is, or is being read."""
    family = inputs.family
    if family is None or _family_known(inputs):
        return ()
    return (f"what it and its {family.processes - 1} fork relatives take together ({family.missing.value})",)


def at_its_end(last: Assessment, autopsy: ExitReport | None, counters: Counters) -> Assessment:
    """The last assessment: how it ended, the limits at its end, what its cgroup has counted, its end included.

    It contains no forecast.
    """
    growth = last.growth._replace(limit_s=None, slow_s=None, soon=False) if last.growth is not None else None
    events = counters.events(last.cgroup.path) if last.cgroup is not None else last.events
    return replace(last, findings=(), growth=growth, events=events, autopsy=autopsy)


def _level_s(verdict: Verdict | None, growth: Growth | None) -> float | None:
    """Time from the step to the classification that found it."""
    if verdict is None or growth is None or growth.kind is not Shape.STEP or growth.change_at_s is None:
        return None
    return verdict.standing_s - growth.change_at_s

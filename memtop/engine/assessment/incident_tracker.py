"""Finds the incidents of the machine at every tick and keeps those that stand."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import nlargest
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from memtop.analysis.crash_loop import LoopFacts
from memtop.analysis.incidents import ExitFacts, IncidentInputs, MachineFacts, StandingIncidents, find_incidents
from memtop.analysis.incidents.exits import DEATH_SHOWN_S
from memtop.analysis.incidents.incident import Scope
from memtop.analysis.ledger.machine import MachinePart
from memtop.analysis.limits.exit_cause import Oom
from memtop.analysis.limits.heap_use import HeapUse
from memtop.analysis.limits.large import is_large
from memtop.analysis.limits.memory_limits import CgroupUse, is_known, swap_free_bytes, unread_files
from memtop.analysis.severity import Severity
from memtop.engine.assessment.cgroup_watch import CgroupWatch
from memtop.engine.assessment.event_counters import KILL_S, Counters
from memtop.engine.assessment.growing_group import GrowingGroup
from memtop.engine.assessment.growth_tracker import GrowthTracker
from memtop.engine.assessment.incident_inputs import growing_groups, growing_processes, machine_facts
from memtop.engine.assessment.limit_names import cgroup_name, limit_file
from memtop.engine.assessment.machine_gainer import GainerFinder
from memtop.engine.assessment.machine_holder import HolderFinder
from memtop.engine.assessment.machine_trend import MachineTrend
from memtop.engine.assessment.rise_tracker import RiseTracker
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.assessment.verdict_time import verdict_s
from memtop.history.rings import is_gap
from memtop.model.assessment import ExitReport
from memtop.model.incidents import IncidentReport, Unseen
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey

MOST_EARLIER: Final = 3
"""Cgroups that are named for OOM kills before memtop started."""
EXITS: Final = 64
"""Ends that are remembered."""
UNSEEN_TICKS: Final = 5
"""Ticks after which what is not seen is counted again."""
UNEXPLAINED_S: Final = 3.0
"""A kill that the machine has counted is reported without a name where no end has explained it for so long."""

_OF_OWN_LIMIT: Final = frozenset({"near_limit", "filling", "thrashing", "throttled", "near_high"})
"""Incidents of a cgroup that name its own limit or memory.high."""


class IncidentTracker:
    """:meth:`take` once a tick."""

    def __init__(self, verdicts: GrowthTracker, rises: RiseTracker, counters: Counters, trend: MachineTrend) -> None:
        self._verdicts = verdicts
        self._rises = rises
        self._counters = counters
        self._trend = trend
        self._holder = HolderFinder()
        self._gainer = GainerFinder()
        self._cgroups = CgroupWatch()
        self._exits: deque[ExitFacts] = deque(maxlen=EXITS)
        self._unexplained: list[float] = []
        """When each kill that no end explains was counted."""
        self._explained = 0
        """Ends by the OOM killer that were reported before the machine had counted them."""
        self._machine_kills: int | None = None
        self._standing = StandingIncidents()
        self._first_s: float | None = None
        """Time of the first sample, later by the gaps in which nothing was watched."""
        self._unseen = Unseen()
        self._tick = -1
        self.report: IncidentReport | None = None
        """As of the latest tick."""
        self.inputs: IncidentInputs | None = None
        """The facts of the latest tick."""

    def take(
        self,
        step: StepInput,
        exits: Iterable[ExitReport],
        last: Mapping[ProcessKey, ProcessRow],
        loops: tuple[LoopFacts, ...] = (),
        groups: Sequence[GrowingGroup] = (),
        *,
        heaps: Mapping[ProcessKey, HeapUse] = MappingProxyType({}),
    ) -> IncidentReport:
        """One tick; ``exits`` are the ends found at this tick, ``last`` the last rows of those that ended, ``loops``
        the programs that crash and come back, ``groups`` those that grow as a whole, ``heaps`` those that are being
        used for the first time."""
        self._tick += 1
        if self._first_s is None:
            self._first_s = step.now_s
        elif step.before is not None and is_gap(step.now_s - step.before.mono_s, step.plan.interval_s):
            self._first_s += step.now_s - step.before.mono_s
        self._cgroups.take(step)
        exits = tuple(exits)
        self._note_exits(step, exits, last)
        over = {path for one in exits if one.is_oom for path in self._counters.chain(one.key)}.union(
            step.cgroups.removed, step.cgroups.remade
        )
        cgroups = self._cgroups.facts(step, heaps)
        filling = frozenset(one.path for one in cgroups if one.rise is not None)
        self.inputs = IncidentInputs(
            step.now_s,
            growing_processes(step, self._verdicts, self._rises, filling),
            cgroups,
            self._machine(step),
            tuple(self._exits),
            loops,
            growing_groups(step, groups),
            self._cgroups.brakes(step),
            self._standing.severities,
        )
        self._standing = self._standing.without(self._ended(step), over | self._changed_limits(step))
        self._standing = self._standing.without_rises(self._rises.lost)
        self._standing = self._standing.after(step.now_s, find_incidents(self.inputs))
        if self._tick % UNSEEN_TICKS == 0:
            self._unseen = unseen(step)
        offset_s = step.sample.wall_s - step.now_s
        earlier = nlargest(MOST_EARLIER, self._counters.earlier_kills.items(), key=itemgetter(1))
        self.report = IncidentReport(
            self._standing.standing,
            self._unseen,
            step.now_s - self._first_s,
            verdict_s(step.plan.interval_s),
            clock_offset_s=offset_s,
            killed_before=tuple((cgroup_name(path, step), count) for path, count in earlier),
        )
        return self.report

    def severities_of(self, chain: Container[str]) -> dict[str, Severity]:
        """By rule the worst severity of the incidents that the machine and these cgroups have."""
        found: dict[str, Severity] = {}
        for one in self._standing.standing:
            if one.subject.scope is Scope.MACHINE or one.subject.path in chain:
                found[one.name] = max(one.severity, found.get(one.name, one.severity))
        return found

    def _machine(self, step: StepInput) -> MachineFacts:
        used = self._trend.used
        parts = self._trend.parts
        anon = parts.get(MachinePart.ANONYMOUS) if used is not None else None
        gainer = self._gainer.take(step, used, self._rises.risen, anon)
        holder = self._holder.take(step, self._trend)
        before = self.inputs.machine.owners.get(MachinePart.SHMEM) if self.inputs is not None else None
        return machine_facts(
            step,
            self._trend,
            self._counters,
            holder,
            used=used,
            parts=parts,
            gainer=gainer,
            sharer=before.key if before is not None else None,
        )

    def _changed_limits(self, step: StepInput) -> set[str]:
        """The cgroups with an incident about a limit that is another one now."""
        found = set()
        for one in self._standing.standing:
            timed = step.cgroups.latest.get(one.subject.path or "")
            if one.name in _OF_OWN_LIMIT and timed is not None and timed.reading.limit_bytes is not None:
                limits = timed.reading.limit_bytes, timed.reading.high_bytes
                found.update([one.subject.path or ""] if one.facts.get("limit_bytes") not in limits else [])
        return found

    def _ended(self, step: StepInput) -> set[ProcessKey]:
        """The processes with an incident that have ended, or that run another program since the previous tick."""
        before = step.before.processes if step.before is not None else {}
        keys = {one.subject.key for one in self._standing.standing if one.subject.key is not None}
        pairs = ((key, before.get(key.pid), step.process(key)) for key in keys)
        return {
            key for key, old, new in pairs if new is None or new.ending or (old is not None and old.execs != new.execs)
        }

    def _note_exits(self, step: StepInput, exits: Iterable[ExitReport], last: Mapping[ProcessKey, ProcessRow]) -> None:
        for report in exits:
            one = self._exit(step, report, last.get(report.key) or step.row(report.key))
            if one.is_oom:
                self._explain()
            elif not (one.large and (one.signal is not None or one.exit_code)):
                continue  # no rule names it, and a storm of such must not displace those that are named
            earlier = next((old for old in self._exits if _is_alike(old, one)), None)
            if earlier is not None and (one.is_oom or one.at_s - earlier.at_s <= DEATH_SHOWN_S):
                self._exits.remove(earlier)
                one = replace(one, count=earlier.count + 1)
                if earlier.cgroup_path != one.cgroup_path:
                    one = replace(one, cgroup_name="")
            self._exits.append(one)
        vmstat = step.sample.system.vmstat
        kills = vmstat.oom_kill if vmstat is not None else None
        if kills is not None and self._machine_kills is not None:
            for _ in range(min(EXITS, max(0, kills - self._machine_kills))):
                if self._explained:
                    self._explained -= 1
                else:
                    self._unexplained.append(step.now_s)
        self._machine_kills = kills
        while self._unexplained and step.now_s - self._unexplained[0] > UNEXPLAINED_S:
            at_s = self._unexplained.pop(0)
            self._exits.append(self._nameless(step, at_s))

    def _explain(self) -> None:
        if self._unexplained:
            self._unexplained.pop(0)
        else:
            self._explained += 1

    def _exit(self, step: StepInput, report: ExitReport, row: ProcessRow | None) -> ExitFacts:
        chain = self._counters.chain(report.key)
        total_bytes = step.meminfo.total_bytes if step.meminfo is not None else None
        peak = report.peak_rss_bytes or report.rss_bytes
        name = f"{row.program if row is not None else report.name} ({report.key.pid})"
        return ExitFacts(
            report.key,
            name,
            report.at_s - (step.sample.wall_s - step.now_s),
            report.is_oom,
            cgroup_path=chain[0] if chain else None,
            cgroup_name=cgroup_name(chain[0], step) if chain else "",
            limit_name=report.limit_name or "",
            limit_bytes=report.limit_bytes,
            limit_of_machine=report.limit_of_machine,
            limit_file=None if report.limit_path is None else limit_file(report.limit_path, step),
            signal=report.signal,
            exit_code=report.exit_code,
            peak_bytes=peak,
            large=report.large if report.signal is not None else is_large(peak, total_bytes, None),
            certain=report.oom is Oom.CERTAIN,
        )

    def _nameless(self, step: StepInput, at_s: float) -> ExitFacts:
        """A kill of a process that was gone before it could be noticed."""
        path = next(
            (one for one in step.cgroups.kills if (self._counters.cgroup_kills(one) or 0) > self._named(step, one)),
            None,
        )
        name = cgroup_name(path, step) if path is not None and step.now_s - at_s <= KILL_S else ""
        return ExitFacts(None, "", at_s, True, cgroup_path=path, cgroup_name=name)

    def _named(self, step: StepInput, path: str) -> int:
        """Kills in a cgroup, within the time in which its counter is asked for them, whose victims are known."""
        recent = [one for one in self._exits if one.is_oom and one.key is not None and one.cgroup_path == path]
        return sum(one.count for one in recent if step.now_s - one.at_s <= KILL_S + UNEXPLAINED_S)


def _is_alike(one: ExitFacts, other: ExitFacts) -> bool:
    """Whether two ends are one story: of the same program in the same way, and those of the OOM killer in the same
    cgroup, whose limit it was."""
    if (one.is_oom, one.signal, one.exit_code) != (other.is_oom, other.signal, other.exit_code) and not (
        one.is_oom and other.is_oom
    ):
        return False
    if one.is_oom and one.cgroup_path != other.cgroup_path:
        return False
    return one.name.partition(" (")[0] == other.name.partition(" (")[0]


def _has_hidden_limit(path: str, step: StepInput) -> bool:
    """Whether an ancestor that cannot be seen from here has a lower limit than all that can, as version 1 reports."""
    latest = step.cgroups.latest
    reading = latest[path].reading
    lowest = reading.stat.hierarchical_limit_bytes if reading.stat is not None else None
    total_bytes = step.meminfo.total_bytes if step.meminfo is not None else None
    if lowest is None or (total_bytes is not None and lowest >= total_bytes):
        return False
    while path:
        seen = latest[path].reading.limit_bytes if path in latest else None
        if seen is not None and seen <= lowest:
            return False
        path = path.rpartition("/")[0]
    return True


def _is_read(use: CgroupUse, *, swaps: bool) -> bool:
    """Whether all of its limits were read."""
    return is_known(use) and not unread_files(use, swaps=swaps)


def unseen(step: StepInput) -> Unseen:
    """What the incidents of this tick say nothing about."""
    cgroups, processes = step.cgroups, step.sample.processes
    living = ((key, processes.get(key.pid)) for key in cgroups.unread)
    unplaced = cgroups.waiting + sum(
        one is not None and one.key == key and one.statm is not None for key, one in living
    )
    latest = cgroups.latest
    swaps = swap_free_bytes(step.meminfo) != 0
    unread = sum(path not in latest or not _is_read(latest[path].reading.use, swaps=swaps) for path in cgroups.labels)
    unread += any(_has_hidden_limit(path, step) for path in latest)
    assessed = (step.process(key) for key in set(step.plan.assessed))
    # A look-up of each key takes fifteen times that.
    with_memory = len(processes) - [one.statm for one in processes.values()].count(None)
    unassessed = with_memory - sum(one is not None and one.statm is not None for one in assessed)
    watched = processes if step.plan.pids is None else step.plan.pids & processes.keys()  # not those read beside them
    return Unseen(step.sample.hidden, unplaced, unread, None if step.everybody else len(watched), unassessed)

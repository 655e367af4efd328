"""Analyzes the exit of a process (its autopsy): exit code or signal, OOM kill and its limit, and the successor."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from memtop.analysis.limits.exit_cause import Clue, Oom, ending_signal, exit_code, was_oom
from memtop.analysis.limits.large import FAILED_BYTES, is_large
from memtop.engine.assessment.event_counters import KILL_S, Counters
from memtop.engine.assessment.exit_limits import (
    KillingLimit,
    full_limit,
    limit_that_killed,
    lowest_limit,
    was_nearly_full,
)
from memtop.engine.assessment.run_place import run_place
from memtop.engine.assessment.step_input import StepInput
from memtop.history.process_history import peak_bytes, slope_bytes_per_min
from memtop.history.rings import History, Point
from memtop.model.assessment import Assessment, ExitReport
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.program_name import runs_unknown_file
from memtop.sampling.cgroup_reading import CgroupReading

BEFORE_S: Final = 10.0
"""A reading of its cgroup that is older says nothing about the end of a process."""
FULL_SHARE: Final = 0.9
"""Of its limit: a cgroup in which the OOM killer acts uses at least as much."""
AUTOPSIES: Final = 64
"""Reports kept of processes that were neither wanted nor taken by the OOM killer; small ones go first."""
MOST_TAKEN: Final = 64
"""Reports kept of OOM-killed processes."""
MOST_AT_ONCE: Final = 64
"""Ends of processes that are not held, examined in one tick: a storm of them must cost little."""
SETTLED_S: Final = 10.0
"""Time that the kernel may need to free everything that an ended process had."""
MOST_SENT: Final = 64
"""Signals of memtop that are remembered until their processes end."""
_KILLED: Final = 9
_MOST_WANTED: Final = 64
"""Reports kept of processes that were on the command line or in focus and no longer are."""


class _Dead(NamedTuple):
    at_s: float
    key: ProcessKey
    status: int | None
    rss_bytes: int

    @property
    def may_be_killed(self) -> bool:
        return self.status is None or ending_signal(self.status) == _KILLED


class ExitAnalysis:
    """Holds the processes whose exits it reports, and the reports on the latest exits."""

    def __init__(self, history: History, counters: Counters) -> None:
        self._history = history
        self._counters = counters
        self._held: dict[int, ProcessKey] = {}
        self._wanted: dict[ProcessKey, None] = {}
        """Processes of the command line or in focus. Reports on others never displace reports on them."""
        self._watched: frozenset[ProcessKey] = frozenset()
        self._autopsies: dict[ProcessKey, ExitReport] = {}
        self._ended: tuple[ExitReport, ...] | None = ()
        """What :attr:`ended` gives; None where it must be made again."""
        self._sent: dict[tuple[ProcessKey, int], None] = {}
        """Signals that memtop sent, the latest last."""
        self._dead: deque[_Dead] = deque(maxlen=2 * MOST_AT_ONCE)
        self._certain: deque[tuple[float, ProcessKey]] = deque(maxlen=AUTOPSIES)
        """Processes that the OOM killer certainly ended, and when."""
        self._last_used: dict[ProcessKey, tuple[float, int, int]] = {}
        """When the cgroup of a process was last read, and the use at that reading and at the one before."""

    def hold(self, living: Iterable[ProcessKey], watched: Iterable[ProcessKey]) -> None:
        """Report the exits of the ``living`` from the next tick on.

        ``watched`` are those and the ones that have ended: reports of this tick on these are marked as wanted.
        """
        wanted = {key.pid: key for key in living}
        self._watched = frozenset(watched)
        self._held |= wanted
        self._wanted |= dict.fromkeys(wanted.values())

    def hold_only(self, pids: Iterable[int], step: StepInput) -> None:
        """Keep those of the held processes and of ``pids`` that live; drop all others."""
        self._held = {pid: step.rows[pid].key for pid in self._held.keys() | set(pids) if pid in step.rows}
        self._last_used = {key: used for key, used in self._last_used.items() if key.pid in self._held}
        living = set(self._held.values())
        self._wanted = {key: None for key in self._wanted if key in self._autopsies or key in living}

    def note_signal(self, key: ProcessKey, number: int) -> None:
        """Note that memtop sent a signal. The process may have been seen to end by it before this is known."""
        self._sent[key, number] = None
        if len(self._sent) > MOST_SENT:
            del self._sent[next(iter(self._sent))]
        if key in self._autopsies:
            self._autopsies[key] = self._with_sender(self._autopsies[key])
            self._ended = None

    def _with_sender(self, autopsy: ExitReport) -> ExitReport:
        """The report with memtop as the cause, if it sent the signal and no OOM kill is known to have come first."""
        if autopsy.signal is None or (autopsy.key, autopsy.signal) not in self._sent or autopsy.oom is Oom.CERTAIN:
            return autopsy
        return autopsy._replace(oom=Oom.NO, clues=(Clue.SENT_BY_MEMTOP,))

    def note_alive(self, key: ProcessKey, leaf: CgroupReading, now_s: float) -> None:
        """Note the cgroup of a process that is assessed in full, while it still has memory."""
        if leaf.usage_bytes is not None:
            _, before_bytes, _ = self._last_used.get(key, (now_s, leaf.usage_bytes, 0))
            self._last_used[key] = now_s, leaf.usage_bytes, before_bytes

    def of(self, key: ProcessKey) -> ExitReport | None:
        """How a process ended; None while it lives, and if it was not held."""
        return self._autopsies.get(key)

    @property
    def ended(self) -> tuple[ExitReport, ...]:
        """The notable reports, the latest end first."""
        if self._ended is None:
            notable = [one for one in self._autopsies.values() if one.is_notable]
            self._ended = tuple(sorted(notable, key=lambda one: one.at_s, reverse=True))
        return self._ended

    def examine(
        self,
        step: StepInput,
        last: Mapping[ProcessKey, ProcessRow],
        assessed: Mapping[ProcessKey, Assessment] = MappingProxyType({}),
    ) -> list[ExitReport]:
        """Reports on the processes that ended at this tick. ``last`` has the last rows of those that are gone, and
        ``assessed`` what was known at the last tick of those that were assessed in full.

        These are all that are held, and of the others those of notable size, whose status the kernel has reported, or
        whose cgroup says that the OOM killer ended them. :meth:`of` and :attr:`ended` remember only those of them that
        are held or deserve attention.
        """
        all_held = set(self._held.values())
        ends, known = self._ends(step, last, all_held), self._autopsies.keys() | {one.key for one in self._dead}
        found: list[tuple[ProcessRow, float, int | None]] = []
        for key, (at_s, status_seen) in ends.items():
            row = last.get(key) or step.row(key)
            if row is not None and row.key == key and key not in known:
                status = _status(step, key, status_seen)
                found.append((row, at_s, status))
                self._dead.append(_Dead(step.now_s, key, status, row.rss_bytes or 0))
        found.sort(key=lambda one: not self._cgroup_kills(one[0].key))  # a certain one explains a kill for the others
        reports = []
        for row, at_s, status in found:  # all are known by now, so each is counted for the others
            self._held.pop(row.pid, None)
            autopsy = self._with_sender(self._autopsy(step, row, at_s, status, held=row.key in all_held))
            if autopsy.is_failure_of_its_own and (before := assessed.get(row.key)) is not None:
                autopsy = autopsy._replace(full_limit=full_limit(before, autopsy.signal))
            reports.append(autopsy)
            if row.key not in all_held and not autopsy.is_notable:
                continue
            self._autopsies[row.key] = autopsy
            self._ended = None
            if autopsy.oom is Oom.CERTAIN:
                self._certain.append((step.now_s, row.key))
        if self._ended is None:
            self._drop_the_oldest(step.plan.assessed)
        return reports

    def _ends(
        self, step: StepInput, last: Mapping[ProcessKey, ProcessRow], all_held: Collection[ProcessKey]
    ) -> dict[ProcessKey, tuple[float, int | None]]:
        """When the processes to be reported have ended, seconds since the epoch, and the status that was reported."""
        ends: dict[ProcessKey, tuple[float, int | None]] = {}
        others = 0
        total_bytes = step.meminfo.total_bytes if step.meminfo is not None else None
        for key in step.sample.gone:
            if step.plan.pids is not None and key.pid not in step.plan.pids:
                continue  # it is not read anymore, which is no end
            if key in all_held or self._cgroup_kills(key):
                ends[key] = step.sample.wall_s, None
                continue
            row = last.get(key) if others < MOST_AT_ONCE else None
            peak = self._peak_bytes(row) if row is not None else None
            if (peak or 0) >= FAILED_BYTES or is_large(peak, total_bytes, lowest_limit(self._counters, step, key)[1]):
                ends[key] = step.sample.wall_s, None
                others += 1
        by_pid = {key.pid: key for key in last}
        for exit_ in step.sample.exits:
            known = self._held.get(exit_.pid) or by_pid.get(exit_.pid)
            if known is None and (living := step.rows.get(exit_.pid)) is not None:
                known = living.key
            if known is not None and (known in ends or known in all_held or others < MOST_AT_ONCE):
                others += known not in ends and known not in all_held
                ends[known] = exit_.wall_s, exit_.status
        return ends

    def _drop_the_oldest(self, assessed: Iterable[ProcessKey]) -> None:
        """Drop reports beyond their bounds: of each class the oldest, of the others those that matter least first.

        Reports on those assessed now stay.
        """
        wanted, taken, others = [], [], []
        for key, one in self._autopsies.items():
            if key in self._wanted:
                wanted += [] if key in assessed else [key]
            elif one.is_oom:
                taken.append(key)
            else:
                others.append(key)
        others.sort(key=lambda key: (self._autopsies[key].large, self._autopsies[key].is_notable))
        for keys, most in ((wanted, _MOST_WANTED), (taken, MOST_TAKEN), (others, AUTOPSIES)):
            for key in keys[: max(0, len(keys) - most)]:
                del self._autopsies[key]
                self._wanted.pop(key, None)

    def follow(self, key: ProcessKey, step: StepInput) -> None:
        """Update a report: what its cgroup still holds, and which process takes its place."""
        autopsy = self._autopsies.get(key)
        if autopsy is None:
            return
        leaf = step.leaf(key)
        if leaf is not None and step.sample.wall_s - autopsy.at_s <= SETTLED_S:
            autopsy = self._autopsies[key] = autopsy._replace(cgroup_after_bytes=leaf.usage_bytes)
        if autopsy.successor is None or step.row(autopsy.successor) is None:
            heir = self._heir(autopsy, step)
            if heir != autopsy.successor:
                self._autopsies[key] = autopsy._replace(successor=heir)

    def _heir(self, autopsy: ExitReport, step: StepInput) -> ProcessKey | None:
        """The youngest process that runs the same command in the same cgroup or pod and began later."""
        key = autopsy.key
        place = run_place(self._counters.chain(key), step)
        heirs = [
            row.key
            for row in step.rows.values()
            if row.command == autopsy.command
            and not runs_unknown_file(row.command_raw or b"")
            and row.started_s is not None
            and row.key.start_ticks > key.start_ticks
            and row.rss_bytes
            and row.key != key
            and (not place or (chain := step.cgroups.chains.get(row.key)) is None or run_place(chain, step) == place)
        ]
        return max(heirs, key=lambda one: one.start_ticks, default=None)

    def _autopsy(self, step: StepInput, row: ProcessRow, at_s: float, status: int | None, *, held: bool) -> ExitReport:
        key, counters = row.key, self._counters
        chain = counters.chain(key)
        path = chain[0] if chain else None
        cgroup_kills = self._cgroup_kills(key)
        together = [one for one in self._dead if step.now_s - one.at_s <= KILL_S and one.may_be_killed]
        here = [one for one in together if path is not None and counters.chain(one.key)[:1] == (path,)]
        mine = here if cgroup_kills is not None else together
        point = self._last_point(key)
        rss = row.rss_bytes or (point.rss_bytes if point is not None else 0)
        explained = max(counters.counted_kills, sum(step.now_s - at_s <= KILL_S for at_s, _ in self._certain))
        kills = cgroup_kills if cgroup_kills is not None else (counters.machine_kills or 0) - explained
        others = self._others_gone(path, step) if path is not None else 0
        larger = sum(self._rss_of(one) > rss for one in mine if one.key != key)
        oom, clues = was_oom(
            status,
            cgroup_kills=cgroup_kills,
            machine_kills=counters.machine_kills,
            explained=explained,
            vanished=max(1, len(mine)) + others,
            largest=None if others else larger < max(1, kills),
            limit_near=was_nearly_full(step, chain),
        )
        lowest, lowest_bytes = lowest_limit(self._counters, step, key)
        limit = limit_that_killed(counters, step, chain) if oom in (Oom.CERTAIN, Oom.PROBABLE) else None
        if limit is None and cgroup_kills and oom in (Oom.CERTAIN, Oom.PROBABLE) and lowest is not None:
            limit = KillingLimit(
                lowest, lowest_bytes or 0
            )  # its cgroup counted the kill, and its use was not being read
        peak = max(self._peak_bytes(row) or 0, rss) or None
        total_bytes = step.meminfo.total_bytes if step.meminfo is not None else None
        large = is_large(peak, total_bytes, lowest_bytes)
        rated = held or large or (peak or 0) >= FAILED_BYTES
        used_s, *used_bytes = self._last_used.get(key, (-BEFORE_S, 0, 0))
        # An earlier use says nothing, and the last reading may fall into the end, when half of it is freed already.
        before_bytes = max(used_bytes) if step.now_s - used_s <= BEFORE_S else 0
        if limit is not None and limit.limit_bytes and before_bytes < FULL_SHARE * limit.limit_bytes:
            before_bytes = 0  # it was at its limit then, so both readings are of before its last rise or of its end
        after = step.cgroups.readings.get(path) if path is not None else None
        return ExitReport(
            key=key,
            name=row.name,
            program=row.program,
            command=row.command,
            at_s=at_s,
            exit_code=exit_code(status),
            signal=ending_signal(status),
            oom=oom,
            clues=clues,
            limit_name=limit.name if limit else None,
            limit_bytes=limit.limit_bytes if limit else None,
            limit_path=limit.path if limit else None,
            limit_of_machine=limit is not None and limit.of_machine,
            rss_bytes=rss or None,
            virt_bytes=row.virt_bytes or (point.virt_bytes if point is not None else None),
            peak_rss_bytes=peak,
            started_s=row.started_s,
            cgroup_limit_name=lowest,
            cgroup_limit_bytes=lowest_bytes,
            large=large,
            wanted=key in self._watched,
            slope_bytes_per_min=slope_bytes_per_min(self._history, key, step.now_s) if rated else None,
            cgroup_before_bytes=before_bytes or None,
            cgroup_after_bytes=after.usage_bytes if after is not None else None,
            path=path or "",
        )

    def _cgroup_kills(self, key: ProcessKey) -> int | None:
        chain = self._counters.chain(key)
        return self._counters.cgroup_kills(chain[0]) if chain else None

    def _others_gone(self, path: str, step: StepInput) -> int:
        """Number of the processes that have left a cgroup since the reading before and were not read themselves."""
        before, now = self._counters.before(path), self._counters.now(path)
        if before is None or now is None or before.members is None or now.members is None:
            return 0
        return len(set(before.members).difference(now.members, step.rows, (one.key.pid for one in self._dead)))

    def _peak_bytes(self, row: ProcessRow) -> int | None:
        """The highest RES known: VmHWM as last read, or what the history has."""
        known = (row.peak_rss_bytes, row.rss_bytes, peak_bytes(self._history, row.key))
        return max((one for one in known if one is not None), default=None)

    def _last_point(self, key: ProcessKey) -> Point | None:
        track = self._history.tracks.get(key)
        return track.point(-1) if track is not None and len(track) else None

    def _rss_of(self, dead: _Dead) -> int:
        point = self._last_point(dead.key)
        return (point.rss_bytes if point is not None else 0) or dead.rss_bytes


def _status(step: StepInput, key: ProcessKey, status: int | None) -> int | None:
    """The status of a zombie that waits for its parent, if pidfds do not report it and we may read it."""
    if status is None:
        seen = step.sample.processes.get(key.pid)
        if seen is not None and seen.key == key and seen.stat is not None and seen.stat.state == "Z":
            return seen.stat.exit_code or None
    return status

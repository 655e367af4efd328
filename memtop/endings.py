"""How it ends: verdicts, limits, victims, findings and autopsies, brought up to date at every tick.

Owned by the engine, in the sampler's thread; it reads nothing but samples and what the engine keeps of the past.
"""

import os
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from heapq import nlargest
from typing import Final, NamedTuple

from memtop.analysis.autopsy import Oom, ending_signal, exit_code, was_oom
from memtop.analysis.cgroups import owner
from memtop.analysis.confirmation import Evidence
from memtop.analysis.faults import major_cause, minor_cause
from memtop.analysis.findings import Board, Case, find, post
from memtop.analysis.growth import Kind
from memtop.analysis.limits import Ceiling, binding, ceilings, host_ceiling
from memtop.analysis.oom import NEVER, Candidate, Victim, ranking
from memtop.analysis.rates import per_s
from memtop.cgroups import CgroupReading, CgroupSample
from memtop.frame import Note, ProcRow
from memtop.history import History
from memtop.outlook import Autopsy, Events, Limit, LimitRow, Outlook, Place
from memtop.past import slope_bytes_per_min
from memtop.procfs.cgroup import UNLIMITED
from memtop.procfs.status import PidStatus
from memtop.readings import Missing, RegionsView
from memtop.sample import Ask, Need, ProcKey, Sample
from memtop.text import clean
from memtop.verdicts import Verdict, Verdicts

LARGEST: Final = 50
"""Processes whose end is noticed beside those that somebody looks at."""
LARGEST_TICKS: Final = 5
"""How often it is found out anew which they are."""
KILL_S: Final = 10.0
"""A count of kills that has moved speaks for an end that was seen up to so long after."""
AUTOPSIES: Final = 64
_TABLES_SHARE: Final = 512
"""A page of page tables maps so many pages; for processes whose status was not read."""


class RowMarks(NamedTuple):
    """What a row of the table shows of all this."""

    verdict: str = ""
    verdict_rank: int | None = None
    limit_percent: float | None = None
    oom_rank: int | None = None


_NOTHING: Final = RowMarks()
_SHAPES: Final = {
    Kind.FLAT: ("─", 0),
    Kind.NOISY: ("~", 1),
    Kind.SAWTOOTH: ("w", 1),
    Kind.SPIKE: ("^", 1),
    Kind.SHRINK: ("↘", 1),
    Kind.STEP: ("┘", 2),
    Kind.STAIRS: ("┘", 2),
    Kind.WARMUP: ("╭", 2),
    Kind.GROWTH: ("↗", 3),
    Kind.LEAK: ("↗", 3),
    Kind.LEAK_GC: ("↗", 3),
    Kind.INSUFFICIENT: ("", -1),
}
"""Shape of each verdict, and how much it is worth a look."""
_MARKS: Final = {Evidence.GROWING: ("·", 4), Evidence.POSSIBLE_LEAK: ("!", 5), Evidence.LIKELY_LEAK: ("▲", 6)}


class _Rise(NamedTuple):
    at_s: float
    path: str
    """Empty for the machine."""
    kills: int


class Endings:
    """See the module; :meth:`take` once a tick, then :meth:`outlook`."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.verdicts = Verdicts(history)
        self.fresh: tuple[Autopsy, ...] = ()
        """Of this tick."""
        self._tick = 0
        self._largest: list[int] = []
        self._held: dict[int, ProcKey] = {}
        self._autopsies: dict[ProcKey, Autopsy] = {}
        self._dead: deque[tuple[float, ProcKey, int | None, int]] = deque(maxlen=AUTOPSIES)
        """When, who, status, RES of those that ended."""
        self._chains: dict[ProcKey, tuple[str, ...]] = {}
        self._rises: deque[_Rise] = deque(maxlen=256)
        self._kills: dict[str, int] = {}
        self._machine_kills: int | None = None
        self._first: dict[str, CgroupReading] = {}
        self._readings: dict[str, CgroupReading] = {}
        self._rates: dict[str, tuple[CgroupReading, float, CgroupReading, float]] = {}
        self._living: dict[ProcKey, CgroupReading] = {}
        """Cgroup of the process in focus when it last had memory."""
        self._marks: dict[ProcKey, RowMarks] = {}
        self._percents: dict[ProcKey, float | None] = {}
        self._ranks: dict[int, int] = {}
        self._board: tuple[ProcKey, Board] | None = None
        self._around: tuple[ProcKey, int, ProcRow | None] | None = None
        """Of the process in focus: its zombie children, and the largest process where that is never killed."""
        self._seen: tuple[ProcKey, Outlook] | None = None
        self._frozen: tuple[ProcKey, Outlook] | None = None
        self._regions: RegionsView | None = None
        self._before: Sample | None = None
        self._sample: Sample | None = None

    # -- for the engine

    def to_watch(self, keys: Iterable[ProcKey]) -> list[int]:
        """Pids whose end is to be noticed: of ``keys``, then the largest."""
        return list(dict.fromkeys([*(key.pid for key in keys), *self._largest]))

    def row_marks(self, key: ProcKey) -> RowMarks:
        """What its row shows."""
        return self._marks.get(key, _NOTHING)

    def reborn(self, key: ProcKey) -> None:
        """It has become another program: what was judged of the old one says nothing about it."""
        self.verdicts.forget(key)
        self._marks.pop(key, None)

    def forget(self, key: ProcKey) -> None:
        """It has ended."""
        self.verdicts.forget(key)
        self._marks.pop(key, None)

    def take(
        self,
        sample: Sample,
        ask: Ask,
        rows: Mapping[int, ProcRow],
        last: Mapping[ProcKey, ProcRow],
        regions: RegionsView | None = None,
    ) -> list[ProcKey]:
        """One tick; gives those whose :meth:`row_marks` have changed.

        ``last`` are the rows of those that ended now, ``regions`` what smaps told of the process in focus.
        """
        self._regions = regions
        self._before, self._sample = self._sample, sample
        self._tick += 1
        now_s = sample.mono_s
        cgroups = sample.cgroups or CgroupSample()
        self._note_counters(sample, cgroups)
        self.fresh = tuple(self._examine(sample, cgroups, rows, last))
        if self._tick % LARGEST_TICKS == 1:
            largest = nlargest(LARGEST, rows.values(), key=lambda row: row.rss_bytes or 0)
            self._largest = [row.pid for row in largest if row.rss_bytes]
        first = [ask.focus] if ask.focus is not None else []
        changed = set(self.verdicts.look(now_s, ask.delay_s, first, lambda key: self._room(key, ask, cgroups, rows)))
        if ask.focus is not None:
            row = rows.get(ask.focus.pid)
            alive = row is not None and row.key == ask.focus and row.note is not Note.ZOMBIE
            self._seen = (ask.focus, self._judge(row, ask, rows, cgroups) if alive and row else self._after(ask.focus))
            self._find_successor(ask.focus, rows, cgroups)
        self._held = {pid: rows[pid].key for pid in self._held.keys() | set(self._largest) if pid in rows}
        return [key for key in changed | self._mark_limits(ask, rows, cgroups) if self._renew(key, ask, rows)]

    def hold(self, keys: Iterable[ProcKey]) -> None:
        """These are watched from the next instant on."""
        self._held |= {key.pid: key for key in keys}

    def outlook(self, key: ProcKey, *, frozen: bool) -> Outlook | None:
        """Of the process in focus; while the picture is frozen, as it was then. None before the first look."""
        now = self._seen if self._seen is not None and self._seen[0] == key else None
        if now is None and key in self._autopsies:
            now = key, self._after(key)
        if not frozen:
            self._frozen = None
            return now[1] if now else None
        if self._frozen is None or self._frozen[0] != key:
            self._frozen = now
        return self._frozen[1] if self._frozen else None

    # -- counters

    def _note_counters(self, sample: Sample, cgroups: CgroupSample) -> None:
        now_s = sample.mono_s
        for path, reading in cgroups.readings.items():
            first = self._first.get(path)
            if first is None or (first.oom_kill is None and first.max_events is None):
                self._first[path] = reading
            old = self._rates.get(path)
            self._rates[path] = (old[2], old[3], reading, now_s) if old else (reading, now_s, reading, now_s)
            self._readings[path] = reading
        for path, count in cgroups.kills.items():
            if (rise := count - self._kills.get(path, count)) > 0:
                self._rises.append(_Rise(now_s, path, rise))
        self._kills = dict(cgroups.kills)
        machine = sample.system.vmstat.oom_kill if sample.system.vmstat is not None else None
        if machine is not None:
            if self._machine_kills is not None and machine > self._machine_kills:
                self._rises.append(_Rise(now_s, "", machine - self._machine_kills))
            self._machine_kills = machine
        self._chains.update(cgroups.chains)
        if len(self._chains) > 4 * len(cgroups.chains) + AUTOPSIES:
            self._chains = dict(cgroups.chains)
            used = {path for chain in self._chains.values() for path in chain}
            for kept in (self._first, self._rates, self._readings):
                for path in kept.keys() - used:
                    del kept[path]

    def _risen(self, path: str, now_s: float) -> int:
        return sum(rise.kills for rise in self._rises if rise.path == path and now_s - rise.at_s <= KILL_S)

    def _events(self, path: str) -> Events:
        now, first = self._readings.get(path), self._first.get(path)
        if now is None or first is None:
            return Events()

        def since(new: int | None, old: int | None) -> int | None:
            return None if new is None or old is None else max(0, new - old)

        return Events(
            since(now.oom, first.oom),
            since(now.oom_kill, first.oom_kill),
            since(now.max_events, first.max_events),
            since(now.high_events, first.high_events),
        )

    # -- those that have ended

    def _examine(
        self, sample: Sample, cgroups: CgroupSample, rows: Mapping[int, ProcRow], last: Mapping[ProcKey, ProcRow]
    ) -> Iterable[Autopsy]:
        ended: dict[ProcKey, tuple[float, int | None]] = {}
        for key in sample.gone:
            if key in self._held.values():
                ended[key] = sample.wall_s, None
        for exit_ in sample.exits:
            held = self._held.get(exit_.pid)
            if held is not None:
                ended[held] = exit_.wall_s, exit_.status
        for key, (_, status) in ended.items():
            row = last.get(key) or rows.get(key.pid)
            if row is not None and row.key == key and key not in self._autopsies:
                self._dead.append((sample.mono_s, key, self._status(sample, key, status), row.rss_bytes or 0))
        for key, (at_s, status) in ended.items():
            row = last.get(key) or rows.get(key.pid)
            if row is None or row.key != key or key in self._autopsies:
                continue
            self._held.pop(key.pid, None)
            autopsy = self._autopsy(sample, cgroups, row, at_s=at_s, status=self._status(sample, key, status))
            self._autopsies[key] = autopsy
            if len(self._autopsies) > AUTOPSIES:
                del self._autopsies[next(iter(self._autopsies))]
            yield autopsy

    def _status(self, sample: Sample, key: ProcKey, status: int | None) -> int | None:
        """What waits for its parent, where this kernel's pidfds do not tell and we may read it."""
        if status is None:
            seen = sample.processes.get(key.pid)
            if seen is not None and seen.key == key and seen.stat is not None and seen.stat.state == "Z":
                return seen.stat.exit_code or None
        return status

    def _autopsy(
        self, sample: Sample, cgroups: CgroupSample, row: ProcRow, *, at_s: float, status: int | None
    ) -> Autopsy:
        key, now_s = row.key, sample.mono_s
        chain = self._chains.get(key, ())
        path = chain[0] if chain else None
        together = [one for one in self._dead if now_s - one[0] <= KILL_S and _may_be_killed(one[2])]
        here = [one for one in together if path is not None and self._chains.get(one[1], ())[:1] == (path,)]
        known = path is not None and path in self._kills
        mine = here if known else together
        rss = self._last_rss(key, row)
        oom, clues = was_oom(
            status,
            cgroup_kills=self._risen(path, now_s) if known and path is not None else None,
            machine_kills=None if self._machine_kills is None else self._risen("", now_s),
            vanished=max(1, len(mine)),
            largest=all(rss >= (self._history_rss(one[1]) or one[3]) for one in mine if one[1] != key),
        )
        limit = self._culprit(sample, chain) if oom in (Oom.CERTAIN, Oom.PROBABLE) else None
        before = self._living.get(key)
        after = cgroups.readings.get(path) if path is not None else None
        return Autopsy(
            key=key,
            name=row.name,
            command=row.command,
            at_s=at_s,
            exit_code=exit_code(status),
            signal=ending_signal(status),
            oom=oom,
            clues=clues,
            limit_name=limit[0] if limit else None,
            limit_bytes=limit[1] if limit else None,
            rss_bytes=rss or None,
            virt_bytes=row.virt_bytes or self._history_virt(key),
            peak_rss_bytes=max(row.peak_rss_bytes or 0, rss) or None,
            slope_bytes_per_min=slope_bytes_per_min(self._history, key, now_s),
            cgroup_before_bytes=before.usage_bytes if before is not None else None,
            cgroup_after_bytes=after.usage_bytes if after is not None else None,
        )

    def _last_rss(self, key: ProcKey, row: ProcRow) -> int:
        return row.rss_bytes or self._history_rss(key) or 0

    def _history_rss(self, key: ProcKey) -> int | None:
        track = self._history.tracks.get(key)
        return track.point(-1).rss_bytes if track is not None and len(track) else None

    def _history_virt(self, key: ProcKey) -> int | None:
        track = self._history.tracks.get(key)
        return track.point(-1).virt_bytes if track is not None and len(track) else None

    def _culprit(self, sample: Sample, chain: tuple[str, ...]) -> tuple[str, int] | None:
        """Whose limit it was: the cgroup that counted an OOM, else the one that had the least room left."""
        known = [reading for path in chain if (reading := self._readings.get(path)) is not None]
        for reading in reversed(known):
            first = self._rates[reading.path][0]
            if reading.oom is not None and first.oom is not None and reading.oom > first.oom and reading.limit_bytes:
                return cgroup_name(reading.path, chain), reading.limit_bytes
        before = [self._rates[reading.path][0] for reading in known]
        total = sample.system.meminfo.total_bytes if sample.system.meminfo else None
        found = binding(ceilings([reading.use for reading in before], total))
        if found is not None and found.path is not None:
            return cgroup_name(found.path, chain), found.limit_bytes
        return ("this machine's memory", total) if total is not None and not found else None

    def _after(self, key: ProcKey) -> Outlook:
        return Outlook(autopsy=self._autopsies.get(key))

    def _find_successor(self, key: ProcKey, rows: Mapping[int, ProcRow], cgroups: CgroupSample) -> None:
        autopsy = self._autopsies.get(key)
        if autopsy is None or (autopsy.successor is not None and autopsy.successor.pid in rows):
            return
        chain = self._chains.get(key)
        heirs = [
            row.key
            for row in rows.values()
            if row.command == autopsy.command
            and row.started_s is not None
            and row.key.start_ticks > key.start_ticks
            and row.rss_bytes
            and row.key != key
            and (chain is None or cgroups.chains.get(row.key, chain) == chain)
        ]
        heir = max(heirs, key=lambda one: one.start_ticks, default=None)
        if heir != autopsy.successor:
            self._autopsies[key] = replace(autopsy, successor=heir)
            self._seen = key, self._after(key)

    # -- those that live

    def _readings_of(self, key: ProcKey, cgroups: CgroupSample) -> list[CgroupReading]:
        return [one for path in cgroups.chains.get(key, ()) if (one := cgroups.readings.get(path)) is not None]

    def _ceilings(self, key: ProcKey, cgroups: CgroupSample) -> tuple[Ceiling, ...]:
        meminfo = self._sample.system.meminfo if self._sample is not None else None
        own = ceilings([one.use for one in self._readings_of(key, cgroups)], meminfo.total_bytes if meminfo else None)
        host = host_ceiling(meminfo) if meminfo is not None else None
        return (*own, host) if host is not None else own

    def _room(self, key: ProcKey, ask: Ask, cgroups: CgroupSample, rows: Mapping[int, ProcRow]) -> float | None:
        """What the nearest limit leaves to it, of which those that grow beside it take their share."""
        if key != ask.focus or (row := rows.get(key.pid)) is None:
            return None
        target = self._target(self._limit_rows(row, cgroups))
        if target is None:
            return None
        own = self.verdicts.of(key)
        slope = own.growth.slope_bytes_per_s if own is not None else None
        others = sum(verdict.growth.slope_bytes_per_s or 0.0 for verdict in self._growing_beside(key, target, cgroups))
        headroom = float(max(0, target.headroom_bytes))
        return headroom * slope / (slope + others) if slope and slope > 0 and others > 0 else headroom

    def _growing_beside(self, key: ProcKey, target: LimitRow, cgroups: CgroupSample) -> list[Verdict]:
        if target.limit not in (Limit.CGROUP, Limit.MACHINE):
            return []
        return [
            verdict
            for other in self.verdicts.alarmed()
            if other != key
            and (target.path is None or target.path in cgroups.chains.get(other, ()))
            and (verdict := self.verdicts.of(other)) is not None
        ]

    @staticmethod
    def _target(limits: Iterable[LimitRow]) -> LimitRow | None:
        """What a rising process meets first and what ends it."""
        hard = [row for row in limits if row.limit in (Limit.CGROUP, Limit.MACHINE, Limit.ADDRESS_SPACE, Limit.DATA)]
        return min(hard, key=lambda row: row.headroom_bytes, default=None)

    def _limit_rows(self, row: ProcRow, cgroups: CgroupSample) -> tuple[LimitRow, ...]:
        chain = cgroups.chains.get(row.key, ())
        found = self._ceilings(row.key, cgroups)
        tightest = binding(found)
        rows = [
            LimitRow(
                Limit.CGROUP if one.path is not None else Limit.MACHINE,
                cgroup_name(one.path, chain) if one.path is not None else "this machine's memory",
                one.limit_bytes,
                one.working_set_bytes,
                one.headroom_bytes,
                one.headroom_max_bytes,
                one is tightest,
                one.path,
            )
            for one in found
        ]
        for reading in self._readings_of(row.key, cgroups):
            name = cgroup_name(reading.path, chain)
            if reading.high_bytes not in (None, UNLIMITED) and reading.usage_bytes is not None:
                rows.append(_plain(Limit.HIGH, f"memory.high of {name}", reading.high_bytes, reading.usage_bytes))
            if reading.swap_limit_bytes not in (None, UNLIMITED) and reading.swap_bytes is not None:
                rows.append(_plain(Limit.CGROUP_SWAP, f"swap of {name}", reading.swap_limit_bytes, reading.swap_bytes))
        limits = cgroups.limits
        if limits is not None and limits.address_space_bytes not in (None, UNLIMITED) and row.virt_bytes is not None:
            rows.append(
                _plain(Limit.ADDRESS_SPACE, "ulimit -v (RLIMIT_AS)", limits.address_space_bytes, row.virt_bytes)
            )
        status = self._status_file(row.key)
        if limits is not None and limits.data_bytes not in (None, UNLIMITED) and status and status.data_bytes:
            rows.append(_plain(Limit.DATA, "ulimit -d (RLIMIT_DATA)", limits.data_bytes, status.data_bytes))
        meminfo = self._sample.system.meminfo if self._sample is not None else None
        if cgroups.policy.overcommit == 2 and meminfo is not None and meminfo.committed_bytes is not None:
            rows.append(_plain(Limit.COMMIT, "CommitLimit", meminfo.commit_limit_bytes, meminfo.committed_bytes))
        return tuple(rows)

    def _status_file(self, key: ProcKey) -> PidStatus | None:
        seen = self._sample.processes.get(key.pid) if self._sample is not None else None
        return seen.status if seen is not None and seen.key == key else None

    def _judge(self, row: ProcRow, ask: Ask, rows: Mapping[int, ProcRow], cgroups: CgroupSample) -> Outlook:
        """Everything about the process in focus."""
        key = row.key
        chain = cgroups.chains.get(key)
        limits = self._limit_rows(row, cgroups)
        verdict = self.verdicts.of(key)
        leaf = cgroups.readings.get(chain[0]) if chain else None
        if leaf is not None:
            self._living = {key: leaf}
        tightest = next((one for one in limits if one.binds), None)
        inside = self._tasks(tightest.path, rows, cgroups) if tightest is not None and tightest.path else []
        if not ask.everybody and not self._all_seen(tightest, rows, cgroups):
            inside = []  # of an order among the few that are looked at nothing follows
        asked = Need.VICTIM in ask.needs | ask.needs_all or ask.panel == "limits" or self._machine_is_low()
        everybody = asked and ask.everybody
        in_cgroup = (
            _place(key, self._rank(inside, tightest.limit_bytes, cgroups), rows) if tightest and inside else None
        )
        on_machine = _place(key, self._machine_rank(rows, cgroups), rows) if everybody else None
        tasks = [rows.get(pid) for pid in leaf.members] if leaf is not None and leaf.members is not None else None
        known = tasks is not None and all(task is not None and task.rss_bytes is not None for task in tasks)
        case = self._case(
            row, rows, cgroups, limits=limits, verdict=verdict, in_cgroup=in_cgroup, on_machine=on_machine
        )
        if known and tasks is not None and leaf is not None and tightest is not None and tightest.path == leaf.path:
            case = replace(case, tasks_rss=sum(task.rss_bytes or 0 for task in tasks if task is not None))
        case = _with_regions(case, self._regions)
        board = self._board[1] if self._board is not None and self._board[0] == key else Board()
        board = post(board, find(case))
        self._board = key, board
        return Outlook(
            findings=board.standing,
            growth=case.growth,
            state=verdict.state if verdict else None,
            limits=limits,
            cgroup=leaf,
            cgroup_name=cgroup_name(chain[0], chain) if chain else "",
            owner=owner(os.fsencode(_inside(chain[0], chain))) if chain else Outlook().owner,
            cgroup_known=bool(chain),
            events=self._events(leaf.path) if leaf is not None else Events(),
            in_cgroup=in_cgroup,
            on_machine=on_machine,
            tasks_rss_bytes=sum(task.rss_bytes or 0 for task in tasks if task) if known and tasks is not None else None,
            tasks=len(tasks) if tasks is not None else None,
        )

    def _machine_is_low(self) -> bool:
        meminfo = self._sample.system.meminfo if self._sample is not None else None
        if meminfo is None or not meminfo.total_bytes or meminfo.available_bytes is None:
            return False
        return meminfo.available_bytes < 0.1 * meminfo.total_bytes

    @staticmethod
    def _all_seen(tightest: LimitRow | None, rows: Mapping[int, ProcRow], cgroups: CgroupSample) -> bool:
        """Whether all that are in the limiting cgroup itself are looked at."""
        reading = cgroups.readings.get(tightest.path) if tightest is not None and tightest.path else None
        return reading is not None and reading.members is not None and all(pid in rows for pid in reading.members)

    def _tasks(self, path: str, rows: Mapping[int, ProcRow], cgroups: CgroupSample) -> list[ProcRow]:
        """Those known to be in a cgroup or below it."""
        pids = {key.pid for key, chain in cgroups.chains.items() if path in chain}
        reading = cgroups.readings.get(path)
        pids.update(reading.members or () if reading is not None else ())
        return [row for pid in pids if (row := rows.get(pid)) is not None and row.rss_bytes is not None]

    def _rank(self, tasks: Iterable[ProcRow], total_bytes: int, cgroups: CgroupSample) -> list[Victim]:
        candidates = [
            Candidate(
                row.pid,
                row.rss_bytes or 0,
                row.swap_bytes or 0,
                row.page_tables_bytes if row.page_tables_bytes is not None else (row.rss_bytes or 0) // _TABLES_SHARE,
                cgroups.adjs.get(row.key, row.oom_score_adj or 0),
                exempt=row.pid == 1 or row.note is Note.KERNEL,
            )
            for row in sorted(tasks, key=lambda row: row.key.start_ticks)
        ]
        return ranking(candidates, total_bytes)

    def _machine_rank(self, rows: Mapping[int, ProcRow], cgroups: CgroupSample) -> list[Victim]:
        meminfo = self._sample.system.meminfo if self._sample is not None else None
        if meminfo is None or meminfo.total_bytes is None:
            return []
        tasks = [row for row in rows.values() if row.rss_bytes]
        return self._rank(tasks, meminfo.total_bytes + (meminfo.swap_total_bytes or 0), cgroups)

    def _case(
        self,
        row: ProcRow,
        rows: Mapping[int, ProcRow],
        cgroups: CgroupSample,
        *,
        limits: tuple[LimitRow, ...],
        verdict: Verdict | None,
        in_cgroup: Place | None,
        on_machine: Place | None,
    ) -> Case:
        assert self._sample is not None
        sample, now_s = self._sample, self._sample.mono_s
        meminfo = sample.system.meminfo
        status = self._status_file(row.key)
        chain = cgroups.chains.get(row.key, ())
        leaf = cgroups.readings.get(chain[0]) if chain else None
        tightest = next((one for one in limits if one.binds and one.path is not None), None)
        bound = cgroups.readings.get(tightest.path) if tightest is not None and tightest.path else None
        target = self._target(limits)
        pressure = leaf.pressure if leaf is not None and leaf.pressure is not None else sample.system.pressure
        of_cgroup = leaf is not None and leaf.pressure is not None
        refaults = self._refaults(leaf)
        swap_in = self._machine_rate("pswpin")
        swap = row.swap_bytes
        growth = verdict.growth if verdict is not None else None
        if growth is not None and growth.limit_s is not None and verdict is not None:
            since_s = now_s - verdict.looked_s
            early, late = growth.limit_s
            growth = replace(growth, limit_s=(max(0.0, early - since_s), max(0.0, late - since_s)))
        risen_s = verdict.last_rise_s if verdict is not None else None
        is_flat = growth is not None and growth.kind in (Kind.FLAT, Kind.NOISY)
        if self._tick % LARGEST_TICKS == 1 or self._around is None or self._around[0] != row.key:
            self._around = row.key, *_around(row, rows, cgroups)
        _, zombies, giant = self._around
        data_limit = cgroups.limits.data_bytes if cgroups.limits is not None else None
        address_space = cgroups.limits.address_space_bytes if cgroups.limits is not None else None
        return Case(
            name=row.name,
            rss=row.rss_bytes,
            virt=row.virt_bytes,
            peak_rss=row.peak_rss_bytes,
            swap=swap,
            page_tables=row.page_tables_bytes,
            oom_score=row.oom_score,
            oom_score_adj=row.oom_score_adj,
            leader_gone=row.note is Note.LEADER_GONE,
            age_s=None if row.started_s is None else max(0.0, sample.wall_s - row.started_s),
            minflt_per_s=row.minflt_per_s,
            majflt_per_s=row.majflt_per_s,
            minor_cause=minor_cause(row.minflt_per_s, self._grown(row.key, now_s)),
            major_cause=major_cause(row.majflt_per_s, swap_in, refaults, swap),
            zombies=zombies,
            growth=growth,
            alarm=verdict is not None and verdict.alarm,
            evidence=verdict.state.evidence if verdict is not None else None,
            seen_s=now_s - verdict.state.since_s if verdict is not None and verdict.state.since_s is not None else None,
            flat_s=now_s - risen_s if is_flat and risen_s is not None else None,
            grows_towards=target.name if target is not None else None,
            grows_towards_bytes=target.limit_bytes if target is not None else None,
            siblings=len(self._growing_beside(row.key, target, cgroups)) if target is not None else 0,
            limit_name=tightest.name if tightest is not None else None,
            limit=tightest.limit_bytes if tightest is not None else None,
            working_set=tightest.used_bytes if tightest is not None else None,
            cache=bound.usage_bytes - tightest.used_bytes
            if bound is not None and tightest is not None and bound.usage_bytes is not None
            else None,
            usage=bound.usage_bytes if bound is not None else None,
            victim=in_cgroup.first_name if in_cgroup is not None else None,
            victim_of=in_cgroup.of if in_cgroup is not None else None,
            group_kill=bool(bound and bound.group_kill),
            frozen=bool(bound and bound.under_oom and bound.kill_disabled),
            kills=self._events(leaf.path).oom_kill if leaf is not None else None,
            high_limit=leaf.high_bytes if leaf is not None else None,
            high_per_s=self._cgroup_rate(leaf, "high_events"),
            limit_events_per_s=self._cgroup_rate(bound, "max_events"),
            address_space=address_space if address_space != UNLIMITED else None,
            data=status.data_bytes if status is not None else None,
            data_limit=data_limit if data_limit != UNLIMITED else None,
            mem_total=meminfo.total_bytes if meminfo else None,
            mem_available=meminfo.available_bytes if meminfo else None,
            host_victim=on_machine.first_name if on_machine is not None else None,
            psi_full_percent=pressure.full.avg10_percent if pressure and pressure.full else None,
            psi_of=cgroup_name(chain[0], chain) if of_cgroup else "",
            refault_per_s=refaults,
            swap_in_per_s=swap_in,
            overcommit=cgroups.policy.overcommit,
            committed=meminfo.committed_bytes if meminfo else None,
            commit_limit=meminfo.commit_limit_bytes if meminfo else None,
            max_mappings=cgroups.policy.max_map_count,
            protected=f"{giant.name} ({giant.pid})" if giant is not None else None,
            protected_rss=giant.rss_bytes if giant is not None else None,
        )

    def _grown(self, key: ProcKey, now_s: float) -> float | None:
        """Change of anonymous and shared memory over the last seconds, per second."""
        diary = self._history.diaries.get(key)
        if diary is None or len(diary) < 2:
            return None
        last = diary.point(-1)
        first = diary.point(max(0, diary.index_at(now_s - 5.0)))
        used = [point.rss_bytes - point.shr_bytes + (point.shmem_bytes or 0) for point in (first, last)]
        return (used[1] - used[0]) / (last.at_s - first.at_s) if last.at_s > first.at_s else None

    def _machine_rate(self, counter: str) -> float | None:
        if self._before is None or self._sample is None:
            return None
        old, new = self._before.system.vmstat, self._sample.system.vmstat
        if old is None or new is None:
            return None
        return per_s(getattr(new, counter), getattr(old, counter), self._sample.mono_s - self._before.mono_s)

    def _cgroup_rate(self, reading: CgroupReading | None, counter: str) -> float | None:
        pair = self._rates.get(reading.path) if reading is not None else None
        if pair is None:
            return None
        old, old_s, new, new_s = pair
        return per_s(getattr(new, counter), getattr(old, counter), new_s - old_s) if new_s > old_s else None

    def _refaults(self, leaf: CgroupReading | None) -> float | None:
        pair = self._rates.get(leaf.path) if leaf is not None else None
        if pair is not None and pair[0].stat is not None and pair[2].stat is not None and pair[3] > pair[1]:
            rates = [
                per_s(getattr(pair[2].stat, name), getattr(pair[0].stat, name), pair[3] - pair[1])
                for name in ("refault_anon", "refault_file")
            ]
            if any(rate is not None for rate in rates):
                return sum(rate or 0.0 for rate in rates)
        rates = [self._machine_rate(name) for name in ("refault_anon", "refault_file")]
        return sum(rate or 0.0 for rate in rates) if any(rate is not None for rate in rates) else None

    # -- rows of the table

    def _mark_limits(self, ask: Ask, rows: Mapping[int, ProcRow], cgroups: CgroupSample) -> set[ProcKey]:
        """The columns of limits and victims, where they are on screen."""
        needs = ask.needs | ask.needs_all
        touched: set[ProcKey] = set()
        self._percents = {}
        self._ranks = {}
        if Need.CGROUP in needs:
            keys = [row.key for row in rows.values()] if Need.CGROUP in ask.needs_all else list(ask.visible)
            by_chain: dict[tuple[str, ...], float | None] = {}
            for key in keys:
                chain = cgroups.chains.get(key)
                if chain:
                    if chain not in by_chain:
                        own = [one for one in self._ceilings(key, cgroups) if one.path is not None]
                        tightest = binding(own)
                        by_chain[chain] = tightest.used_percent if tightest is not None else None
                    self._percents[key] = by_chain[chain]
                    touched.add(key)
        if Need.VICTIM in needs:
            self._ranks = {victim.pid: victim.rank for victim in self._machine_rank(rows, cgroups)}
            touched.update(row.key for row in rows.values())
        return touched

    def _renew(self, key: ProcKey, ask: Ask, rows: Mapping[int, ProcRow]) -> bool:
        row = rows.get(key.pid)
        if row is None or row.key != key:
            return False
        old = self._marks.get(key, _NOTHING)
        sign, rank = _sign(self.verdicts.of(key))
        fresh = RowMarks(sign, rank, self._percents.get(key, old.limit_percent), self._ranks.get(key.pid, old.oom_rank))
        if fresh == old:
            return False
        self._marks[key] = fresh
        return True


def _sign(verdict: Verdict | None) -> tuple[str, int | None]:
    """Two cells: how bad, and the shape."""
    if verdict is None:
        return "", None
    shape, rank = _SHAPES[verdict.state.kind]
    if verdict.state.evidence is not None:
        mark, rank = _MARKS[verdict.state.evidence]
        return mark + shape, rank
    return (" " + shape, rank) if shape else ("", None)


def _plain(limit: Limit, name: str, limit_bytes: int | None, used_bytes: int) -> LimitRow:
    ceiling_bytes = limit_bytes or 0
    return LimitRow(limit, name, ceiling_bytes, used_bytes, ceiling_bytes - used_bytes, ceiling_bytes - used_bytes)


def _may_be_killed(status: int | None) -> bool:
    return status is None or ending_signal(status) == 9


def _with_regions(case: Case, view: RegionsView | None) -> Case:
    """What only smaps tells, where it has been read."""
    if view is None:
        return case
    case = replace(case, denied=view.missing is Missing.DENIED)
    if view.reading is None:
        return case
    return replace(
        case,
        reserved=view.reading.split.reserved_bytes,
        lazyfree=view.reading.rollup.number("LazyFree"),
        mappings=len(view.reading.regions),
    )


def _around(row: ProcRow, rows: Mapping[int, ProcRow], cgroups: CgroupSample) -> tuple[int, ProcRow | None]:
    """Zombie children of a process, and the largest of all processes where the OOM killer never takes it."""
    zombies = sum(one.note is Note.ZOMBIE and one.ppid == row.pid for one in rows.values())
    if NEVER not in cgroups.adjs.values():
        return zombies, None
    largest = max(rows.values(), key=lambda one: one.rss_bytes or 0)
    return zombies, largest if cgroups.adjs.get(largest.key) == NEVER else None


def _place(key: ProcKey, order: list[Victim], rows: Mapping[int, ProcRow]) -> Place | None:
    first = rows.get(order[0].pid) if order else None
    if first is None:
        return None
    rank = next((victim.rank for victim in order if victim.pid == key.pid), None)
    return Place(first.key, f"{first.name} ({first.pid})", rank, len(order))


def _inside(path: str, chain: tuple[str, ...]) -> str:
    """The part of a cgroup's directory that lies below the mount point."""
    return path[len(chain[-1]) :] or "/"


def cgroup_name(path: str, chain: tuple[str, ...]) -> str:
    """What a person calls this cgroup: its unit, its container, its pod, or its path."""
    inside = _inside(path, chain)
    last = owner(os.fsencode(inside.rpartition("/")[2]))
    found = owner(os.fsencode(inside))
    if last.container is not None:
        container = last.container[:12] if len(last.container) == 64 else last.container
        return f"{found.runtime or 'container'} {container}"
    if last.pod is not None:
        return f"pod {last.pod}"
    return last.unit or clean(inside)

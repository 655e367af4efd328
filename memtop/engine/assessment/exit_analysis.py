"""Analyzes the exit of a process: exit code or signal, OOM kill and its limit, and the successor."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from memtop.analysis.limits.exit_cause import Oom, ending_signal, exit_code, was_oom
from memtop.analysis.limits.memory_limits import binding, ceilings, is_known
from memtop.engine.assessment.event_counters import KILL_S, Counters
from memtop.engine.assessment.memory_limits import MACHINE_NAME, limit_name
from memtop.engine.assessment.step_input import StepInput, is_low
from memtop.history.process_history import slope_bytes_per_min
from memtop.history.rings import History, Point
from memtop.model.assessment import ExitReport
from memtop.model.frame import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import CgroupReading

AUTOPSIES: Final = 64
SETTLED_S: Final = 10.0
"""Time that the kernel may need to free everything that an ended process had."""
_KILLED: Final = 9
_NEAR: Final = 0.1
"""With more than this share of a limit left, that limit was not the cause, if the machine was low."""
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
        self._autopsies: dict[ProcessKey, ExitReport] = {}
        self._dead: deque[_Dead] = deque(maxlen=AUTOPSIES)
        self._certain: deque[tuple[float, ProcessKey]] = deque(maxlen=AUTOPSIES)
        """Processes that the OOM killer certainly ended, and when."""
        self._last_seen: dict[ProcessKey, CgroupReading] = {}

    def hold(self, keys: Iterable[ProcessKey]) -> None:
        """Report the exits of these from the next tick on."""
        wanted = {key.pid: key for key in keys}
        self._held |= wanted
        self._wanted |= dict.fromkeys(wanted.values())

    def hold_only(self, pids: Iterable[int], step: StepInput) -> None:
        """Keep those of the held processes and of ``pids`` that live; drop all others."""
        self._held = {pid: step.rows[pid].key for pid in self._held.keys() | set(pids) if pid in step.rows}
        self._last_seen = {key: leaf for key, leaf in self._last_seen.items() if key.pid in self._held}
        living = set(self._held.values())
        self._wanted = {key: None for key in self._wanted if key in self._autopsies or key in living}

    def note_alive(self, key: ProcessKey, leaf: CgroupReading) -> None:
        """Note the cgroup of a process that is assessed in full, while it still has memory."""
        self._last_seen[key] = leaf

    def of(self, key: ProcessKey) -> ExitReport | None:
        """How a process ended; None while it lives, and if it was not held."""
        return self._autopsies.get(key)

    def examine(self, step: StepInput, last: Mapping[ProcessKey, ProcessRow]) -> Iterator[ExitReport]:
        """Reports on held processes that ended at this tick. ``last`` has the last rows of those that are gone.

        Other processes are reported if their cgroup says that the OOM killer ended them.
        """
        ended: dict[ProcessKey, tuple[float, int | None]] = {}
        all_held = set(self._held.values())
        for key in step.sample.gone:
            if key in all_held or self._cgroup_kills(key):
                ended[key] = step.sample.wall_s, None
        for exit_ in step.sample.exits:
            held = self._held.get(exit_.pid)
            if held is not None:
                ended[held] = exit_.wall_s, exit_.status
        found: list[tuple[ProcessRow, float, int | None]] = []
        for key, (at_s, status_seen) in ended.items():
            row = last.get(key) or step.row(key)
            if row is not None and row.key == key and key not in self._autopsies:
                status = _status(step, key, status_seen)
                found.append((row, at_s, status))
                self._dead.append(_Dead(step.now_s, key, status, row.rss_bytes or 0))
        found.sort(key=lambda one: not self._cgroup_kills(one[0].key))  # a certain one explains a kill for the others
        for row, at_s, status in found:  # all are known by now, so each is counted for the others
            self._held.pop(row.pid, None)
            autopsy = self._autopsy(step, row, at_s, status)
            if row.key not in all_held and not autopsy.is_oom:
                continue
            self._autopsies[row.key] = autopsy
            if autopsy.oom is Oom.CERTAIN:
                self._certain.append((step.now_s, row.key))
            self._drop_the_oldest(step.plan.assessed)
            yield autopsy

    def _drop_the_oldest(self, assessed: Iterable[ProcessKey]) -> None:
        """Drop the oldest reports on others, and on processes that were wanted. Reports on those assessed now stay."""
        others = [key for key in self._autopsies if key not in self._wanted]
        wanted = [key for key in self._autopsies if key in self._wanted and key not in assessed]
        for key in others[: max(0, len(others) - AUTOPSIES)] + wanted[: max(0, len(wanted) - _MOST_WANTED)]:
            del self._autopsies[key]
            self._wanted.pop(key, None)

    def follow(self, key: ProcessKey, step: StepInput) -> None:
        """Update a report: what its cgroup still holds, and which process takes its place."""
        autopsy = self._autopsies.get(key)
        if autopsy is None:
            return
        leaf = step.leaf(key)
        if leaf is not None and step.sample.wall_s - autopsy.at_s <= SETTLED_S:
            autopsy = self._autopsies[key] = replace(autopsy, cgroup_after_bytes=leaf.usage_bytes)
        if autopsy.successor is None or step.row(autopsy.successor) is None:
            heir = self._heir(autopsy, step)
            if heir != autopsy.successor:
                self._autopsies[key] = replace(autopsy, successor=heir)

    def _heir(self, autopsy: ExitReport, step: StepInput) -> ProcessKey | None:
        """The youngest process that runs the same command in the same cgroup and began later."""
        key = autopsy.key
        chain = self._counters.chain(key)
        heirs = [
            row.key
            for row in step.rows.values()
            if row.command == autopsy.command
            and row.started_s is not None
            and row.key.start_ticks > key.start_ticks
            and row.rss_bytes
            and row.key != key
            and (not chain or step.cgroups.chains.get(row.key, chain) == chain)
        ]
        return max(heirs, key=lambda one: one.start_ticks, default=None)

    def _autopsy(self, step: StepInput, row: ProcessRow, at_s: float, status: int | None) -> ExitReport:
        key, counters = row.key, self._counters
        chain = counters.chain(key)
        path = chain[0] if chain else None
        cgroup_kills = self._cgroup_kills(key)
        together = [one for one in self._dead if step.now_s - one.at_s <= KILL_S and one.may_be_killed]
        here = [one for one in together if path is not None and counters.chain(one.key)[:1] == (path,)]
        mine = here if cgroup_kills is not None else together
        point = self._last_point(key)
        rss = row.rss_bytes or (point.rss_bytes if point is not None else 0)
        oom, clues = was_oom(
            status,
            cgroup_kills=cgroup_kills,
            machine_kills=counters.machine_kills,
            explained=sum(step.now_s - at_s <= KILL_S for at_s, _ in self._certain),
            vanished=max(1, len(mine)),
            largest=all(rss >= self._rss_of(one) for one in mine if one.key != key),
        )
        limit = self._culprit(step, chain) if oom in (Oom.CERTAIN, Oom.PROBABLE) else None
        before = self._last_seen.get(key)
        after = step.cgroups.readings.get(path) if path is not None else None
        return ExitReport(
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
            virt_bytes=row.virt_bytes or (point.virt_bytes if point is not None else None),
            peak_rss_bytes=max(row.peak_rss_bytes or 0, rss) or None,
            slope_bytes_per_min=slope_bytes_per_min(self._history, key, step.now_s),
            cgroup_before_bytes=before.usage_bytes if before is not None else None,
            cgroup_after_bytes=after.usage_bytes if after is not None else None,
        )

    def _cgroup_kills(self, key: ProcessKey) -> int | None:
        chain = self._counters.chain(key)
        return self._counters.cgroup_kills(chain[0]) if chain else None

    def _last_point(self, key: ProcessKey) -> Point | None:
        track = self._history.tracks.get(key)
        return track.point(-1) if track is not None and len(track) else None

    def _rss_of(self, dead: _Dead) -> int:
        point = self._last_point(dead.key)
        return (point.rss_bytes if point is not None else 0) or dead.rss_bytes

    def _culprit(self, step: StepInput, chain: tuple[str, ...]) -> tuple[str, int] | None:
        """The limit that caused an OOM kill: of the cgroup that counted it, or of the one with the least room left.

        If a cgroup was first read after the kill, its room before is unknown. Then a limit that was ever reached counts
        as the cause.
        """
        pairs = [(self._counters.now(path), self._counters.before(path)) for path in chain]
        known = [(now, before) for now, before in pairs if now is not None and before is not None]
        for now, before in reversed(known):
            if now.oom is not None and before.oom is not None and now.oom > before.oom and now.limit_bytes:
                return limit_name(now.path, step), now.limit_bytes
        total = step.meminfo.total_bytes if step.meminfo is not None else None
        found = binding([one for one in ceilings([before.use for _, before in known], total) if one.kills])
        was_low = step.machine_is_low or (step.before is not None and is_low(step.before.system.meminfo))
        if found is not None and found.path is not None:
            near = found.headroom_max_bytes <= _NEAR * found.limit_bytes or self._touched_unseen(found.path)
            if near or not was_low:
                return limit_name(found.path, step), found.limit_bytes
        # A limit that was not read may have been the cause too.
        all_read = 0 < len(chain) == sum(is_known(before.use) for _, before in known)
        if total is not None and (was_low or all_read):
            return MACHINE_NAME, total
        return None

    def _touched_unseen(self, path: str) -> bool:
        now, before = self._counters.now(path), self._counters.before(path)
        return now is not None and now is before and bool(now.max_events)


def _status(step: StepInput, key: ProcessKey, status: int | None) -> int | None:
    """The status of a zombie that waits for its parent, if pidfds do not report it and we may read it."""
    if status is None:
        seen = step.sample.processes.get(key.pid)
        if seen is not None and seen.key == key and seen.stat is not None and seen.stat.state == "Z":
            return seen.stat.exit_code or None
    return status

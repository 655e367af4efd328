"""Decides which cgroup and limit files each sample reads, and keeps the memory cgroup found for each process.

A process's cgroup is looked up once and kept while it lives; each directory's files are read at most once at an
instant, and only for processes on screen. Kills are counted by the machine's vmstat as well, so the
counters of other cgroups are read again only when that one has moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from memtop.analysis.limits.cgroup_owner import CgroupOwner
from memtop.errors import MemtopError, ProcessGone
from memtop.process_key import ProcessKey
from memtop.procfs.limits import PidLimits, parse_limits
from memtop.procfs.lines import int_or_none
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample, Policy
from memtop.sampling.cgroups.cgroup_files import RARELY_TICKS, CgroupFiles
from memtop.sampling.cgroups.cgroup_finder import CgroupFinder, Found
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source

LOOKUPS: Final = 16
"""Processes looked up at one instant, beside the one in focus: the first look must not be a jump."""
MOST_MEMBERS: Final = 64
"""Members of a cgroup whose oom_score_adj is read for the sake of the one in focus."""


@dataclass(slots=True)
class _Home:
    """Where a process is accounted."""

    raw: bytes
    found: Found
    tick: int


class CgroupReader:
    """Reads cgroups and limits through a Source, one instant at a time."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._folders = CgroupFiles(source)
        self._tick = -1
        self._finder = CgroupFinder(source, self._folders)
        self._policy = Policy()
        self._homes: dict[ProcessKey, _Home] = {}
        self._chains: dict[ProcessKey, tuple[str, ...]] = {}
        self._readings: dict[str, CgroupReading] = {}
        self._kills: dict[str, int] = {}
        self._versions: dict[str, bool] = {}
        """Directories -> whether they are of version 2."""
        self._labels: dict[str, str] = {}
        self._owners: dict[ProcessKey, CgroupOwner] = {}
        self._missing: set[ProcessKey] = set()
        """Those that had ended at the latest sweep."""
        self._adjs: dict[ProcessKey, int] = {}
        self._limits: dict[ProcessKey, tuple[int, PidLimits]] = {}
        """With the tick at which they were read."""
        self._machine_kills: int | None = None

    def read(self, plan: SamplePlan, processes: Mapping[int, ProcessSample], machine_kills: int | None) -> CgroupSample:
        """One instant: the chains of those assessed in full, of the others what is on screen.

        ``machine_kills`` is oom_kill of /proc/vmstat.
        """
        readings = plan.readings
        self._tick += 1
        self._folders.begin(self._tick)
        self._readings = {}
        if self._tick % RARELY_TICKS == 0:
            self._read_machine()
        self._forget_gone(plan.assessed, processes)
        for judged in plan.assessed:
            seen = processes.get(judged.pid)
            if seen is not None and seen.statm is not None and seen.key == judged:
                self._find(judged, leader_gone=seen.leader_gone)
            self._read_chain(judged, full=True)  # also after its end: what is left there belongs to its autopsy
            self._read_adjs_of(judged, processes)
        looked_at = self._looked_at(plan, processes)
        self._look_up([key for pid in plan.watched if (key := _key(processes, pid))], looked_at, processes)
        for key in looked_at:
            self._read_chain(key, full=False)
        self._read_kills(machine_kills)
        if Need.VICTIM in readings.row_needs or Need.LIMITS in readings.focus_needs:
            self._read_adjs(processes)
        return CgroupSample(
            chains=self._chains,
            unread={key: home.found.unread for key, home in self._homes.items() if home.found.unread},
            owners=self._owners,
            labels=self._labels,
            readings=self._readings,
            kills=self._kills,
            adjs=self._adjs,
            limits=self._limits_of(plan.assessed, processes),
            policy=self._policy,
        )

    # -- which cgroup

    def _forget_gone(self, judged: Iterable[ProcessKey], processes: Mapping[int, ProcessSample]) -> None:
        if self._tick % RARELY_TICKS:
            return  # a few names of the dead cost nothing
        alive = {one.key for one in processes.values()}.union(judged)
        # The report of an exit needs them, and it may be due at this very tick: each is kept until the next sweep.
        before, self._missing = self._missing, self._homes.keys() - alive
        for key in before & self._missing:
            del self._homes[key], self._chains[key]
            self._owners.pop(key, None)
        for key in self._adjs.keys() - alive - self._missing:
            del self._adjs[key]
        used = {path for home in self._homes.values() for path in home.found.chain[:1]}
        for path in self._kills.keys() - used:
            del self._kills[path]
        used = {path for home in self._homes.values() for path in home.found.chain}
        for path in self._labels.keys() - used:
            del self._labels[path], self._versions[path]

    def _looked_at(self, plan: SamplePlan, processes: Mapping[int, ProcessSample]) -> list[ProcessKey]:
        readings = plan.readings
        if Need.CGROUP in readings.needs_all:
            return [one.key for one in processes.values() if one.statm is not None]
        return [key for key in readings.visible if key.pid in processes] if Need.CGROUP in readings.needs else []

    def _look_up(
        self, near: list[ProcessKey], looked_at: list[ProcessKey], processes: Mapping[int, ProcessSample]
    ) -> None:
        """Find those that are new, the watched ones ahead of any budget, and one of the others again: a process may
        be moved."""
        new = [key for key in dict.fromkeys(near) if key not in self._homes]
        new += [key for key in looked_at if key not in self._homes][:LOOKUPS]
        known = near + looked_at
        for key in new or known[self._tick % len(known) :][:1] if known else ():
            self._find(key, leader_gone=processes[key.pid].leader_gone)

    def _find(self, key: ProcessKey, *, leader_gone: bool) -> None:
        """Where it is accounted. What was known of it stays where it cannot be read again: the file of a zombie says
        ``/``."""
        home = self._homes.get(key)
        try:
            raw = self._source.read(self._living(key.pid) if leader_gone else f"proc/{key.pid}/cgroup")
        except ProcessGone:
            return
        except MemtopError as error:
            if home is None:
                self._settle(key, b"", self._finder.refused(error))
            return
        if home is not None and home.raw == raw and not (home.found.unread and self._tick - home.tick >= RARELY_TICKS):
            return
        self._settle(key, raw, self._finder.find(key.pid, raw))

    def _settle(self, key: ProcessKey, raw: bytes, found: Found) -> None:
        self._homes[key] = _Home(raw, found, self._tick)
        self._chains[key] = found.chain
        self._owners[key] = found.owner
        self._labels.update(zip(found.chain, found.labels, strict=True))
        self._versions.update(dict.fromkeys(found.chain, found.v2))

    def _living(self, pid: int) -> str:
        """The file of a thread that lives, where the main one has ended."""
        other = next((tid for tid in self._source.tids(pid) if tid != pid), pid)
        return f"proc/{pid}/task/{other}/cgroup"

    # -- what it says

    def _read_chain(self, key: ProcessKey, *, full: bool) -> None:
        home = self._homes.get(key)
        if home is None:
            return
        for number, path in enumerate(home.found.chain):
            old = self._readings.get(path)
            if old is None or (full and number == 0 and old.members is None):
                self._readings[path] = self._folders.read(path, home.found.v2, leaf=number == 0, full=full)

    def _read_kills(self, machine_kills: int | None) -> None:
        """Counters of kills: where read anyway, where still unknown, and everywhere when the machine's has moved."""
        moved = machine_kills is None or machine_kills != self._machine_kills
        self._machine_kills = machine_kills
        for chain in {home.found.chain for home in self._homes.values() if home.found.chain}:
            path, v2 = chain[0], self._versions[chain[0]]
            reading, before = self._readings.get(path), self._kills.get(path)
            if reading is not None and reading.oom_kill is not None:
                self._kills[path] = reading.oom_kill
            elif moved or before is None:
                count = self._folders.kills(path, v2)
                if count is None:  # removed with its last process: what it had counted says nothing of the end
                    self._kills.pop(path, None)
                else:
                    self._kills[path] = count
            if before is not None and self._kills.get(path, before) > before:
                for number, above in enumerate(chain):  # whose limit it was
                    if above not in self._readings:
                        self._readings[above] = self._folders.read(above, v2, leaf=number == 0, full=True)

    # -- the machine, the process

    def _read_machine(self) -> None:
        self._finder.begin()
        self._policy = Policy(self._number("proc/sys/vm/overcommit_memory"), self._number("proc/sys/vm/max_map_count"))

    def _limits_of(
        self, judged: Iterable[ProcessKey], processes: Mapping[int, ProcessSample]
    ) -> dict[ProcessKey, PidLimits]:
        """Resource limits, which hardly ever change."""
        before, self._limits = self._limits, {}
        for key in judged:
            found = before.get(key)
            if (found is None or self._tick - found[0] >= RARELY_TICKS) and key.pid in processes:
                try:
                    found = self._tick, parse_limits(self._source.read(f"proc/{key.pid}/limits"))
                except MemtopError:
                    found = None
            if found is not None:
                self._limits[key] = found
        return {key: limits for key, (_, limits) in self._limits.items()}

    def _read_adjs_of(self, key: ProcessKey, processes: Mapping[int, ProcessSample]) -> None:
        """oom_score_adj of those in its cgroup, once while they live."""
        home = self._homes.get(key)
        reading = self._readings.get(home.found.chain[0]) if home is not None and home.found.chain else None
        for pid in (reading.members or ())[:MOST_MEMBERS] if reading is not None else ():
            member = _key(processes, pid)
            if member is not None and member not in self._adjs:
                adj = self._number(f"proc/{pid}/oom_score_adj")
                if adj is not None:
                    self._adjs[member] = adj

    def _read_adjs(self, processes: Mapping[int, ProcessSample]) -> None:
        """oom_score_adj of all: once while they live, and of each in turn again."""
        for number, one in enumerate(processes.values()):
            due = one.key not in self._adjs or (number + self._tick) % RARELY_TICKS == 0
            if due and one.statm is not None:
                adj = self._number(f"proc/{one.key.pid}/oom_score_adj")
                if adj is not None:
                    self._adjs[one.key] = adj

    # -- files

    def _number(self, path: str) -> int | None:
        try:
            return int_or_none(self._source.read(path, 64))
        except MemtopError:
            return None


def _key(processes: Mapping[int, ProcessSample], pid: int) -> ProcessKey | None:
    found = processes.get(pid)
    return found.key if found is not None and found.statm is not None else None

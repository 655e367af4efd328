"""Finds each process's memory cgroup and decides which cgroup and limit files each sample reads.

A process's cgroup is looked up once and kept while it lives; each directory's files are read at most once at an
instant, and only for processes on screen. Kills are counted by the machine's vmstat as well, so the
counters of other cgroups are read again only when that one has moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from memtop.analysis.limits.memory_cgroups import CgroupPlace, Version, memory_places
from memtop.errors import MemtopError
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import parse_memberships
from memtop.procfs.limits import PidLimits, parse_limits
from memtop.procfs.lines import int_or_none
from memtop.procfs.mountinfo import Mount, parse_mountinfo
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample, Policy
from memtop.sampling.cgroups.cgroup_files import RARELY_TICKS, CgroupFiles
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
    chain: tuple[str, ...]
    v2: bool
    tick: int


class CgroupReader:
    """Reads cgroups and limits through a Source, one instant at a time."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._folders = CgroupFiles(source)
        self._tick = -1
        self._mounts: tuple[Mount, ...] = ()
        self._controllers: bytes | None = None
        self._policy = Policy()
        self._homes: dict[ProcessKey, _Home] = {}
        self._chains: dict[ProcessKey, tuple[str, ...]] = {}
        self._readings: dict[str, CgroupReading] = {}
        self._kills: dict[str, int] = {}
        self._versions: dict[str, bool] = {}
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
                self._find(judged)
            self._read_chain(judged, full=True)  # also after its end: what is left there belongs to its autopsy
            self._read_adjs_of(judged, processes)
        looked_at = self._looked_at(plan, processes)
        self._look_up([key for pid in plan.watched if (key := _key(processes, pid))] + looked_at)
        for key in looked_at:
            self._read_chain(key, full=False)
        self._read_kills(machine_kills)
        if Need.VICTIM in readings.row_needs or Need.LIMITS in readings.focus_needs:
            self._read_adjs(processes)
        return CgroupSample(
            self._chains,
            self._readings,
            self._kills,
            self._adjs,
            self._limits_of(plan.assessed, processes),
            self._policy,
        )

    # -- which cgroup

    def _forget_gone(self, judged: Iterable[ProcessKey], processes: Mapping[int, ProcessSample]) -> None:
        if self._tick % RARELY_TICKS:
            return  # a few names of the dead cost nothing, and the autopsy of the newly dead needs them
        alive = {one.key for one in processes.values()}.union(judged)
        for key in self._homes.keys() - alive:
            del self._homes[key], self._chains[key]
        for key in self._adjs.keys() - alive:
            del self._adjs[key]
        used = {path for home in self._homes.values() for path in home.chain[:1]}
        for path in self._kills.keys() - used:
            del self._kills[path]

    def _looked_at(self, plan: SamplePlan, processes: Mapping[int, ProcessSample]) -> list[ProcessKey]:
        readings = plan.readings
        if Need.CGROUP in readings.needs_all:
            return [one.key for one in processes.values() if one.statm is not None]
        return [key for key in readings.visible if key.pid in processes] if Need.CGROUP in readings.needs else []

    def _look_up(self, keys: list[ProcessKey]) -> None:
        """Find those that are new, and one of the others again: a process may be moved."""
        new = [key for key in dict.fromkeys(keys) if key not in self._homes]
        for key in new[:LOOKUPS]:
            self._find(key)
        if keys and not new:
            self._find(keys[self._tick % len(keys)])

    def _find(self, key: ProcessKey) -> None:
        try:
            raw = self._source.read(f"proc/{key.pid}/cgroup")
        except MemtopError:
            return  # what was known of it stays: a zombie's own file already says "/"
        home = self._homes.get(key)
        if home is not None and home.raw == raw:
            return
        places = memory_places(parse_memberships(raw), self._mounts, self._controllers)
        place = self._visible(places)
        chain = place.chain if place is not None else ()
        v2 = place is not None and place.version is Version.V2
        self._homes[key] = _Home(raw, chain, v2, self._tick)
        self._chains[key] = chain
        self._versions.update(dict.fromkeys(chain, v2))

    def _visible(self, places: tuple[CgroupPlace, ...]) -> CgroupPlace | None:
        """The first that can be seen from here; one alone is taken at its word."""
        if len(places) < 2:
            return places[0] if places else None
        for place in places:
            name = "cgroup.procs"
            if self._folders.file(place.chain[0], name, 64) is not None:
                return place
        return None

    # -- what it says

    def _read_chain(self, key: ProcessKey, *, full: bool) -> None:
        home = self._homes.get(key)
        if home is None:
            return
        for number, path in enumerate(home.chain):
            old = self._readings.get(path)
            if old is None or (full and number == 0 and old.members is None):
                self._readings[path] = self._folders.read(path, home.v2, leaf=number == 0, full=full)

    def _read_kills(self, machine_kills: int | None) -> None:
        """Counters of kills: where read anyway, where still unknown, and everywhere when the machine's has moved."""
        moved = machine_kills is None or machine_kills != self._machine_kills
        self._machine_kills = machine_kills
        for path in {home.chain[0] for home in self._homes.values() if home.chain}:
            reading = self._readings.get(path)
            if reading is not None and reading.oom_kill is not None:
                self._kills[path] = reading.oom_kill
            elif moved or path not in self._kills:
                count = self._folders.kills(path, self._versions.get(path, False))
                if count is not None:
                    self._kills[path] = count

    # -- the machine, the process

    def _read_machine(self) -> None:
        try:
            self._mounts = parse_mountinfo(self._source.read("proc/self/mountinfo", 1 << 20))
        except MemtopError:
            self._mounts = ()
        point = next((mount.point for mount in self._mounts if mount.fstype == b"cgroup2"), None)
        self._controllers = None
        if point is not None:
            path = CgroupPlace(Version.V2, point.rstrip(b"/"), b"").chain[0]
            self._controllers = self._folders.file(path, "cgroup.controllers", 1024)
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
        reading = self._readings.get(home.chain[0]) if home is not None and home.chain else None
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

"""The limits around processes, as read: memory cgroups, resource limits, and how the kernel hands memory out.

Owned by the sampler. A process's cgroup is looked up once and kept while it lives; each directory's files are read
at most once at an instant, and only for processes that somebody looks at. Kills are counted by the machine's
vmstat as well, so the counters of cgroups that nobody looks at are read again only when that one has moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from memtop.analysis.cgroups import CgroupPlace, Version, memory_places
from memtop.analysis.limits import CgroupUse
from memtop.errors import MemtopError
from memtop.procfs.cgroup import (
    UNLIMITED,
    MemoryStat,
    parse_count,
    parse_limit,
    parse_memberships,
    parse_memory_events,
    parse_memory_stat,
    parse_oom_control,
)
from memtop.procfs.limits import PidLimits, parse_limits
from memtop.procfs.lines import int_or_none
from memtop.procfs.mountinfo import Mount, parse_mountinfo
from memtop.procfs.pressure import Pressure, parse_pressure
from memtop.sample import Ask, Need, ProcKey, ProcSample
from memtop.source import Source

LOOKUPS: Final = 16
"""Processes looked up at one instant, beside the one in focus: the first look must not be a jump."""
MOST_MEMBERS: Final = 64
"""Members of a cgroup whose oom_score_adj is read for the sake of the one in focus."""
RARELY_TICKS: Final = 30
"""What hardly ever changes (mounts, sysctls, resource limits, limits that are none) is read again after so many."""


@dataclass(frozen=True, slots=True)
class CgroupReading:
    """One memory cgroup at one instant. Sizes in bytes; None where this version does not have it, or unreadable."""

    path: str
    v2: bool
    limit_bytes: int | None
    """UNLIMITED for none."""
    usage_bytes: int | None = None
    stat: MemoryStat | None = None
    high_bytes: int | None = None
    """memory.high: beyond it tasks are slowed down; UNLIMITED for none."""
    swap_limit_bytes: int | None = None
    """Of swap alone; UNLIMITED for none."""
    swap_bytes: int | None = None
    oom: int | None = None
    """Times that memory was about to run out in here (v2)."""
    oom_kill: int | None = None
    """Processes of this very cgroup that the kernel's OOM killer took."""
    max_events: int | None = None
    """Times that the limit was touched: memory.events max, or failcnt of v1."""
    high_events: int | None = None
    kill_disabled: bool | None = None
    """Tasks hang at the limit instead of being killed (v1)."""
    under_oom: bool | None = None
    group_kill: bool | None = None
    """All of it is killed at once (v2)."""
    pressure: Pressure | None = None
    members: tuple[int, ...] | None = None
    """Pids of this very cgroup, ascending; None where they were not read."""

    @property
    def use(self) -> CgroupUse:
        """As the judgement of limits takes it."""
        return CgroupUse(
            self.path,
            self.limit_bytes,
            self.usage_bytes,
            self.stat,
            self.high_bytes,
            self.swap_limit_bytes,
            self.swap_bytes,
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """How the kernel hands memory out; None where unreadable."""

    overcommit: int | None = None
    """vm.overcommit_memory: 0 heuristic, 1 always, 2 never."""
    max_map_count: int | None = None
    kill_allocating: bool | None = None
    """vm.oom_kill_allocating_task."""


@dataclass(frozen=True, slots=True)
class CgroupSample:
    """What is known of limits at one instant."""

    chains: Mapping[ProcKey, tuple[str, ...]] = field(default_factory=dict)
    """The process's cgroup and its ancestors, nearest first, where they are known; empty where there are none."""
    readings: Mapping[str, CgroupReading] = field(default_factory=dict)
    """Those read at this instant, by path."""
    kills: Mapping[str, int] = field(default_factory=dict)
    """oom_kill of every cgroup that is known, as last read."""
    adjs: Mapping[ProcKey, int] = field(default_factory=dict)
    """oom_score_adj, where it was read."""
    limits: Mapping[ProcKey, PidLimits] = field(default_factory=dict)
    """Resource limits of those that are judged in full."""
    policy: Policy = Policy()


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
        self._tick = -1
        self._mounts: tuple[Mount, ...] = ()
        self._controllers: bytes | None = None
        self._policy = Policy()
        self._homes: dict[ProcKey, _Home] = {}
        self._chains: dict[ProcKey, tuple[str, ...]] = {}
        self._readings: dict[str, CgroupReading] = {}
        self._kills: dict[str, int] = {}
        self._versions: dict[str, bool] = {}
        self._adjs: dict[ProcKey, int] = {}
        self._absent: dict[str, int] = {}
        self._open_ended: dict[str, int] = {}
        """Ancestors without a limit -> tick at which that was read."""
        self._limits: dict[ProcKey, tuple[int, PidLimits]] = {}
        """With the tick at which they were read."""
        self._machine_kills: int | None = None

    def read(
        self, ask: Ask, near: Iterable[int], processes: Mapping[int, ProcSample], machine_kills: int | None
    ) -> CgroupSample:
        """One instant: the chains of those judged in full, of the others what somebody looks at.

        ``near`` are the pids that are watched; ``machine_kills`` is oom_kill of /proc/vmstat.
        """
        self._tick += 1
        self._readings = {}
        if self._tick % RARELY_TICKS == 0:
            self._read_machine()
        self._forget_gone(ask.judged, processes)
        for judged in ask.judged:
            seen = processes.get(judged.pid)
            if seen is not None and seen.statm is not None and seen.key == judged:
                self._find(judged)
            self._read_chain(judged, full=True)  # also after its end: what is left there belongs to its autopsy
            self._read_adjs_of(judged, processes)
        looked_at = self._looked_at(ask, processes)
        self._look_up([key for pid in near if (key := _key(processes, pid))] + looked_at)
        for key in looked_at:
            self._read_chain(key, full=False)
        self._read_kills(machine_kills)
        if Need.VICTIM in ask.needs | ask.needs_all or ask.panel == "limits":
            self._read_adjs(processes)
        return CgroupSample(
            self._chains, self._readings, self._kills, self._adjs, self._limits_of(ask.judged, processes), self._policy
        )

    # -- which cgroup

    def _forget_gone(self, judged: Iterable[ProcKey], processes: Mapping[int, ProcSample]) -> None:
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
        self._absent.clear()

    def _looked_at(self, ask: Ask, processes: Mapping[int, ProcSample]) -> list[ProcKey]:
        if Need.CGROUP in ask.needs_all:
            return [one.key for one in processes.values() if one.statm is not None]
        return [key for key in ask.visible if key.pid in processes] if Need.CGROUP in ask.needs else []

    def _look_up(self, keys: list[ProcKey]) -> None:
        """Find those that are new, and one of the others again: a process may be moved."""
        new = [key for key in dict.fromkeys(keys) if key not in self._homes]
        for key in new[:LOOKUPS]:
            self._find(key)
        if keys and not new:
            self._find(keys[self._tick % len(keys)])

    def _find(self, key: ProcKey) -> None:
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
            if self._file(place.chain[0], name, 64) is not None:
                return place
        return None

    # -- what it says

    def _read_chain(self, key: ProcKey, *, full: bool) -> None:
        home = self._homes.get(key)
        if home is None:
            return
        for number, path in enumerate(home.chain):
            old = self._readings.get(path)
            if old is None or (full and number == 0 and old.members is None):
                self._readings[path] = self._read_one(path, home.v2, leaf=number == 0, full=full)

    def _read_one(self, path: str, v2: bool, *, leaf: bool, full: bool) -> CgroupReading:
        if not leaf and self._tick - self._open_ended.get(path, -RARELY_TICKS) < RARELY_TICKS:
            return CgroupReading(path, v2, UNLIMITED)
        limit = self._limit(path, "memory.max" if v2 else "memory.limit_in_bytes")
        high = self._limit(path, "memory.high") if v2 else None
        if limit in (None, UNLIMITED) and high in (None, UNLIMITED) and not (leaf and full):
            if limit is not None:
                self._open_ended[path] = self._tick
            return CgroupReading(path, v2, limit, high_bytes=high)
        usage = self._count(path, "memory.current" if v2 else "memory.usage_in_bytes")
        raw = self._file(path, "memory.stat")
        stat = parse_memory_stat(raw) if raw is not None else None
        if not full:
            return CgroupReading(path, v2, limit, usage, stat, high)
        raw = self._file(path, "cgroup.procs")
        members = None if raw is None else tuple(sorted(int(word) for word in raw.split() if word.isdigit()))
        return (self._rest_v2 if v2 else self._rest_v1)(
            CgroupReading(path, v2, limit, usage, stat, high, members=members)
        )

    def _rest_v1(self, one: CgroupReading) -> CgroupReading:
        raw = self._file(one.path, "memory.oom_control", 256)
        control = parse_oom_control(raw) if raw is not None else None
        both = self._limit(one.path, "memory.memsw.limit_in_bytes")
        swap_limit = None
        if both is not None and one.limit_bytes is not None:
            swap_limit = UNLIMITED if both >= UNLIMITED else max(0, both - one.limit_bytes)
        used = self._count(one.path, "memory.memsw.usage_in_bytes") if both is not None else None
        return CgroupReading(
            one.path,
            one.v2,
            one.limit_bytes,
            one.usage_bytes,
            one.stat,
            swap_limit_bytes=swap_limit,
            swap_bytes=max(0, used - one.usage_bytes) if used is not None and one.usage_bytes is not None else None,
            oom_kill=control.oom_kill if control else None,
            max_events=self._count(one.path, "memory.failcnt"),
            kill_disabled=control.kill_disabled if control else None,
            under_oom=control.under_oom if control else None,
            members=one.members,
        )

    def _rest_v2(self, one: CgroupReading) -> CgroupReading:
        raw = self._file(one.path, "memory.events", 1024)
        events = parse_memory_events(raw) if raw is not None else None
        raw = self._file(one.path, "memory.events.local", 1024)
        local = parse_memory_events(raw) if raw is not None else events
        raw = self._file(one.path, "memory.pressure", 1024)
        return CgroupReading(
            one.path,
            one.v2,
            one.limit_bytes,
            one.usage_bytes,
            one.stat,
            one.high_bytes,
            self._limit(one.path, "memory.swap.max"),
            self._count(one.path, "memory.swap.current"),
            oom=events.oom if events else None,
            oom_kill=local.oom_kill if local else None,
            max_events=events.max if events else None,
            high_events=events.high if events else None,
            group_kill=self._count(one.path, "memory.oom.group") == 1,
            pressure=parse_pressure(raw) if raw is not None else None,
            members=one.members,
        )

    def _read_kills(self, machine_kills: int | None) -> None:
        """Counters of kills: where read anyway, where still unknown, and everywhere when the machine's has moved."""
        moved = machine_kills is None or machine_kills != self._machine_kills
        self._machine_kills = machine_kills
        for path in {home.chain[0] for home in self._homes.values() if home.chain}:
            reading = self._readings.get(path)
            if reading is not None and reading.oom_kill is not None:
                self._kills[path] = reading.oom_kill
            elif moved or path not in self._kills:
                count = self._kills_of(path)
                if count is not None:
                    self._kills[path] = count

    def _kills_of(self, path: str) -> int | None:
        if not self._versions.get(path):
            raw = self._file(path, "memory.oom_control", 256)
            return parse_oom_control(raw).oom_kill if raw is not None else None
        raw = self._file(path, "memory.events.local", 1024) or self._file(path, "memory.events", 1024)
        return parse_memory_events(raw).oom_kill if raw is not None else None

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
            self._controllers = self._file(path, "cgroup.controllers", 1024)
        kills = self._number("proc/sys/vm/oom_kill_allocating_task")
        self._policy = Policy(
            self._number("proc/sys/vm/overcommit_memory"),
            self._number("proc/sys/vm/max_map_count"),
            None if kills is None else bool(kills),
        )

    def _limits_of(self, judged: Iterable[ProcKey], processes: Mapping[int, ProcSample]) -> dict[ProcKey, PidLimits]:
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

    def _read_adjs_of(self, key: ProcKey, processes: Mapping[int, ProcSample]) -> None:
        """oom_score_adj of those in its cgroup, once while they live."""
        home = self._homes.get(key)
        reading = self._readings.get(home.chain[0]) if home is not None and home.chain else None
        for pid in (reading.members or ())[:MOST_MEMBERS] if reading is not None else ():
            member = _key(processes, pid)
            if member is not None and member not in self._adjs:
                adj = self._number(f"proc/{pid}/oom_score_adj")
                if adj is not None:
                    self._adjs[member] = adj

    def _read_adjs(self, processes: Mapping[int, ProcSample]) -> None:
        """oom_score_adj of all: once while they live, and of each in turn again."""
        for number, one in enumerate(processes.values()):
            due = one.key not in self._adjs or (number + self._tick) % RARELY_TICKS == 0
            if due and one.statm is not None:
                adj = self._number(f"proc/{one.key.pid}/oom_score_adj")
                if adj is not None:
                    self._adjs[one.key] = adj

    # -- files

    def _file(self, folder: str, name: str, size: int = 16_384) -> bytes | None:
        """None where it is not there, which is not asked again for a while."""
        path = f"{folder}/{name}"
        if path in self._absent:
            return None
        try:
            return self._source.read(path, size)
        except MemtopError:
            self._absent[path] = self._tick
            return None

    def _count(self, folder: str, name: str) -> int | None:
        raw = self._file(folder, name, 64)
        return None if raw is None else parse_count(raw)

    def _limit(self, folder: str, name: str) -> int | None:
        raw = self._file(folder, name, 64)
        return None if raw is None else parse_limit(raw)

    def _number(self, path: str) -> int | None:
        try:
            return int_or_none(self._source.read(path, 64))
        except MemtopError:
            return None


def _key(processes: Mapping[int, ProcSample], pid: int) -> ProcKey | None:
    found = processes.get(pid)
    return found.key if found is not None and found.statm is not None else None

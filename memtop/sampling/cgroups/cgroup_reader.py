"""Decides which cgroup and limit files each sample reads, and keeps the memory cgroup found for each process.

A process's cgroup is looked up soon after the process is first seen, and again from time to time, because it may be
moved. Each directory's files are read at most once at an instant: those of processes on screen, and the others in turn.
The machine's vmstat counts kills as well, so the counters of all cgroups are read again only when that one has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from math import ceil
from typing import Final

from memtop.errors import MemtopError, NotRecorded, ProcessGone
from memtop.process_key import ProcessKey
from memtop.procfs.limits import UNREADABLE, PidLimits, parse_limits
from memtop.procfs.lines import int_or_none
from memtop.procfs.membership import CgroupOwner
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample, Policy
from memtop.sampling.cgroups.all_cgroups import AllCgroups
from memtop.sampling.cgroups.cgroup_files import RARELY_TICKS, CgroupFiles
from memtop.sampling.cgroups.cgroup_finder import CgroupFinder, Found
from memtop.sampling.cgroups.frozen_cgroups import FrozenCgroups
from memtop.sampling.cgroups.held_memory import HeldReader
from memtop.sampling.cgroups.hugetlb_limits import HugetlbLimits
from memtop.sampling.cgroups.mapping_counts import MappingCounts
from memtop.sampling.cgroups.memberships import LOOKUPS, LOOKUPS_FOR_ALL, CgroupMemberships, living
from memtop.sampling.cgroups.task_limits import TaskLimits
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample, SystemSample
from memtop.sources.protocol import Source

MOST_MEMBERS: Final = 64
"""Members of a cgroup whose oom_score_adj is read at one instant for the process in focus ..."""
MEMBERS_AGAIN: Final = 32
"""... and so many of those of which it is known, for it rarely changes."""
KILLS_A_TICK: Final = 256
"""Cgroups whose count of kills is read at one instant."""
FEW: Final = 4
"""Of so many processes ..."""
FEW_TICKS: Final = 3
"""... resource limits are read again after so few ticks."""


class CgroupReader:
    """Reads cgroups and limits through a Source, one instant at a time."""

    def __init__(self, source: Source, *, replaying: bool = False) -> None:
        """``replaying``: everything that was recorded at an instant is taken, whatever the plan says."""
        self._source = source
        self._folders = CgroupFiles(source)
        self._tick = -1
        self._finder = CgroupFinder(source, self._folders)
        self._replaying = replaying
        self._memberships = CgroupMemberships(source, self._finder, self._add_chain, replaying=replaying)
        self._all = AllCgroups(self._folders, replaying=replaying)
        self._policy = Policy()
        self._tasks = TaskLimits(source, replaying=replaying)
        self._frozen = FrozenCgroups(source, replaying=replaying)
        self._hugetlb = HugetlbLimits(source, replaying=replaying)
        self._counts = MappingCounts(source)
        self._held = HeldReader(source)
        self._removed_before: set[str] = set()
        """Cgroups that were removed, and whose members have been looked up again."""
        self._readings: dict[str, CgroupReading] = {}
        self._in_full: set[str] = set()
        """Cgroups of which everything was read at this tick, as far as it can be read."""
        self._chains_read: set[tuple[tuple[str, ...], bool]] = set()
        """Chains that were read at this tick, and whether their leaves were read in full. A recording may lack some of
        their cgroups, which are not asked for again for each process."""
        self._leaves: dict[str, tuple[str, ...]] = {}
        """Cgroups with members of their own, and their chains."""
        self._kills: dict[str, int] = {}
        self._sampled_kills: dict[str, int] | None = None
        """A copy of them in the latest sample, which must not change; None where they have changed since."""
        self._kills_due: dict[str, None] = {}
        """Cgroups whose count of kills is to be read."""
        self._versions: dict[str, bool] = {}
        """Directories -> whether they are of version 2."""
        self._labels: dict[str, str] = {}
        self._owners: dict[str, CgroupOwner] = {}
        self._adjs: dict[ProcessKey, int] = {}
        self._known_adjs: set[int] = set()
        """PIDs of some of those processes."""
        self._limits: dict[ProcessKey, tuple[int, PidLimits]] = {}
        """With the tick at which they were read."""
        self._machine_kills: int | None = None
        self._has_all = False
        """Whether all processes were read at the latest instant."""

    def read(
        self,
        plan: SamplePlan,
        processes: Mapping[int, ProcessSample],
        system: SystemSample,
        now_s: float,
        gone: Sequence[ProcessKey] = (),
        *,
        changed: Iterable[int] = (),
    ) -> CgroupSample:
        """Read one instant: the chains of processes assessed in full, those on screen, and some others in turn.

        ``now_s`` is on the clock of Instant.mono_s; ``gone`` have ended since the last call; ``changed`` are PIDs of
        which something has changed since.
        """
        readings = plan.readings
        self._tick += 1
        self._folders.begin(self._tick)
        self._readings, self._in_full, self._chains_read = {}, set(), set()
        self._memberships.begin(now_s, gone)
        if self._replaying:  # it has them at the instants at which they were read, and they hold until then
            self._policy = self._read_policy()
        if self._tick % RARELY_TICKS == 0:
            self._read_machine()
            self._forget_gone(plan.assessed, processes)  # a few names of ended processes cost nothing
        elif self._finder.blind or (self._replaying and self._finder.controllers is None):
            self._finder.begin()  # a recording may have the mounts and the controllers from a later instant on
        for judged in plan.assessed:
            seen = processes.get(judged.pid)
            if seen is not None and seen.statm is not None and seen.key == judged:
                self._memberships.find(judged, seen.folder)
        limited = _shown(Need.CGROUP, plan, processes)
        watched = [processes[pid].key for pid in plan.watched if pid in processes and pid not in self._memberships.pids]
        is_first = self._tick == 0 or (plan.pids is None and not self._has_all)
        self._has_all = plan.pids is None
        most = LOOKUPS
        if is_first and readings.patient:
            most = len(processes)
        elif Need.MEMBERSHIP in readings.needs_all:
            most = len(processes) if readings.once or self._tick == 0 else LOOKUPS_FOR_ALL
        shown = readings.visible if Need.MEMBERSHIP in readings.row_needs else ()
        wanted = living(self._memberships.unknown([*watched, *limited, *shown]), processes)
        self._memberships.read(wanted, processes, gone, changed=changed, most=most)
        self._memberships.find_members(self._all.removed - self._removed_before, processes)
        self._removed_before = set(self._all.removed)
        if self._memberships.left:
            self._keep_used()
        for judged in plan.assessed:
            self._read_chain(judged, full=True)  # also after its end: what remains there is part of its exit report
            self._read_adjs_of(judged, processes)
        for key in limited:
            self._read_chain(key, full=False)
        total_bytes = system.meminfo.total_bytes if system.meminfo is not None else None
        at_once = Need.GROUPS in readings.needs_all and readings.once
        self._all.read(now_s, self._readings, plan.cgroups, total_bytes, at_once=at_once)
        self._read_kills(system.vmstat.oom_kill if system.vmstat is not None else None)
        if Need.VICTIM in readings.row_needs or Need.LIMITS in readings.focus_needs:
            self._read_adjs(processes)
        return CgroupSample(
            chains=self._memberships.chains,
            unread=self._memberships.unread,
            waiting=self._memberships.waiting(processes),
            names=self._memberships.names,
            moved=self._memberships.moved,
            owners=self._owners,
            labels=self._labels,
            readings=self._readings,
            latest=self._all.latest,
            removed=frozenset(self._all.removed),
            remade={path: self._kills.get(path, 0) if named else 0 for path, named in self._folders.remade.items()},
            kills=self._kills_now(),
            adjs=self._adjs,
            limits=self._limits_of(plan.assessed, processes),
            tasks=self._tasks.read(plan.assessed, processes, self._finder.mounts, self._finder.controllers),
            frozen=self._frozen.read(plan.assessed, processes, self._finder.mounts, self._finder.controllers),
            hugetlb=self._hugetlb.read(plan.assessed, processes, self._finder.mounts, self._finder.controllers),
            mappings=self._counts.read(plan.assessed, processes, now_s, allowed=readings.smaps),
            held=self._held.read(plan.assessed, processes, now_s),
            own_meminfo=self._finder.own_meminfo,
            policy=self._policy,
        )

    # -- which cgroup

    def _add_chain(self, found: Found) -> None:
        self._labels.update(zip(found.chain, found.labels, strict=True))
        self._owners.update(zip(found.chain, found.owners, strict=True))
        self._versions.update(dict.fromkeys(found.chain, found.v2))
        for path in found.chain:
            if path in self._all.removed:  # it was made again
                self._folders.look_again(path)
            self._all.add(path, v2=found.v2)
        if found.chain and found.chain[0] not in self._leaves:
            self._leaves[found.chain[0]] = found.chain
            self._kills_due[found.chain[0]] = None

    def _forget_gone(self, judged: Collection[ProcessKey], processes: Mapping[int, ProcessSample]) -> None:
        kept = self._memberships.sweep(processes, judged)
        for key in self._adjs.keys() - kept:
            del self._adjs[key]
        self._known_adjs = set()
        self._keep_used()

    def _keep_used(self) -> None:
        """Drop the cgroups that no process is in or below."""
        chains = {found.chain for found in self._memberships.known()}
        self._leaves = {chain[0]: chain for chain in chains if chain}
        for path in self._kills.keys() - self._leaves.keys():
            del self._kills[path]
            self._sampled_kills = None
        used = {path for chain in chains for path in chain}
        for path in self._labels.keys() - used:
            del self._labels[path], self._owners[path], self._versions[path]
        self._all.keep_only(used)
        self._folders.keep_only(used)

    # -- what it says

    def _read_chain(self, key: ProcessKey, *, full: bool) -> None:
        found = self._memberships.found(key)
        if found is None or (found.chain, full) in self._chains_read:
            return
        self._chains_read.add((found.chain, full))
        for number, path in enumerate(found.chain):
            in_full = full and number == 0
            if path not in self._readings or (in_full and path not in self._in_full):
                reading = self._folders.read_if_recorded(path, found.v2, leaf=number == 0, full=full)
                if reading is not None:
                    self._readings[path] = reading
            if in_full:
                self._in_full.add(path)

    def _read_kills(self, machine_kills: int | None) -> None:
        """Read counters of kills: where read anyway, where unknown, and everywhere after the machine's has changed."""
        if machine_kills is None or machine_kills != self._machine_kills:
            self._kills_due.update(dict.fromkeys(self._leaves))
        self._machine_kills = machine_kills
        for path, reading in list(self._readings.items()):
            if path in self._leaves and reading.oom_kill is not None:
                self._kills_due.pop(path, None)
                self._count_kills(path, reading.oom_kill)
        for path in [*self._folders.remade, *list(self._kills_due)[:KILLS_A_TICK]]:
            self._kills_due.pop(path, None)
            if path not in self._leaves:
                continue
            count = self._folders.kills(path, self._versions[path])
            if count is None:  # removed with its last process: its count says nothing about the end
                self._kills.pop(path, None)
                self._sampled_kills = None
            else:
                self._count_kills(path, count)

    def _kills_now(self) -> dict[str, int]:
        if self._sampled_kills is None:
            self._sampled_kills = dict(self._kills)
        return self._sampled_kills

    def _count_kills(self, path: str, count: int) -> None:
        before, self._kills[path] = self._kills.get(path), count
        if (had_a_name := self._folders.remade.get(path)) is not None:
            before = None if had_a_name else 0
        if count != before:
            self._sampled_kills = None
        if before is not None and count > before:
            for number, above in enumerate(self._leaves[path]):  # the cgroup whose limit it was
                if above not in self._readings:
                    self._readings[above] = self._folders.read(
                        above, self._versions[above], leaf=number == 0, full=True
                    )

    # -- the machine, the process

    def _read_machine(self) -> None:
        self._finder.begin()
        self._policy = self._read_policy()

    def _read_policy(self) -> Policy:
        raw = self._folders.file("sys/module/zswap/parameters", "enabled", 16)
        now = Policy(
            self._number("proc/sys/vm/overcommit_memory"),
            self._number("proc/sys/vm/max_map_count"),
            None if raw is None else raw.strip() in (b"Y", b"1"),
            self._number("proc/sys/vm/swappiness"),
        )
        if not self._replaying:
            return now
        known = {name: value for name, value in now._asdict().items() if value is not None}
        return self._policy._replace(**known)

    def _limits_of(
        self, judged: Collection[ProcessKey], processes: Mapping[int, ProcessSample]
    ) -> dict[ProcessKey, PidLimits]:
        """Resource limits, which rarely change: prlimit(2) of another process does it, or the process itself."""
        every = FEW_TICKS if len(judged) <= FEW else RARELY_TICKS
        before, self._limits = self._limits, {}
        for key in judged:
            found = before.get(key)
            if (found is None or self._tick - found[0] >= every) and key.pid in processes:
                try:
                    found = self._tick, parse_limits(self._source.read(f"proc/{key.pid}/limits"))
                except NotRecorded:  # those that are known hold
                    pass
                except MemtopError:
                    found = self._tick - every, UNREADABLE  # it is tried again at the next tick
            if found is not None:
                self._limits[key] = found
        return {key: limits for key, (_, limits) in self._limits.items()}

    def _read_adjs_of(self, key: ProcessKey, processes: Mapping[int, ProcessSample]) -> None:
        """Read oom_score_adj of some members of its cgroup: of each once, and again in turn."""
        found = self._memberships.found(key)
        reading = self._readings.get(found.chain[0]) if found is not None and found.chain else None
        members = [pid for pid in (reading.members if reading is not None else None) or () if pid in processes]
        if not members:
            return
        ticks = max(RARELY_TICKS, ceil(len(members) / min(MEMBERS_AGAIN, MOST_MEMBERS)))
        due = members[-self._tick % ticks :: ticks]
        if not self._known_adjs.issuperset(members):
            self._known_adjs = {one.pid for one in self._adjs}
            due = [pid for pid in members if pid not in self._known_adjs] + due
        living = (one for pid in due if (one := _key(processes, pid)) is not None)
        for member in islice(living, MOST_MEMBERS):
            self._read_adj(member)

    def _is_due(self, number: int, key: ProcessKey) -> bool:
        return key not in self._adjs or (number + self._tick) % RARELY_TICKS == 0

    def _read_adj(self, key: ProcessKey) -> None:
        """Read oom_score_adj of a process; unknown if it cannot be read, while a recording may just not have it."""
        try:
            adj = int_or_none(self._source.read(f"proc/{key.pid}/oom_score_adj", 64))
        except (NotRecorded, ProcessGone):
            return
        except MemtopError:
            adj = None
        if adj is None:
            self._adjs.pop(key, None)
            self._known_adjs.discard(key.pid)
        else:
            self._adjs[key] = adj

    def _read_adjs(self, processes: Mapping[int, ProcessSample]) -> None:
        """Read oom_score_adj of all processes: once in their life, and again in turn."""
        for number, one in enumerate(processes.values()):
            if one.statm is not None and self._is_due(number, one.key):
                self._read_adj(one.key)

    # -- files

    def _number(self, path: str) -> int | None:
        try:
            return int_or_none(self._source.read(path, 64))
        except MemtopError:
            return None


def _shown(need: Need, plan: SamplePlan, processes: Mapping[int, ProcessSample]) -> Sequence[ProcessKey]:
    """Processes that need this reading."""
    readings = plan.readings
    if need in readings.needs_all:
        return [one.key for one in processes.values() if one.statm is not None]
    return [key for key in readings.visible if key.pid in processes] if need in readings.needs else ()


def _key(processes: Mapping[int, ProcessSample], pid: int) -> ProcessKey | None:
    found = processes.get(pid)
    return found.key if found is not None and found.statm is not None else None

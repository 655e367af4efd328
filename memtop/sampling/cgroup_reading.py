"""CgroupReading: limits and use of the cgroups of one process at one instant. Values without behavior."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from memtop.analysis.limits.memory_limits import CgroupUse
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED, MemoryStat
from memtop.procfs.held_report import HeldReport
from memtop.procfs.limits import PidLimits
from memtop.procfs.membership import CgroupNames, CgroupOwner
from memtop.procfs.pressure import Pressure


class CgroupReading(NamedTuple):
    """One memory cgroup at one instant. Sizes in bytes; None if this version does not have it, or it is unreadable."""

    path: str
    v2: bool
    limit_bytes: int | None
    """UNLIMITED for no limit."""
    usage_bytes: int | None = None
    stat: MemoryStat | None = None
    high_bytes: int | None = None
    """memory.high, beyond which tasks are slowed down; UNLIMITED for no limit."""
    swap_limit_bytes: int | None = None
    """Limit for swap alone; UNLIMITED for no limit."""
    swap_bytes: int | None = None
    oom: int | None = None
    """How often memory was about to run out in this cgroup (v2)."""
    oom_kill: int | None = None
    """Processes of exactly this cgroup that the kernel's OOM killer ended."""
    max_events: int | None = None
    """How often the limit was reached: memory.events max, or failcnt of v1."""
    high_events: int | None = None
    kill_disabled: bool | None = None
    """Whether tasks hang at the limit instead of being killed (v1)."""
    under_oom: bool | None = None
    group_kill: bool | None = None
    """Whether the whole cgroup is killed at once (v2)."""
    pressure: Pressure | None = None
    members: tuple[int, ...] | None = None
    """PIDs of exactly this cgroup, ascending; None if they were not read."""

    zswap_limit_bytes: int | None = None
    """memory.zswap.max; UNLIMITED for none."""
    zswap_bytes: int | None = None
    """memory.zswap.current: RAM that compressed pages take."""
    zswap_writeback: bool | None = None
    """memory.zswap.writeback: whether pages may go on to a swap device; None before Linux 6.8."""
    swappiness: int | None = None
    """memory.swappiness; None in version 2, where vm.swappiness applies."""
    min_bytes: int | None = None
    """memory.min: so much of its use is not reclaimed for other cgroups."""

    unread: tuple[tuple[str, str], ...] = ()
    """Files that exist and could not be read, such as ``memory.high``, each with the reason."""

    @property
    def use(self) -> CgroupUse:
        """The figures as the analysis of limits takes them."""
        return CgroupUse(
            self.path,
            self.limit_bytes,
            self.usage_bytes,
            self.stat,
            self.high_bytes,
            self.swap_limit_bytes,
            self.swap_bytes,
            joint_limit=not self.v2,
            zswap_room_bytes=self._zswap_room_bytes,
            min_bytes=self.min_bytes,
            zswap_only=self.zswap_writeback is False,
            unread=self.unread,
        )

    @property
    def _zswap_room_bytes(self) -> int | None:
        """None where pages may go on to a swap device, where zswap has no limit here, or where its use is unknown."""
        if self.zswap_writeback is not False or self.zswap_limit_bytes in (None, UNLIMITED):
            return None
        if self.zswap_bytes is None and self.zswap_limit_bytes:
            return None
        return max(0, (self.zswap_limit_bytes or 0) - (self.zswap_bytes or 0))


class TimedReading(NamedTuple):
    """The latest reading of a cgroup, and the previous one."""

    at_s: float
    """Time of the reading, on the clock of Instant.mono_s."""
    reading: CgroupReading
    before_s: float | None = None
    """Time of the previous reading; None for the first."""
    before_bytes: int | None = None
    """Memory in use at that time."""

    @property
    def usage_bytes_per_s(self) -> float | None:
        """Change of the use between the two; None for the first, or if the use is unknown."""
        now_bytes = self.reading.usage_bytes
        if self.before_s is None or self.before_bytes is None or now_bytes is None or self.at_s <= self.before_s:
            return None
        return (now_bytes - self.before_bytes) / (self.at_s - self.before_s)


def filled(newer: CgroupReading, older: CgroupReading) -> CgroupReading:
    """``newer``, completed by ``older`` for what was not read this time.

    Members are not completed, because they change.
    """
    missing = {
        name: value
        for name in CgroupReading._fields
        if name != "members" and getattr(newer, name) is None and (value := getattr(older, name)) is not None
    }
    return newer._replace(**missing) if missing else newer


class Policy(NamedTuple):
    """The kernel's memory policy; None if unreadable."""

    overcommit: int | None = None
    """vm.overcommit_memory: 0 heuristic, 1 always, 2 never."""
    max_map_count: int | None = None
    zswap: bool | None = None
    """Whether zswap is on; None if this kernel does not have it, or does not tell."""
    swappiness: int | None = None
    """vm.swappiness; 0 forbids swapping for the limit of a cgroup of version 2."""


class TaskLimit(NamedTuple):
    """A limit on the number of threads."""

    name: str
    limit: int
    used: int | None
    """Threads that count for it; None where unreadable."""


class TaskLimitsRead(NamedTuple):
    """Limits on the number of threads over one process."""

    limits: tuple[TaskLimit, ...]
    """Of its pids cgroups that have a limit, the nearest first; then those of the machine."""
    unread: str = ""
    """Why those of the cgroups are not known; empty where they are, or where there are none."""
    has_children: bool | None = None
    """Whether it has children; None if that is not known: the kernel does not list them (CONFIG_PROC_CHILDREN), or
    another than the main thread may have forked some."""


class HugetlbLimit(NamedTuple):
    """The limit of a cgroup on huge pages of one size."""

    page: str
    """Size of the pages, such as ``2MB``."""
    label: str
    """Usual name of the cgroup."""
    limit_bytes: int
    usage_bytes: int


class MappingCount(NamedTuple):
    """How many mappings a process has."""

    number: int | None = None
    """None while that is not known."""
    unread: str = ""
    """Why it is not known; empty where it is, and while it is being counted."""


class HeldMemory(NamedTuple):
    """What a process keeps in memory by what it has open or has created, mapped or not."""

    report: HeldReport | None = None
    """None while that is not known."""
    unread: str = ""
    """Why it is not known, or not enough to tell whether it grows; empty where it is, and while it is being read."""


@dataclass(frozen=True, slots=True)
class CgroupSample:
    """The limits at one instant."""

    chains: Mapping[ProcessKey, tuple[str, ...]] = field(default_factory=dict)
    """The process's memory cgroup and its ancestors, nearest first; empty if there are none, or if unknown."""
    unread: Mapping[ProcessKey, str] = field(default_factory=dict)
    """Why the memory cgroup of a process is unknown. A process has no entry if it is known, or if there is none."""
    waiting: int = 0
    """Processes whose cgroup was not looked up yet."""
    names: Mapping[ProcessKey, CgroupNames] = field(default_factory=dict)
    """Path of the process's cgroup, and its container, pod and unit."""
    moved: Collection[ProcessKey] = ()
    """Processes whose cgroup was found or has changed at this instant."""
    owners: Mapping[str, CgroupOwner] = field(default_factory=dict)
    """Container, pod and unit that each directory of the chains belongs to."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Usual name of each directory of the chains."""
    readings: Mapping[str, CgroupReading] = field(default_factory=dict)
    """Readings of this instant, by path."""
    latest: Mapping[str, TimedReading] = field(default_factory=dict)
    """The latest reading of every cgroup that has members, itself or below it, by path. They are read in turn."""
    removed: Collection[str] = frozenset()
    """Those of them whose use can be read no more: most have been removed, and their processes have ended."""
    remade: Mapping[str, int] = field(default_factory=dict)
    """Paths at which another cgroup than before was found at this instant: what was known by the path is not its.
    The OOM kills that it has counted before, by another name; 0 for one that was made."""
    kills: Mapping[str, int] = field(default_factory=dict)
    """oom_kill of every known cgroup, as last read."""
    adjs: Mapping[ProcessKey, int] = field(default_factory=dict)
    """oom_score_adj, if it was read."""
    limits: Mapping[ProcessKey, PidLimits] = field(default_factory=dict)
    """Resource limits of the processes that are assessed in full, without those that were not read."""
    tasks: Mapping[ProcessKey, TaskLimitsRead] = field(default_factory=dict)
    """Limits on the number of threads over those that are judged in full."""
    mappings: Mapping[ProcessKey, MappingCount] = field(default_factory=dict)
    """Number of mappings of those that are judged in full."""
    held: Mapping[ProcessKey, HeldMemory] = field(default_factory=dict)
    """What those that are judged in full keep in memory without mapping it."""
    hugetlb: Mapping[ProcessKey, tuple[HugetlbLimit, ...]] = field(default_factory=dict)
    """Limits on huge pages over processes that are assessed and have such pages, the nearest first."""
    frozen: Mapping[ProcessKey, bool] = field(default_factory=dict)
    """Whether the cgroup of a process that is assessed is frozen, so that it does not run."""
    own_meminfo: bool = False
    """Whether /proc/meminfo is that of a container (lxcfs), and not of the machine."""
    policy: Policy = field(default_factory=Policy)

"""CgroupReading: limits and use of the cgroups of one process at one instant; values without behavior."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from memtop.analysis.limits.cgroup_owner import CgroupNames, CgroupOwner
from memtop.analysis.limits.memory_limits import CgroupUse
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import MemoryStat
from memtop.procfs.limits import PidLimits
from memtop.procfs.pressure import Pressure


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


class TimedReading(NamedTuple):
    """The latest reading of a cgroup, and the one before it."""

    at_s: float
    """When it was made, on the clock of Instant.mono_s."""
    reading: CgroupReading
    before_s: float | None = None
    """When the reading before was made; None for the first."""
    before_bytes: int | None = None
    """What was used then."""

    @property
    def usage_bytes_per_s(self) -> float | None:
        """Change of the use between the two; None for the first, or where the use is unknown."""
        now_bytes = self.reading.usage_bytes
        if self.before_s is None or self.before_bytes is None or now_bytes is None or self.at_s <= self.before_s:
            return None
        return (now_bytes - self.before_bytes) / (self.at_s - self.before_s)


def filled(newer: CgroupReading, older: CgroupReading) -> CgroupReading:
    """``newer``, with what was not read this time as it was read in ``older``; members come and go, so not those."""
    missing = {
        name: value
        for name in CgroupReading.__slots__
        if name != "members" and getattr(newer, name) is None and (value := getattr(older, name)) is not None
    }
    return replace(newer, **missing) if missing else newer


@dataclass(frozen=True, slots=True)
class Policy:
    """How the kernel hands memory out; None where unreadable."""

    overcommit: int | None = None
    """vm.overcommit_memory: 0 heuristic, 1 always, 2 never."""
    max_map_count: int | None = None


@dataclass(frozen=True, slots=True)
class TaskLimit:
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


class MappingCount(NamedTuple):
    """How many mappings a process has."""

    number: int | None = None
    """None while that is not known."""
    unread: str = ""
    """Why it is not known; empty where it is, and while it is being counted."""


@dataclass(frozen=True, slots=True)
class CgroupSample:
    """What is known of limits at one instant."""

    chains: Mapping[ProcessKey, tuple[str, ...]] = field(default_factory=dict)
    """The process's memory cgroup and its ancestors, nearest first; empty where there are none, or unknown."""
    unread: Mapping[ProcessKey, str] = field(default_factory=dict)
    """Why the memory cgroup of a process is not known; absent where it is known, or where there is none."""
    names: Mapping[ProcessKey, CgroupNames] = field(default_factory=dict)
    """Path of the process's cgroup, and its container, pod and unit."""
    moved: Collection[ProcessKey] = ()
    """Processes whose names were found, or have changed, at this instant."""
    owners: Mapping[str, CgroupOwner] = field(default_factory=dict)
    """Container, pod and unit that each directory of the chains belongs to."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What a person calls each directory of the chains."""
    readings: Mapping[str, CgroupReading] = field(default_factory=dict)
    """Those read at this instant, by path."""
    latest: Mapping[str, TimedReading] = field(default_factory=dict)
    """The latest reading of every cgroup that has members, itself or below it, by path; read in turn."""
    kills: Mapping[str, int] = field(default_factory=dict)
    """oom_kill of every cgroup that is known, as last read."""
    adjs: Mapping[ProcessKey, int] = field(default_factory=dict)
    """oom_score_adj, where it was read."""
    limits: Mapping[ProcessKey, PidLimits] = field(default_factory=dict)
    """Resource limits of those that are judged in full."""
    tasks: Mapping[ProcessKey, TaskLimitsRead] = field(default_factory=dict)
    """Limits on the number of threads over those that are judged in full."""
    mappings: Mapping[ProcessKey, MappingCount] = field(default_factory=dict)
    """Number of mappings of those that are judged in full."""
    policy: Policy = Policy()

"""Assessment of a process for the views: limits, OOM rank, findings, and the report on its exit.

Sizes in bytes, None where unknown. Names are cleaned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from memtop.analysis.findings import Finding
from memtop.analysis.limits.cgroup_owner import CgroupOwner
from memtop.analysis.limits.exit_cause import Clue, Oom
from memtop.analysis.trend.classify import Growth
from memtop.analysis.trend.hysteresis import Confirmation
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import CgroupReading, Policy


class Limit(Enum):
    """What sets a limit, and what the kernel does beyond it."""

    CGROUP = "kills in the cgroup"
    HIGH = "only slows it down"
    CGROUP_SWAP = "swaps no more of it"
    MACHINE = "kills somebody"
    ADDRESS_SPACE = "lets mmap fail"
    DATA = "lets malloc fail"
    COMMIT = "lets mmap fail"


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One ceiling over the process."""

    limit: Limit
    name: str
    limit_bytes: int
    used_bytes: int
    """Of a cgroup and of the machine what cannot be reclaimed."""
    headroom_bytes: int
    """Limit minus working set: beyond it page cache in use is reclaimed, which costs speed."""
    headroom_max_bytes: int
    """Limit minus :attr:`used_bytes`, for the time when all that can be reclaimed is; decides what is met first."""
    binds: bool = False
    """Whether this is the ceiling that is reached first, of the cgroups' and the machine's."""
    path: str | None = None
    swap_room_bytes: int = 0
    """What can go to swap once it is reached, before what is said to happen beyond it."""
    unsure_bytes: int = 0
    """What of :attr:`used_bytes` may be reclaimable after all, in whole or in part: the kernel does not say."""


@dataclass(frozen=True, slots=True)
class Events:
    """Count in the cgroup since memtop started to read it; None where it has no such counter."""

    oom: int | None = None
    oom_kill: int | None = None
    max: int | None = None
    """Times that the limit was touched."""
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process stands among those that an OOM would choose from."""

    first: ProcessKey
    first_name: str
    rank: int | None
    """Of the process in focus, 1 dies first; None where it is never taken."""
    of: int


@dataclass(frozen=True, slots=True)
class ExitReport:
    """How a watched process ended."""

    key: ProcessKey
    name: str
    command: str
    at_s: float
    """Seconds since the epoch."""
    exit_code: int | None
    signal: int | None
    oom: Oom
    clues: tuple[Clue, ...]
    limit_name: str | None = None
    """Whose limit, where it was the OOM killer."""
    limit_bytes: int | None = None
    rss_bytes: int | None = None
    """At the last sample."""
    virt_bytes: int | None = None
    peak_rss_bytes: int | None = None
    slope_bytes_per_min: float | None = None
    """Of RES over its last minute."""
    cgroup_before_bytes: int | None = None
    cgroup_after_bytes: int | None = None
    successor: ProcessKey | None = None
    """A younger process with the same command in the same cgroup."""

    @property
    def is_oom(self) -> bool:
        """Whether the kernel's OOM killer took it, for certain or probably."""
        return self.oom in (Oom.CERTAIN, Oom.PROBABLE)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that was judged about the process in focus."""

    findings: tuple[Finding, ...] = ()
    """Worst first."""
    growth: Growth | None = None
    """What stands, with its numbers: its kind is that of :attr:`state`."""
    state: Confirmation | None = None
    lazy_free_bytes: int | None = None
    """Given back by MADV_FREE and not counted as growth; None where it was not read."""
    level_s: float | None = None
    """For how long it has been level since its last step; None where its shape is no step."""
    heap_level: bool = False
    """Whether by its runtime's own figures what is in use after a collection does not rise."""
    limits: tuple[LimitRow, ...] = ()
    first_met: LimitRow | None = None
    """Of them the one that a rising process meets first."""
    cgroup: CgroupReading | None = None
    cgroup_name: str = ""
    owner: CgroupOwner = field(default_factory=CgroupOwner)
    unread: tuple[str, ...] = ()
    """What is not known of its limits, each as a clause; only without any can it be said that no limit is near."""
    cgroup_known: bool = False
    """False where the cgroup cannot be found from here, which is not the same as none."""
    events: Events = field(default_factory=Events)
    policy: Policy = field(default_factory=Policy)
    """How the kernel hands memory out."""
    in_cgroup: Place | None = None
    on_machine: Place | None = None
    tasks_rss_bytes: int | None = None
    """Sum of RES of all tasks in the cgroup, where all are known."""
    tasks: int | None = None
    autopsy: ExitReport | None = None
    """How it has ended; the rest is then as it was at its end, as far as that was looked at."""

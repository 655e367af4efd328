"""Assessment of a process for the views: limits, OOM rank, findings, and the report on its exit.

Sizes are in bytes; None means unknown. Names are cleaned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, unique
from signal import SIGPIPE
from typing import Final, NamedTuple

from memtop.analysis.findings import Finding
from memtop.analysis.limits.exit_cause import ASKS_TO_END, Clue, Oom
from memtop.analysis.limits.large import FAILED_BYTES
from memtop.analysis.trend.classify import Growth
from memtop.analysis.trend.hysteresis import Confirmation
from memtop.process_key import ProcessKey
from memtop.procfs.held_report import HeldReport
from memtop.procfs.membership import CgroupOwner
from memtop.runtimes.view import ToolTarget
from memtop.sampling.cgroup_reading import CgroupReading, Policy
from memtop.units import size

_AT_PEAK: Final = 0.9
"""A process ended at its peak if it had at least this share of it at the last sample ..."""
_RISES_PER_MIN: Final = 0.25
"""... and rose until then if its rate was at least this share of the peak in a minute."""


@unique
class Limit(Enum):
    """What sets a limit, and what happens when it is reached."""

    CGROUP = "OOM-kills in the cgroup"
    HIGH = "slows it down"
    CGROUP_SWAP = "no more swapping"
    MACHINE = "OOM-kills a process"
    ADDRESS_SPACE = "mmap fails"
    DATA = "malloc fails"
    COMMIT = "mmap and fork fail"
    STACK = "SIGSEGV"
    LOCKED = "mlock fails"
    HUGETLB = "it gets SIGBUS"
    HUGE_POOL = "uses surplus pages, or mmap fails"
    RUNTIME = "OutOfMemoryError"
    RUNTIME_LEVEL = "OutOfMemoryError, but it does not rise toward it"
    RUNTIME_SOFT = "collects more and more often"


class LimitRow(NamedTuple):
    """One limit on the memory of the process."""

    limit: Limit
    name: str
    limit_bytes: int
    used_bytes: int
    """For a cgroup and the machine: memory in use that cannot be reclaimed."""
    headroom_bytes: int
    """Limit minus working set. Beyond it the kernel reclaims page cache that is in use, which costs speed."""
    headroom_max_bytes: int
    """Limit minus :attr:`used_bytes`, for the time after everything reclaimable was reclaimed. It decides which limit
    is reached first."""
    binds: bool = False
    """Whether this limit is reached first, among those of the cgroups and the machine."""
    path: str | None = None
    swap_room_bytes: int | None = 0
    """Memory that can go to swap after the limit is reached, before the kernel takes the action that the limit
    names; None if that is unknown."""
    unsure_bytes: int = 0
    """What of :attr:`used_bytes` may be reclaimable after all, in whole or in part: the kernel does not say."""
    protected_bytes: int = 0
    """What of :attr:`used_bytes` is cache that memory.min of a cgroup inside keeps from being reclaimed."""
    goes_to_swap: bool = False
    """Whether it is full, or memory goes to swap, so that what grows fills the room on swap now."""
    hangs: bool = False
    """Whether its OOM killer is disabled (version 1), so that tasks hang instead of being killed."""

    @property
    def effect(self) -> str:
        """What the kernel does beyond it."""
        effect = "tasks hang" if self.hangs else self.limit.value
        if self.swap_room_bytes is None:
            return f"swaps or {effect}"
        return f"swaps {size(self.swap_room_bytes)}, then {effect}" if self.swap_room_bytes > 0 else effect


class CountLimit(NamedTuple):
    """A limit on a number of things that the process has or takes part in."""

    name: str
    limit: int
    used: int
    beyond: str
    """What happens beyond it."""


class FullLimit(NamedTuple):
    """A limit of the process itself that was nearly full when it was last assessed, and so may have caused its end."""

    name: str
    limit: int
    """In bytes if :attr:`in_bytes`, else a number of things. So is :attr:`used`."""
    used: int
    effect: str
    """What happens when it is full."""
    in_bytes: bool

    @property
    def used_percent(self) -> float:
        """How full it was."""
        return 100 * self.used / self.limit


class Events(NamedTuple):
    """Counts in the cgroup since memtop started to read it; None if it has no such counter."""

    oom: int | None = None
    oom_kill: int | None = None
    """Since memtop started; None if that is unknown, too."""
    max: int | None = None
    """How often the limit was reached."""
    high: int | None = None
    read_s: float | None = None
    """For how long it has been read; None for as long as memtop has run."""


class Place(NamedTuple):
    """The position of a process among those that an OOM kill would choose from."""

    first: ProcessKey
    first_name: str
    rank: int | None
    """Rank of the process in focus; 1 is killed first. None if it is never killed."""
    of: int
    all_die: bool = False
    """Whether all processes of its cgroup are killed with the first one (memory.oom.group)."""


class ExitReport(NamedTuple):
    """How a watched process ended."""

    key: ProcessKey
    name: str
    """The kernel's name."""
    command: str
    at_s: float
    """Seconds since the epoch."""
    exit_code: int | None
    signal: int | None
    oom: Oom
    clues: tuple[Clue, ...]
    limit_name: str | None = None
    """Name of the limit, if the OOM killer ended it."""
    limit_bytes: int | None = None
    rss_bytes: int | None = None
    """At the last sample."""
    virt_bytes: int | None = None
    peak_rss_bytes: int | None = None
    started_s: float | None = None
    """Seconds since the epoch."""
    cgroup_limit_name: str | None = None
    """The lowest limit of the cgroups that it was in, reached or not; None if none is known."""
    cgroup_limit_bytes: int | None = None
    large: bool = False
    """Whether its peak was a notable part of RAM or of that limit: see :mod:`memtop.analysis.limits.large`."""
    first_life: ProcessKey | None = None
    """The first of the lives of its program, if that has crashed and come back before."""
    wanted: bool = False
    """Whether it was on the command line, descended from such a process, or was in focus."""
    slope_bytes_per_min: float | None = None
    """Slope of RES over its last minute."""
    cgroup_before_bytes: int | None = None
    cgroup_after_bytes: int | None = None
    full_limit: FullLimit | None = None
    """A limit of its own that was nearly full, where it failed and the OOM killer did not end it."""
    successor: ProcessKey | None = None
    """A younger process with the same command in the same cgroup."""
    program: str = ""
    """The program, script, module or main class that it ran; empty where that is its name."""
    path: str = ""
    """Directory of its memory cgroup; empty where it had none, or where that is unknown."""
    limit_path: str | None = None
    """Directory of the cgroup whose limit it was; None for the machine's memory, or where that is not certain."""
    limit_of_machine: bool = False
    """Whether that limit is the machine's memory."""

    @property
    def shown_name(self) -> str:
        """What a person calls it."""
        return self.program or self.name

    @property
    def on_chart(self) -> str:
        """How it ended, in a word or two for a mark on the chart."""
        if self.is_oom:
            return "OOM"
        if self.signal is not None:
            return f"signal {self.signal}"
        return f"code {self.exit_code}" if self.exit_code is not None else "ended"

    @property
    def is_oom(self) -> bool:
        """Whether the kernel's OOM killer ended it, certainly or probably."""
        return self.oom in (Oom.CERTAIN, Oom.PROBABLE)

    @property
    def ended_by_memtop(self) -> bool:
        """Whether it ended by a signal that the user sent from memtop."""
        return Clue.SENT_BY_MEMTOP in self.clues

    @property
    def lived_s(self) -> float | None:
        """How long it lived, in seconds; None if its start is unknown."""
        return max(0.0, self.at_s - self.started_s) if self.started_s is not None else None

    @property
    def is_killed(self) -> bool:
        """Whether a signal ended it. SIGPIPE does not count: it is how the writers of a pipeline end."""
        return self.signal is not None and self.signal != SIGPIPE

    @property
    def is_crash(self) -> bool:
        """Whether it ended abnormally: by the OOM killer, by a signal that does not ask it to end, or with an error."""
        if self.ended_by_memtop:
            return False
        return self.is_oom or bool(self.exit_code) or (self.signal is not None and self.signal not in ASKS_TO_END)

    @property
    def is_failure_of_its_own(self) -> bool:
        """Whether it ended abnormally, and the OOM killer did not end it; also where its status is unknown."""
        was_asked = self.exit_code is not None and self.exit_code - 128 in ASKS_TO_END  # so a JVM answers SIGTERM
        return not self.is_oom and not was_asked and (self.is_crash or self.is_end_unknown)

    @property
    def is_end_unknown(self) -> bool:
        """Whether the kernel has reported neither an exit code nor a signal."""
        return self.exit_code is None and self.signal is None

    @property
    def is_sizable_failure(self) -> bool:
        """Whether it ended abnormally with some tens of MiB at its peak."""
        return self.is_crash and (self.peak_rss_bytes or 0) >= FAILED_BYTES

    @property
    def may_have_failed(self) -> bool:
        """Whether the cause of its end is unknown, and it had some tens of MiB and rose until then."""
        unknown = self.is_end_unknown and not self.is_oom
        rss_bytes, peak_bytes = self.rss_bytes or 0, self.peak_rss_bytes or 0
        if not unknown or peak_bytes < FAILED_BYTES or rss_bytes < _AT_PEAK * peak_bytes:
            return False
        return self.slope_bytes_per_min is not None and self.slope_bytes_per_min >= _RISES_PER_MIN * peak_bytes

    @property
    def is_notable(self) -> bool:
        """Whether it belongs into the list of those that ended: watched, large, killed, or failed with some size."""
        return self.wanted or self.is_oom or self.large or self.is_killed or self.is_sizable_failure


@dataclass(frozen=True, slots=True)
class Assessment:
    """The whole assessment of the process in focus."""

    findings: tuple[Finding, ...] = ()
    """Worst first."""
    growth: Growth | None = None
    """The verdict with its numbers. Its kind is that of :attr:`state`."""
    state: Confirmation | None = None
    verdict_s: float = 90.0
    """About how long the first verdict takes with the time between samples."""
    lazy_free_bytes: int | None = None
    """Memory given back by MADV_FREE, which is not counted as growth; None if it was not read."""
    level_s: float | None = None
    """How long the curve has been level since its last step; None if its shape is not a step."""
    file_change_bytes: int | None = None
    """Change of the pages of files in RES over the span of :attr:`growth`, which does not count them."""
    of_heap: bool = False
    """Whether :attr:`growth` and :attr:`state` are those of a runtime's heap after collections, and not of RES."""
    charge_open: bool = False
    """Whether what its cgroup is charged has risen, and it is not known yet whether it grows."""
    family_open: bool = False
    """Whether it is not known yet whether what its fork family takes together grows."""
    family_rise_bytes: float | None = None
    """What its fork family as a whole has gained in a rise that is over; None without one, or where that is unknown."""
    held: HeldReport | None = None
    """What it keeps in memory, mapped or not; None where that is not known."""
    held_open: bool = False
    """Whether it is not known yet whether its memory outside RES grows."""
    held_doubt: str = ""
    """What is not known of its memory outside RES, while memory rises on this machine, as a clause."""
    held_rise_bytes: float | None = None
    """What its memory outside RES has gained in a rise that is over; None without one."""
    heap_level: bool = False
    """Whether the heap in use after a collection does not rise, by the runtime's own figures."""
    limits: tuple[LimitRow, ...] = ()
    counts: tuple[CountLimit, ...] = ()
    """Limits on the number of mappings and threads."""
    first_met: LimitRow | None = None
    """The limit that a rising process reaches first."""
    cgroup: CgroupReading | None = None
    cgroup_name: str = ""
    owner: CgroupOwner = field(default_factory=CgroupOwner)
    unread: tuple[str, ...] = ()
    """What is not known of the limits, one clause each. Only if it is empty can memtop say that no limit is near."""
    not_looked_at: tuple[str, ...] = ()
    """Limits that few processes reach and that memtop could not look at, one clause each. The sentence that no limit is
    near names them."""
    cgroup_known: bool = False
    """False if the cgroup cannot be found from here, which is not the same as having none."""
    events: Events = field(default_factory=Events)
    policy: Policy = field(default_factory=Policy)
    """The kernel's overcommit policy."""
    in_cgroup: Place | None = None
    on_machine: Place | None = None
    tasks_rss_bytes: int | None = None
    """Sum of RES of all tasks in the cgroup, if all are known."""
    tasks: int | None = None
    tools: ToolTarget | None = None
    """What decides which tools can look into it; None while its runtime is not known."""
    autopsy: ExitReport | None = None
    """How the process ended. The other fields then have the state at its end, as far as it was read."""

    @property
    def creeps(self) -> bool:
        """Whether its memory rises steadily, by too little for a verdict, and its runtime does not say that it uses no
        more."""
        return self.growth is not None and self.growth.creeps and not self.heap_level and not self.of_heap

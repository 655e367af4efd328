"""Facts about processes, cgroups and the machine, for the rules of incidents. Sizes in bytes; None where unknown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, NamedTuple

from memtop.analysis.crash_loop import LoopFacts
from memtop.analysis.ledger.machine import MachinePart
from memtop.analysis.limits.heap_use import HeapUse, heaps_end_before
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth
from memtop.analysis.trend.hysteresis import Evidence
from memtop.analysis.trend.rising import Rise
from memtop.process_key import ProcessKey

MIB: Final = 1 << 20
STILL_S: Final = 3.0
"""What has not risen for so long, nor for longer than its steps usually are apart, has no time until it is full."""


class LimitFacts(NamedTuple):
    """The limit that a process meets first: of a cgroup, of its runtime, or the machine's memory."""

    name: str
    limit_bytes: int
    room_bytes: int
    """Left until the kernel swaps or kills, once all that can be reclaimed is; 0 where there is none."""
    path: str | None = None
    """Directory of the cgroup; None for the machine."""
    kills: bool = True
    """False for memory.high, which slows down."""
    is_machine: bool = False
    """Whether it is the machine's memory, which cannot be raised."""
    of_heap: bool = False
    """Whether its runtime sets it for its heap. A rise of RES, which counts garbage, says nothing of the time to it."""
    heap_full_s: tuple[float, float] | None = None
    """Earliest and latest time until that heap is full, by what is left on it after collections; None if unknown."""
    file: str | None = None
    """The file of the cgroup that takes a higher limit; None where there is none, or another limit must be raised
    first."""

    @property
    def used_percent(self) -> float:
        """What cannot be reclaimed over the limit."""
        return 100.0 * (1 - self.room_bytes / self.limit_bytes) if self.limit_bytes > 0 else 100.0


class GrowthFacts(NamedTuple):
    """A process that grows or rises."""

    key: ProcessKey
    name: str
    limit: LimitFacts | None
    rise: Rise | None = None
    """Of RES, as long as it goes on."""
    anon_bytes: int = 0
    """The part of that rise that is anonymous; 0 where growth is confirmed, because no rule needs it then."""
    age_s: float | None = None
    """How long the process has lived."""
    growth: Growth | None = None
    """The standing verdict, where its growth is confirmed; its time to the limit is counted from now."""
    evidence: Evidence | None = None
    seen_s: float | None = None
    """For how long the confirmed growth has been seen."""
    chain: tuple[str, ...] = ()
    """Its cgroup and those above it."""


class GroupFacts(NamedTuple):
    """A program or a cgroup that grows as a whole, while no single process in it explains that."""

    identity: str
    """Directory of the cgroup, or what identifies the program."""
    name: str
    is_cgroup: bool
    members: int
    oldest: ProcessKey
    limit: LimitFacts | None
    rise: Rise | None = None
    """Of the anonymous memory of all its processes, as long as it goes on."""
    growth: Growth | None = None
    """As in GrowthFacts."""
    evidence: Evidence | None = None
    seen_s: float | None = None


Rates = dict[tuple[str | None, bool], dict[ProcessKey, float]]
"""The processes that grow toward each limit, and how fast: the path of its cgroup, and whether it is the machine's."""


class BrakeFacts(NamedTuple):
    """A cgroup whose tasks the kernel slows down, because it uses more than its memory.high, or soon will."""

    path: str
    name: str
    high_bytes: int
    some_percent: float | None = None
    """PSI of the cgroup over ten seconds: some task waited for memory; None where it is not measured."""
    largest: ProcessKey | None = None
    largest_name: str = ""
    """As in CgroupFacts."""
    room_bytes: int | None = None
    """What is left to memory.high after all that can be reclaimed; None where its tasks are slowed down already."""


class CgroupFacts(NamedTuple):
    """A cgroup with a limit."""

    path: str
    name: str
    limit_bytes: int
    room_bytes: int
    """As in LimitFacts; negative where the limit was lowered below the use."""
    swap_room_bytes: int | None = 0
    """None if it is unknown."""
    rise: Rise | None = None
    """Of what cannot be reclaimed."""
    largest: ProcessKey | None = None
    """The largest of its processes."""
    largest_name: str = ""
    """Empty where not all processes are read: then another may be larger."""
    shared_bytes: int = 0
    """The part of its use that is tmpfs and shared memory, which no process may have mapped."""
    kernel_bytes: int = 0
    """The part of its use that is kernel memory."""
    refault_per_s: float | None = None
    thrash_s: float = 0.0
    """For how long it has been full, page cache included, while so much of that came back that it is evicted again and
    again; 0 where it does not."""
    undivided: bool = False
    """Whether it is unknown what of its use can be reclaimed, so that all counts as if it could not."""
    heaps: tuple[HeapUse, ...] = ()
    """Heaps of processes in it that are being used for the first time."""
    read_s: float = 0.0
    """When it was read."""
    file: str | None = None
    """As in LimitFacts."""
    above_bytes: int | None = None
    """The least room that a cgroup above it leaves; None where none of them has a limit."""

    @property
    def full_s(self) -> float | None:
        """Seconds until it is full if it goes on to rise as it has; None where it does not rise, stands still, rises by
        heaps that end before, or is in another one that is full before."""
        if self.above_bytes is not None and self.above_bytes < self.room_bytes:
            return None
        if self.rise is None or not self.rise.goes_on(self.read_s, STILL_S):
            return None
        if heaps_end_before(self.heaps, self.rise.bytes_per_s, self.room_bytes):
            return None
        return self.rise.full_s(self.room_bytes)

    @property
    def used_percent(self) -> float:
        """The use that cannot be reclaimed, as a percentage of the limit."""
        return 100.0 * (self.limit_bytes - self.room_bytes) / self.limit_bytes if self.limit_bytes > 0 else 100.0


STACK_BYTES: Final = 16 << 10
"""Kernel stack of a thread on most machines (THREAD_SIZE)."""


class PartOwner(NamedTuple):
    """The process that has most of a part of RAM that RES does not show."""

    key: ProcessKey
    name: str
    size_bytes: int | None
    """None for kernel stacks, of which only the number of threads is known."""
    threads: int | None = None

    @property
    def about_bytes(self) -> int:
        """What it has, by its threads where only these are known."""
        return self.size_bytes if self.size_bytes is not None else (self.threads or 0) * STACK_BYTES


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """The machine."""

    total_bytes: int | None = None
    available_bytes: int | None = None
    committed_bytes: int | None = None
    commit_limit_bytes: int | None = None
    """CommitLimit under strict overcommit; None where it is not enforced."""
    used: Rise | None = None
    """Of RAM that is not available: what MemAvailable has lost within the last minute."""
    used_lately: tuple[tuple[float, int], ...] = ()
    """RAM that is not available, and swap in use, together, at the samples of the last minute; with the time of each.
    Empty if unknown."""
    parts: Mapping[MachinePart, Rise] = field(default_factory=dict)
    """The parts of RAM that have risen within the last minute, but for what is free or can be dropped at once."""
    owners: Mapping[MachinePart, PartOwner] = field(default_factory=dict)
    """The process that has most of a part, for parts of which that is known."""
    slab_holds: str = ""
    """What most of the new reclaimable slab is, in words; empty where that is not known."""
    all_watched: bool = True
    """Whether all processes are read: only then can it be said that no process explains a loss."""
    all_seen: bool = True
    """Whether the anonymous memory of the processes that are read explains that of the machine; not so in a container
    that sees only its own."""
    gainer: ProcessKey | None = None
    """The process that has gained most within the last minute."""
    gainer_name: str = ""
    gained_bytes: int = 0
    copier: ProcessKey | None = None
    """The process that copies memory which it shares since a fork, where that explains the rise of anonymous memory."""
    copier_name: str = ""
    copied_per_s: float = 0.0
    """Its minor faults: each copies a page."""
    holder: ProcessKey | None = None
    """The process that holds most of the memory that cannot be taken back, while little of it is available."""
    holder_name: str = ""
    """That process, or the program that does so in several; empty where it is a part of RAM, or is not known."""
    holder_part: MachinePart | None = None
    """The part of RAM that does so."""
    held_bytes: int = 0
    pool_bytes: int | None = None
    """The pool of huge pages (hugetlb) of the default size; None where there is none."""
    pool_left_bytes: int = 0
    """What of it is neither in use nor promised to a mapping."""
    pool_used: Rise | None = None
    """What of it has come into use, or was promised, within the last minute."""
    swap_used: Rise | None = None
    swap_free_bytes: int | None = None
    some_percent: float | None = None
    """PSI of memory over ten seconds: some task waited."""
    full_percent: float | None = None
    """All of them did."""
    refault_per_s: float | None = None

    def lost_since(self, since_s: float) -> tuple[int, float] | None:
        """Bytes of RAM and swap that came into use since an instant of the last minute, and in how many seconds; None
        if unknown."""
        points = self.used_lately
        if not points:
            return None
        then = points[max(0, bisect_right(points, since_s, key=itemgetter(0)) - 1)]
        if then[0] >= points[-1][0]:
            return None
        return points[-1][1] - then[1], points[-1][0] - then[0]


@dataclass(frozen=True, slots=True)
class ExitFacts:
    """The end of a process that deserves attention."""

    key: ProcessKey | None
    """None where it is not known which process it was."""
    name: str
    at_s: float
    """On the clock of Instant.mono_s."""
    is_oom: bool
    cgroup_path: str | None = None
    cgroup_name: str = ""
    limit_name: str = ""
    limit_bytes: int | None = None
    limit_of_machine: bool = False
    signal: int | None = None
    exit_code: int | None = None
    peak_bytes: int | None = None
    large: bool = False
    """It held a notable part of RAM."""
    count: int = 1
    """Kills in the same cgroup of the same program within the time that is remembered."""
    certain: bool = True
    """Whether it is certain that the OOM killer ended it, where :attr:`is_oom` says so."""
    limit_file: str | None = None
    """As in LimitFacts, of the limit at which it did."""


@dataclass(frozen=True, slots=True)
class IncidentInputs:
    """Everything known at one instant."""

    now_s: float
    growing: tuple[GrowthFacts, ...] = ()
    cgroups: tuple[CgroupFacts, ...] = ()
    machine: MachineFacts = field(default_factory=MachineFacts)
    exits: tuple[ExitFacts, ...] = ()
    loops: tuple[LoopFacts, ...] = ()
    groups: tuple[GroupFacts, ...] = ()
    brakes: tuple[BrakeFacts, ...] = ()
    standing: Mapping[tuple[Hashable, str], Severity] = field(default_factory=dict, compare=False)
    """The severities of the incidents that stand, by the identity of their subject and the name of their rule."""
    rates: Rates = field(default_factory=dict, compare=False)
    """Filled by the rule that asks for it first."""

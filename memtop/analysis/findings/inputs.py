"""FindingInputs: all facts about one process and its surroundings that the rules may use.

The fields are flat, because rules combine subjects freely, and a missing group would be one more None to check.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from memtop.analysis.crash_loop import LoopFacts
from memtop.analysis.fault_causes import Cause
from memtop.analysis.ledger.cgroup import Unmapped
from memtop.analysis.ledger.outside import OutsidePart
from memtop.analysis.limits.count_rise import CountRise
from memtop.analysis.trend.classify import Growth
from memtop.analysis.trend.hysteresis import Evidence

_GOAL_SHARE: Final = 0.9
"""What has reached this part of GOMEMLIMIT is held there ..."""
_BEYOND_SHARE: Final = 1.1
"""... and what is beyond this is not: more is in use than the limit allows, and RES shows how it grows."""


class FindingInputs(NamedTuple):
    """Facts about one process and its surroundings. Sizes in bytes; None means unknown.

    Fields of mappings, families and runtimes are set only while those are read. Without them their rules find nothing.
    """

    standing: Mapping[str, int] = MappingProxyType({})
    """By name the severities of the findings that stand, and of the incidents that its cgroups and the machine have by
    the same rules."""
    rss: int | None = None
    anon: int | None = None
    virt: int | None = None
    peak_rss: int | None = None
    swap: int | None = None
    page_tables: int | None = None
    leader_gone: bool = False
    state: str = ""
    cgroup_frozen: bool = False
    """Whether the freezer of its cgroup holds it up."""
    """The letter of its state; empty if it is unknown."""
    age_s: float | None = None
    minflt_per_s: float | None = None
    majflt_per_s: float | None = None
    minor_cause: Cause | None = None
    major_cause: Cause | None = None
    zombies: int = 0
    """Ended children that it has not waited for."""
    # growth
    growth: Growth | None = None
    """The confirmed verdict: several assessments agree on its shape."""
    alarm: bool = False
    changing: Growth | None = None
    """The latest assessment, if it and the previous one differ in direction from the confirmed verdict."""
    evidence: Evidence | None = None
    seen_s: float | None = None
    """How long the growth has been seen."""
    rise: int | None = None
    """Growth of RES since it began to rise; None while it does not rise."""
    rise_anon: int = 0
    """The part of :attr:`rise` that is anonymous."""
    rise_s: float | None = None
    """Duration of :attr:`rise`."""
    rise_full_s: float | None = None
    """Seconds until :attr:`rise_limit_name` is full at the pace of the rise; None where that is far or unknown."""
    rise_falls: bool = False
    """Whether that time follows the fall of available memory."""
    rise_limit_name: str = ""
    changed_ago_s: float | None = None
    """How long ago the step, the last stair or the spike was."""
    verdict_s: float = 90.0
    """About how long the first verdict takes."""
    flat_s: float | None = None
    """How long it has been flat after a rise."""
    grows_towards: str | None = None
    """Name of the limit that the growth reaches first."""
    grows_towards_bytes: int | None = None
    grows_towards_runtime: bool = False
    """Whether the runtime sets that limit (-Xmx), and says itself that memory is out."""
    grows_towards_brake: bool = False
    """Whether that limit is memory.high, which slows down and never kills."""
    grows_towards_swap: int = 0
    """Memory that can go to swap when that limit is reached."""
    siblings: int = 0
    """Other processes that grow toward the same limit."""
    grows_towards_machine: bool = False
    """Whether that limit is the machine's memory."""
    fills_swap: bool = False
    """Whether memory goes to swap there now, so that the time is that until swap is full as well."""
    rivals_per_s: float = 0.0
    """Bytes per second by which all else uses up the room to that limit."""
    unnamed_per_s: float = 0.0
    """The part of that which no process whose growth is confirmed explains: available memory falls faster than they
    grow."""
    charge: Growth | None = None
    """Confirmed growth of the part of its cgroup's charge that cannot be reclaimed."""
    charge_name: str | None = None
    """The name of that cgroup."""
    family_growth: Growth | None = None
    """Confirmed growth of what it and its fork relatives take together, where no cgroup's charge shows it."""
    family_measure: str = ""
    """What was summed for that: ``PSS`` or ``USS``."""
    family_count: int | None = None
    """The number of processes in that sum."""
    held_growth: Growth | None = None
    """Confirmed growth of its memory outside RES: memfds, files on tmpfs, segments and buffers that it keeps, mapped or
    not, and page tables."""
    held_parts: tuple[OutsidePart, ...] = ()
    """What that memory is, the largest first."""
    opens_more: bool = False
    """Whether the number of its descriptors grows of which the kernel does not tell what they keep."""
    opened: Mapping[str, int] = MappingProxyType({})
    """How many it has open, by kind."""
    held_towards: str | None = None
    """The name of the limit that kills first."""
    held_towards_bytes: int | None = None
    huge_growth: Growth | None = None
    """Confirmed growth of its huge pages (hugetlb), which RES does not have."""
    huge_limit_name: str | None = None
    """The fuller one of the limits on them: of a cgroup, or their pool."""
    huge_limit: int | None = None
    huge_used: int | None = None
    """In use there, or reserved."""
    loop: LoopFacts | None = None
    """The earlier lives of its program, if it has crashed and come back."""
    now_s: float | None = None
    """The instant, on the clock of the times in :attr:`loop`."""
    # the limit that binds
    limit_name: str | None = None
    """None if only the machine limits it."""
    limit: int | None = None
    swap_room: int | None = 0
    """Memory that can go to swap at the limit before the kernel kills; None if that is unknown."""
    unreclaimable: int | None = None
    """Memory of the cgroup that cannot be reclaimed, which decides whether it is killed."""
    working_set: int | None = None
    """Memory of the cgroup without inactive page cache, which decides about its speed."""
    cache: int | None = None
    """The part of the cgroup's use that can be reclaimed."""
    unsure: int = 0
    """The part of :attr:`unreclaimable` that may be reclaimable after all."""
    unmapped: Unmapped | None = None
    """Memory charged to its cgroup that no process in it has mapped; None unless all of them are known."""
    victim: str | None = None
    """Name of the process that an OOM kill in the limiting cgroup would end."""
    victim_of: int | None = None
    group_kill: bool | None = False
    frozen: bool = False
    spared: bool | None = False
    """Whether the OOM killer of the limiting cgroup is disabled (v1): at the limit its tasks hang."""
    kills: int | None = None
    """OOM kills in its cgroup since memtop started."""
    high_limit: int | None = None
    high_name: str | None = None
    """The memory.high that slows it down, of its own cgroup or of an ancestor."""
    high_per_s: float | None = None
    brake_name: str | None = None
    """The memory.high with the least room, of its own cgroup or of an ancestor."""
    brake_limit: int | None = None
    brake_used: int | None = None
    """The memory below it that cannot be reclaimed."""
    limit_events_per_s: float | None = None
    address_space: int | None = None
    """RLIMIT_AS, if there is one."""
    narrow_space: int | None = None
    """The size of the address space of a 32-bit program."""
    data: int | None = None
    data_limit: int | None = None
    # the machine
    mem_total: int | None = None
    mem_available: int | None = None
    host_victim: str | None = None
    psi_full_percent: float | None = None
    psi_of: str = ""
    """The cgroup of the pressure; empty for the machine."""
    refault_per_s: float | None = None
    swap_in_per_s: float | None = None
    """Pages read back from swap, from zswap too where the kernel counts those."""
    zswap_uncounted: bool = False
    """Whether zswap answers reads of swap that no counter shows."""
    overcommit: int | None = None
    committed: int | None = None
    commit_limit: int | None = None
    protected: str | None = None
    """The largest process, if the OOM killer may not kill it."""
    protected_rss: int | None = None
    # regions, families, runtimes
    reserved: int | None = None
    reserved_virt: int | None = None
    """VIRT of the reading that :attr:`reserved` is from."""
    reserved_rss: int | None = None
    reserved_past_s: float | None = None
    """The age of that reading if RES has moved since. The same goes for all fields that end so."""
    given_back: int | None = None
    """LazyFree as read last, whenever that was."""
    given_back_rss: int | None = None
    """RES of that reading."""
    given_back_past_s: float | None = None
    merged: int | None = None
    """Pages in RES that KSM has merged with equal ones, as read last; since Linux 6.7."""
    merged_rss: int | None = None
    merged_past_s: float | None = None
    lazyfree: int | None = None
    """Memory given back by MADV_FREE and still in RES. It does not count as growth."""
    lazyfree_unread: str = ""
    """Why that is unknown, in words; empty if it is known or was not requested."""
    mappings: int | None = None
    max_mappings: int | None = None
    count_rise: CountRise | None = None
    """The number of mappings or threads whose steady rise fills its limit first."""
    threads_limit_name: str | None = None
    """The limit on threads that is fullest: of a pids cgroup, its user or the machine."""
    threads_limit: int | None = None
    threads_used: int | None = None
    resource_limit_name: str | None = None
    """Of RLIMIT_STACK and RLIMIT_MEMLOCK the fuller one."""
    resource_limit: int | None = None
    resource_used: int | None = None
    resource_ends: str | None = None
    """What the kernel does beyond it."""
    denied: bool = False
    deleted_file: str | None = None
    """The program or library whose name was removed from disk."""
    deleted_state: str | None = None
    """``deleted``, ``unlinked`` or ``replaced``; None if it is not known what lies there now."""
    family: int | None = None
    family_rss: int | None = None
    family_pss: int | None = None
    family_past_s: float | None = None
    unshared: int | None = None
    """Memory that was shared with a parent or siblings and was copied within the last minute."""
    still_shared: int | None = None
    unshared_past_s: float | None = None
    next_gc: int | None = None
    heap_limit: int | None = None
    """GOMEMLIMIT; 0 if it is not set."""
    heap_held: int | None = None
    """The memory that GOMEMLIMIT governs."""
    gc_per_s: float | None = None
    gc_cpu_percent: float | None = None
    outside: int | None = None
    """Anonymous memory that the runtime does not account for."""
    outside_of: int | None = None
    """The anonymous memory that ``outside`` is part of."""
    steady_live: int | None = None
    """Memory in use after each collection, if it does not rise by the runtime's own figures."""
    heap_alarm: str = ""
    """``heap_leak``, ``heap_full`` or ``goroutines`` if the runtime's own figures indicate it; or empty."""
    heap_end_name: str | None = None
    """The limit that the runtime sets and that its own figures rise to."""
    heap_end_limit: int | None = None
    heap_ends_first: str = ""
    """What is not known of the limits that the runtime sets, where these may end it first."""
    heap_end_s: tuple[float, float] | None = None
    """Earliest and latest time until then."""
    heap_ends_soon: bool = False
    """Whether that is soon, as :func:`is_soon` remembers it."""
    heap_live: int | None = None
    """Memory in use after a collection."""
    heap_may_take: int | None = None
    """RES can grow by so much inside of the heap; None where the heap does not explain its rise, or is not known."""
    counted_again: int = 0
    """Memory that RES has more than once, because the runtime maps its heap several times."""
    heap_collections: int | None = None
    """Number of collections of old objects; None before there are enough for a trend."""
    surviving_per_s: float | None = None
    """Growth of what survives the collections, in bytes, if no collection has examined old objects yet."""
    may_rise_per_s: float | None = None
    """Growth of what the collections have left, in bytes, at most, if it varies too much to tell whether it grows."""
    heap_past_s: float | None = None
    """The age of the runtime's figures, where no newer ones came."""

    @property
    def heap_is_open(self) -> bool:
        """Whether what is in use on its heap may be growing, and more collections have to tell."""
        return bool(self.surviving_per_s or self.may_rise_per_s)

    @property
    def at_goal(self) -> bool:
        """Whether its memory is about as large as GOMEMLIMIT, and no figures say how much of it is in use."""
        if not self.heap_limit or self.heap_held is not None or self.anon is None:
            return False
        used = self.anon - (self.lazyfree or 0)
        return _GOAL_SHARE * self.heap_limit <= used <= _BEYOND_SHARE * self.heap_limit

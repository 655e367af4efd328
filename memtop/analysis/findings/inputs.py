"""FindingInputs: all facts about one process and its surroundings that the rules may use.

The fields are flat: rules combine subjects freely, and a missing group would only be one more None to check.
"""

from __future__ import annotations

from dataclasses import dataclass

from memtop.analysis.fault_causes import Cause
from memtop.analysis.ledger.cgroup import Unmapped
from memtop.analysis.trend.classify import Growth
from memtop.analysis.trend.hysteresis import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingInputs:
    """Facts about one process and its surroundings. Sizes in bytes; None where unknown.

    Fields of mappings, families and runtimes are filled in only while those are read; without them their rules find
    nothing.
    """

    rss: int | None = None
    virt: int | None = None
    peak_rss: int | None = None
    swap: int | None = None
    page_tables: int | None = None
    leader_gone: bool = False
    age_s: float | None = None
    minflt_per_s: float | None = None
    majflt_per_s: float | None = None
    minor_cause: Cause | None = None
    major_cause: Cause | None = None
    zombies: int = 0
    """Ended children that it has not waited for."""
    # growth
    growth: Growth | None = None
    """The standing verdict: several judgements agree on its shape."""
    alarm: bool = False
    changing: Growth | None = None
    """The latest judgement, where it and the one before differ in direction from the standing verdict."""
    evidence: Evidence | None = None
    seen_s: float | None = None
    """How long the growth has been seen."""
    rise: int | None = None
    """What RES has gained since it began to rise; None while it does not rise."""
    rise_anon: int = 0
    """The part of :attr:`rise` that is anonymous."""
    rise_s: float | None = None
    """The time in which it did."""
    flat_s: float | None = None
    """How long it has been flat after it had risen."""
    grows_towards: str | None = None
    """Name of the limit that the growth meets first."""
    grows_towards_bytes: int | None = None
    grows_towards_brake: bool = False
    """Whether that is memory.high, which slows down and never kills."""
    grows_towards_swap: int = 0
    """What can go to swap once it is met."""
    siblings: int = 0
    """Other members of the limiting cgroup that grow as well."""
    # the limit that binds
    limit_name: str | None = None
    """None where only the machine limits it."""
    limit: int | None = None
    swap_room: int = 0
    """What can go to swap at the limit, before the kernel kills."""
    unreclaimable: int | None = None
    """The cgroup's use without what can be reclaimed: what decides over its end."""
    working_set: int | None = None
    """The cgroup's use without inactive page cache: what decides over its speed."""
    cache: int | None = None
    """The part of the cgroup's use that can be reclaimed."""
    unsure: int = 0
    """What of :attr:`unreclaimable` may be reclaimable after all."""
    unmapped: Unmapped | None = None
    """What its cgroup is charged and no process in it has mapped; None unless all of them are known."""
    victim: str | None = None
    """Name of the process that an OOM kill in the limiting cgroup would take."""
    victim_of: int | None = None
    group_kill: bool = False
    frozen: bool = False
    kills: int | None = None
    """OOM kills in its cgroup since memtop started."""
    high_limit: int | None = None
    high_name: str | None = None
    """The memory.high that slows it down, of its own cgroup or of one above."""
    high_per_s: float | None = None
    limit_events_per_s: float | None = None
    address_space: int | None = None
    """RLIMIT_AS where there is one."""
    data: int | None = None
    data_limit: int | None = None
    # the machine
    mem_total: int | None = None
    mem_available: int | None = None
    host_victim: str | None = None
    psi_full_percent: float | None = None
    psi_of: str = ""
    """Whose pressure: the cgroup's name, or empty for the machine."""
    refault_per_s: float | None = None
    swap_in_per_s: float | None = None
    overcommit: int | None = None
    committed: int | None = None
    commit_limit: int | None = None
    protected: str | None = None
    """The largest process, where the OOM killer may not take it."""
    protected_rss: int | None = None
    # regions, families, runtimes
    reserved: int | None = None
    lazyfree: int | None = None
    """Given back by MADV_FREE and still in RES; no growth counts it."""
    lazyfree_unread: str = ""
    """Why that is not known, in words; empty where it is, or where it has not been asked for."""
    mappings: int | None = None
    max_mappings: int | None = None
    denied: bool = False
    deleted_file: str | None = None
    family: int | None = None
    family_rss: int | None = None
    family_pss: int | None = None
    unshared: int | None = None
    """What was shared with a parent or siblings and was copied within the last minute."""
    still_shared: int | None = None
    next_gc: int | None = None
    heap_limit: int | None = None
    """GOMEMLIMIT; 0 where it is not set."""
    heap_held: int | None = None
    """What GOMEMLIMIT governs."""
    gc_per_s: float | None = None
    gc_cpu_percent: float | None = None
    outside: int | None = None
    """Anonymous memory that the runtime does not account for."""
    outside_of: int | None = None
    """The anonymous memory that ``outside`` is a part of."""
    steady_live: int | None = None
    """In use after each collection, where by the runtime's own figures that does not rise."""
    heap_alarm: str = ""
    """``heap_leak``, ``heap_full`` or ``goroutines`` where the runtime's own figures say so; or empty."""
    heap_live: int | None = None
    """In use after a collection."""
    surviving_per_s: float | None = None
    """Bytes by which more survives the collections, where no collection has examined old objects yet."""

"""Room left for a process: the chain of cgroups above it, the limit that binds, and the machine.

At a limit the kernel drops page cache and swaps where it may, and kills when nothing is left to take. At
memory.high it does the same but slows tasks down in place of killing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtop.analysis.ledger.cgroup import cgroup_ledger, inactive_bytes, reclaimable_bytes, unsure_bytes
from memtop.procfs.cgroup import UNLIMITED, MemoryStat
from memtop.procfs.meminfo import Meminfo


@dataclass(frozen=True, slots=True)
class CgroupUse:
    """What one cgroup says of itself. Sizes in bytes, None where it cannot be read."""

    path: str
    """Its directory."""
    limit_bytes: int | None
    """memory.max or memory.limit_in_bytes; UNLIMITED where there is none."""
    usage_bytes: int | None
    """memory.current or memory.usage_in_bytes: page cache, tmpfs and kernel memory included."""
    stat: MemoryStat | None
    high_bytes: int | None = None
    """memory.high, version 2 only; UNLIMITED where there is none."""
    swap_limit_bytes: int | None = None
    """Of swap alone; UNLIMITED where there is none, None where it cannot be read."""
    swap_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One limit on memory and what it still leaves."""

    path: str | None
    """The cgroup's directory; None is the machine."""
    limit_bytes: int
    working_set_bytes: int
    """Use without inactive file pages. Without memory.stat, all of the use."""
    headroom_bytes: int
    """Limit minus working set: beyond it the kernel reclaims active page cache, which costs speed. Negative where a
    limit was lowered."""
    headroom_max_bytes: int
    """Limit minus all that cannot be reclaimed: beyond it the kernel swaps or kills. Swap is not part of it."""
    swap_room_bytes: int = 0
    """What can go to swap once the limit is reached."""
    kills: bool = True
    """False for memory.high, which slows down."""
    unsure_bytes: int = 0
    """What of :attr:`unreclaimable_bytes` may be reclaimable after all: the kernel does not say (slab in version 1)."""

    @property
    def unreclaimable_bytes(self) -> int:
        """Use that cannot be reclaimed, at most: anonymous memory, shmem, kernel memory but for slab that is known to
        be reclaimable, and whatever memory.stat does not name."""
        return self.limit_bytes - self.headroom_max_bytes

    @property
    def used_percent(self) -> float:
        """What cannot be reclaimed, at most, over the limit; 100 for a limit of nothing."""
        return 100 * self.unreclaimable_bytes / self.limit_bytes if self.limit_bytes > 0 else 100.0


def is_known(use: CgroupUse) -> bool:
    """Whether it can be said how near its limit is: the limit was read, and the use where there is a limit."""
    limited = use.limit_bytes is None or use.limit_bytes < UNLIMITED
    return use.limit_bytes is not None and not (limited and use.usage_bytes is None)


def ceiling(use: CgroupUse, mem_total_bytes: int | None, swap_room_bytes: int = 0) -> Ceiling | None:
    """The ceiling a cgroup sets; None where it is unknown, or none, or no lower than what the machine has."""
    return _below(use.limit_bytes, use, mem_total_bytes, swap_room_bytes, kills=True)


def high_ceiling(use: CgroupUse, mem_total_bytes: int | None) -> Ceiling | None:
    """The same for memory.high."""
    return _below(use.high_bytes, use, mem_total_bytes, 0, kills=False)


def _below(
    limit_bytes: int | None, use: CgroupUse, mem_total_bytes: int | None, swap_room_bytes: int, *, kills: bool
) -> Ceiling | None:
    if limit_bytes is None or use.usage_bytes is None or limit_bytes >= UNLIMITED:
        return None
    if mem_total_bytes is not None and limit_bytes >= mem_total_bytes:
        return None
    ledger = cgroup_ledger(use.usage_bytes, use.stat)
    working_set = ledger.whole_bytes - inactive_bytes(ledger)
    return Ceiling(
        path=use.path,
        limit_bytes=limit_bytes,
        working_set_bytes=working_set,
        headroom_bytes=limit_bytes - working_set,
        headroom_max_bytes=limit_bytes - (ledger.whole_bytes - reclaimable_bytes(ledger)),
        swap_room_bytes=swap_room_bytes,
        kills=kills,
        unsure_bytes=unsure_bytes(ledger),
    )


def host_ceiling(meminfo: Meminfo) -> Ceiling | None:
    """The machine as a ceiling: what MemAvailable, and then swap, still give. None where the kernel does not say.

    MemAvailable counts page cache as reclaimed already, so both ends of the room are the same.
    """
    if meminfo.total_bytes is None or meminfo.available_bytes is None:
        return None
    return Ceiling(
        path=None,
        limit_bytes=meminfo.total_bytes,
        working_set_bytes=meminfo.total_bytes - meminfo.available_bytes,
        headroom_bytes=meminfo.available_bytes,
        headroom_max_bytes=meminfo.available_bytes,
        swap_room_bytes=meminfo.swap_free_bytes or 0,
    )


def ceilings(chain: Sequence[CgroupUse], mem_total_bytes: int | None, swap_free_bytes: int = 0) -> tuple[Ceiling, ...]:
    """The ceilings of a process's cgroup and its ancestors, in the order given; of each its memory.high first."""
    room = swap_room(chain, swap_free_bytes)
    found = ((high_ceiling(use, mem_total_bytes), ceiling(use, mem_total_bytes, room)) for use in chain)
    return tuple(one for pair in found for one in pair if one)


def swap_room(chain: Sequence[CgroupUse], swap_free_bytes: int) -> int:
    """What of a process in all these cgroups can still go to swap; where a limit is unknown the machine decides."""
    rooms = [
        max(0, use.swap_limit_bytes - (use.swap_bytes or 0))
        for use in chain
        if use.swap_limit_bytes is not None and use.swap_limit_bytes < UNLIMITED
    ]
    return min([swap_free_bytes, *rooms])


def binding(candidates: Sequence[Ceiling]) -> Ceiling | None:
    """The ceiling with the least room once all that can be reclaimed is; of equals the first given. None of none."""
    return min(candidates, key=lambda one: one.headroom_max_bytes, default=None)

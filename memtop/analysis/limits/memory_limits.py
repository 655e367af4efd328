"""Room left for a process: the chain of cgroups above it, the binding limit, and the machine.

At a limit the kernel drops page cache, swaps if it may, and kills when nothing else is left. At memory.high it does the
same, but slows tasks down instead of killing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.analysis.ledger.cgroup import cgroup_ledger, inactive_bytes, reclaimable_bytes, unsure_bytes
from memtop.procfs.cgroup import UNLIMITED, MemoryStat
from memtop.procfs.meminfo import Meminfo

_LOCKED_SHARE: Final = 0.02
"""With less than this part of its limit that may be swapped out, the rest being locked, a cgroup does not swap."""


class CgroupUse(NamedTuple):
    """The figures of one cgroup. Sizes in bytes; None if it cannot be read."""

    path: str
    """Its directory."""
    limit_bytes: int | None
    """memory.max or memory.limit_in_bytes; UNLIMITED if there is none."""
    usage_bytes: int | None
    """memory.current or memory.usage_in_bytes, which include page cache, tmpfs and kernel memory."""
    stat: MemoryStat | None
    high_bytes: int | None = None
    """memory.high, version 2 only; UNLIMITED if there is none."""
    swap_limit_bytes: int | None = None
    """Limit for swap alone; UNLIMITED if there is none, None if it cannot be read."""
    swap_bytes: int | None = None
    joint_limit: bool = False
    """Whether memory and swap have one limit together (memory.memsw of version 1): swap beyond what is left to it
    takes from the room of memory."""
    zswap_room_bytes: int | None = None
    """What can still go to zswap, where pages may not go from there to a swap device (memory.zswap.writeback 0)."""
    min_bytes: int | None = None
    """memory.min: so much of its use is never reclaimed for the limit of an ancestor."""
    zswap_only: bool = False
    """Whether pages may not go to a swap device (memory.zswap.writeback 0)."""
    unread: tuple[tuple[str, str], ...] = ()
    """Files that exist and could not be read, each with the reason."""


class Ceiling(NamedTuple):
    """One limit on memory and the room that it leaves."""

    path: str | None
    """The cgroup's directory; None for the machine."""
    limit_bytes: int
    working_set_bytes: int
    """Use without inactive file pages. Without memory.stat it is the whole use."""
    headroom_bytes: int
    """Limit minus working set. Beyond it the kernel reclaims active page cache, which costs speed. Negative if a limit
    was lowered."""
    headroom_max_bytes: int
    """Limit minus unreclaimable memory. Beyond it the kernel swaps or kills. Swap is not included."""
    swap_room_bytes: int | None = 0
    """Memory that can go to swap when the limit is reached; None if that is unknown."""
    kills: bool = True
    """False for memory.high, which only slows down."""
    unsure_bytes: int = 0
    """The part of :attr:`unreclaimable_bytes` that may be reclaimable after all: the kernel does not say (slab in
    version 1)."""
    protected_bytes: int = 0
    """The part of :attr:`unreclaimable_bytes` that is cache below memory.min of a cgroup inside this one."""

    @property
    def unreclaimable_bytes(self) -> int:
        """Upper bound of the memory that cannot be reclaimed.

        It includes anonymous memory, shmem, kernel memory without slab that is known to be reclaimable, and whatever
        memory.stat does not name.
        """
        return self.limit_bytes - self.headroom_max_bytes

    @property
    def used_percent(self) -> float:
        """Unreclaimable memory as a percentage of the limit; 100 for a limit of 0."""
        return 100 * self.unreclaimable_bytes / self.limit_bytes if self.limit_bytes > 0 else 100.0


_SWAP_FILES: Final = frozenset({"memory.swap.max", "memory.memsw.limit_in_bytes"})
_SWAP_USES: Final = frozenset({"memory.swap.current", "memory.memsw.usage_in_bytes"})
_ZSWAP_FILES: Final = frozenset({"memory.zswap.max", "memory.zswap.current"})


def unread_files(use: CgroupUse, *, swaps: bool) -> tuple[tuple[str, str], ...]:
    """Files of memory.high and of the limit on swap that exist and could not be read, each with the reason.

    ``swaps``: the machine has swap, or may have it.
    """
    names = {"memory.high"}
    if swaps:
        names |= _SWAP_FILES
        if use.swap_limit_bytes not in (None, UNLIMITED, 0):
            names |= _SWAP_USES
    return tuple(one for one in use.unread if one[0] in names)


def unread_swap(use: CgroupUse) -> str:
    """Why what a cgroup has on swap could not be read; empty if it was, or if the kernel does not count it."""
    if use.swap_bytes is not None:
        return ""
    return next((why for name, why in use.unread if name in _SWAP_USES | _SWAP_FILES), "")


def is_known(use: CgroupUse) -> bool:
    """Whether it is known how near the limit is: the limit was read, and the use if there is a limit or memory.high."""
    limits = [limit for limit in (use.limit_bytes, use.high_bytes) if limit is not None and limit < UNLIMITED]
    return use.limit_bytes is not None and not (limits and use.usage_bytes is None)


def ceiling(
    use: CgroupUse, mem_total_bytes: int | None, swap_room_bytes: int | None = 0, child: CgroupUse | None = None
) -> Ceiling | None:
    """The limit of a cgroup as a ceiling; None if it is unknown, unlimited, or not below the machine's memory.

    ``child`` is the cgroup inside it that the process is in or below.
    """
    return _below(use.limit_bytes, use, mem_total_bytes, swap_room_bytes, child, kills=True)


def high_ceiling(use: CgroupUse, mem_total_bytes: int | None, child: CgroupUse | None = None) -> Ceiling | None:
    """The same for memory.high."""
    return _below(use.high_bytes, use, mem_total_bytes, 0, child, kills=False)


def _below(
    limit_bytes: int | None,
    use: CgroupUse,
    mem_total_bytes: int | None,
    swap_room_bytes: int | None,
    child: CgroupUse | None,
    *,
    kills: bool,
) -> Ceiling | None:
    if limit_bytes is None or use.usage_bytes is None or limit_bytes >= UNLIMITED:
        return None
    if mem_total_bytes is not None and limit_bytes >= mem_total_bytes:
        return None
    ledger = cgroup_ledger(use.usage_bytes, use.stat)
    working_set = ledger.whole_bytes - inactive_bytes(ledger)
    in_swap = _swap_beyond(use) if kills else 0
    can_go = reclaimable_bytes(ledger)
    protected = min(_protected(child), can_go) if child is not None else 0
    swappable = use.stat.swappable_bytes if use.stat is not None else None
    if swap_room_bytes is not None and swappable is not None and swappable < _LOCKED_SHARE * limit_bytes:
        swap_room_bytes = min(swap_room_bytes, swappable)
    room_max = limit_bytes - (ledger.whole_bytes - can_go) - protected - in_swap
    return Ceiling(
        path=use.path,
        limit_bytes=limit_bytes,
        working_set_bytes=working_set,
        headroom_bytes=min(limit_bytes - working_set - in_swap, room_max),
        headroom_max_bytes=room_max,
        swap_room_bytes=swap_room_bytes,
        kills=kills,
        unsure_bytes=unsure_bytes(ledger),
        protected_bytes=protected,
    )


def _protected(child: CgroupUse) -> int:
    """Memory of a cgroup that could be reclaimed, but not for the limit of its parent: what memory.min covers."""
    if not child.min_bytes or child.usage_bytes is None:
        return 0
    ledger = cgroup_ledger(child.usage_bytes, child.stat)
    return max(0, min(child.usage_bytes, child.min_bytes) - (ledger.whole_bytes - reclaimable_bytes(ledger)))


def _swap_beyond(use: CgroupUse) -> int:
    """What lies on swap beyond the part of a joint limit that memory leaves to it."""
    if not use.joint_limit or use.swap_limit_bytes is None or use.swap_bytes is None:
        return 0
    return max(0, use.swap_bytes - use.swap_limit_bytes)


def host_ceiling(meminfo: Meminfo) -> Ceiling | None:
    """The machine as a ceiling: what MemAvailable, and then swap, still allow. None if the kernel does not say.

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
        swap_room_bytes=swap_free_bytes(meminfo),
    )


def swap_free_bytes(meminfo: Meminfo | None) -> int | None:
    """SwapFree; 0 on a machine without swap, None if it is unknown."""
    if meminfo is None:
        return None
    return 0 if meminfo.swap_total_bytes == 0 else meminfo.swap_free_bytes


def swap_free_at_limit(free_bytes: int | None, swappiness: int | None) -> int | None:
    """The swap that reclaim for the limit of a cgroup may use: none with a swappiness of 0, unknown if that is."""
    if swappiness is not None:
        return free_bytes if swappiness else 0
    return 0 if free_bytes == 0 else None


def ceilings(
    chain: Sequence[CgroupUse],
    mem_total_bytes: int | None,
    swap_free_bytes: int | None = 0,
    *,
    zswap: bool | None = None,
) -> tuple[Ceiling, ...]:
    """The ceilings of a process's cgroup and its ancestors, in the given order; memory.high of each comes first.

    ``zswap`` is whether zswap is on; None if unknown.
    """
    room = swap_room(chain, swap_free_bytes, zswap=zswap)
    children = (None, *chain)
    found = (
        (high_ceiling(use, mem_total_bytes, child), ceiling(use, mem_total_bytes, room, child))
        for use, child in zip(chain, children, strict=False)
    )
    return tuple(one for pair in found for one in pair if one)


def swap_room(chain: Sequence[CgroupUse], swap_free_bytes: int | None, *, zswap: bool | None = None) -> int | None:
    """Memory of a process in all these cgroups that can still go to swap; None if that is unknown.

    If a cgroup has no limit on swap, the machine decides.
    """
    rooms = [swap_free_bytes]
    for use in chain:
        unread = {name for name, _ in use.unread}
        if unread & _SWAP_FILES:
            rooms.append(None)
        elif use.swap_limit_bytes is not None and use.swap_limit_bytes < UNLIMITED:
            rooms.append(_left(use.swap_limit_bytes, use.swap_bytes))
        if use.zswap_only and zswap is False:
            rooms.append(0)
        elif (use.zswap_only and unread & _ZSWAP_FILES) or "memory.zswap.writeback" in unread:
            rooms.append(None)
        elif use.zswap_room_bytes is not None:
            rooms.append(use.zswap_room_bytes)
    least = min((one for one in rooms if one is not None), default=None)
    return None if least != 0 and None in rooms else least


def _left(limit_bytes: int, used_bytes: int | None) -> int | None:
    """What a limit leaves; None where the use is unknown and the limit is not 0."""
    if limit_bytes == 0:
        return 0
    return None if used_bytes is None else max(0, limit_bytes - used_bytes)


def binding(candidates: Sequence[Ceiling]) -> Ceiling | None:
    """The ceiling with the least room after everything reclaimable was reclaimed; the first of equals.

    None if there is none.
    """
    return min(candidates, key=lambda one: one.headroom_max_bytes, default=None)

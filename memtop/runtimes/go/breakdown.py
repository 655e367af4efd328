"""Breakdown of a Go program's RES: the runtime's own figures beside the kernel's.

The two are read a moment apart and count different things: the runtime counts what it has mapped, the kernel what was
touched. The identities hold within one reading of MemStats, so a broken one means wrong figures.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from memtop.runtimes.go.heap import GoHeap

_FAR_SHARE: Final = 0.3
_FAR_BYTES: Final = 32 << 20
"""Memory outside of Go is notable from this size, or from a tenth of the anonymous memory."""
_NOTABLE_SHARE: Final = 0.1
_START_TOLERANCE_S: Final = 5.0


class Identity(Enum):
    """A relation that must hold within one reading of MemStats."""

    SYS_IS_THE_SUM = "Sys = HeapSys + StackSys + MSpanSys + MCacheSys + BuckHashSys + GCSys + OtherSys"
    HEAP_SYS_IS_INUSE_AND_IDLE = "HeapSys = HeapInuse + HeapIdle"
    RELEASED_IS_IDLE = "HeapReleased <= HeapIdle"
    ALLOC_IS_INUSE = "HeapAlloc <= HeapInuse"
    OBJECTS_ARE_MALLOCS_LESS_FREES = "HeapObjects = Mallocs - Frees"


class Check(NamedTuple):
    """One identity, and the amount by which it fails."""

    identity: Identity
    residual: int
    """Left side minus right side, in bytes (objects for the last one); 0 if an inequality holds."""
    holds: bool
    """Whether rounding can explain the residual."""


class Breakdown(NamedTuple):
    """RES in parts that add up to it, in bytes. None for a part that this program's figures do not report."""

    rss_bytes: int
    live_bytes: int | None
    """In use after the latest GC, as far as known; at most HeapAlloc."""
    garbage_bytes: int | None
    """The rest of HeapInuse: dead or new objects before the next GC, and holes in spans."""
    idle_bytes: int | None
    """HeapIdle - HeapReleased: kept for reuse."""
    stacks_bytes: int | None
    runtime_bytes: int | None
    """Sys - HeapSys - StackSys: memory for the runtime itself."""
    freed_bytes: int
    """LazyFree: returned by MADV_FREE, and not yet reclaimed by the kernel."""
    files_bytes: int
    """Pages of the binary and of other files, and shared memory."""
    outside_bytes: int | None
    """Anonymous memory unknown to the runtime: cgo, mmap, C stacks, the binary's variables."""
    unaccounted_bytes: int
    """Anonymous memory that cannot be assigned, because figures are missing."""
    returned_bytes: int | None
    """HeapReleased: still counted in HeapSys, Sys and VIRT; not part of the sum."""
    not_resident_bytes: int
    """Memory that the runtime counts but that is not in RES: without RAM now, or on swap; not part of the sum."""
    residual_bytes: int | None
    """anonymous - LazyFree - (Sys - HeapReleased), unrounded. Positive: outside of Go; negative: not in RES."""

    @property
    def notable_outside(self) -> bool:
        """Whether memory outside of Go exceeds what the binary's variables and the time between readings explain."""
        anonymous = self.rss_bytes - self.files_bytes
        return self.outside_bytes is not None and self.outside_bytes > max(_FAR_BYTES, _NOTABLE_SHARE * anonymous)


class Whose(Enum):
    """Whether the metrics can belong to this process."""

    SAME = "same"
    OTHER_START = "other_start"
    """The metrics report another start time."""
    OTHER_SIZE = "other_size"
    """The metrics report another RES."""
    TOO_LARGE = "too_large"
    """The runtime has mapped more than the address space of this process."""


def identities(heap: GoHeap) -> tuple[Check, ...]:
    """The identities for which every figure is known."""
    h = heap
    system = (
        h.heap_sys_bytes,
        h.stack_sys_bytes,
        h.mspan_sys_bytes,
        h.mcache_sys_bytes,
        h.buck_hash_sys_bytes,
        h.gc_sys_bytes,
        h.other_sys_bytes,
    )
    found = []

    def check(identity: Identity, left: int | None, right: tuple[int | None, ...], at_most: bool, slack: int) -> None:
        known = [part for part in right if part is not None]
        if left is None or len(known) < len(right):
            return
        residual = left - sum(known)
        if at_most:
            residual = max(0, residual)
        found.append(Check(identity, residual, abs(residual) <= slack * (1 + len(right))))

    check(Identity.SYS_IS_THE_SUM, h.sys_bytes, system, False, h.rounding_bytes)
    inuse_and_idle = (h.heap_inuse_bytes, h.heap_idle_bytes)
    check(Identity.HEAP_SYS_IS_INUSE_AND_IDLE, h.heap_sys_bytes, inuse_and_idle, False, h.rounding_bytes)
    check(Identity.RELEASED_IS_IDLE, h.heap_released_bytes, (h.heap_idle_bytes,), True, h.rounding_bytes)
    check(Identity.ALLOC_IS_INUSE, h.heap_alloc_bytes, (h.heap_inuse_bytes,), True, h.rounding_bytes)
    living = None if h.mallocs is None or h.frees is None else h.mallocs - h.frees
    check(Identity.OBJECTS_ARE_MALLOCS_LESS_FREES, h.heap_objects, (living,), False, 0)
    return tuple(found)


def held_bytes(heap: GoHeap) -> int | None:
    """Sys - HeapReleased: the memory that GOMEMLIMIT governs. None if a figure is missing."""
    if heap.sys_bytes is None or heap.heap_released_bytes is None:
        return None
    return max(0, heap.sys_bytes - heap.heap_released_bytes)


def outside_bytes(heap: GoHeap, anon_bytes: int, lazy_free_bytes: int = 0) -> int | None:
    """Anonymous memory minus everything that Go accounts for; negative if some of that is not in RES.

    Without Sys and HeapReleased it is computed from HeapSys and the stacks. Then it is too low by the returned memory,
    so only a positive result is meaningful. None if even those are missing.
    """
    held = held_bytes(heap)
    if held is None:
        if heap.heap_sys_bytes is None or heap.stack_inuse_bytes is None:
            return None
        held = heap.heap_sys_bytes + heap.stack_inuse_bytes
    return anon_bytes - lazy_free_bytes - held


def break_down(
    heap: GoHeap, rss_bytes: int, anon_bytes: int, lazy_free_bytes: int = 0, live_bytes: int | None = None
) -> Breakdown:
    """Split RES into parts. ``live_bytes`` is the memory in use after the latest GC; None if no GC was seen.

    What the runtime counts beyond RssAnon has no RAM behind it. It is subtracted from the parts that most often have
    none: first the runtime's own tables, then idle spans, garbage, stacks and live objects.
    """
    anon_bytes = min(anon_bytes, rss_bytes)
    lazy_free_bytes = min(lazy_free_bytes, anon_bytes)
    room = anon_bytes - lazy_free_bytes
    missing = 0

    def part(wanted: int | None) -> int | None:
        nonlocal room, missing
        if wanted is None:
            return None
        taken = min(max(0, wanted), room)
        missing += max(0, wanted) - taken
        room -= taken
        return taken

    live = heap.heap_alloc_bytes if live_bytes is None else live_bytes
    if live is not None and heap.heap_alloc_bytes is not None:
        live = min(live, heap.heap_alloc_bytes)
    live_part = part(live)
    stacks_part = part(heap.stack_inuse_bytes if heap.stack_sys_bytes is None else heap.stack_sys_bytes)
    garbage_part = part(_less(heap.heap_inuse_bytes, live or 0))
    idle = None if heap.heap_released_bytes is None else _less(heap.heap_idle_bytes, heap.heap_released_bytes)
    idle_part = part(idle)
    runtime = None
    if heap.sys_bytes is not None and heap.heap_sys_bytes is not None and heap.stack_sys_bytes is not None:
        runtime = heap.sys_bytes - heap.heap_sys_bytes - heap.stack_sys_bytes
    runtime_part = part(runtime)
    complete = None not in (live_part, garbage_part, idle_part, stacks_part, runtime_part)
    exact = held_bytes(heap)
    return Breakdown(
        rss_bytes=rss_bytes,
        live_bytes=live_part,
        garbage_bytes=garbage_part,
        idle_bytes=idle_part,
        stacks_bytes=stacks_part,
        runtime_bytes=runtime_part,
        freed_bytes=lazy_free_bytes,
        files_bytes=rss_bytes - anon_bytes,
        outside_bytes=room if complete else None,
        unaccounted_bytes=0 if complete else room,
        returned_bytes=heap.heap_released_bytes,
        not_resident_bytes=missing,
        residual_bytes=None if exact is None else anon_bytes - lazy_free_bytes - exact,
    )


def whose(heap: GoHeap, rss_bytes: int | None, virt_bytes: int | None = None, started_s: float | None = None) -> Whose:
    """Whether these metrics can belong to a process with this RES, VIRT and start (seconds since the epoch)."""
    if heap.start_time_s and started_s is not None and abs(heap.start_time_s - started_s) > _START_TOLERANCE_S:
        return Whose.OTHER_START
    if heap.resident_bytes is not None and rss_bytes is not None:
        apart = abs(heap.resident_bytes - rss_bytes)
        if apart > max(_FAR_BYTES, _FAR_SHARE * max(rss_bytes, heap.resident_bytes)):
            return Whose.OTHER_SIZE
    if virt_bytes is not None and (heap.sys_bytes or heap.heap_sys_bytes or 0) > virt_bytes:
        return Whose.TOO_LARGE
    return Whose.SAME


def _less(whole: int | None, part: int) -> int | None:
    return None if whole is None else max(0, whole - part)

"""Advice about a process's allocator and runtime, given only if the kernel's figures indicate it.

The live size of C and Python programs is unknown from outside, so most of these are possibilities, and their sentences
say so.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

from memtop.runtimes.native.allocators import Allocator, Arenas

_AT_PEAK_SHARE: Final = 0.9
_GAVE_BACK_SHARE: Final = 1.5
_QUIET_S: Final = 600.0
_QUIET_MINFLT_PER_S: Final = 10.0
_NOTABLE_BYTES: Final = 50 << 20
_NOTABLE_FREED_SHARE: Final = 0.1
_ARENAS_PER_CORE: Final = 2
_ARENAS_OF_VIRT_SHARE: Final = 0.25
_ARENA_SPREAD_SHARE: Final = 0.2


class Advice(Enum):
    """Which sentence applies."""

    ARENAS_IN_VIRT = "arenas_in_virt"
    """Much of VIRT is malloc arenas of threads, without RAM behind it."""
    ARENAS_IN_RES = "arenas_in_res"
    """Memory may be spread over many arenas; MALLOC_ARENA_MAX limits them."""
    KEPT_AFTER_PEAK = "kept_after_peak"
    """RES stays at its peak although little happens: freed memory may be kept for reuse."""
    GAVE_BACK = "gave_back"
    """RES is far below its peak: memory was returned."""
    TRIM = "trim"
    """glibc: malloc_trim(0) would return holes, if there are any."""
    PYMALLOC = "pymalloc"
    """CPython: one live object keeps its whole arena of small objects."""
    JEMALLOC_DECAY = "jemalloc_decay"
    """jemalloc returns dirty pages about ten seconds after they were freed, while its threads are active."""
    TCMALLOC_RELEASE = "tcmalloc_release"
    """tcmalloc returns memory slowly, at its release rate."""
    MIMALLOC_PURGE = "mimalloc_purge"
    """mimalloc purges after a delay, while it is used."""
    FREED_NOT_TAKEN = "freed_not_taken"
    """LazyFree: returned already; the kernel reclaims it when it needs it."""
    NODE_NEAR_OLD_SPACE = "node_near_old_space"
    """Node is close to --max-old-space-size, at which it fails."""
    NODE_OUTSIDE_HEAP = "node_outside_heap"
    """More memory than V8's heap may use: Buffers and native modules are outside of it."""


class Observed(NamedTuple):
    """The known facts of a process; None if unknown."""

    rss_bytes: int
    virt_bytes: int | None = None
    peak_rss_bytes: int | None = None
    anon_bytes: int | None = None
    lazy_free_bytes: int | None = None
    minflt_per_s: float | None = None
    flat_s: float | None = None
    """How long RES has been flat after a rise; None if it is not flat, or unknown."""
    arenas: Arenas | None = None
    cores: int | None = None


SENTENCES: Final = {
    Advice.ARENAS_IN_VIRT: "Much of VIRT is address space of malloc arenas, one per thread. It costs "
    "no RAM; MALLOC_ARENA_MAX=2 would reduce it.",
    Advice.ARENAS_IN_RES: "Its memory may be spread over many malloc arenas, each with its own holes. Try "
    "MALLOC_ARENA_MAX=2, or another allocator such as jemalloc, and compare.",
    Advice.KEPT_AFTER_PEAK: "RES has stayed at its peak while little happens: the allocator may be keeping freed "
    "memory for reuse. That is not a leak unless it rises further.",
    Advice.GAVE_BACK: "It once needed much more memory and has given it back.",
    Advice.TRIM: "glibc keeps freed memory below blocks in use. malloc_trim(0) returns whole free pages. "
    "M_TRIM_THRESHOLD sets how much free memory at the top it keeps; by default glibc adapts it.",
    Advice.PYMALLOC: "CPython returns an arena of small objects only when all of it is free: one live object keeps "
    "it all.",
    Advice.JEMALLOC_DECAY: "jemalloc returns dirty pages about ten seconds after they were freed, while its threads "
    "are active (dirty_decay_ms, background_thread:true).",
    Advice.TCMALLOC_RELEASE: "tcmalloc returns memory slowly, at its release rate.",
    Advice.MIMALLOC_PURGE: "mimalloc purges freed memory after a delay, while the program allocates.",
    Advice.FREED_NOT_TAKEN: "Part of RES is already freed (LazyFree): the kernel reclaims it when needed.",
    Advice.NODE_NEAR_OLD_SPACE: "Node is close to --max-old-space-size; at that limit it aborts.",
    Advice.NODE_OUTSIDE_HEAP: "More than V8's heap limit: Buffers and native modules are outside of the heap.",
}
_KEPT_BY: Final = {
    Allocator.GLIBC: Advice.TRIM,
    Allocator.JEMALLOC: Advice.JEMALLOC_DECAY,
    Allocator.TCMALLOC: Advice.TCMALLOC_RELEASE,
    Allocator.MIMALLOC: Advice.MIMALLOC_PURGE,
}


def advise(
    allocator: Allocator | None, seen: Observed, own: Sequence[Advice] = (), kept_by: Advice | None = None
) -> tuple[Advice, ...]:
    """The sentences that the numbers indicate, the most relevant first. Most processes get none.

    ``own`` is what the runtime itself adds. ``kept_by`` is its own reason to keep freed memory; None for none.
    """
    found: list[Advice] = []
    lazy = seen.lazy_free_bytes or 0
    if lazy > max(_NOTABLE_BYTES, _NOTABLE_FREED_SHARE * seen.rss_bytes):
        found.append(Advice.FREED_NOT_TAKEN)
    found += own
    if seen.peak_rss_bytes is not None and seen.peak_rss_bytes - seen.rss_bytes > _NOTABLE_BYTES:
        if seen.peak_rss_bytes > _GAVE_BACK_SHARE * seen.rss_bytes:
            found.append(Advice.GAVE_BACK)
    elif _kept(seen):
        reasons = (kept_by, _KEPT_BY.get(allocator) if allocator is not None else None)
        found += [Advice.KEPT_AFTER_PEAK, *(reason for reason in reasons if reason is not None)]
    if allocator is Allocator.GLIBC:
        found += _of_arenas(seen)
    return tuple(found)


def _kept(seen: Observed) -> bool:
    return (
        seen.peak_rss_bytes is not None
        and seen.rss_bytes >= _NOTABLE_BYTES
        and seen.rss_bytes >= _AT_PEAK_SHARE * seen.peak_rss_bytes
        and seen.flat_s is not None
        and seen.flat_s >= _QUIET_S
        and seen.minflt_per_s is not None
        and seen.minflt_per_s < _QUIET_MINFLT_PER_S
    )


def _of_arenas(seen: Observed) -> list[Advice]:
    if seen.arenas is None or seen.cores is None or seen.arenas.number <= _ARENAS_PER_CORE * seen.cores:
        return []
    if seen.arenas.usable_bytes > max(_NOTABLE_BYTES, _ARENA_SPREAD_SHARE * seen.rss_bytes):
        return [Advice.ARENAS_IN_RES]
    if seen.virt_bytes and seen.arenas.reserved_bytes > _ARENAS_OF_VIRT_SHARE * seen.virt_bytes:
        return [Advice.ARENAS_IN_VIRT]
    return []

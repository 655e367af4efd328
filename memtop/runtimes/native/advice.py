"""What the allocator explains of this process, and only where its numbers call for it.

Of C and Python the live size is unknown from outside, so most of these are possibilities, and are named so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from memtop.runtimes.native.recognition import Allocator, Arenas, Native, Runtime

_AT_PEAK_SHARE: Final = 0.9
_GAVE_BACK_SHARE: Final = 1.5
_QUIET_S: Final = 600.0
_QUIET_MINFLT_PER_S: Final = 10.0
_NOTABLE_BYTES: Final = 50 << 20
_NOTABLE_FREED_SHARE: Final = 0.1
_ARENAS_PER_CORE: Final = 2
_ARENAS_OF_VIRT_SHARE: Final = 0.25
_ARENA_SPREAD_SHARE: Final = 0.2
_NEAR_LIMIT_SHARE: Final = 0.85
_OUTSIDE_V8_SHARE: Final = 1.3


class Advice(Enum):
    """Which sentence applies."""

    ARENAS_IN_VIRT = "arenas_in_virt"
    """Much of VIRT is malloc arenas of threads, with no RAM behind it."""
    ARENAS_IN_RES = "arenas_in_res"
    """Memory may be spread over many arenas; MALLOC_ARENA_MAX bounds them."""
    KEPT_AFTER_PEAK = "kept_after_peak"
    """RES stays at its peak though little happens: freed memory may be kept for reuse."""
    GAVE_BACK = "gave_back"
    """RES is far below its peak: memory has been returned."""
    TRIM = "trim"
    """glibc: malloc_trim(0) would return the holes, if there are any."""
    PYMALLOC = "pymalloc"
    """CPython: one living object keeps its whole arena of small objects."""
    JEMALLOC_DECAY = "jemalloc_decay"
    """jemalloc returns dirty pages some ten seconds after they were freed, where its threads are active."""
    TCMALLOC_RELEASE = "tcmalloc_release"
    """tcmalloc returns memory slowly, by its release rate."""
    MIMALLOC_PURGE = "mimalloc_purge"
    """mimalloc purges after a delay, while it is used."""
    FREED_NOT_TAKEN = "freed_not_taken"
    """LazyFree: returned already, taken by the kernel when it needs it."""
    NODE_NEAR_OLD_SPACE = "node_near_old_space"
    """Node is close to --max-old-space-size, where it fails."""
    NODE_OUTSIDE_HEAP = "node_outside_heap"
    """More than V8's heap may hold: Buffers and native modules are outside of it."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a process; None where unknown."""

    rss_bytes: int
    virt_bytes: int | None = None
    peak_rss_bytes: int | None = None
    anon_bytes: int | None = None
    lazy_free_bytes: int | None = None
    minflt_per_s: float | None = None
    flat_s: float | None = None
    """For how long RES has been flat after it had risen; None where it is not, or not known."""
    arenas: Arenas | None = None
    cores: int | None = None
    old_space_bytes: int | None = None


def advise(native: Native, seen: Observed) -> tuple[Advice, ...]:
    """The sentences that the numbers call for, the most telling first; most processes get none."""
    found: list[Advice] = []
    lazy = seen.lazy_free_bytes or 0
    if lazy > max(_NOTABLE_BYTES, _NOTABLE_FREED_SHARE * seen.rss_bytes):
        found.append(Advice.FREED_NOT_TAKEN)
    found += _of_node(native, seen)
    if seen.peak_rss_bytes is not None and seen.peak_rss_bytes - seen.rss_bytes > _NOTABLE_BYTES:
        if seen.peak_rss_bytes > _GAVE_BACK_SHARE * seen.rss_bytes:
            found.append(Advice.GAVE_BACK)
    elif _kept(seen):
        found.append(Advice.KEPT_AFTER_PEAK)
        found += _why_kept(native)
    if native.allocator is Allocator.GLIBC:
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


def _why_kept(native: Native) -> list[Advice]:
    """What keeps it; runtimes that bring their own heap have panels of their own."""
    if native.runtime in (Runtime.GO, Runtime.JVM):
        return []
    reasons = {
        Allocator.GLIBC: Advice.TRIM,
        Allocator.JEMALLOC: Advice.JEMALLOC_DECAY,
        Allocator.TCMALLOC: Advice.TCMALLOC_RELEASE,
        Allocator.MIMALLOC: Advice.MIMALLOC_PURGE,
    }
    first = [Advice.PYMALLOC] if native.runtime is Runtime.CPYTHON else []
    return first + ([reasons[native.allocator]] if native.allocator in reasons else [])


def _of_arenas(seen: Observed) -> list[Advice]:
    if seen.arenas is None or seen.cores is None or seen.arenas.number <= _ARENAS_PER_CORE * seen.cores:
        return []
    if seen.arenas.usable_bytes > max(_NOTABLE_BYTES, _ARENA_SPREAD_SHARE * seen.rss_bytes):
        return [Advice.ARENAS_IN_RES]
    if seen.virt_bytes and seen.arenas.reserved_bytes > _ARENAS_OF_VIRT_SHARE * seen.virt_bytes:
        return [Advice.ARENAS_IN_VIRT]
    return []


def _of_node(native: Native, seen: Observed) -> list[Advice]:
    if native.runtime is not Runtime.NODE or seen.old_space_bytes is None or seen.anon_bytes is None:
        return []
    if seen.anon_bytes > _OUTSIDE_V8_SHARE * seen.old_space_bytes + _NOTABLE_BYTES:
        return [Advice.NODE_OUTSIDE_HEAP]
    return [Advice.NODE_NEAR_OLD_SPACE] if seen.anon_bytes > _NEAR_LIMIT_SHARE * seen.old_space_bytes else []

"""Advice on GOGC, GOMEMLIMIT and madvdontneed: their effect on this program, by the pacing formula with its figures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

from memtop.analysis.limits.gomemlimit import ADVISED_SHARE, LimitFit, goal_is_near, limit_fit
from memtop.runtimes.go.breakdown import Breakdown, held_bytes
from memtop.runtimes.go.heap import GoHeap

USUAL_GOGC: Final = (25.0, 50.0, 100.0, 200.0, 400.0)
_SMALLEST_GOAL_BYTES: Final = 4 << 20
"""The smallest goal at GOGC=100."""
_SPAN_OVERHEAD: Final = 1.05
"""Heap in RAM relative to the goal: holes in spans, and what the scavenger keeps. 1.03 to 1.09 was measured."""


class FreedMemory(Enum):
    """What the runtime does with pages that it frees."""

    DONTNEED = "dontneed"
    """MADV_DONTNEED: RES falls at once."""
    FREE = "free"
    """MADV_FREE: RES stays until the kernel needs the pages; LazyFree shows the amount."""
    UNKNOWN = "unknown"


def freed_memory(release: tuple[int, int] | None, madvdontneed: str | None = None) -> FreedMemory:
    """Which of the two a Go release uses on Linux, given GODEBUG's ``madvdontneed`` (``0``, ``1`` or None).

    MADV_FREE came with Go 1.12 and was the default until 1.15. Before 1.12 there is no choice.
    """
    if release is not None and release < (1, 12):
        return FreedMemory.DONTNEED
    if madvdontneed in ("0", "1"):
        return FreedMemory.DONTNEED if madvdontneed == "1" else FreedMemory.FREE
    if release is None:
        return FreedMemory.UNKNOWN
    return FreedMemory.FREE if release < (1, 16) else FreedMemory.DONTNEED


def knows_memory_limit(release: tuple[int, int] | None) -> bool | None:
    """Whether this release has GOMEMLIMIT (since 1.19); None if the release is unknown."""
    return None if release is None else release >= (1, 19)


def heap_goal_bytes(live_bytes: float, roots_bytes: float, gogc_percent: float) -> float:
    """HeapAlloc at the end of the next cycle: live + (live + stacks and globals) * GOGC / 100; infinite for off."""
    if math.isinf(gogc_percent):
        return math.inf
    return max(live_bytes + (live_bytes + roots_bytes) * gogc_percent / 100, _SMALLEST_GOAL_BYTES * gogc_percent / 100)


class GogcChoice(NamedTuple):
    """The effect of one value of GOGC at the current live heap."""

    gogc_percent: float
    goal_bytes: float
    rss_bytes: float
    """RES at the top of the cycle."""
    gc_per_s: float | None
    """At the current allocation rate; None if that is unknown."""


def gogc_choices(
    parts: Breakdown,
    alloc_bytes_per_s: float | None = None,
    gomemlimit_bytes: float = math.inf,
    values: Iterable[float] = USUAL_GOGC,
) -> tuple[GogcChoice, ...]:
    """RES under other values of GOGC; empty if a part of RES is unknown. A memory limit lowers the goal.

    The allocation rate holds as long as the program does the same work. Memory that was freed and not yet reclaimed by
    the kernel is not counted, because a growing heap uses it first.
    """
    live, roots, runtime, outside = parts.live_bytes, parts.stacks_bytes, parts.runtime_bytes, parts.outside_bytes
    if live is None or roots is None or runtime is None or outside is None:
        return ()
    beside = roots + runtime
    rest = beside + parts.files_bytes + outside
    found = []
    for gogc in values:
        goal = heap_goal_bytes(live, roots, gogc)
        goal = max(float(live), min(goal, gomemlimit_bytes - beside))
        room = goal - live
        gc_per_s = alloc_bytes_per_s / room if alloc_bytes_per_s is not None and room > 0 else None
        found.append(GogcChoice(gogc, goal, goal * _SPAN_OVERHEAD + rest, gc_per_s))
    return tuple(found)


class LimitAdvice(NamedTuple):
    """The advice on GOMEMLIMIT with its numbers; None if unknown or not applicable."""

    fit: LimitFit
    gomemlimit_bytes: float | None
    """The limit in force; infinite for none."""
    container_bytes: int | None
    need_bytes: int | None
    """Live heap, stacks and runtime. With less than this there is no room for garbage at all."""
    advised_bytes: int | None
    """0.9 of the container's limit, minus memory outside of Go and the use by other processes in the container."""
    enough: bool | None
    """Whether the advised limit covers what the program needs. If not, the container is too small."""
    near: bool
    """Whether, without a limit, the next heap goal comes close to the container's limit."""
    gc_per_s: float | None
    minflt_per_s: float | None
    gc_cpu_fraction: float | None


def judge_limit(
    heap: GoHeap,
    parts: Breakdown,
    set_bytes: float | None,
    container_bytes: int | None,
    *,
    gc_per_s: float | None = None,
    minflt_per_s: float | None = None,
    others_bytes: int = 0,
) -> LimitAdvice:
    """Judge the limit. ``set_bytes`` is GOMEMLIMIT of the environment (infinite for none, None for unreadable).

    The value in the metrics takes precedence. ``others_bytes`` is the use by other processes in the same container.
    None means a container without a limit.
    """
    limit = heap.gomemlimit_bytes if heap.gomemlimit_bytes is not None else set_bytes
    known = (parts.live_bytes, parts.stacks_bytes, parts.runtime_bytes)
    need = None if None in known else sum(part or 0 for part in known)
    advised = None
    if container_bytes is not None and parts.outside_bytes is not None:
        advised = max(0, int(ADVISED_SHARE * container_bytes) - parts.outside_bytes - others_bytes)
    return LimitAdvice(
        fit=limit_fit(
            limit, container_bytes, held_bytes=held_bytes(heap), gc_per_s=gc_per_s, minflt_per_s=minflt_per_s
        ),
        gomemlimit_bytes=limit,
        container_bytes=container_bytes,
        need_bytes=need,
        advised_bytes=advised,
        enough=None if advised is None or need is None else advised >= need,
        near=goal_is_near(limit, heap.next_gc_bytes, container_bytes),
        gc_per_s=gc_per_s,
        minflt_per_s=minflt_per_s,
        gc_cpu_fraction=heap.gc_cpu_fraction,
    )

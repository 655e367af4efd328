"""Leak verdict on a Go program, from what is left on its heap after each garbage collection.

Between two collections HeapAlloc is a sawtooth and says nothing about a leak. The floor after each collection does. If
the program collects more often than memtop reads, the samples fall anywhere on the sawtooth, and their slow beat looks
like a leak. Therefore the floor is also taken from NextGC, which Go computes from the live heap at every collection.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from itertools import groupby, pairwise
from statistics import median
from typing import Final, NamedTuple

from memtop.analysis.trend.collection_floors import block_floor, cycle_floor, rises, slope
from memtop.runtimes.go.breakdown import held_bytes, outside_bytes
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.heap import GoHeap

_UNSET: Final = GoSettings()
_SMALLEST_BYTES: Final = 1 << 20
_SMALLEST_SHARE: Final = 0.05
_SMALLEST_OUTSIDE_BYTES: Final = 8 << 20
_SMALLEST_GOROUTINES: Final = 20
_SMALLEST_GOROUTINES_SHARE: Final = 0.2
_COUNT_EXPLAINS: Final = 0.5
"""A leak of objects: their number explains at least this share of the growth of the live heap."""
_FAST_GC_PER_S: Final = 1.0
_FAST_ALLOC_BYTES_PER_S: Final = 64 << 20
_GOVERNS_SHARE: Final = 0.85
_DENSE_READINGS: Final = 5
"""Readings per collection from which the lowest one is near the floor."""
_RATE_WINDOW_S: Final = 30.0


class GoVerdict(Enum):
    """The shape of a Go program's figures over time."""

    WAITING = "waiting"
    """Too few collections, or too short a time."""
    STEADY = "steady"
    PRESSURE = "pressure"
    """The live heap stays level, but the program allocates so much that it collects all the time."""
    LEAK_OBJECTS = "leak_objects"
    """More objects are alive after each collection."""
    BIGGER_OBJECTS = "bigger_objects"
    """About as many objects are alive, and they become bigger."""
    GOROUTINE_LEAK = "goroutine_leak"
    OUTSIDE = "outside"
    """The heap stays level; anonymous memory unknown to Go grows."""

    @property
    def growing(self) -> bool:
        """Whether something keeps growing."""
        return self not in (GoVerdict.WAITING, GoVerdict.STEADY, GoVerdict.PRESSURE)


class GoPoint(NamedTuple):
    """The program's figures and the kernel's, read together."""

    time_s: float
    """On any clock that only goes forward, in seconds."""
    heap: GoHeap
    anon_bytes: int | None = None
    lazy_free_bytes: int | None = None
    minflt: int | None = None


class GoCycle(NamedTuple):
    """One garbage collection that was seen: the lowest point between it and the next."""

    time_s: float
    num_gc: int
    live_bytes: int
    """Memory in use after the collection, or a little more."""
    objects: int | None


class GoGrowth(NamedTuple):
    """The verdict and its evidence. Rates per second; None if unknown."""

    verdict: GoVerdict
    cycles: tuple[GoCycle, ...]
    """Collections seen, oldest first."""
    span_s: float
    live_bytes: int | None
    """After the latest collection."""
    live_bytes_per_s: float | None
    """Slope of the floor."""
    objects_per_s: float | None
    goroutines_per_s: float | None
    outside_bytes_per_s: float | None
    gc_per_s: float | None
    """Over the last half minute, like the fields below."""
    alloc_bytes_per_s: float | None
    pause_s_per_s: float | None
    """Share of the time in which the program was stopped."""
    minflt_per_s: float | None


def gc_per_s(points: Sequence[GoPoint]) -> float | None:
    """Collections per second over the last half minute; None if there are too few readings."""
    return _Rates.of(points).gc_per_s


def go_cycles(points: Sequence[GoPoint], settings: GoSettings = _UNSET) -> tuple[GoCycle, ...]:
    """The collections between the first and the last point, by changes of NumGC (or drops of HeapAlloc without it).

    The metrics' own GOGC and GOMEMLIMIT take precedence over ``settings``, which come from the environment.
    """
    numbered = _numbered([point for point in points if point.heap.heap_alloc_bytes is not None])
    cycles = []
    for number, group in groupby(numbered, key=lambda pair: pair[0]):
        lowest = min((point for _, point in group), key=lambda point: point.heap.heap_alloc_bytes or 0)
        if number > 0:  # before the first collection nothing has been marked
            cycles.append(GoCycle(lowest.time_s, number, _live_bytes(lowest, settings), lowest.heap.heap_objects))
    return tuple(cycles)


def judge_go(points: Sequence[GoPoint], settings: GoSettings = _UNSET) -> GoGrowth:
    """The verdict on a program's readings, oldest first. Readings before a restart of its counters are left out."""
    points = _since_restart(points)
    cycles = go_cycles(points, settings)
    span_s = points[-1].time_s - points[0].time_s if points else 0.0
    goroutines = block_floor(
        [(point.time_s, point.heap.goroutines) for point in points], _SMALLEST_GOROUTINES, _SMALLEST_GOROUTINES_SHARE
    )
    outside = block_floor([(p.time_s, _outside(p)) for p in points], _SMALLEST_OUTSIDE_BYTES, _SMALLEST_SHARE)
    live = cycle_floor([(c.time_s, c.live_bytes) for c in cycles], _SMALLEST_BYTES, _SMALLEST_SHARE)
    rates = _Rates.of(points)
    if rises(goroutines):
        verdict = GoVerdict.GOROUTINE_LEAK
    elif live is not None and rises(live) and not _only_beats(points, cycles):
        verdict = GoVerdict.LEAK_OBJECTS if _count_explains(cycles) else GoVerdict.BIGGER_OBJECTS
    elif outside is not None and rises(outside) and outside.values[-1] > 0:
        verdict = GoVerdict.OUTSIDE
    elif live is None:
        verdict = GoVerdict.WAITING
    else:
        verdict = GoVerdict.PRESSURE if rates.pressing else GoVerdict.STEADY
    return GoGrowth(
        verdict=verdict,
        cycles=cycles,
        span_s=span_s,
        live_bytes=cycles[-1].live_bytes if cycles else None,
        live_bytes_per_s=slope(live),
        objects_per_s=slope(cycle_floor([(c.time_s, c.objects) for c in cycles], 0, 0)),
        goroutines_per_s=slope(goroutines),
        outside_bytes_per_s=slope(outside),
        gc_per_s=rates.gc_per_s,
        alloc_bytes_per_s=rates.alloc_bytes_per_s,
        pause_s_per_s=rates.pause_s_per_s,
        minflt_per_s=rates.minflt_per_s,
    )


def _since_restart(points: Sequence[GoPoint]) -> Sequence[GoPoint]:
    """The points after the last one at which a counter went back, because another program answers since then."""
    begin = 0
    for place, (before, now) in enumerate(pairwise(points), 1):
        counters = ((before.heap.num_gc, now.heap.num_gc), (before.heap.mallocs, now.heap.mallocs))
        if any(old is not None and new is not None and new < old for old, new in counters):
            begin = place
    return points[begin:]


def _numbered(points: Sequence[GoPoint]) -> list[tuple[int, GoPoint]]:
    """Each point with the number of its collection."""
    if all(point.heap.num_gc is not None for point in points):
        return [(point.heap.num_gc or 0, point) for point in points]
    number, found = 0, []
    for place, point in enumerate(points):
        before = points[place - 1].heap.heap_alloc_bytes if place else None
        number += before is not None and (point.heap.heap_alloc_bytes or 0) < before
        found.append((number, point))
    return found


def _live_bytes(point: GoPoint, settings: GoSettings) -> int:
    """The lower of two upper bounds: HeapAlloc now, and the live heap behind the goal of the next collection."""
    heap = point.heap
    allocated, goal = heap.heap_alloc_bytes or 0, heap.next_gc_bytes
    gogc = settings.gogc_percent if heap.gogc_percent is None else heap.gogc_percent
    if not goal or math.isinf(goal) or math.isinf(gogc) or limit_governs(heap, settings):
        return allocated
    roots = heap.stack_inuse_bytes or 0
    return min(allocated, int(max(0.0, (goal - roots * gogc / 100) / (1 + gogc / 100))))


def limit_governs(heap: GoHeap, settings: GoSettings = _UNSET) -> bool:
    """Whether the memory limit, instead of GOGC, decides when the next collection comes."""
    limit = settings.gomemlimit_bytes if heap.gomemlimit_bytes is None else heap.gomemlimit_bytes
    held = held_bytes(heap)
    return held is not None and held > _GOVERNS_SHARE * limit


def _outside(point: GoPoint) -> int | None:
    if point.anon_bytes is None:
        return None
    return outside_bytes(point.heap, point.anon_bytes, point.lazy_free_bytes or 0)


def _only_beats(points: Sequence[GoPoint], cycles: Sequence[GoCycle]) -> bool:
    """Whether the rise may be only the beat between samples and a sawtooth that is faster than they are.

    That is possible if the goal of the next collection is not reported and there are few samples per collection. A true
    rise also lifts the tops of the sawtooth, and with them the mapped heap.
    """
    if any(point.heap.next_gc_bytes is not None for point in points):
        return False
    if len(points) >= _DENSE_READINGS * (cycles[-1].num_gc - cycles[0].num_gc + 1):
        return False
    mapped = [(point.time_s, point.heap.heap_sys_bytes) for point in points]
    return not rises(block_floor(mapped, _SMALLEST_BYTES, _SMALLEST_SHARE))


def _count_explains(cycles: Sequence[GoCycle]) -> bool:
    """Whether the number of objects grew in proportion.

    Thirds are compared, because single counts include much garbage.
    """
    known = [(cycle.live_bytes, cycle.objects) for cycle in cycles if cycle.objects and cycle.live_bytes]
    third = math.ceil(len(known) / 3)
    if not third:
        return True
    before, after = known[:third], known[-third:]
    size = math.log(median(live for live, _ in after) / median(live for live, _ in before))
    count = math.log(median(objects for _, objects in after) / median(objects for _, objects in before))
    return count >= _COUNT_EXPLAINS * size


class _Rates(NamedTuple):
    gc_per_s: float | None
    alloc_bytes_per_s: float | None
    pause_s_per_s: float | None
    minflt_per_s: float | None

    @classmethod
    def of(cls, points: Sequence[GoPoint]) -> _Rates:
        recent = [point for point in points if point.time_s >= points[-1].time_s - _RATE_WINDOW_S]
        if len(recent) < 2 or recent[-1].time_s <= recent[0].time_s:
            return cls(None, None, None, None)
        first, last = recent[0], recent[-1]
        elapsed_s = last.time_s - first.time_s

        def rate(before: int | None, now: int | None) -> float | None:
            return None if before is None or now is None or now < before else (now - before) / elapsed_s

        pause_ns = rate(first.heap.pause_total_ns, last.heap.pause_total_ns)
        return cls(
            rate(first.heap.num_gc, last.heap.num_gc),
            rate(first.heap.total_alloc_bytes, last.heap.total_alloc_bytes),
            None if pause_ns is None else pause_ns / 1e9,
            rate(first.minflt, last.minflt),
        )

    @property
    def pressing(self) -> bool:
        return (self.gc_per_s or 0) >= _FAST_GC_PER_S or (self.alloc_bytes_per_s or 0) >= _FAST_ALLOC_BYTES_PER_S

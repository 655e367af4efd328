"""Breakdown of a JVM's RES, and the leak verdict on what is left on its heap after collections.

Old objects that have died stay until a collection examines them. So only the floors after such major collections count;
a rise between two of them does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import groupby, pairwise
from statistics import median
from typing import Final, NamedTuple

from memtop.analysis.trend.collection_floors import (
    LEAST_CYCLES,
    LEAST_SPAN_S,
    block_floor,
    cycle_floor,
    may_rise,
    rises,
    slope,
)
from memtop.analysis.trend.floor import Floor
from memtop.runtimes.jvm.heap import JvmHeap

_SMALLEST_BYTES: Final = 2 << 20
_SMALLEST_SHARE: Final = 0.05
_SMALLEST_THREADS: Final = 20
_THREADS_SHARE: Final = 0.2
_SMALLEST_NATIVE_BYTES: Final = 16 << 20
_NOTABLE_NATIVE_BYTES: Final = 64 << 20
_FULL_SHARE: Final = 0.85
_FULL_GC_PER_S: Final = 0.5
_FULL_GC_SHARE: Final = 0.2
_PRESSING_GC_PER_S: Final = 5.0
_PRESSING_GC_SHARE: Final = 0.05
_FAR_NATIVE_SHARE: Final = 1.3
_FAR_NATIVE_BYTES: Final = 300 << 20
_RATE_WINDOW_S: Final = 30.0
_MOST_TAKEN_OFF: Final = 0.8
_MOST_RUNS: Final = 12


class JvmVerdict(Enum):
    """The shape of a JVM's counters over time."""

    WAITING = "waiting"
    """Too few major collections, or too short a time."""
    STEADY = "steady"
    PRESSURE = "pressure"
    """The floor stays level; collections take a notable part of the time."""
    LEAK = "leak"
    """More memory is left after each major collection."""
    HEAP_FULL = "heap_full"
    """Live objects nearly fill the heap, so it collects all the time."""
    METASPACE = "metaspace"
    """Classes are loaded and not unloaded."""
    THREAD_LEAK = "thread_leak"
    OUTSIDE = "outside"
    """The heap stays level; native memory grows."""


class JvmPoint(NamedTuple):
    """The JVM's counters and the kernel's, read together."""

    time_s: float
    heap: JvmHeap
    anon_bytes: int | None = None
    shr_bytes: int | None = None
    """The rest of RES: pages of files, and shared memory, where the heap of ZGC lies."""


class JvmCycle(NamedTuple):
    """The lowest point between two major collections."""

    time_s: float
    major_gcs: int
    lowest_bytes: int
    """Heap in use without eden, as read."""
    live_bytes: int
    """The same minus what has become old since the collection, at the usual rate. The estimate may be too high or too
    low."""


class JvmGrowth(NamedTuple):
    """The verdict and its evidence. Rates per second; None if unknown."""

    verdict: JvmVerdict
    cycles: tuple[JvmCycle, ...]
    span_s: float
    live_bytes: int | None
    """The lowest use after one of the latest major collections."""
    live_bytes_per_s: float | None
    live_interval_bytes_per_s: tuple[float, float] | None
    """The bounds of that slope's 90 % interval."""
    metaspace_bytes_per_s: float | None
    """Of what it has committed."""
    class_space_bytes_per_s: float | None
    anon_bytes_per_s: float | None
    """Of the anonymous memory of the process."""
    threads_per_s: float | None
    native_bytes_per_s: float | None
    young_gcs_per_s: float | None
    """Over the last half minute, like the two fields below."""
    major_gcs_per_s: float | None
    gc_share: float | None
    """Share of the time in which the JVM was stopped for collections, 0 to 1."""
    may_rise: bool = False
    """Whether what is left is not found to rise, but varies so much that it may."""


class MappedHeap(NamedTuple):
    """RAM behind the mappings of the heap. Bytes."""

    rss_bytes: int
    """Every mapping counted in full: ZGC before JDK 21, and later with -XX:-ZGenerational, maps each page three
    times."""
    own_bytes: int
    """Every page counted once: the sum of PSS, since no other process maps a JVM's heap."""


class JvmBreakdown(NamedTuple):
    """RES in parts that add up to it, in bytes."""

    rss_bytes: int
    live_bytes: int
    """Heap in use after the latest major collection; without eden if none was seen."""
    garbage_bytes: int
    """The rest of the heap in use."""
    unused_bytes: int
    """Resident, but not in use: kept for later; 0 where :attr:`split` is False."""
    metaspace_bytes: int
    native_bytes: int
    """Stacks of threads, JIT code, buffers outside of the heap, JNI, malloc; with the free part of the heap where
    :attr:`split` is False."""
    files_bytes: int
    again_bytes: int
    """Pages of the heap that RES counts again, because they are mapped several times."""
    not_resident_bytes: int | None
    """Committed by the JVM, but without RAM now, or on swap; not in the sum. None if its mappings are unknown."""
    capacity_bytes: int
    """Of the heap, as committed."""
    split: bool
    """Whether the free part of the heap is known: from its mappings, or because the heap lies in shared memory."""

    @property
    def notable_native(self) -> bool:
        """Whether RES is far beyond what the heap can explain."""
        return self.rss_bytes - self.again_bytes > _FAR_NATIVE_SHARE * self.capacity_bytes + _FAR_NATIVE_BYTES


def break_down_jvm(
    heap: JvmHeap,
    rss_bytes: int,
    anon_bytes: int,
    live_bytes: int | None = None,
    *,
    shmem_bytes: int | None = None,
    mapped: MappedHeap | None = None,
) -> JvmBreakdown:
    """Split RES into parts.

    The heap of ZGC lies in shared memory, all others are anonymous. Without ``mapped`` only the heap in use is taken to
    be resident, and what a heap in shared memory has beyond its capacity is counted again.
    """
    anon = min(anon_bytes, rss_bytes)
    shmem = min(shmem_bytes or 0, rss_bytes - anon)
    in_shmem = heap.collector == "UseZGC" and shmem > 0
    room = shmem if in_shmem else anon
    again = max(0, room - heap.heap_capacity_bytes) if in_shmem and mapped is None else 0
    resident = room - again
    if mapped is not None:
        resident = min(mapped.own_bytes, room)
        again = min(max(0, mapped.rss_bytes - mapped.own_bytes), room - resident)
    live = min(heap.tenured_bytes if live_bytes is None else live_bytes, heap.heap_used_bytes)
    live_part = min(live, resident)
    garbage = min(heap.heap_used_bytes - live, resident - live_part)
    unused = resident - live_part - garbage if mapped is not None or in_shmem else 0
    left = anon + shmem - live_part - garbage - unused - again
    metaspace = min(heap.classes_bytes or 0, left, anon)
    return JvmBreakdown(
        rss_bytes=rss_bytes,
        live_bytes=live_part,
        garbage_bytes=garbage,
        unused_bytes=unused,
        metaspace_bytes=metaspace,
        native_bytes=left - metaspace,
        files_bytes=rss_bytes - anon - shmem,
        again_bytes=again,
        not_resident_bytes=None if mapped is None else max(0, heap.heap_capacity_bytes - resident),
        capacity_bytes=heap.heap_capacity_bytes,
        split=mapped is not None or in_shmem,
    )


def jvm_cycles(points: Sequence[JvmPoint]) -> tuple[JvmCycle, ...]:
    """The major collections between the first and the last point, each with the lowest use after it."""
    rate = _promoted_per_s(points)
    cycles = []
    for number, group in groupby(points, key=lambda point: point.heap.major_gcs):
        lowest = min(group, key=lambda point: point.heap.tenured_bytes)
        if number > 0:
            used, since_s = lowest.heap.tenured_bytes, lowest.heap.since_major_s
            after = (
                int(used - rate * since_s) if since_s is not None and rate * since_s < _MOST_TAKEN_OFF * used else used
            )
            cycles.append(JvmCycle(lowest.time_s, number, used, after))
    return tuple(cycles)


def _promoted_per_s(points: Sequence[JvmPoint]) -> float:
    """The median rise between two readings without a major collection in between; 0 if there are too few."""
    rises_per_s = [
        (now.heap.tenured_bytes - before.heap.tenured_bytes) / (now.time_s - before.time_s)
        for before, now in pairwise(points)
        if before.heap.major_gcs == now.heap.major_gcs > 0 and now.time_s > before.time_s
    ]
    return max(0.0, median(rises_per_s)) if len(rises_per_s) >= LEAST_CYCLES else 0.0


def judge_jvm(points: Sequence[JvmPoint]) -> JvmGrowth:
    """The verdict on a JVM's readings, oldest first. Readings before a restart of its counters are left out."""
    points = since_restart(points)
    cycles = jvm_cycles(points)
    span_s = points[-1].time_s - points[0].time_s if points else 0.0
    live = cycle_floor([(c.time_s, c.live_bytes) for c in cycles], _SMALLEST_BYTES, _SMALLEST_SHARE, _MOST_RUNS)
    metaspace = _sizes((p.time_s, p.heap.classes_bytes) for p in points)
    class_space = _sizes((p.time_s, p.heap.class_space_capacity_bytes) for p in points)
    anon = _sizes((p.time_s, p.anon_bytes) for p in points)
    threads = block_floor([(p.time_s, p.heap.threads) for p in points], _SMALLEST_THREADS, _THREADS_SHARE)
    native = block_floor(_native(points), _SMALLEST_NATIVE_BYTES, _SMALLEST_SHARE)
    young_per_s, major_per_s, gc_share = _rates(points)
    last = points[-1].heap if points else None
    if rises(threads):
        verdict = JvmVerdict.THREAD_LEAK
    elif rises(metaspace):
        verdict = JvmVerdict.METASPACE
    elif last is not None and span_s >= LEAST_SPAN_S and _full(last, cycles, major_per_s, gc_share):
        verdict = JvmVerdict.HEAP_FULL
    elif rises(live):
        verdict = JvmVerdict.LEAK
    elif native is not None and rises(native) and native.values[-1] > _NOTABLE_NATIVE_BYTES:
        verdict = JvmVerdict.OUTSIDE
    elif live is None:
        verdict = JvmVerdict.WAITING
    elif (young_per_s or 0) >= _PRESSING_GC_PER_S or (gc_share or 0) >= _PRESSING_GC_SHARE:
        verdict = JvmVerdict.PRESSURE
    else:
        verdict = JvmVerdict.STEADY
    return JvmGrowth(
        verdict=verdict,
        cycles=cycles,
        span_s=span_s,
        live_bytes=min((cycle.lowest_bytes for cycle in cycles[-LEAST_CYCLES:]), default=None),
        live_bytes_per_s=slope(live),
        live_interval_bytes_per_s=None if live is None else (live.low, live.high),
        metaspace_bytes_per_s=slope(metaspace),
        class_space_bytes_per_s=slope(class_space),
        anon_bytes_per_s=slope(anon),
        threads_per_s=slope(threads),
        native_bytes_per_s=slope(native),
        young_gcs_per_s=young_per_s,
        major_gcs_per_s=major_per_s,
        gc_share=gc_share,
        may_rise=verdict in (JvmVerdict.STEADY, JvmVerdict.PRESSURE) and live is not None and may_rise(live),
    )


def since_restart(points: Sequence[JvmPoint]) -> Sequence[JvmPoint]:
    """The readings since the JVM started that the latest one is of."""
    begin = 0
    for place, (before, now) in enumerate(pairwise(points), 1):
        if now.heap.started_s != before.heap.started_s or now.heap.major_gcs < before.heap.major_gcs:
            begin = place
    return points[begin:]


def _sizes(series: Iterable[tuple[float, int | None]]) -> Floor | None:
    return block_floor(list(series), _SMALLEST_BYTES, _SMALLEST_SHARE)


def _native(points: Sequence[JvmPoint]) -> list[tuple[float, int | None]]:
    """Anonymous memory beyond the committed heap, after some collections have touched the heap."""
    return [
        (point.time_s, point.anon_bytes - point.heap.heap_capacity_bytes)
        for point in points
        if point.anon_bytes is not None and point.heap.young_gcs + point.heap.major_gcs >= LEAST_CYCLES
    ]


def _full(heap: JvmHeap, cycles: Sequence[JvmCycle], major_per_s: float | None, gc_share: float | None) -> bool:
    room = heap.old_max_bytes or heap.heap_max_bytes
    if room is None or not cycles:
        return False
    alive = min(cycle.lowest_bytes for cycle in cycles[-LEAST_CYCLES:])
    busy = (major_per_s or 0) >= _FULL_GC_PER_S or (gc_share or 0) >= _FULL_GC_SHARE
    return busy and alive >= _FULL_SHARE * room


def _rates(points: Sequence[JvmPoint]) -> tuple[float | None, float | None, float | None]:
    recent = [point for point in points if point.time_s >= points[-1].time_s - _RATE_WINDOW_S]
    if len(recent) < 2 or recent[-1].time_s <= recent[0].time_s:
        return None, None, None
    first, last = recent[0], recent[-1]
    elapsed_s = last.time_s - first.time_s
    return (
        max(0, last.heap.young_gcs - first.heap.young_gcs) / elapsed_s,
        (last.heap.major_gcs - first.heap.major_gcs) / elapsed_s,
        None
        if first.heap.gc_time_s is None or last.heap.gc_time_s is None
        else min(1.0, max(0.0, last.heap.gc_time_s - first.heap.gc_time_s) / elapsed_s),
    )

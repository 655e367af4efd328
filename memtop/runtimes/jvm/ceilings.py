"""The limits that a JVM sets itself, at which it throws OutOfMemoryError: of its heap and of its classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from memtop.analysis.trend.soon import is_soon
from memtop.runtimes.jvm.flags import JvmFlags
from memtop.runtimes.jvm.growth import JvmGrowth, JvmVerdict
from memtop.runtimes.jvm.heap import JvmHeap
from memtop.runtimes.view import RuntimeCeiling

_FASTER: Final = 1.1
"""The interval of the slope tells of the past. A program may leak a little faster than it did ..."""
_SLOWER: Final = 0.6
"""... and it becomes much slower the more of its time goes to collections of a heap that is nearly full."""


def jvm_ceilings(
    heap: JvmHeap,
    flags: JvmFlags | None,
    growth: JvmGrowth,
    surviving_bytes_per_s: float | None = None,
    *,
    explains: bool = True,
    before: Iterable[RuntimeCeiling] = (),
) -> tuple[RuntimeCeiling, ...]:
    """The maximum of the heap, then those of its classes: MaxMetaspaceSize where it is set, and the class space.

    The time until the heap is full follows from what is left after collections, while that rises. Before old objects
    were examined it follows from what survives young collections, ``surviving_bytes_per_s``. ``explains`` is whether
    the heap may be what makes RES rise. ``before`` is the answer before.
    """
    found = []
    most = heap.heap_max_bytes
    if most:
        named = heap.flags.max_heap_bytes is not None or (flags is not None and flags.max_heap_bytes is not None)
        name = "-Xmx heap" if named else "JVM heap"
        is_open = growth.verdict is JvmVerdict.WAITING and (explains or surviving_bytes_per_s is not None)
        rises = is_open or growth.verdict in (JvmVerdict.LEAK, JvmVerdict.HEAP_FULL)
        # A heap without an eden counts garbage as used until a collection finds it.
        live = growth.live_bytes if heap.survived_only else None
        used = heap.tenured_bytes if live is None else min(live, heap.tenured_bytes)
        span_s = _span_s(most, growth)
        if growth.verdict is JvmVerdict.WAITING:
            span_s = _span_at(most - used, surviving_bytes_per_s)
        found.append(RuntimeCeiling(name, most, used, rises, span_s=span_s))
    found += _of_classes(heap, flags, growth)
    were_soon = {one.name for one in before if one.soon}
    return tuple(one._replace(soon=is_soon(one.span_s, was=one.name in were_soon)) for one in found)


def _of_classes(heap: JvmHeap, flags: JvmFlags | None, growth: JvmGrowth) -> Iterator[RuntimeCeiling]:
    """The limits of what is committed for classes. The class space has one by default, of 1 GiB."""
    rises = growth.verdict is JvmVerdict.METASPACE
    most = heap.flags.max_metaspace_bytes or (flags.max_metaspace_bytes if flags is not None else None)
    for name, limit_bytes, used_bytes, bytes_per_s in (
        ("MaxMetaspaceSize", most, heap.classes_bytes, growth.metaspace_bytes_per_s),
        (
            "CompressedClassSpaceSize",
            heap.class_space_max_bytes,
            heap.class_space_capacity_bytes,
            growth.class_space_bytes_per_s,
        ),
        ("MaxPermSize", heap.permanent_max_bytes, heap.classes_bytes, growth.metaspace_bytes_per_s),
    ):
        if limit_bytes and used_bytes is not None:
            span_s = _span_at(limit_bytes - used_bytes, bytes_per_s) if rises else None
            part = _part(bytes_per_s, growth.anon_bytes_per_s)
            yield RuntimeCeiling(name, limit_bytes, used_bytes, rises, span_s=span_s, of_rise=part)


def _part(bytes_per_s: float | None, of_bytes_per_s: float | None) -> float:
    """The part that one rise is of another, from more than 0 to 1; 1 if that is unknown."""
    if not bytes_per_s or not of_bytes_per_s or not 0 < bytes_per_s < of_bytes_per_s:
        return 1.0
    return bytes_per_s / of_bytes_per_s


def _span_at(room_bytes: int, bytes_per_s: float | None) -> tuple[float, float] | None:
    """From a slope without an interval; None unless it rises."""
    if bytes_per_s is None or bytes_per_s <= 0:
        return None
    room_bytes = max(0, room_bytes)
    return room_bytes / (bytes_per_s * _FASTER), room_bytes / (bytes_per_s * _SLOWER)


def _span_s(most_bytes: int, growth: JvmGrowth) -> tuple[float, float] | None:
    """From the higher and the lower bound of the slope of what is alive; None unless that is found to rise."""
    interval = growth.live_interval_bytes_per_s
    if growth.verdict is not JvmVerdict.LEAK or growth.live_bytes is None or interval is None or interval[0] <= 0:
        return None
    room_bytes = max(0, most_bytes - growth.live_bytes)
    return room_bytes / (interval[1] * _FASTER), room_bytes / (interval[0] * _SLOWER)

"""What a JVM's heap can still take in RAM: it is given its pages when they are first used, up to its maximum.

RES of a JVM that has not used all of its heap yet rises with garbage alone, as eden fills. That rise ends where the
heap has its full size, so it fills a limit of the kernel only if that leaves less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.runtimes.jvm.growth import JvmPoint, since_restart

_SLACK_SHARE: Final = 0.125
"""What grows with a heap: card tables, remembered sets, code and classes that the same load brings in."""
_MOST_VIEWS: Final = 3
"""ZGC without generations maps a page so many times at most, and RES counts each."""


class Untouched(NamedTuple):
    """How a rise of RES is related to the heap. Bytes."""

    may_take_bytes: int
    """RES can grow by so much inside of the heap, at most."""
    explains: bool
    """Whether the rise that was seen may be the heap that is used for the first time. If not, other memory grows."""


def untouched_heap(points: Sequence[JvmPoint]) -> Untouched | None:
    """By readings of a JVM, oldest first. None if its maximum or its memory is not known.

    Memory that was in use once has RAM behind it. Most collectors update their counters at collections only: between
    them the rise of the kind of memory that the heap lies in counts as heap, as far as it may be.
    """
    known = [point for point in since_restart(points) if point.anon_bytes is not None]
    if not known or not (most := known[-1].heap.heap_max_bytes):
        return None
    used = max(point.heap.heap_used_bytes for point in known)
    capacity = max(point.heap.heap_capacity_bytes for point in known)
    anon = [point.anon_bytes or 0 for point in known]
    if known[-1].heap.collector == "UseZGC":
        shared = [point.shr_bytes for point in known if point.shr_bytes is not None]
        risen = (max(shared) - shared[0]) // _MOST_VIEWS if shared else 0
        slack = round(_SLACK_SHARE * capacity)
        touched = max(used, min(capacity, risen))
        return Untouched(max(0, most - touched) + slack, explains=anon[-1] - anon[0] <= slack)
    first = known[0].heap.heap_used_bytes
    room = max(one.heap.tenured_bytes + (one.heap.eden_capacity_bytes or one.heap.heap_capacity_bytes) for one in known)
    room = max(used, min(room, capacity))
    slack = round(_SLACK_SHARE * room)
    touched = max(used, min(room, first + max(anon) - anon[0]))
    return Untouched(max(0, most - touched) + slack, explains=anon[-1] - anon[0] <= room - first + slack)

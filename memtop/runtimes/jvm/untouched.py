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


class Untouched(NamedTuple):
    """How a rise of RES is related to the heap. Bytes."""

    may_take_bytes: int
    """RES can grow by so much inside of the heap, at most."""
    explains: bool
    """Whether the rise that was seen may be the heap that is used for the first time. If not, other memory grows."""


def untouched_heap(points: Sequence[JvmPoint]) -> Untouched | None:
    """By readings of a JVM, oldest first. None if its maximum or its memory is not known, and for ZGC, whose heap is
    no anonymous memory.

    Memory that was in use once has RAM behind it. G1 updates its counters at collections only: between them all that
    has come since the first reading counts as eden, as far as eden has room for it.
    """
    known = [(point.heap, point.anon_bytes) for point in since_restart(points) if point.anon_bytes is not None]
    if not known or not (most := known[-1][0].heap_max_bytes) or known[-1][0].collector == "UseZGC":
        return None
    first, first_anon = known[0]
    used = max(heap.heap_used_bytes for heap, _ in known)
    room = max(heap.tenured_bytes + (heap.eden_capacity_bytes or heap.heap_capacity_bytes) for heap, _ in known)
    room = max(used, min(room, max(heap.heap_capacity_bytes for heap, _ in known)))
    risen = known[-1][1] - first_anon
    slack = round(_SLACK_SHARE * room)
    touched = max(used, min(room, first.heap_used_bytes + max(anon for _, anon in known) - first_anon))
    return Untouched(max(0, most - touched) + slack, explains=risen <= room - first.heap_used_bytes + slack)

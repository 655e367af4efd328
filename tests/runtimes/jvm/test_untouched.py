"""How a rise of RES is related to the heap of a JVM, by its counters and its anonymous memory."""

from __future__ import annotations

import pytest

from memtop.runtimes.jvm.growth import JvmPoint
from memtop.runtimes.jvm.untouched import untouched_heap
from tests.lab.points import jvm_points

MIB = 1 << 20
BASE = jvm_points("jvm_steady_serial")[-1].heap._replace(
    collector="UseSerialGC",
    heap_capacity_bytes=300 * MIB,
    heap_max_bytes=300 * MIB,
    eden_capacity_bytes=200 * MIB,
    eden_used_bytes=0,
    heap_used_bytes=0,
)
SLACK = 25
"""An eighth of what eden and the rest can hold, in MiB ..."""
SLACK_ZGC = 37.5
"""... or of the heap, where it has no eden."""


def readings(*figures: tuple[int, int], collector: str = "UseSerialGC", kept: int = 0) -> list[JvmPoint]:
    """Readings of (used eden, anonymous memory) in MiB; ``kept`` is in use outside of eden."""
    return [
        JvmPoint(
            float(second),
            BASE._replace(collector=collector, eden_used_bytes=eden * MIB, heap_used_bytes=(eden + kept) * MIB),
            anon * MIB,
        )
        for second, (eden, anon) in enumerate(figures)
    ]


@pytest.mark.parametrize(
    ("points", "left", "explains"),
    [
        (readings((0, 40)), 300 + SLACK, True),
        (readings((0, 40), (100, 140)), 200 + SLACK, True),
        (readings((0, 40), (200, 240), (0, 240)), 100 + SLACK, True),
        (readings((200, 240), (0, 240)), 100 + SLACK, True),
        (readings((0, 40), (200, 240), (0, 240), (0, 300)), 100 + SLACK, False),
        (readings((0, 40), (0, 140), collector="UseG1GC"), 200 + SLACK, True),
        (readings((0, 40), (0, 500), collector="UseG1GC"), 100 + SLACK, False),
        (readings((0, 240), (0, 280), (0, 320), collector="UseG1GC"), 220 + SLACK, True),
    ],
    ids=[
        "a heap of which nothing is in use",
        "eden fills",
        "it is empty again and keeps its pages",
        "memtop came when eden was full",
        "other memory grows",
        "G1 counts at collections only",
        "more than its eden can hold",
        "what cannot be told apart counts as heap",
    ],
)
def test_what_the_heap_can_still_take(points: list[JvmPoint], left: int, explains: bool) -> None:
    found = untouched_heap(points)
    assert found is not None
    assert (found.may_take_bytes / MIB, found.explains) == (left, explains)


def test_an_earlier_jvm_of_the_same_process_does_not_count() -> None:
    old, new = readings((0, 40), (200, 240))
    restarted = new._replace(
        heap=new.heap._replace(started_s=1.0, eden_used_bytes=0, heap_used_bytes=0), anon_bytes=MIB
    )
    assert untouched_heap([old, new, restarted]) == untouched_heap([restarted])


@pytest.mark.parametrize(
    ("figures", "left", "explains"),
    [
        ([(0, 40, 30)], 300 + SLACK_ZGC, True),
        ([(0, 40, 30), (0, 40, 180)], 250 + SLACK_ZGC, True),
        ([(0, 40, 30), (120, 40, 180)], 180 + SLACK_ZGC, True),
        ([(0, 40, 30), (120, 40, 180), (10, 40, 180)], 180 + SLACK_ZGC, True),
        ([(0, 40, 30), (0, 120, 30)], 300 + SLACK_ZGC, False),
    ],
    ids=[
        "a heap of which nothing is in use",
        "between collections, each page may be mapped three times",
        "a collection tells what was in use",
        "it is empty again and keeps its pages",
        "memory outside of the heap grows",
    ],
)
def test_a_heap_in_shared_memory_is_known_by_its_use_and_by_the_rise_of_shared_memory(
    figures: list[tuple[int, int, int]], left: float, explains: bool
) -> None:
    """Use of the heap, anonymous and shared memory in MiB."""
    points = [
        JvmPoint(
            float(second),
            BASE._replace(collector="UseZGC", eden_used_bytes=None, heap_used_bytes=used * MIB),
            anon * MIB,
            shared * MIB,
        )
        for second, (used, anon, shared) in enumerate(figures)
    ]
    found = untouched_heap(points)
    assert found is not None
    assert (found.may_take_bytes / MIB, found.explains) == (left, explains)


def test_without_a_maximum_nothing_is_known() -> None:
    (point,) = readings((0, 40))
    assert untouched_heap([]) is None
    assert untouched_heap([point._replace(anon_bytes=None)]) is None
    assert untouched_heap([point._replace(heap=point.heap._replace(heap_max_bytes=None))]) is None

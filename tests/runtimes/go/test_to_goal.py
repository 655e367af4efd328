"""What a Go heap can still take before its next collection."""

from __future__ import annotations

import math

import pytest

from memtop.runtimes.go.growth import GoPoint
from memtop.runtimes.go.heap import GoHeap, MetricsFormat
from memtop.runtimes.go.to_goal import may_take_bytes
from tests.lab.points import go_points

MIB = 1 << 20
SLACK = 25
"""An eighth of the goal of 200 MiB."""


def reading(
    second: float, used: int, anon: int | None, goal: float | None = 200, *, kept: int = 0, returned: int = 0
) -> GoPoint:
    """Sizes in MiB. Go holds 10 MiB beside its heap."""
    heap = GoHeap(
        MetricsFormat.EXPVAR,
        heap_alloc_bytes=used * MIB,
        heap_sys_bytes=kept * MIB,
        heap_released_bytes=returned * MIB,
        sys_bytes=(max(used, kept) + 10) * MIB,
        next_gc_bytes=None if goal is None else goal * MIB,
    )
    return GoPoint(second, heap, None if anon is None else anon * MIB)


@pytest.mark.parametrize(
    ("points", "left"),
    [
        ([], None),
        ([reading(0, 20, 30)], 180 + SLACK),
        ([reading(0, 20, 30), reading(10, 120, 130)], 80 + SLACK),
        ([reading(0, 20, 30), reading(10, 230, 240)], SLACK),
        ([reading(0, 200, 210), reading(10, 20, 210, kept=200)], SLACK),
        ([reading(0, 200, 210), reading(10, 20, 110, kept=200, returned=100)], 100 + SLACK),
        ([reading(0, 60, 30), reading(1, 60, 70), reading(2, 70, 80), reading(10, 120, 130)], 80 + SLACK),
        ([reading(0, 20, 30), reading(10, 20, 80)], None),
        ([reading(0, 20, 30, goal=40), reading(10, 60, 70, goal=120)], None),
        ([reading(0, 20, 30, goal=40), reading(90, 60, 70), reading(100, 70, 80)], 130 + SLACK),
        ([reading(0, 20, 30, goal=math.inf)], None),
        ([reading(0, 20, 30, goal=None)], None),
        ([reading(0, 20, None)], None),
    ],
    ids=[
        "no reading",
        "one reading",
        "it fills with garbage",
        "more is alive than the goal",
        "it was collected, and keeps its pages",
        "it was collected, and has given pages back",
        "the first answer came late",
        "memory outside of Go grows",
        "the goal rises with what is alive",
        "the goal rose long ago",
        "no goal",
        "a goal that is not reported",
        "given back lazily, and unread",
    ],
)
def test_a_heap_takes_what_its_goal_leaves_if_nothing_else_grows(points: list[GoPoint], left: int | None) -> None:
    assert may_take_bytes(points) == (None if left is None else left * MIB)


@pytest.mark.parametrize("run", ["leak", "outside"])
def test_the_goal_of_a_real_leak_explains_nothing(run: str) -> None:
    assert may_take_bytes(go_points(run)) is None

"""What a Go heap can still take before its next collection: it grows with garbage alone up to its goal.

With GOGC=off and GOMEMLIMIT, or a large GOGC, the goal is far above what is alive. RES rises to it once, and a limit of
the kernel that leaves more is not reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from memtop.runtimes.go.breakdown import held_bytes
from memtop.runtimes.go.growth import GoPoint

_WINDOW_S: Final = 60.0
"""The readings that are compared."""
_SLACK_SHARE: Final = 0.125
"""What grows with a heap, as a share of the goal: spans, stacks, pages that are not filled."""
_FIRST: Final = 3
"""Readings with which later ones are compared. A late answer counts more memory than the kernel did when it was asked
for."""
_SAME_GOAL: Final = 1.05
"""A goal that rises more than this follows what is alive, which has no end."""


def may_take_bytes(points: Sequence[GoPoint]) -> int | None:
    """By readings, oldest first. None where the goal is not known or rises, and where other memory grows too.

    Pages of the heap that are free stay in RAM until they are given back, so they are not taken again.
    """
    recent = [point for point in points if point.time_s >= points[-1].time_s - _WINDOW_S]
    goals = [goal for point in recent if (goal := point.heap.next_gc_bytes) is not None and not math.isinf(goal)]
    if not recent or len(goals) < len(recent) or goals[-1] > _SAME_GOAL * min(goals):
        return None
    outside = [
        point.anon_bytes - held
        for point in recent
        if point.anon_bytes is not None and (held := held_bytes(point.heap)) is not None
    ]
    heap, slack = recent[-1].heap, round(_SLACK_SHARE * goals[-1])
    if len(outside) < len(recent) or heap.heap_alloc_bytes is None:
        return None
    if outside[-1] > max(outside[: max(1, min(_FIRST, len(outside) // 2))]) + slack:
        return None
    kept = (heap.heap_sys_bytes or 0) - (heap.heap_released_bytes or 0)
    return max(0, int(goals[-1]) - max(kept, heap.heap_alloc_bytes)) + slack

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
_SAME_GOAL: Final = 1.05
"""A goal that rises more than this follows what is alive, which has no end."""


def may_take_bytes(points: Sequence[GoPoint]) -> int | None:
    """By readings, oldest first. None where the goal is not known or rises, and where other memory grows too."""
    recent = [point for point in points if point.time_s >= points[-1].time_s - _WINDOW_S]
    if not recent:
        return None
    first, last = recent[0], recent[-1]
    goals = [goal for point in recent if (goal := point.heap.next_gc_bytes) is not None and not math.isinf(goal)]
    if len(goals) < len(recent) or goals[-1] > _SAME_GOAL * min(goals):
        return None
    held, held_before, used = held_bytes(last.heap), held_bytes(first.heap), last.heap.heap_alloc_bytes
    if held is None or held_before is None or used is None or last.anon_bytes is None or first.anon_bytes is None:
        return None
    slack = round(_SLACK_SHARE * goals[-1])
    if last.anon_bytes - first.anon_bytes > max(0, held - held_before) + slack:
        return None
    return max(0, int(goals[-1]) - used) + slack

"""Tracks the numbers of mappings and threads of one process that have a limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from memtop.analysis.limits.count_rise import CountRise, find_rise
from memtop.model.assessment import CountLimit

STEP_S: Final = 10.0
"""Least time between two readings that are kept ..."""
SAME_S: Final = 45.0
"""... and if the number is the same: mappings are counted every 30 s."""
WINDOW_S: Final = 600.0
"""Readings are kept for so long."""


class CountTracker:
    """The numbers of one process. Call :meth:`take` once a tick."""

    def __init__(self) -> None:
        self._readings: dict[str, deque[tuple[float, int]]] = {}
        """By the name of the limit: when it was read, and the number."""

    def take(self, now_s: float, counts: Iterable[CountLimit]) -> CountRise | None:
        """Take the numbers of a tick. Returns the one whose rise fills its limit first; None without one."""
        before, self._readings = self._readings, {}
        rises = []
        for one in counts:
            readings = self._readings[one.name] = before.get(one.name) or deque()
            last_s, last = readings[-1] if readings else (now_s - SAME_S, None)
            if now_s - last_s >= (SAME_S if one.used == last else STEP_S):
                readings.append((now_s, one.used))
            while readings and readings[0][0] < now_s - WINDOW_S:
                readings.popleft()
            if (rise := find_rise(readings, one.name, one.limit, one.beyond)) is not None:
                rises.append(rise)
        return min(rises, key=lambda one: one.full_s, default=None)

"""Tracks the charge of the cgroup that limits a process: it grows with memory that no single RES shows as growth.

Workers that stop sharing memory after fork, children that come and go, and files on tmpfs all raise it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from memtop.analysis.trend.classify import Growth, judge
from memtop.analysis.trend.hysteresis import Confirmation, agree
from memtop.model.assessment import LimitRow

WINDOW_S: Final = 600.0
STEP_S: Final = 2.5
"""Least time between two points, so that the window has 240 of them at most."""
LOOK_EVERY_S: Final = 5.0


class ChargeTracker:
    """The part of one cgroup's charge that cannot be reclaimed, over time."""

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._points: deque[tuple[float, float]] = deque()
        self._state = Confirmation()
        self._growth: Growth | None = None
        self._looked_s = 0.0

    def take(self, now_s: float, limit: LimitRow | None) -> Growth | None:
        """One tick. The answer is the growth of the charge, with the time to the limit; None unless it is confirmed."""
        path = limit.path if limit is not None else None
        if path != self._path:
            self._path, self._growth, self._state = path, None, Confirmation()
            self._points.clear()
        if limit is None or path is None:
            return None
        if not self._points or now_s - self._points[-1][0] >= STEP_S * 0.9:
            self._points.append((now_s, float(limit.used_bytes)))
        while self._points[0][0] < now_s - WINDOW_S:
            self._points.popleft()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            times, used = zip(*self._points, strict=True)
            self._growth = judge(list(times), list(used), float(max(0, limit.headroom_max_bytes)))
            self._state = agree(self._state, self._growth, now_s)
        return self._growth if self._state.alarm and self._growth is not None and self._growth.kind.alarming else None

"""Seek: takes a replay to an instant of its recording, step by step."""

from __future__ import annotations

from collections.abc import Callable

from memtop.engine.engine import Engine
from memtop.engine.seekable import Seekable
from memtop.model.request import Request


class Seek:
    """An engine with a source of its own, which plays so many ``ticks`` before it reaches a position.

    The position may be moved on meanwhile.
    """

    def __init__(self, source: Seekable, engine: Engine, position: int, ticks: int) -> None:
        self.source = source
        self.engine = engine
        self.position = position
        self.taken = 0
        self._from = max(0, position - ticks)
        self.is_whole = self._from == 0
        """Whether it begins with the recording, so that there is no more past."""
        source.approach(self._from)

    @property
    def percent(self) -> int:
        """How much of the way was played."""
        return min(99, 100 * self.taken // max(1, self.position - self._from))

    def go_on(self, request: Request, clock: Callable[[], float], until_s: float) -> bool:
        """Play until the instant before, or a time of the clock. Returns whether it is reached."""
        while (at := self.source.position()[0]) < self.position - 1:
            if at < self._from:
                self.source.begin()  # what it has learned by then is what the engine begins with
            else:
                self.engine.take(request)
                self.taken += 1
            if clock() >= until_s:
                return False
        return True

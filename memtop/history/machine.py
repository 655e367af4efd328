"""The machine's own past: what was known of it at each of the last ticks."""

from __future__ import annotations

from collections import deque
from struct import Struct

from memtop.frame import SystemRow
from memtop.history.history import CLOSE_S
from memtop.typed import Final

TICKS: Final = 1800
_TICK: Final = Struct("d 5q2d2q2dq")
"""The moment, and the fields of SystemRow, -1 where one is unknown: a third of what the tuple and its numbers take."""


class MachinePast:
    """Half an hour at one tick a second, on the clock of Instant.mono_s; what is older is dropped."""

    def __init__(self) -> None:
        self._ticks: deque[bytes] = deque(maxlen=TICKS)

    def add(self, now_s: float, row: SystemRow) -> None:
        """Note one tick."""
        self._ticks.append(_TICK.pack(now_s, *(-1 if value is None else value for value in row)))

    def at(self, when_s: float) -> SystemRow | None:
        """What held at a moment; None before the first tick that is kept."""
        for tick in reversed(self._ticks):
            at_s, *values = _TICK.unpack(tick)
            if at_s <= when_s + CLOSE_S:
                return SystemRow._make(None if value < 0 else value for value in values)
        return None

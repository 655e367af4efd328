"""The notice across the screen while samples do not come: how old the screen is, and why."""

from __future__ import annotations

import time
from typing import Final

from memtop import units
from memtop.engine.sampler_thread import SamplerThread
from memtop.explain.severity_signs import DANGER_MARK
from memtop.sources.live.processor_time import Starvation

EVERY_S: Final = 0.5
"""How often to look whether samples come again, or a recording goes on ..."""
AT_MOST_S: Final = 3.0
"""... and at the latest whether they still come. Each sample puts that off, so that no timer wakes up beside them."""
LOOK_S: Final = 0.4
"""Shortest time of which can be said whether memtop had something to do."""


class Overdue:
    """Watches one sampler. ``replay`` is whether it plays a recording."""

    def __init__(self, sampler: SamplerThread, *, replay: bool) -> None:
        self._sampler = sampler
        self._replay = replay
        self._starvation: Starvation | None = None
        """Exists while samples are overdue: it costs a few files."""
        self._looked_s = 0.0
        self._cause = ""

    def words(self, *, known: bool) -> str:
        """The sentences; empty while all is well. ``known`` is whether there was a sample before."""
        overdue_s = self._sampler.overdue_s
        if overdue_s is None:
            self._starvation, self._cause = None, ""
            return ""
        self._look()
        shown = "the screen is that old" if known else "nothing is known yet"
        return f"{DANGER_MARK} NO SAMPLE FOR {units.duration(overdue_s)}: {shown}.{self._cause}"

    @property
    def next_look_s(self) -> float:
        """Seconds until :meth:`words` may give others."""
        if self._replay or self._sampler.overdue_s is not None:
            return EVERY_S
        return min(AT_MOST_S, max(EVERY_S, self._sampler.overdue_in_s))

    def _look(self) -> None:
        now_s = time.monotonic()
        if self._sampler.fails:
            self._cause = " Taking samples fails."
        elif self._starvation is None:
            self._starvation, self._looked_s = Starvation(), now_s
        elif now_s - self._looked_s >= LOOK_S:
            seconds, self._looked_s = now_s - self._looked_s, now_s
            if self._starvation.idle_s(seconds) < seconds / 2:
                self._cause = " memtop gets too little processor time."
            else:
                self._cause = " Reading the recording hangs." if self._replay else " A read from /proc or /sys hangs."

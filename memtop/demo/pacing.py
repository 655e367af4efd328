"""Timing of a workload: spreads work over seconds, and ends every pause at once when the watcher has gone.

A workload has no thread that waits for its end, because a thread would add to the VIRT that it demonstrates. Instead it
does all its waiting in poll(2) on its lifelines: pipes whose other end only the watcher holds. The kernel closes them
however the watcher ends.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator, Sequence
from typing import Final

SLICES_PER_S: Final = 20
"""Work is done in this many slices per second: smooth in any chart, with checks of the lifelines in between."""
SLICE_PAGES: Final = 4096
"""Most pages touched between two checks of the lifelines."""


class Pacing:
    """Decides when to go on. Every method that waits raises SystemExit as soon as a lifeline is closed."""

    def __init__(
        self, speed: float = 1.0, *, hold: bool = False, listen: int | None = None, lifelines: Sequence[int] = ()
    ) -> None:
        """``listen`` is a lifeline; each byte on it means "go to the next step". ``hold`` pauses until such a byte."""
        self._speed = speed
        self._hold = hold
        self._hurried = False
        self._poll = select.poll()
        if listen is not None:
            self._poll.register(listen, select.POLLIN)
        for descriptor in lifelines:
            self._poll.register(descriptor, 0)  # reports only its closing, which cannot be switched off

    @property
    def speed(self) -> float:
        """How much faster than real time; 1 is real time."""
        return self._speed

    def begin(self) -> None:
        """Begin a new step. A request to hurry ended with the previous one."""
        self._hurried = False

    def rest(self, seconds: float) -> None:
        """Pause, so that the user can look."""
        self._until(None if self._hold else time.monotonic() + seconds / self._speed)

    def spread(self, total: int, seconds: float) -> Iterator[range]:
        """Ranges that make up ``range(total)``, returned evenly over ``seconds``."""
        duration_s = seconds / self._speed
        slices = max(1, round(duration_s * SLICES_PER_S), -(-total // SLICE_PAGES))
        started = time.monotonic()
        for index in range(slices):
            yield range(total * index // slices, total * (index + 1) // slices)
            self._until(started + duration_s * (index + 1) / slices)

    def answer(self, descriptor: int) -> bytes:
        """The next bytes from ``descriptor``; empty at its end."""
        self._poll.register(descriptor, select.POLLIN)
        try:
            while True:
                for ready, events in self._poll.poll():
                    if ready == descriptor:
                        return os.read(descriptor, 64)
                    self._hear(ready, events)
        finally:
            self._poll.unregister(descriptor)

    def _until(self, deadline: float | None) -> None:
        """Wait for a time on the monotonic clock, or for a request to hurry; None waits for the latter only."""
        while True:
            left_ms = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            for ready, events in self._poll.poll(0 if self._hurried else left_ms):
                self._hear(ready, events)
            if self._hurried or (deadline is not None and time.monotonic() >= deadline):
                return

    def _hear(self, descriptor: int, events: int) -> None:
        if not events & select.POLLIN or not os.read(descriptor, 64):
            raise SystemExit(0)
        self._hurried = True

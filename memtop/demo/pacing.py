"""Timing of a workload: spreads work over seconds, and ends every pause at once when the watcher has gone.

A workload has no thread that waits for its end, since a thread would add to the very VIRT it is there to show.
Instead all its waiting is done in poll(2) on its lifelines: pipes whose other end only the watcher holds, so that
the kernel closes them whatever the watcher dies of.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator, Sequence
from typing import Final

SLICES_PER_S: Final = 20
"""Work is done in this many slices a second: a slope in any chart, and lifelines looked at in between."""
SLICE_PAGES: Final = 4096
"""Most pages touched between two looks at the lifelines."""


class Pacing:
    """When to go on. Every method that waits raises SystemExit as soon as a lifeline is cut."""

    def __init__(
        self, speed: float = 1.0, *, hold: bool = False, listen: int | None = None, lifelines: Sequence[int] = ()
    ) -> None:
        """``listen`` is a lifeline on which each byte means "on to the next step"; ``hold`` rests until then."""
        self._speed = speed
        self._hold = hold
        self._hurried = False
        self._poll = select.poll()
        if listen is not None:
            self._poll.register(listen, select.POLLIN)
        for descriptor in lifelines:
            self._poll.register(descriptor, 0)  # only its hanging up, which cannot be switched off

    @property
    def speed(self) -> float:
        """How much faster than real time; 1 is real time."""
        return self._speed

    def begin(self) -> None:
        """A new step begins: an old hurry is over."""
        self._hurried = False

    def rest(self, seconds: float) -> None:
        """Leave time to look."""
        self._until(None if self._hold else time.monotonic() + seconds / self._speed)

    def spread(self, total: int, seconds: float) -> Iterator[range]:
        """Ranges that make up ``range(total)``, handed out evenly over ``seconds``."""
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
        """Wait for a time on the monotonic clock, or for a hurry; None waits for a hurry only."""
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

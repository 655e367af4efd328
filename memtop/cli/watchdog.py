"""Watches samples that are taken without a screen: a reading that hangs in the kernel is said, and ends memtop.

Files that may block are read on threads of their own. What is watched for here is what should not happen: the kernel
itself does not answer, and the thread that waits for it can be neither interrupted nor ended. A sample that is late
because memtop gets no processor, or was stopped, is not that: it is said, and waited for.
"""

from __future__ import annotations

import os
import sys
import time
from _thread import start_new_thread
from _weakref import ref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

LATE_SAMPLES: Final = 3
"""A sample that takes as long as so many is said to be late ..."""
LEAST_LATE_S: Final = 3.0
"""... unless that is shorter than this: the machine may be busy."""
END_S: Final = 30.0
"""How long memtop waits after it has said so."""
HANGS: Final = "a read from /proc or /sys hangs"
STARVED: Final = "memtop gets too little processor time"
EXIT_CODE: Final = 2
"""See ``errors``: a file that cannot be read."""


class Watchdog:
    """A context for taking one sample; entered again and again. ``delay_s`` is the time between samples.

    Its thread starts with the first sample and ends after the last reference to the watchdog is gone.
    """

    def __init__(self, delay_s: float) -> None:
        self._late_s = max(LEAST_LATE_S, LATE_SAMPLES * delay_s)
        self.began_s: float | None = None
        """When the sample that is being taken began; None between samples. Monotonic."""
        self._started = False

    def __enter__(self) -> None:
        self.began_s = time.monotonic()
        if not self._started:
            self._started = True
            start_new_thread(_watch_while_possible, (ref(self), self._late_s))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.began_s = None


def _watch_while_possible(dog: ref[Watchdog], late_s: float) -> None:
    try:
        _watch(dog, late_s)
    except MemoryError:  # what lacks memory says so itself
        return


def _watch(dog: ref[Watchdog], late_s: float) -> None:
    step_s = min(late_s, END_S) / 4
    time.sleep(step_s)
    from memtop.sources.live.processor_time import Starvation  # noqa: PLC0415 (0.1 ms; one sample is over by now)

    starvation = Starvation()
    watched: float | None = None
    watched_s, hangs_s, said = 0.0, 0.0, ""
    while True:
        time.sleep(step_s)  # longer if memtop is stopped meanwhile, which does not count
        if (held := dog()) is None:
            return
        began_s = held.began_s
        del held
        idle_s = starvation.idle_s(step_s)
        if began_s is None or began_s != watched:
            watched, watched_s, hangs_s, said = began_s, 0.0, 0.0, ""
            continue
        watched_s += step_s
        hangs_s += idle_s
        cause = HANGS if hangs_s >= late_s else STARVED if watched_s >= 2 * late_s else said
        gives_up = hangs_s >= late_s + END_S
        if gives_up or cause != said:
            said = cause
            _say(f"no sample for {time.monotonic() - began_s:.0f} s: {'giving up' if gives_up else cause}")
        if gives_up:
            os._exit(EXIT_CODE)


def _say(text: str) -> None:
    try:  # noqa: SIM105 (one sample does not need contextlib)
        os.write(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2, f"memtop: {text}\n".encode())
    except OSError:
        pass

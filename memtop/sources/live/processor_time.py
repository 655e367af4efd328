"""Whether memtop's own threads want a processor: it tells a read that hangs from a machine that is busy."""

from __future__ import annotations

import os
import time

from memtop.sources.live.blocking_reader import schedstat_s


def process_s() -> float:
    """CPU time of this process, plus the time for which its threads were ready to run but waited for a processor."""
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        threads = []
    return time.process_time() + sum(schedstat_s(f"self/task/{thread}")[1] for thread in threads)


class Starvation:
    """Measures for how much of a time memtop had nothing to do.

    Of a program that hangs in a read no thread wants a processor. One that lacks a processor always wants one.
    """

    def __init__(self) -> None:
        self._wanted_s = process_s()

    def idle_s(self, seconds: float) -> float:
        """How much of the last ``seconds``, since the previous call, no thread wanted a processor."""
        before_s, self._wanted_s = self._wanted_s, process_s()
        return max(0.0, seconds - max(0.0, self._wanted_s - before_s))

"""Processor time of memtop's own threads: what they used, and what they waited for while others ran.

It tells a read that hangs from a machine that is busy. proc_pid_schedstat(5),
"Documentation/scheduler/sched-stats.rst". Without these files only the CPU time of this thread or process is known.
"""

from __future__ import annotations

import os
import time


def thread_s() -> float:
    """CPU time of this thread, plus the time for which it was ready to run but waited for a processor.

    Waiting for the interpreter lock does not count.
    """
    return time.thread_time() + _schedstat_s("thread-self")[1]


def of_thread_s(thread_id: int) -> float:
    """The same for another thread of this process, by its native ID. 0 if that is unknown."""
    return sum(_schedstat_s(f"self/task/{thread_id}"))


def process_s() -> float:
    """The same for all threads together."""
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        threads = []
    return time.process_time() + sum(_schedstat_s(f"self/task/{thread}")[1] for thread in threads)


def _schedstat_s(path: str) -> tuple[float, float]:
    """Seconds that a thread has run, and that it waited for a processor; zeros if unknown."""
    try:
        with open(f"/proc/{path}/schedstat", "rb") as file:
            used_ns, waited_ns = file.read().split()[:2]
            return int(used_ns) / 1e9, int(waited_ns) / 1e9
    except (OSError, ValueError):
        return 0.0, 0.0


class Starvation:
    """Measures for how much of a time memtop had something to do and no processor, or one that was not enough.

    Of a program that hangs in a read no thread wants a processor. :meth:`idle_s` counts that time only.
    """

    def __init__(self) -> None:
        self._wanted_s = process_s()

    def idle_s(self, seconds: float) -> float:
        """How much of the last ``seconds``, since the previous call, no thread wanted a processor."""
        before_s, self._wanted_s = self._wanted_s, process_s()
        return max(0.0, seconds - max(0.0, self._wanted_s - before_s))

"""Tells whether the list of processes still holds, because a new one takes a millisecond for each thousand of them.

/proc/loadavg ends with the PID that was given last in the PID namespace of the reader, to a process or to a thread, see
proc_loadavg(5). While it is the same, no process has come. Whether one has gone is found by reading statm of each.
"""

from __future__ import annotations

import math
from typing import Final

HOLDS_S: Final = 4.5
"""Processes are listed again after this time in any case: clone3(2) with set_tid gives a PID that is not the next one.
Only the restoring of a checkpoint does so."""


class ListedPids:
    """What is known of the latest list.

    ``loadavg`` is always the content of that file, empty where it says nothing about the list; ``threads`` is how many
    threads memtop has started so far.
    """

    def __init__(self) -> None:
        self._last_pid: int | None = None
        self._threads = 0
        self._listed_s = -math.inf
        self._all_live = False
        """Whether all that were listed have been read since, and none had ended."""
        self._has_moved = False
        """Whether the last PID has been seen to change: where /proc is emulated it may be a constant."""

    def holds(self, loadavg: bytes, threads: int, now_s: float) -> bool:
        """Whether a list would be the same, except for processes that have ended since they were last read."""
        last_pid = parse_last_pid(loadavg)
        if last_pid is None or self._last_pid is None:
            return False
        self._has_moved = self._has_moved or last_pid != self._last_pid
        is_recent = 0 <= now_s - self._listed_s < HOLDS_S
        none_came = last_pid - self._last_pid == threads - self._threads
        return self._has_moved and self._all_live and is_recent and none_came

    def listed(self, loadavg: bytes, threads: int, now_s: float) -> None:
        """Processes were listed. ``loadavg`` and ``threads`` were read before that."""
        self._last_pid, self._threads, self._listed_s = parse_last_pid(loadavg), threads, now_s
        self._all_live = False

    def read(self, *, all_live: bool) -> None:
        """All that were listed have been read."""
        self._all_live = all_live


def parse_last_pid(loadavg: bytes) -> int | None:
    """Parse the last word of loadavg; None where it is no PID."""
    words = loadavg.split()
    return int(words[-1]) if len(words) == 5 and words[-1].isdigit() and int(words[-1]) > 0 else None

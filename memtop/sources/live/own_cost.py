"""Measures memtop's own CPU time and memory, which the screen shows."""

from __future__ import annotations

import os
import time

from memtop.errors import ParseError
from memtop.procfs.statm import OWN_PAGE_BYTES, parse_statm
from memtop.sources.protocol import OwnCost


def _read_own_statm() -> bytes:
    descriptor = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)  # a file object takes ten calls of the kernel
    try:
        return os.read(descriptor, 256)
    finally:
        os.close(descriptor)


class OwnCostMeter:
    """Measures this process between calls. Recordings leave this reading out, because it is not about the machine."""

    def __init__(self) -> None:
        self._cpu_s = time.process_time()
        self._wall_s = time.monotonic()
        self._cost = OwnCost(None, None)

    def __call__(self) -> OwnCost:
        """CPU usage since the last call that is at least half a second old, and RES now."""
        cpu_s, wall_s = time.process_time(), time.monotonic()
        if wall_s - self._wall_s >= 0.5:
            try:
                rss_bytes = parse_statm(_read_own_statm(), OWN_PAGE_BYTES).rss_bytes
            except (OSError, ParseError):
                rss_bytes = None
            self._cost = OwnCost(100 * (cpu_s - self._cpu_s) / (wall_s - self._wall_s), rss_bytes)
            self._cpu_s, self._wall_s = cpu_s, wall_s
        return self._cost

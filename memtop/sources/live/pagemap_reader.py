"""Reads pagemap in small pieces, so that the process is not held up: which of its pages are in RAM.

smaps holds the target's mmap lock for the whole walk of a mapping. For 2 GiB that is 35 ms, in which the target's own
mmap, munmap and brk wait. pagemap takes and releases the lock for every 256 KiB of addresses. A pause follows a
piece that took long, because otherwise a writer that has gone to sleep would be overtaken again and again. PAGEMAP_SCAN
skips holes, so an address space of many TiB takes no longer than its touched part. It also counts the pages of large
mappings, 2 MiB a call, if RES is above WHOLE_BYTES; then the entries of a sample are enough. Only the slow threads run
this. It takes 0.3 s and 0.04 s of a processor for each GiB, and with a sample 0.1 s and 0.02 s.
"""

from __future__ import annotations

import errno
import os
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from memtop.errors import ProcessGone
from memtop.procfs.pagemap_report import PagemapReport, format_report
from memtop.procfs.statm import parse_statm
from memtop.sources.live.bounded_read import failure, read_file
from memtop.sources.live.pagemap_walk import REAL_CALLS, AddressSpaceGone, Calls, PagemapWalk

MAPS_LIMIT: Final = 16 << 20


def read_pagemap(
    prefix: str, path: str, goes_on: Callable[[], bool] = lambda: True, calls: Calls = REAL_CALLS
) -> bytes:
    """Read pagemap and maps.

    Returns the text of a :class:`PagemapReport` for ``proc/PID/pagemap``. The text is empty if the process was ending
    or starting another program. ``goes_on`` says before each piece whether the rest is still wanted. If not, the
    reading ends as if its time had run out. Raises MemtopError.
    """
    try:
        descriptor = os.open(f"{prefix}{path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            # Read after the descriptor was opened: after an exec between the two, pagemap ends at once.
            maps, is_cut = _read_maps(prefix, path)
            walk = PagemapWalk(descriptor, maps, _rss_bytes(prefix, path), goes_on, calls)
            report = walk.run()._replace(cut=is_cut)
            return format_report(left_out(report, _read_maps(prefix, path)[0]))
        except AddressSpaceGone:
            return b""
        finally:
            os.close(descriptor)
    except OSError as error:
        meant = failure(prefix, path, error)
        if error.errno == errno.ESRCH and not isinstance(meant, ProcessGone):
            return b""  # a zombie by now
        raise meant from error


def _rss_bytes(prefix: str, path: str) -> int:
    return parse_statm(read_file(prefix, path.removesuffix("pagemap") + "statm", 1 << 10)).rss_bytes


def _read_maps(prefix: str, path: str) -> tuple[bytes, bool]:
    """Whole lines of the file maps beside a pagemap, and whether there are more of them."""
    maps = read_file(prefix, path.removesuffix("pagemap") + "maps", MAPS_LIMIT)
    return maps[: maps.rfind(b"\n") + 1], len(maps) >= MAPS_LIMIT


def left_out(report: PagemapReport, maps: bytes) -> PagemapReport:
    """Without the mappings of which nothing is left in a newer text of ``maps``: no RSS of 0 is reported of them."""
    if maps == report.maps:
        return report
    lines = report.maps.splitlines(keepends=True)
    newer = [_span(line) for line in maps.splitlines()]
    starts = [start for start, _ in newer]
    kept = []
    for place, line in enumerate(lines):
        start, end = _span(line)
        at = bisect_right(starts, start) - 1
        if (at >= 0 and newer[at][1] > start) or (at + 1 < len(newer) and starts[at + 1] < end):
            kept.append(place)
    if not kept:
        raise AddressSpaceGone
    return report._replace(tallies=[report.tallies[at] for at in kept], maps=b"".join(lines[at] for at in kept))


def _span(line: bytes) -> tuple[int, int]:
    start, _, end = line.partition(b" ")[0].partition(b"-")
    return int(start, 16), int(end, 16)

"""Reads pagemap in small pieces, so that the process is not held up: which of its pages are in RAM.

smaps holds the target's mmap lock for the whole walk of a mapping. For 2 GiB that is 35 ms, in which the target's own
mmap, munmap and brk wait. pagemap takes and releases the lock for every 1 MiB of addresses. A pause follows every
piece, because otherwise a waiting writer would be overtaken again and again. PAGEMAP_SCAN skips holes, so an address
space of many TiB takes no longer than its touched part. Only the slow threads run this: it takes 0.6 s for each GiB,
and 45 ms of a processor.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable
from typing import Final, NamedTuple

from memtop.errors import Unavailable
from memtop.procfs.pagemap import (
    ENTRY_BYTES,
    PIECE_PAGES,
    PRESENT,
    REGION_WORDS,
    SCAN,
    SCAN_PRESENT,
    SCAN_SWAPPED,
    SCAN_ZERO_PAGE,
    ZERO_PAGE,
    Tally,
    count_pages,
    scan_argument,
    scan_walk_end,
    scanned_bytes,
)
from memtop.procfs.pagemap_report import PagemapReport, format_report
from memtop.procfs.smaps import parse_smaps
from memtop.sources.live.bounded_read import failure, read_file

PAUSE_S: Final = 0.0005
"""Rest after each piece, in which a waiting mmap or munmap of the target gets its turn."""
CALLS_PER_PAUSE: Final = 16
"""Short pieces (mappings of a few pages) that may follow each other without a pause."""
GIVE_UP_S: Final = 20.0
"""Mappings that have not been read by then are reported as not read."""
MAPS_LIMIT: Final = 16 << 20
MOST_WITHOUT_SCAN_BYTES: Final = 64 << 30
"""A larger mapping is not read on kernels that cannot skip untouched pages (before Linux 6.7)."""
_FIRST_LEAP_BYTES: Final = 64 << 20
_LONGEST_LEAP_BYTES: Final = 1 << 46
_LEAP_S: Final = 50e-6
"""A search for the next touched page starts again after about this time, to release the lock."""
_VSYSCALL: Final = b"[vsyscall]"
_REGIONS: Final = PIECE_PAGES

Ioctl = Callable[[int, int, bytearray], int]


class _Span(NamedTuple):
    """Pages of a mapping that is read."""

    start: int
    end: int
    mapping: int
    """Its index among all mappings."""
    may_be_zero: bool
    """Whether its pages of no file may be the zero page."""


def read_pagemap(
    prefix: str, path: str, pause: Callable[[float], None] = time.sleep, ioctl: Ioctl = fcntl.ioctl
) -> bytes:
    """Read pagemap and maps.

    Returns the text of a :class:`PagemapReport` for ``proc/PID/pagemap``. Raises MemtopError.
    """
    try:
        descriptor = os.open(f"{prefix}{path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            # Read after the descriptor was opened: after an exec between the two, pagemap ends at once.
            maps = read_file(prefix, path.removesuffix("pagemap") + "maps", MAPS_LIMIT)
            return format_report(_Walk(descriptor, maps[: maps.rfind(b"\n") + 1], pause, ioctl).run())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise failure(prefix, path, error) from error


class _Walk:
    """One reading."""

    def __init__(self, descriptor: int, maps: bytes, pause: Callable[[float], None], ioctl: Ioctl) -> None:
        self._descriptor = descriptor
        self._pause = pause
        self._ioctl = ioctl
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._maps = maps
        self._regions = array("Q", bytes(8 * REGION_WORDS * _REGIONS))
        self._leap_bytes = _FIRST_LEAP_BYTES
        self._longest_s = 0.0
        self._pages = self._calls = 0
        """Pages read since the last pause."""
        self._can_scan = self._try_scan()

    def run(self) -> PagemapReport:
        """Read all mappings. Raises Unavailable if the process has ended or executed another program."""
        smaps = parse_smaps(self._maps)
        self._tallies: list[Tally | None] = [None] * len(smaps)
        page = self._page_bytes
        spans: list[_Span] = []
        rows = zip(smaps.starts, smaps.ends, smaps.perms, smaps.inodes, smaps.names, strict=True)
        for place, (start, end, perms, inode, name) in enumerate(rows):
            if name == _VSYSCALL:
                self._tallies[place] = {}
            elif self._can_scan or not (perms.startswith("---") or end - start > MOST_WITHOUT_SCAN_BYTES):
                spans.append(_Span(start // page, end // page, place, perms.endswith("p") and not inode))
        began_s = time.monotonic()
        self._read(spans, began_s + GIVE_UP_S)
        span_ms = round(1000 * (time.monotonic() - began_s))
        longest_us = round(1e6 * self._longest_s)
        return PagemapReport(page, span_ms, longest_us, self._can_scan, self._tallies, self._maps)

    def _read(self, spans: list[_Span], until_s: float) -> None:
        ends = [span.end for span in spans]
        first = at = 0
        while first < len(spans) and time.monotonic() < until_s:
            at = max(at, spans[first].start)
            limit = (at // PIECE_PAGES + 1) * PIECE_PAGES
            last = first
            while last + 1 < len(spans) and spans[last + 1].start < limit:
                last += 1
            top = self._piece(at, min(limit, ends[last]))
            reached = at + len(top)
            if top.count(0) == len(top):
                self._note_read(spans, first, reached)
                if self._can_scan:
                    reached = self._next_touched(reached, ends[-1])
                    self._note_read(spans, first, reached)
            else:
                for span in spans[first : last + 1]:
                    self._count(span, max(at, span.start), min(reached, span.end), top, at)
            first, at = bisect_right(ends, reached, first), reached

    def _note_read(self, spans: list[_Span], first: int, reached: int) -> None:
        """Mark mappings without a touched page as read when the walk has passed them."""
        while first < len(spans) and spans[first].start < reached:
            place = spans[first].mapping
            if self._tallies[place] is None:
                self._tallies[place] = {}
            first += 1

    def _piece(self, start: int, end: int) -> bytes:
        """The highest bytes of the entries of some pages, at least of one."""
        self._rest(end - start)
        began_s = time.perf_counter()
        data = os.pread(self._descriptor, (end - start) * ENTRY_BYTES, start * ENTRY_BYTES)
        self._longest_s = max(self._longest_s, time.perf_counter() - began_s)
        if len(data) < ENTRY_BYTES:
            raise Unavailable("pagemap: the process was ending, or starting another program")
        return data[ENTRY_BYTES - 1 :: ENTRY_BYTES]

    def _count(self, span: _Span, start: int, end: int, top: bytes, at: int) -> None:
        tally = self._tallies[span.mapping]
        if tally is None:
            tally = self._tallies[span.mapping] = {}
        if start >= end:
            return
        part = top[start - at : end - at]
        count_pages(part, tally)
        if span.may_be_zero and self._can_scan and PRESENT in part:
            zero_pages = self._zero_pages(start, end)
            if zero_pages:
                tally[ZERO_PAGE] = tally.get(ZERO_PAGE, 0) + min(zero_pages, part.count(PRESENT))

    def _rest(self, pages: int) -> None:
        """Pause if enough was read since the last pause."""
        self._pages, self._calls = self._pages + pages, self._calls + 1
        if self._pages > PIECE_PAGES or self._calls > CALLS_PER_PAUSE:
            self._pause(PAUSE_S)
            self._pages, self._calls = pages, 1

    # -- PAGEMAP_SCAN

    def _scan(self, start: int, end: int, any_of: int, most_pages: int = 0) -> tuple[int, int]:
        """The number of regions found, and the page up to which the kernel has searched."""
        page = self._page_bytes
        argument = scan_argument(start * page, end * page, self._regions, any_of=any_of, most_pages=most_pages)
        began_s = time.perf_counter()
        count = self._ioctl(self._descriptor, SCAN, argument)
        self._longest_s = max(self._longest_s, time.perf_counter() - began_s)
        return count, scan_walk_end(argument) // page

    def _try_scan(self) -> bool:
        """Whether this kernel has PAGEMAP_SCAN. Otherwise it answers ENOTTY, or EPERM or ENOSYS in some sandboxes."""
        try:
            self._scan(0, 0, SCAN_PRESENT)
        except OSError as error:
            if error.errno == errno.ESRCH:
                raise
            return False
        return True

    def _next_touched(self, start: int, end: int) -> int:
        """The first page from ``start`` on that is in RAM or on swap; ``end`` if there is none."""
        while start < end:
            self._rest(PIECE_PAGES // 4)
            leap = max(1, self._leap_bytes // self._page_bytes)
            began_s = time.perf_counter()
            count, reached = self._scan(start, min(end, start + leap), SCAN_PRESENT | SCAN_SWAPPED, most_pages=1)
            took_s = time.perf_counter() - began_s
            if count:
                return max(start, self._regions[0] // self._page_bytes)
            if took_s < _LEAP_S:
                self._leap_bytes = min(_LONGEST_LEAP_BYTES, self._leap_bytes * 2)
            else:
                self._leap_bytes = max(_FIRST_LEAP_BYTES // 32, self._leap_bytes // 4)
            start = max(start + 1, min(end, start + leap)) if reached <= start else reached
        return end

    def _zero_pages(self, start: int, end: int) -> int:
        """How many of these pages, at most one piece, are the kernel's zero page."""
        self._calls += 1
        count, _ = self._scan(start, end, SCAN_ZERO_PAGE)
        return scanned_bytes(self._regions, count) // self._page_bytes

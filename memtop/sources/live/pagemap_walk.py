"""Walk over the pages of a process by pagemap, in pieces, with a pause after each; see :mod:`.pagemap_reader`."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from memtop.procfs.page_sample import STATES, PageRange, page_ranges, tally_by_sample
from memtop.procfs.pagemap import (
    ENTRY_BYTES,
    EXCLUSIVE,
    FILE,
    PIECE_PAGES,
    PRESENT,
    REGION_WORDS,
    SCAN,
    SCAN_PRESENT,
    SCAN_SWAPPED,
    SCAN_ZERO_PAGE,
    WHOLE_BYTES,
    ZERO_PAGE,
    Tally,
    count_pages,
    scan_argument,
    scan_walk_end,
    scanned_bytes,
)
from memtop.procfs.pagemap_report import PagemapReport
from memtop.procfs.smaps import parse_smaps

PAUSE_S: Final = 0.0001
"""Rest in which a waiting mmap or munmap of the target gets its turn ..."""
SPIN_S: Final = 10e-6
"""... after a call that took longer than this: until then the kernel lets a writer that waits for the lock spin, and it
has its turn as soon as the call ends. One that has gone to sleep would be overtaken by the next calls."""
CALLS_PER_PAUSE: Final = 16
"""Shorter calls that may follow each other without a pause. A pause costs three times as much as a piece."""
GIVE_UP_S: Final = 120.0
"""Mappings that have not been read by then are reported as not read: those beyond about 1 TiB, or 130 GiB before Linux
6.7."""
MOST_WITHOUT_SCAN_BYTES: Final = 256 << 30
"""A larger mapping is not read on kernels that cannot skip untouched pages (before Linux 6.7)."""
HOLE_PAGES: Final = 8192
"""Most entries of one read on such kernels, after a piece of untouched pages only."""
SCAN_PAGES: Final = 512
"""Pages of a large mapping that one scan counts: 2 MiB on x86-64, which takes 5 us under the target's mmap lock."""
_SAMPLED_BYTES: Final = 4 << 30
_MOST_SCANS: Final = 8
"""64 entries are read for each 2 MiB where RES is up to 4 GiB, for each 4 MiB up to 8 GiB, at least for each 16 MiB."""
_FIRST_LEAP_BYTES: Final = 64 << 20
_LEAP_S: Final = 50e-6
"""A search for the next touched page starts again after about this time, to release the lock."""
_VSYSCALL: Final = b"[vsyscall]"
_REGIONS: Final = PIECE_PAGES
_NEVER_ZERO: Final = bytes(one for one in range(256) if not one & PRESENT or one & (EXCLUSIVE | FILE))
"""The zero page is present, and it is neither anybody's own nor of a file."""
_REFUSED: Final = (errno.EIO, errno.EFAULT, errno.EINVAL)
"""What is answered for one mapping says nothing of the others."""


class Calls(NamedTuple):
    """The system calls of a walk."""

    pread: Callable[[int, int, int], bytes] = os.pread
    ioctl: Callable[[int, int, bytearray], int] = fcntl.ioctl
    pause: Callable[[float], None] = time.sleep


REAL_CALLS: Final = Calls()


class AddressSpaceGone(Exception):
    """The address space has gone: the process was ending, or starting another program."""


class _Span(NamedTuple):
    """Pages of a mapping that is read."""

    start: int
    end: int
    mapping: int
    """Its place among all mappings."""
    may_be_zero: bool
    """Its pages of no file may be the zero page."""


class PagemapWalk:
    """One reading."""

    def __init__(self, descriptor: int, maps: bytes, rss_bytes: int, goes_on: Callable[[], bool], calls: Calls) -> None:
        self._descriptor = descriptor
        self._goes_on = goes_on
        self._calls = calls
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._maps = maps
        self._regions = array("Q", bytes(8 * REGION_WORDS * _REGIONS))
        self._leap_bytes = _FIRST_LEAP_BYTES
        self._longest_s = self._longest_since_s = 0.0
        """The longest call, of all and since the last pause."""
        self._calls_since = 0
        self._can_scan = self._try_scan()
        scans = min(_MOST_SCANS, -(-rss_bytes // _SAMPLED_BYTES))
        self._stretch = SCAN_PAGES * scans if self._can_scan and rss_bytes > WHOLE_BYTES else 0
        """Pages of which one sample is read; 0 if all are read."""

    def run(self) -> PagemapReport:
        """Read all. Raises AddressSpaceGone, and OSError where nothing can be read."""
        smaps = parse_smaps(self._maps)
        self._tallies: list[Tally | None] = [None] * len(smaps)
        self._sampled = False
        page = self._page_bytes
        spans: list[_Span] = []
        rows = zip(smaps.starts, smaps.ends, smaps.perms, smaps.inodes, smaps.names, strict=True)
        for place, (start, end, perms, inode, name) in enumerate(rows):
            if name == _VSYSCALL:
                self._tallies[place] = {}
            elif self._can_scan or end - start <= MOST_WITHOUT_SCAN_BYTES:
                spans.append(_Span(start // page, end // page, place, perms.endswith("p") and not inode))
        began_s = time.monotonic()
        self._until_s = began_s + GIVE_UP_S
        self._read(spans)
        self._make_sure(spans)
        span_ms = round(1000 * (time.monotonic() - began_s))
        longest_us = round(1e6 * self._longest_s)
        sampled = self._stretch // PIECE_PAGES if self._sampled else 0
        return PagemapReport(page, span_ms, longest_us, self._can_scan, self._tallies, self._maps, sampled)

    def _in_time(self) -> bool:
        return time.monotonic() < self._until_s and self._goes_on()

    def _read(self, spans: list[_Span]) -> None:
        ends = [span.end for span in spans]
        first = at = 0
        size = PIECE_PAGES
        refused: OSError | None = None
        while first < len(spans) and self._in_time():
            at = max(at, spans[first].start)
            limit = (at // size + 1) * size
            last = first
            while last + 1 < len(spans) and spans[last + 1].start < limit:
                last += 1
            try:
                reached = self._by_sample(spans[first], at)
                top = b"" if reached > at else self._piece(at, min(limit, ends[last]))
            except OSError as error:
                if error.errno not in _REFUSED:
                    raise
                refused = error
                self._drop(spans[first : last + 1])
                first, at = last + 1, ends[last]
                continue
            if reached > at:
                if reached == ends[first]:
                    first += 1
                at = reached
                continue
            reached = at + len(top)
            is_hole = top.count(0) == len(top)
            size = min(2 * size, HOLE_PAGES) if is_hole and not self._can_scan else PIECE_PAGES
            if is_hole:
                self._note_read(spans, first, reached)
                if self._can_scan:
                    reached = self._next_touched(reached, ends[-1])
                    self._note_read(spans, first, reached)
            else:
                for span in spans[first : last + 1]:
                    self._count(span, max(at, span.start), min(reached, span.end), top, at)
            first, at = bisect_right(ends, reached, first), reached
        if first < len(spans) and spans[first].start < at:  # a part of it is no answer
            self._drop(spans[first : first + 1])
        if refused is not None and not any(self._tallies):
            raise refused

    def _make_sure(self, spans: list[_Span]) -> None:
        """Raise AddressSpaceGone if it has: a scan has found nothing there, without an error."""
        with suppress(OSError):
            for span in spans[:1]:
                self._piece(span.start, span.start + 1)

    def _drop(self, spans: list[_Span]) -> None:
        """Report these mappings as not read."""
        for span in spans:
            self._tallies[span.mapping] = None

    def _note_read(self, spans: list[_Span], first: int, reached: int) -> None:
        """Mappings that were passed without a touched page have been read, too."""
        while first < len(spans) and spans[first].start < reached:
            place = spans[first].mapping
            if self._tallies[place] is None:
                self._tallies[place] = {}
            first += 1

    def _piece(self, start: int, end: int) -> bytes:
        """The highest bytes of the entries of some pages, at least one."""
        self._rest()
        began_s = time.perf_counter()
        data = self._calls.pread(self._descriptor, (end - start) * ENTRY_BYTES, start * ENTRY_BYTES)
        self._note_call(began_s)
        if len(data) < ENTRY_BYTES:
            raise AddressSpaceGone
        return data[ENTRY_BYTES - 1 :: ENTRY_BYTES]

    def _count(self, span: _Span, start: int, end: int, top: bytes, at: int) -> None:
        tally = self._tallies[span.mapping]
        if tally is None:
            tally = self._tallies[span.mapping] = {}
        if start >= end:
            return
        part = top[start - at : end - at]
        count_pages(part, tally)
        if span.may_be_zero and self._can_scan and part.translate(None, _NEVER_ZERO):
            zero_pages = self._zero_pages(start, end)
            if zero_pages:
                tally[ZERO_PAGE] = tally.get(ZERO_PAGE, 0) + min(zero_pages, part.count(PRESENT))

    def _by_sample(self, span: _Span, start: int) -> int:
        """Count pages by a scan and a sample. Returns the page that was reached: ``start`` if all are to be read."""
        if not self._stretch or span.end - span.start < self._stretch:
            return start
        end = min(span.end, (start // self._stretch + 1) * self._stretch)
        ranges: list[PageRange] = []
        at = start
        while at < end:
            self._rest()
            count, reached = self._scan(at, min(end, at + SCAN_PAGES), STATES)
            ranges += page_ranges(self._regions, count, self._page_bytes)
            at = max(at + 1, reached)
        if not ranges:
            return start  # a hole, which is searched for its end
        found = tally_by_sample(ranges, self._piece)
        if found is None:
            return start
        tally = self._tallies[span.mapping]
        if tally is None:
            tally = self._tallies[span.mapping] = {}
        for value, pages in found.items():
            tally[value] = tally.get(value, 0) + pages
        self._sampled = True
        return end

    def _rest(self) -> None:
        """Pause after a long call, and after many short ones."""
        if self._longest_since_s > SPIN_S or self._calls_since >= CALLS_PER_PAUSE:
            self._calls.pause(PAUSE_S)
            self._longest_since_s, self._calls_since = 0.0, 0

    def _note_call(self, began_s: float) -> None:
        took_s = time.perf_counter() - began_s
        self._longest_since_s = max(self._longest_since_s, took_s)
        self._longest_s = max(self._longest_s, took_s)
        self._calls_since += 1

    # -- PAGEMAP_SCAN

    def _scan(self, start: int, end: int, any_of: int, most_pages: int = 0) -> tuple[int, int]:
        """How many regions were found, and the page up to which the kernel has looked."""
        page = self._page_bytes
        argument = scan_argument(start * page, end * page, self._regions, any_of=any_of, most_pages=most_pages)
        began_s = time.perf_counter()
        count = self._calls.ioctl(self._descriptor, SCAN, argument)
        self._note_call(began_s)
        return count, scan_walk_end(argument) // page

    def _try_scan(self) -> bool:
        """Whether this kernel has PAGEMAP_SCAN; ENOTTY where not, EPERM or ENOSYS in some sandboxes."""
        try:
            self._scan(0, 0, SCAN_PRESENT)
        except OSError as error:
            if error.errno == errno.ESRCH:
                raise
            return False
        return True

    def _next_touched(self, start: int, end: int) -> int:
        """The first page from ``start`` on that is in RAM or on swap; ``end`` where there is none, less out of time."""
        while start < end and self._in_time():
            self._rest()
            leap = max(1, self._leap_bytes // self._page_bytes)
            began_s = time.perf_counter()
            count, reached = self._scan(start, min(end, start + leap), SCAN_PRESENT | SCAN_SWAPPED, most_pages=1)
            took_s = time.perf_counter() - began_s
            if count:
                return max(start, self._regions[0] // self._page_bytes)
            if took_s < _LEAP_S:
                self._leap_bytes *= 2  # it is never much longer than the address space, which each search passes once
            else:
                self._leap_bytes = max(_FIRST_LEAP_BYTES // 32, self._leap_bytes // 4)
            start = max(start + 1, min(end, start + leap)) if reached <= start else reached
        return start

    def _zero_pages(self, start: int, end: int) -> int:
        """How many of these pages, at most a piece, are the kernel's zero page."""
        count, _ = self._scan(start, end, SCAN_ZERO_PAGE)
        return scanned_bytes(self._regions, count) // self._page_bytes

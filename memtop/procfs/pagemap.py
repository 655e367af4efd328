"""/proc/PID/pagemap, "Documentation/admin-guide/mm/pagemap.rst": one entry of 64 bits for each page of address space.

The highest byte of an entry is enough to classify a page. Its bits need no capability; the page frame number in the
lower bits does. PAGEMAP_SCAN (Linux 6.7) is an ioctl on the same file. It returns ranges of pages by category and skips
pages that were never touched.
"""

from __future__ import annotations

import struct
from array import array
from typing import Final, NamedTuple

ENTRY_BYTES: Final = 8
PIECE_PAGES: Final = 64
"""Entries of one read: 256 KiB on x86-64, which takes 5 to 8 us under the target's mmap lock. The kernel lets a writer
that waits spin for 10 us. One that waits longer goes to sleep, and then it is overtaken by the next pieces."""

WHOLE_BYTES: Final = 512 << 20
"""Up to so much RES, every entry is read. Pages of large mappings of a larger process are counted by PAGEMAP_SCAN
instead, and some of their entries are read; see :mod:`memtop.procfs.page_sample`."""

PRESENT: Final = 0x80
"""Bit 63: the page is in RAM."""
SWAPPED: Final = 0x40
"""Bit 62: the page is on swap, is moving, or is a guard."""
FILE: Final = 0x20
"""Bit 61: the page belongs to a file or to shared memory. The huge zero page has it too."""
GUARD: Final = 0x04
"""Bit 58: the page is a guard (MADV_GUARD_INSTALL), since Linux 6.15."""
EXCLUSIVE: Final = 0x01
"""Bit 56: no other process maps the page, since Linux 4.2. If a huge page is mapped as a whole and another process has
copied a part of it, the kernel reports the state of its first page for all of it."""
ZERO_PAGE: Final = 0x100
"""Key under which a tally counts present pages that are the kernel's zero page. It is not a byte of an entry."""

Tally = dict[int, int]
"""Highest byte of an entry -> number of pages. Pages that were never touched (0) are left out."""

_DELETE: Final = tuple(bytes([value]) for value in range(256))


def count_pages(top: bytes, tally: Tally) -> None:
    """Add the highest bytes of some entries to a tally. A piece usually has one to three different bytes."""
    while top:
        first = top[0]
        count = top.count(first)
        if first:
            tally[first] = tally.get(first, 0) + count
        if count == len(top):
            return
        top = top.translate(None, _DELETE[first])


class Pages(NamedTuple):
    """The pages of a mapping, by state."""

    resident: int
    """Resident pages as RSS counts them: without the zero page, pooled huge pages, and device memory."""
    private: int
    """Resident pages that no other mapping has (USS)."""
    anonymous: int
    """Resident pages that belong to no file and no shared memory."""
    swapped: int
    pool: int = 0
    """Huge pages of the pool (hugetlb), which RSS leaves out."""
    pool_private: int = 0
    guards: int = 0
    """Guards inside the mapping (MADV_GUARD_INSTALL), which need no mapping of their own."""


def sort_pages(tally: Tally, *, anonymous: bool, copies: bool, pool: bool) -> Pages:
    """Sort the pages of one mapping by state.

    ``anonymous``: a private mapping of no file, where a page of a file can only be the huge zero page. ``copies``:
    present pages of no file may be the process's own copies; otherwise they belong to a device. ``pool``: the mapping
    consists of huge pages of the pool.
    """
    resident = private = own = swapped = guards = 0
    for value, count in tally.items():
        if value == ZERO_PAGE:
            resident, own = resident - count, own - count
        elif value & PRESENT:
            is_file = bool(value & FILE)
            if is_file if anonymous else not (is_file or copies):
                continue
            resident += count
            private += count if value & EXCLUSIVE else 0
            own += 0 if is_file else count
        elif value & SWAPPED:
            swapped += 0 if value & GUARD else count
            guards += count if value & GUARD else 0
    if pool:
        return Pages(0, 0, 0, 0, resident, private)
    return Pages(max(0, resident), private, max(0, own), swapped, guards=guards)


SCAN: Final = 0xC0606610
"""The request number of PAGEMAP_SCAN: _IOWR('f', 16, struct pm_scan_arg)."""
SCAN_PRESENT: Final = 1 << 3
SCAN_SWAPPED: Final = 1 << 4
SCAN_ZERO_PAGE: Final = 1 << 5
_SCAN_ARG: Final = struct.Struct("12Q")
_WALK_END: Final = 32
REGION_WORDS: Final = 3
"""Words of struct page_region: start, end, categories."""


def scan_argument(start: int, end: int, regions: array[int], *, any_of: int, most_pages: int = 0) -> bytearray:
    """Build struct pm_scan_arg for pages from ``start`` to ``end`` that are in one of the categories ``any_of``.

    ``regions`` receives struct page_region and must outlive the call. ``most_pages`` is 0 for no limit.
    """
    address, words = regions.buffer_info()
    fields = (_SCAN_ARG.size, 0, start, end, 0, address, words // REGION_WORDS, most_pages, 0, 0, any_of, any_of)
    return bytearray(_SCAN_ARG.pack(*fields))


def scan_walk_end(argument: bytearray) -> int:
    """The address up to which the kernel has searched."""
    (address,) = struct.unpack_from("Q", argument, _WALK_END)
    return int(address)


def scanned_bytes(regions: array[int], count: int) -> int:
    """The size of the first ``count`` regions that were found."""
    words = regions[: count * REGION_WORDS]
    return sum(words[1::REGION_WORDS]) - sum(words[::REGION_WORDS])

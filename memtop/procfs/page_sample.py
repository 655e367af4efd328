"""States of the pages of a large mapping: how many are in RAM by PAGEMAP_SCAN, and whose they are by a sample.

PAGEMAP_SCAN looks at page tables only, unless it is asked about files. An entry of pagemap also depends on the page
itself, which takes the kernel eight times as long. Therefore pages of a large process are counted by the scan, exactly.
Entries of some of them say which share belongs to this process only, or to a file.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from memtop.procfs.pagemap import (
    PRESENT,
    REGION_WORDS,
    SCAN_PRESENT,
    SCAN_SWAPPED,
    SCAN_ZERO_PAGE,
    SWAPPED,
    ZERO_PAGE,
    Tally,
    count_pages,
)

STATES: Final = SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZERO_PAGE
"""What is asked for. PAGE_IS_FILE would cost as much as an entry does."""
SPOTS: Final = 4
"""Places of a sample in one stretch, evenly among its pages ..."""
SPOT_PAGES: Final = 16
"""... and the pages of each, one piece of pagemap in all."""
_CLASSES: Final = ((SCAN_PRESENT, PRESENT), (SCAN_SWAPPED, SWAPPED))
_GOLDEN: Final = 0.6180339887
"""Multiples of it are spread evenly over the positions of a sample, and are the same at every reading."""


class PageRange(NamedTuple):
    """Neighboring pages in the same state."""

    start: int
    """In pages, like ``end``."""
    end: int
    categories: int

    def overlap(self, start: int, end: int) -> int:
        """How many pages of it are between two pages."""
        return max(0, min(self.end, end) - max(self.start, start))


def page_ranges(regions: array[int], count: int, page_bytes: int) -> list[PageRange]:
    """The first ``count`` regions that a scan has found."""
    words = regions[: count * REGION_WORDS].tolist()
    triples = zip(words[::REGION_WORDS], words[1::REGION_WORDS], words[2::REGION_WORDS], strict=True)
    return [PageRange(start // page_bytes, end // page_bytes, categories) for start, end, categories in triples]


def tally_by_sample(ranges: Sequence[PageRange], piece: Callable[[int, int], bytes]) -> Tally | None:
    """The tally of a stretch of pages.

    ``piece`` reads the highest bytes of the entries from one page to another. Counts of pages in RAM, zero pages and
    pages on swap are exact. Other bits are those of SPOTS times SPOT_PAGES pages in RAM, and as many on swap. None if
    the pages of the sample have changed since the scan.
    """
    zeros = [one for one in ranges if one.categories & SCAN_ZERO_PAGE]
    tally: Tally = {}
    for category, bit in _CLASSES:
        among = [one for one in ranges if one.categories & category and not one.categories & SCAN_ZERO_PAGE]
        if not among:
            continue
        sample: Tally = {}
        for start, end in _spots(among):
            part: Tally = {}
            count_pages(piece(start, end), part)
            zero_pages = sum(one.overlap(start, end) for one in zeros) if bit == PRESENT else 0
            if zero_pages:
                part[PRESENT] = max(0, part.get(PRESENT, 0) - zero_pages)
            for value, count in part.items():
                if value & bit:
                    sample[value] = sample.get(value, 0) + count
        if not any(sample.values()):
            return None
        for value, count in _scaled(sample, sum(one.end - one.start for one in among)).items():
            tally[value] = tally.get(value, 0) + count
    zero_pages = sum(one.end - one.start for one in zeros)
    if zero_pages:
        tally[PRESENT] = tally.get(PRESENT, 0) + zero_pages
        tally[ZERO_PAGE] = zero_pages
    return tally


def _spots(among: Sequence[PageRange]) -> Iterator[tuple[int, int]]:
    """Where samples are taken: spread evenly over the pages of some ranges, not always at the same place of a block."""
    pages = sum(one.end - one.start for one in among)
    shift = among[0].start * _GOLDEN % 1.0
    if pages <= SPOTS * SPOT_PAGES and among[-1].end - among[0].start <= SPOTS * SPOT_PAGES:
        yield among[0].start, among[-1].end
        return
    passed, ranges = 0, iter(among)
    one = next(ranges)
    for spot in range(SPOTS):
        place = int((spot + shift) * pages / SPOTS)
        while place >= passed + one.end - one.start:
            passed += one.end - one.start
            one = next(ranges)
        start = one.start + place - passed
        yield start, min(start + SPOT_PAGES, among[-1].end)


def _scaled(sample: Tally, pages: int) -> Tally:
    """The sample as shares of so many pages, which the counts add up to."""
    whole = sum(sample.values())
    scaled = {value: count * pages // whole for value, count in sample.items()}
    scaled[max(sample, key=sample.__getitem__)] += pages - sum(scaled.values())
    return scaled

"""Counts by a scan, with the states of a sample."""

from __future__ import annotations

from array import array
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from memtop.procfs.page_sample import SPOT_PAGES, SPOTS, PageRange, page_ranges, tally_by_sample
from memtop.procfs.pagemap import (
    EXCLUSIVE,
    PRESENT,
    SCAN_PRESENT,
    SCAN_SWAPPED,
    SCAN_ZERO_PAGE,
    SWAPPED,
    ZERO_PAGE,
    Tally,
    count_pages,
)

OWN = PRESENT | EXCLUSIVE
_ZERO = 0x1000
"""In lists of pages of this test: the zero page, whose entry is that of a shared page."""
_CATEGORIES = {0: 0, OWN: SCAN_PRESENT, PRESENT: SCAN_PRESENT, SWAPPED: SCAN_SWAPPED}


def _scanned(pages: list[int]) -> list[PageRange]:
    """What the kernel would find."""
    found: list[PageRange] = []
    for page, value in enumerate(pages):
        categories = SCAN_PRESENT | SCAN_ZERO_PAGE if value == _ZERO else _CATEGORIES[value]
        if not categories:
            continue
        if found and found[-1].end == page and found[-1].categories == categories:
            found[-1] = found[-1]._replace(end=page + 1)
        else:
            found.append(PageRange(page, page + 1, categories))
    return found


def _tally(pages: list[int]) -> Tally | None:
    entries = bytes(PRESENT if value == _ZERO else value for value in pages)
    return tally_by_sample(_scanned(pages), lambda start, end: entries[start:end])


@given(st.lists(st.tuples(st.sampled_from([0, OWN, PRESENT, SWAPPED, _ZERO]), st.integers(1, 200)), max_size=8))
def test_pages_in_ram_and_on_swap_and_zero_pages_are_exact(runs: list[tuple[int, int]]) -> None:
    pages = [value for value, count in runs for _ in range(count)]
    tally = _tally(pages)
    assert tally is not None
    assert sum(count for value, count in tally.items() if value & PRESENT) == sum(
        value in (OWN, PRESENT, _ZERO) for value in pages
    )
    assert tally.get(SWAPPED, 0) == pages.count(SWAPPED)
    assert tally.get(ZERO_PAGE, 0) == pages.count(_ZERO)


@given(st.lists(st.tuples(st.sampled_from([0, OWN, _ZERO, SWAPPED]), st.integers(1, 200)), max_size=8))
def test_what_is_the_same_everywhere_is_exact(runs: list[tuple[int, int]]) -> None:
    pages = [value for value, count in runs for _ in range(count)]
    exact: Tally = {}
    count_pages(bytes(PRESENT if value == _ZERO else value for value in pages), exact)
    if _ZERO in pages:
        exact[ZERO_PAGE] = pages.count(_ZERO)
    assert _tally(pages) == exact


def test_a_share_of_a_few_pages_is_that_of_all() -> None:
    pages = [OWN, OWN, OWN, PRESENT] * 128
    assert _tally(pages) == {OWN: 384, PRESENT: 128}


def test_a_sample_is_spread_over_the_pages_and_not_always_at_the_same_places() -> None:
    places = set()
    for first in range(0, 512 * 50, 512):
        asked: list[tuple[int, int]] = []

        def piece(start: int, end: int, asked: list[tuple[int, int]] = asked) -> bytes:
            asked.append((start, end))
            return bytes([OWN]) * (end - start)

        ranges = [PageRange(first, first + 10, SCAN_PRESENT), PageRange(first + 12, first + 512, SCAN_PRESENT)]
        assert tally_by_sample(ranges, piece) == {OWN: 510}
        assert len(asked) == SPOTS
        assert all(first <= start < end <= first + 512 and end - start <= SPOT_PAGES for start, end in asked)
        steps = [later - earlier for (earlier, _), (later, _) in pairwise(asked)]
        assert all(abs(step - 512 / SPOTS) < 4 for step in steps)
        places.add(asked[0][0] - first)
    assert len(places) > 25


def test_an_edge_within_a_stretch_is_off_by_the_distance_of_two_spots_at_most() -> None:
    for own in range(0, 513, 37):
        tally = _tally([OWN] * own + [PRESENT] * (512 - own))
        assert tally is not None and abs(tally.get(OWN, 0) - own) <= 512 // SPOTS


def test_pages_that_have_gone_since_the_scan_are_to_be_read() -> None:
    assert tally_by_sample([PageRange(0, 512, SCAN_PRESENT)], lambda start, end: bytes(end - start)) is None


def test_regions_of_a_scan_are_in_pages() -> None:
    words = array("Q", [4096, 3 * 4096, SCAN_PRESENT, 8 * 4096, 9 * 4096, SCAN_SWAPPED, 7, 7, 7])
    assert page_ranges(words, 2, 4096) == [PageRange(1, 3, SCAN_PRESENT), PageRange(8, 9, SCAN_SWAPPED)]

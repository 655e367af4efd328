"""Entries of pagemap, and the report of a reading."""

from __future__ import annotations

import os
import struct
from array import array
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.errors import ParseError
from memtop.procfs.pagemap import (
    ZERO_PAGE,
    Pages,
    Tally,
    count_pages,
    scan_argument,
    scan_walk_end,
    scanned_bytes,
    sort_pages,
)
from memtop.procfs.pagemap_report import PagemapReport, format_report, mappings_of, parse_report

OWN, SHARED, FILE, SWAP, GUARD = 0x81, 0x80, 0xA0, 0x40, 0x44
ANONYMOUS = {"anonymous": True, "copies": True, "pool": False}
PRIVATE_FILE = {"anonymous": False, "copies": True, "pool": False}
DEVICE = {"anonymous": False, "copies": False, "pool": False}
MAPS = (
    b"1000-9000 rw-p 00000000 00:00 0 \n"
    b"a000-c000 r--p 00000000 08:01 42                         /lib/one.so\n"
    b"d000-f000 rw-s 00000000 00:0f 7                          /anon_hugepage (deleted)\n"
)


@given(st.binary(max_size=512))
def test_a_tally_counts_every_byte_but_untouched_pages(top: bytes) -> None:
    tally: Tally = {OWN: 3}
    count_pages(top, tally)
    expected = Counter(top)
    del expected[0]
    expected[OWN] += 3
    assert tally == expected


@pytest.mark.parametrize(
    ("tally", "traits", "pages"),
    [
        ({OWN: 5, SHARED: 3, SWAP: 2}, ANONYMOUS, Pages(8, 5, 8, 2)),
        ({OWN: 5, SHARED: 3, ZERO_PAGE: 2}, ANONYMOUS, Pages(6, 5, 6, 0)),
        ({OWN: 5, FILE: 512}, ANONYMOUS, Pages(5, 5, 5, 0)),  # the huge zero page
        ({FILE: 4, FILE | 1: 2, OWN: 1}, PRIVATE_FILE, Pages(7, 3, 1, 0)),
        ({SHARED: 9, FILE: 1}, DEVICE, Pages(1, 0, 0, 0)),
        ({GUARD: 4, SWAP: 1}, ANONYMOUS, Pages(0, 0, 0, 1, guards=4)),
        ({FILE | 1: 512, FILE: 512}, {**DEVICE, "pool": True}, Pages(0, 0, 0, 0, 1024, 512)),
        ({}, ANONYMOUS, Pages(0, 0, 0, 0)),
    ],
)
def test_what_a_page_is_follows_from_its_byte_and_its_mapping(
    tally: Tally, traits: dict[str, bool], pages: Pages
) -> None:
    assert sort_pages(tally, **traits) == pages


def test_a_scan_names_its_range_and_the_room_for_what_is_found() -> None:
    regions = array("Q", bytes(24 * 4))
    argument = scan_argument(0x1000, 0x9000, regions, any_of=8, most_pages=1)
    size, _, start, end, walk_end, address, room, most, *categories = struct.unpack("12Q", argument)
    assert (size, start, end, walk_end, room, most, categories) == (96, 0x1000, 0x9000, 0, 4, 1, [0, 0, 8, 8])
    assert address == regions.buffer_info()[0]
    struct.pack_into("Q", argument, 32, 0x5000)
    assert scan_walk_end(argument) == 0x5000
    assert scanned_bytes(array("Q", [0x1000, 0x3000, 8, 0x5000, 0x6000, 8, 0, 9, 8]), 2) == 0x3000


tallies = st.lists(st.none() | st.dictionaries(st.integers(1, 0x100), st.integers(1, 2**40)))


@given(tallies, st.binary(max_size=200), st.booleans(), st.integers(0, 64), st.booleans())
def test_a_report_comes_back_from_its_text(
    tallies: list[Tally | None], maps: bytes, known: bool, sampled: int, cut: bool
) -> None:
    report = PagemapReport(4096, 530, 80, known, tallies, maps, sampled, cut)
    assert parse_report(format_report(report)) == report


@pytest.mark.parametrize(
    "data", [b"", b"pagemap 2 0 4096 0 0 1\n", b"pagemap 1 3 4096 0 0 1\n\n-", b"pagemap 1 1 4096 0 0 1\nx=1\n"]
)
def test_other_bytes_are_a_parse_error(data: bytes) -> None:
    with pytest.raises(ParseError):
        parse_report(data)


@given(st.binary(max_size=80))
def test_bytes_of_any_kind_are_mappings_or_a_parse_error(data: bytes) -> None:
    try:
        mappings_of(parse_report(b"pagemap 1 1 4096 0 0 1\n" + data))
    except ParseError as error:
        assert error.why


def test_mappings_have_the_fields_that_pagemap_can_know_and_no_others() -> None:
    report = PagemapReport(4096, 1, 1, True, [{OWN: 2, SWAP: 1}, None, {FILE | 1: 1, FILE: 1}], MAPS)
    mappings = mappings_of(report)
    assert mappings.numbers("Rss") == [8192, None, 0]
    assert mappings.numbers("Private") == [8192, None, 0]
    assert mappings.numbers("Swap") == [4096, None, 0]
    assert mappings.numbers("Private_Hugetlb") == [0, None, 4096]
    assert list(mappings.numbers("Pss")) == list(mappings.numbers("Private_Dirty")) == [None] * 3


def test_a_mount_of_hugetlbfs_is_a_pool_of_huge_pages() -> None:
    maps = b"d000-f000 rw-s 00000000 00:0f 7                          /mnt/huge/one\n"
    report = PagemapReport(4096, 1, 1, True, [{FILE | 1: 2}], maps)
    assert mappings_of(report).numbers("Rss") == [8192]
    assert mappings_of(report, [b"/mnt/huge"]).numbers("Rss") == [0]


def test_counts_for_other_mappings_are_a_parse_error() -> None:
    with pytest.raises(ParseError):
        mappings_of(PagemapReport(os.sysconf("SC_PAGE_SIZE"), 1, 1, True, [{}], MAPS))

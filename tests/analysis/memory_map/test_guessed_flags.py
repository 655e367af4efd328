"""Kinds without VmFlags, as they are where pagemap was read in place of smaps."""

from __future__ import annotations

import pytest

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.guessed_flags import flags_of
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.procfs.pagemap import Tally
from memtop.procfs.pagemap_report import PagemapReport, mappings_of
from memtop.procfs.smaps import Smaps
from tests.analysis.memory_map.smaps_files import DATA, PROGRAMS, real, real_regions

POOL = ("Shared_Hugetlb", "Private_Hugetlb")


def _without_flags(smaps: Smaps) -> Smaps:
    """The same mappings with the fields that pagemap can know."""
    found = Smaps()
    for name in ("starts", "ends", "perms", "offsets", "devices", "inodes", "names"):
        setattr(found, name, getattr(smaps, name))
    found.add_columns((field, list(smaps.numbers(field))) for field in ("Rss", "Swap", *POOL))
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_rss_of_every_kind_of_a_real_program_is_as_with_its_flags(program: str) -> None:
    regions = real_regions(program)
    guessed = classify(_without_flags(real(program)), exe=(DATA / program / "exe").read_bytes(), tmpfs=(b"/dev/shm",))
    expected = {one.kind: one.sizes.rss_bytes or 0 for one in regions.by_kind()}
    found = {one.kind: one.sizes.rss_bytes or 0 for one in guessed.by_kind()}
    allowed = 0.01 * sum(expected.values())
    for kind in {*expected, *found}:
        assert abs(expected.get(kind, 0) - found.get(kind, 0)) <= allowed, kind


def test_flags_that_were_read_are_not_guessed() -> None:
    smaps = real("node")
    assert list(flags_of(smaps)) == list(smaps.flags)


def test_a_stack_whose_guard_is_inside_the_mapping_is_one_by_its_guards() -> None:
    maps = b"""7f0000000000-7f0000800000 rw-p 00000000 00:00 0
7f0000900000-7f0001100000 rw-p 00000000 00:00 0
7f0002000000-7f0002100000 r-xp 00000000 08:01 7                          /usr/lib/libc.so.6
"""
    tallies: list[Tally | None] = [{0x44: 1, 0x81: 3}, {0x81: 3}, {0xA0: 9}]
    smaps = mappings_of(PagemapReport(4096, 1, 1, True, tallies, maps))
    assert smaps.sizes("Swap") == [0, 0, 0]
    kinds = [classify(smaps)[place].kind for place in range(2)]
    assert kinds == [RegionKind.THREAD_STACK, RegionKind.ANON]

"""Regions: sums by kind, the split of VIRT, labels and confidence."""

from __future__ import annotations

import pytest

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import Confidence, Regions, Sizes, total
from memtop.procfs.smaps import parse_smaps
from memtop.procfs.smaps_rollup import Rollup, parse_rollup
from tests.analysis.memory_map.smaps_files import DATA, PROGRAMS, real, real_regions, real_status, written

MIB = 1 << 20


def disagreements(regions: Regions, rollup: Rollup, changed_bytes: int = 0) -> list[str]:
    """Sums over mappings that differ from the rollup's by more than ``changed_bytes`` and rounding.

    The kernel rounds Pss down to whole KiB once for each mapping in smaps, and once in smaps_rollup.
    """
    sums = regions.total()
    pairs = (
        ("rss_bytes", sums.rss_bytes, rollup.rss_bytes, 0),
        ("pss_bytes", sums.pss_bytes, rollup.pss_bytes, 1024 * (len(regions) + 1)),
        ("private_dirty_bytes", sums.private_dirty_bytes, rollup.private_dirty_bytes, 0),
        ("swap_bytes", sums.swap_bytes, rollup.swap_bytes, 0),
    )
    return [
        field
        for field, ours, theirs, rounding in pairs
        if ours is not None and theirs is not None and abs(ours - theirs) > rounding + changed_bytes
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_sums_over_kinds_are_the_sums_over_mappings_and_virt_is_split_without_rest(program: str) -> None:
    regions = real_regions(program)
    kinds = regions.by_kind()
    assert total([one.sizes for one in kinds]) == regions.total()
    assert sum(one.count for one in kinds) == len(regions) == len(real(program))
    split = regions.split()
    assert split.virt_bytes == real_status(program).virt_bytes
    parts = [split.reserved_bytes, split.untouched_bytes, split.resident_bytes, split.swapped_bytes]
    assert split.virt_bytes == sum(parts) + split.hugetlb_bytes + split.uncounted_bytes
    assert min(parts) >= 0
    assert split.resident_bytes == regions.total().rss_bytes


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "jvm"])
def test_sums_agree_with_the_rollup(program: str) -> None:
    assert disagreements(real_regions(program), parse_rollup((DATA / program / "smaps_rollup").read_bytes())) == []


def test_what_changed_between_the_readings_of_a_busy_jvm_is_said_and_can_be_allowed_for() -> None:
    regions, rollup = real_regions("jvm"), parse_rollup((DATA / "jvm" / "smaps_rollup").read_bytes())
    assert set(disagreements(regions, rollup)) == {"rss_bytes", "pss_bytes", "private_dirty_bytes"}
    assert disagreements(regions, rollup, changed_bytes=2 * MIB) == []


def test_names_that_programs_give_are_labels_with_their_numbers_folded() -> None:
    regions = classify(
        written(
            "1000-2000 rw-p 0 [anon:scudo:primary 12]",
            "2000-3000 rw-s 9 /memfd:wayland-42 (deleted)",
            "3000-4000 rw-p 0 [heap]",
        )
    )
    assert [region.label for region in regions] == ["scudo:primary #", "wayland-#", ""]


def test_secret_memory_is_no_deleted_file() -> None:
    (region,) = classify(written("1000-9000 rw-s 9 /secretmem (deleted) | rss=32")).by_kind()
    assert region.kind is RegionKind.SECRET


def test_pages_that_lost_their_access_stay_resident_and_are_not_called_reserved() -> None:
    split = classify(written("1000000-2000000 ---p 0 | rss=4096 swap=1024")).split()
    assert (split.resident_bytes, split.swapped_bytes) == (4 * MIB, MIB)
    assert split.reserved_bytes == 11 * MIB


def test_thread_stacks_are_checked_against_the_number_of_threads() -> None:
    assert real_regions("jvm").confidence(real_status("jvm").threads) is Confidence.GOOD
    # fork leaves the stacks of the other threads behind in the child
    assert real_regions("redis_bgsave").confidence(real_status("redis_bgsave").threads) is Confidence.LOW
    assert real_regions("go").confidence(4) is Confidence.UNKNOWN
    assert real_regions("threads").confidence(None) is Confidence.UNKNOWN


def test_what_the_kernel_does_not_say_is_unknown_and_not_zero() -> None:

    regions = classify(parse_smaps(b"1000-2000 rw-p 0 00:00 0\nRss: 4 kB\n2000-3000 r--p 0 00:00 0\nRss: 4 kB\n"))
    assert regions.total() == Sizes(8192, 8192, None, None, None)
    assert regions.by_kind()[0].sizes.swap_bytes is None
    assert [one.mapping.start for one in regions.largest("pss_bytes", 1)] == [0x1000]


def test_the_largest_come_first_and_equal_ones_in_address_order() -> None:
    regions = real_regions("jvm")
    for measure in Sizes._fields:
        values = [getattr(one.sizes, measure) for one in regions.largest(measure)]
        assert values == sorted(values, reverse=True)
    first, second = regions.largest("swap_bytes", 2)
    assert first.mapping.start < second.mapping.start

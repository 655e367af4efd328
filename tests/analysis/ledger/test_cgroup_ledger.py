"""A cgroup's ledger: its parts add up to the charge, and say what the kernel can reclaim."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.ledger.cgroup import (
    CgroupPart,
    Unmapped,
    cgroup_ledger,
    inactive_bytes,
    reclaimable_bytes,
    unmapped,
    unsure_bytes,
)
from memtop.procfs.cgroup import MemoryStat, parse_memory_stat, parse_reclaimable_slab

MIB = 1 << 20
SIZES = st.none() | st.integers(0, 1 << 40)
STATS = st.builds(MemoryStat, *[SIZES] * len(MemoryStat._fields))


def _stat(**mib: float) -> MemoryStat:
    return parse_memory_stat("".join(f"{name} {round(value * MIB)}\n" for name, value in mib.items()).encode())


def _mib(usage: float, stat: MemoryStat | None) -> dict[str, float]:
    return {part.name: part.size_bytes / MIB for part in cgroup_ledger(round(usage * MIB), stat).parts}


@given(st.integers(0, 1 << 40), st.none() | STATS, st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_parts_add_up_and_nothing_lies_outside_of_the_charge(
    usage: int, stat: MemoryStat | None, anon: int, shmem: int
) -> None:
    ledger = cgroup_ledger(usage, stat)
    assert sum(part.size_bytes for part in ledger.parts) == usage
    assert all(0 <= part.size_bytes <= usage for part in ledger.parts)
    assert len({part.name for part in ledger.parts}) == len(ledger.parts)
    assert 0 <= inactive_bytes(ledger) <= reclaimable_bytes(ledger) <= usage - unsure_bytes(ledger)
    found = unmapped(ledger, anon, shmem)
    assert min(found) >= 0
    assert found.total_bytes <= usage - reclaimable_bytes(ledger) + (ledger.size_of(CgroupPart.LAZYFREE) or 0)


def test_kernel_memory_of_version_1_is_a_part_of_which_some_may_be_reclaimed() -> None:
    """ "charged 104 MiB: anon 7, file 0" left 97 MiB without a word."""
    stat = _stat(total_rss=7, total_cache=0, total_active_file=0, total_inactive_file=0)
    assert _mib(104, stat)[CgroupPart.UNSPLIT] == 97
    stat = stat._replace(kernel_bytes=90 * MIB)
    assert _mib(104, stat)[CgroupPart.KERNEL_AND_SLAB] == 90
    assert _mib(104, stat)[CgroupPart.OTHER] == 7
    assert unsure_bytes(cgroup_ledger(104 * MIB, stat)) == 90 * MIB


def test_slab_that_version_1_lists_is_reclaimable() -> None:
    stat = _stat(total_rss=7, total_cache=0, total_active_file=0)._replace(
        kernel_bytes=90 * MIB, slab_reclaimable_bytes=60 * MIB
    )
    ledger = cgroup_ledger(104 * MIB, stat)
    assert (reclaimable_bytes(ledger), unsure_bytes(ledger)) == (60 * MIB, 0)
    assert ledger.size_of(CgroupPart.KERNEL) == 30 * MIB


def test_slabinfo_of_a_cgroup_counts_caches_that_shrink() -> None:
    text = b"""slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>
dentry                42     50    192   21    1 : tunables    0    0    0 : slabdata      2      2      0
ext4_inode_cache       9     10   1000    3    1 : tunables    0    0    0 : slabdata      4      4      0
radix_tree_node(9:job) 1      2    584    7    1 : tunables    0    0    0 : slabdata      1      1      0
kmalloc-64           100    200     64   64    1 : tunables    0    0    0 : slabdata      4      4      0
"""
    assert parse_reclaimable_slab(text) == 50 * 192 + 10 * 1000 + 2 * 584
    assert parse_reclaimable_slab(b"") is None
    assert parse_reclaimable_slab(text.splitlines()[0]) is None


def test_shared_memory_is_not_page_cache() -> None:
    stat = _stat(anon=10, file=9, shmem=4, kernel=3, slab_reclaimable=1, sock=0, inactive_file=2, active_file=3)
    assert _mib(30, stat) == {
        "anon": 10, "shmem": 4, "kernel": 2, "slab_reclaimable": 1, "sock": 0, "cache_inactive": 2, "cache_active": 3,
        "other": 8,
    }  # fmt: skip


def test_anonymous_memory_given_back_lies_on_the_lists_of_file_pages() -> None:
    """MADV_FREE moves it there: it is dropped like clean page cache, and no file is behind it."""
    ledger = cgroup_ledger(500 * MIB, _stat(anon=450, file=20, shmem=0, inactive_file=410, active_file=10))
    assert ledger.size_of(CgroupPart.LAZYFREE) == 400 * MIB
    assert ledger.size_of(CgroupPart.ANON) == 50 * MIB
    assert reclaimable_bytes(ledger) == 420 * MIB


def test_freed_parts_of_huge_pages_can_be_reclaimed() -> None:
    """A process had 64 huge pages and gave back all but 4 KiB of each: it could write 198 MiB in this cgroup of 200."""
    stat = _stat(total_rss=50.3, total_cache=0, total_shmem=0, total_inactive_anon=177.9, total_active_anon=0)
    ledger = cgroup_ledger(round(178.5 * MIB), stat)
    assert ledger.size_of(CgroupPart.ANON_UNMAPPED) == pytest.approx(127.6 * MIB, abs=2)
    assert reclaimable_bytes(ledger) == pytest.approx(127.6 * MIB, abs=2)
    assert inactive_bytes(ledger) == 0


def test_anonymous_memory_that_is_locked_or_given_back_lies_on_no_list_of_anonymous_pages() -> None:
    locked = _stat(anon=80, shmem=10, inactive_anon=30, active_anon=10, inactive_file=0, file=10)
    assert cgroup_ledger(90 * MIB, locked).size_of(CgroupPart.ANON_UNMAPPED) is None
    freed = _stat(anon=450, file=20, shmem=0, inactive_file=410, active_file=10, inactive_anon=250, active_anon=0)
    assert cgroup_ledger(700 * MIB, freed).size_of(CgroupPart.ANON_UNMAPPED) == 200 * MIB


def test_locked_file_pages_cannot_be_reclaimed() -> None:
    ledger = cgroup_ledger(100 * MIB, _stat(anon=10, file=80, shmem=0, inactive_file=5, active_file=5))
    assert ledger.size_of(CgroupPart.FILE_OTHER) == 70 * MIB
    assert reclaimable_bytes(ledger) == 10 * MIB


def test_before_linux_5_18_kernel_memory_is_the_sum_of_its_parts() -> None:
    stat = _stat(anon=1, slab=30, slab_reclaimable=20, kernel_stack=1, pagetables=2, percpu=3)
    assert stat.kernel_bytes == 36 * MIB
    assert _mib(40, stat)[CgroupPart.KERNEL] == 16


def test_what_lies_in_zswap_is_kernel_memory_that_is_not_slab() -> None:
    parts = _mib(60, _stat(anon=10, kernel=50, slab_reclaimable=5, zswap=30))
    assert (parts[CgroupPart.KERNEL], parts[CgroupPart.ZSWAP], parts[CgroupPart.SLAB_RECLAIMABLE]) == (15, 30, 5)


def test_without_statistics_nothing_is_sure() -> None:
    ledger = cgroup_ledger(90 * MIB, None)
    assert (reclaimable_bytes(ledger), unsure_bytes(ledger)) == (0, 90 * MIB)


@pytest.mark.parametrize(
    ("anon", "shmem", "expected"), [(10, 5, Unmapped(89 * MIB, 0, 9 * MIB)), (60, 200, Unmapped(0, 0, 9 * MIB))]
)
def test_what_no_process_has_mapped_is_never_page_cache(anon: int, shmem: int, expected: Unmapped) -> None:
    stat = _stat(anon=10, file=94 + 444, shmem=94, kernel=9, slab_reclaimable=0, active_file=444, inactive_file=0)
    assert unmapped(cgroup_ledger(557 * MIB, stat), anon * MIB, shmem * MIB) == expected


def test_version_1_says_what_belongs_to_cgroups_below() -> None:
    stat = parse_memory_stat(b"cache 5\nrss 7\ntotal_cache 15\ntotal_rss 8\n")
    assert (stat.below_bytes, _stat(anon=1).below_bytes) == (11, None)

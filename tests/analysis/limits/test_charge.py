"""The parts of a cgroup's charge add up to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.limits.charge import charge_parts
from memtop.procfs.cgroup import MemoryStat, parse_memory_stat

MIB = 1 << 20
sizes = st.integers(0, 2**40)


@given(sizes, st.builds(MemoryStat, *[st.one_of(st.none(), sizes) for _ in MemoryStat._fields]))
def test_the_parts_add_up_to_the_charge_and_none_is_outside_of_it(usage_bytes: int, stat: MemoryStat) -> None:
    parts = charge_parts(usage_bytes, stat)
    assert sum(part.size_bytes for part in parts) == usage_bytes
    assert all(0 <= part.size_bytes <= usage_bytes for part in parts)
    assert len({part.name for part in parts}) == len(parts)


def test_kernel_memory_of_version_1_is_a_part_and_without_it_the_remainder() -> None:
    """ "charged 104 MiB: anon 7, file 0" left 97 MiB without a word."""
    stat = parse_memory_stat(b"total_rss %d\ntotal_cache 0\n" % (7 * MIB))
    assert charge_parts(104 * MIB, stat) == (("anon", 7 * MIB), ("file", 0), ("other", 97 * MIB))
    with_kernel = stat._replace(kernel_bytes=90 * MIB)
    assert dict(charge_parts(104 * MIB, with_kernel))["other"] == 7 * MIB


def test_shared_memory_is_not_page_cache() -> None:
    stat = parse_memory_stat(b"anon 10\nfile 9\nshmem 4\nkernel 3\nsock 0\n")
    assert dict(charge_parts(30, stat)) == {
        "anon": 10, "kernel": 3, "sock": 0, "shmem": 4, "page cache": 5, "other": 8
    }  # fmt: skip

"""Fork, copy on write, and what is really whose."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.sharing import (
    Bounds,
    CopyRate,
    Freed,
    Kin,
    Member,
    Parts,
    Sharing,
    bounds,
    copy_rate,
    family,
    freed_by_kill,
    member,
    same_rollup,
)
from memtop.procfs.smaps_rollup import Rollup, parse_rollup
from memtop.procfs.statm import OWN_PAGE_BYTES
from tests.analysis.memory_map.smaps_files import DATA, real_regions, written

KIB, MIB = 1 << 10, 1 << 20
FORK = """
import os, sys
ready, parent_ends = os.pipe()
pid = os.fork()
if not pid:
    os.close(parent_ends)
    os.read(ready, 1)  # until the parent ends
    os._exit(0)
print(pid, flush=True)
sys.stdin.read()
"""
WORKERS = ("cpython_parent", "cpython_shares", "cpython_read", "cpython_read_too")


def rollup(program: str) -> Rollup:
    """A real smaps_rollup."""
    return parse_rollup((DATA / program / "smaps_rollup").read_bytes())


def test_a_family_is_linked_by_parents_with_the_same_program() -> None:
    kin = [
        Kin(1, 0, b"/init"),
        Kin(10, 1, b"/pg"),
        Kin(11, 10, b"/pg"),
        Kin(12, 11, b"/pg"),
        Kin(13, 10, b"/sh"),
        Kin(14, 13, b"/pg"),
        Kin(20, 1, b"/pg"),
        Kin(30, 30, b"/loop"),
    ]
    assert family(kin, 12) == family(kin, 10) == (10, 11, 12)
    assert family(kin, 14) == (14,), "what the shell started is another family"
    assert family(kin, 20) == (20,), "init is no relative"
    assert family(kin, 30) == (30,)
    assert family(kin, 99) == ()


def test_a_family_of_workers_costs_its_pss_and_rss_counts_twice() -> None:
    sharing = Sharing(tuple(member(pid, rollup(name)) for pid, name in enumerate(WORKERS)))
    rss, pss = sharing.rss_sum_bytes, sharing.pss_sum_bytes
    assert rss is not None
    assert pss is not None
    assert rss - pss == sharing.counted_twice_bytes
    assert rss > 1.5 * pss
    assert sharing.still_shared_bytes is not None
    assert sharing.worst_case_bytes == pss + sharing.still_shared_bytes


def test_a_cpython_worker_that_only_read_has_copied_more_than_one_that_did_nothing() -> None:
    idle, reader = member(1, rollup("cpython_shares")), member(2, rollup("cpython_read"))
    assert idle.private_dirty_bytes is not None
    assert reader.private_dirty_bytes is not None
    assert reader.private_dirty_bytes > idle.private_dirty_bytes + 8 * MIB
    assert copy_rate(idle, reader, 2.0).private_dirty_bytes_per_s == pytest.approx(
        (reader.private_dirty_bytes - idle.private_dirty_bytes) / 2
    )


@pytest.mark.parametrize(
    ("private", "faults", "copied"),
    [(8192.0, 2.0, 8192.0), (8192.0, 1.0, OWN_PAGE_BYTES), (8192.0, 0.0, 0.0), (0.0, 9.0, 0.0), (None, 1.0, None)],
)
def test_what_becomes_private_without_a_fault_was_copied_by_somebody_else(
    private: float | None, faults: float, copied: float | None
) -> None:
    assert CopyRate(private, faults).copied_bytes_per_s == copied
    assert CopyRate(private, None).copied_bytes_per_s is None


def test_redis_saving_in_the_background_still_shares_most_of_its_data() -> None:
    redis, child = member(1, rollup("redis")), member(2, rollup("redis_bgsave"))
    shared = Sharing((redis, child)).still_shared_bytes
    assert shared is not None
    assert 40 * MIB < shared < 80 * MIB
    freed = freed_by_kill(real_regions("redis_bgsave"))
    assert freed is not None
    assert freed.at_least_bytes <= freed.at_most_bytes < 10 * MIB, "a kill of the child frees little"


def test_memory_objects_and_clean_file_pages_may_stay_after_a_kill() -> None:
    regions = classify(
        written(
            "1000-9000 rw-p 0 | private_dirty=12 anonymous=12",
            "11000-19000 r-xp 5 /lib/libx.so | private_clean=16",
            "21000-29000 rw-s 6 /memfd:x (deleted) | private_dirty=20",
            "31000-39000 rw-s 7 /dev/zero (deleted) | private_dirty=4",
            "41000-49000 rw-p 0 | private_hugetlb=2048 | ht",
        )
    )
    assert freed_by_kill(regions) == Freed((12 + 2048) * KIB, (12 + 16 + 20 + 4 + 2048) * KIB)


def test_a_heap_that_its_own_process_maps_three_times_is_freed_once() -> None:
    """ZGC before JDK 21: no page is private to a mapping, and all of them go with the process."""
    maps = [
        f"{view}0000-{view}8000 rw-s 6 /memfd:java_heap (deleted) | rss=30 shared_dirty=30 pss=10" for view in (1, 2, 3)
    ]
    regions = classify(written(*maps, "91000-99000 r-xp 9 /jdk/libjvm.so | private_clean=4 pss=4"))
    freed = freed_by_kill(regions)
    assert freed == Freed(30 * KIB, 34 * KIB, again_bytes=60 * KIB)
    foreign = classify(written(*(line.replace("java_heap", "x") for line in maps)))
    assert freed_by_kill(foreign) == Freed(0, 30 * KIB, again_bytes=60 * KIB)


def test_from_page_tables_alone_such_a_heap_is_a_range() -> None:
    maps = [
        f"{view}0000-{view}8000 rw-s 6 /memfd:java_heap (deleted) | rss={20 + view} private=0" for view in (1, 2, 3)
    ]
    freed = freed_by_kill(classify(written(*maps, "91000-99000 r-xp 9 /jdk/libjvm.so | rss=4 private=4")))
    assert freed == Freed(23 * KIB, 36 * KIB), "the heap has no more pages than a view of it shows"


@pytest.mark.parametrize(
    ("second", "most_kib"),
    [("6@0", 32), ("6@4000", 48), ("6@8000", 60), ("7@0", 60)],
    ids=["the same part", "half of it is the same", "another part", "another object"],
)
def test_an_object_that_its_process_maps_twice_is_freed_once(second: str, most_kib: int) -> None:
    rows = [
        f"11000-19000 rw-s 6 /memfd:x (deleted) | rss=30 private={30 * (most_kib == 60)}",
        f"21000-29000 rw-s {second} /memfd:x (deleted) | rss=30 private={30 * (most_kib == 60)}",
    ]
    assert freed_by_kill(classify(written(*rows))) == Freed(0, most_kib * KIB)
    with_pss = [row.replace("rss=30 private=0", "rss=30 shared_dirty=30 pss=15") for row in rows]
    with_pss = [row.replace("private=30", "private_dirty=30 pss=30") for row in with_pss]
    freed = freed_by_kill(classify(written(*with_pss)))
    assert freed is not None
    assert freed.at_most_bytes == (60 if most_kib == 60 else 30) * KIB


def member_of(pid: int, rss: int | None, pss: int | None, same_as: int | None = None) -> Member:
    return Member(pid, rss, pss, pss, 0, rss, pss, 0, same_as)


def test_one_address_space_is_counted_once() -> None:
    sharing = Sharing((member_of(1, 50, 50), member_of(2, 50, 50, same_as=1)))
    assert sharing.pss_sum_bytes == 50
    assert sharing.rss_sum_bytes == 100
    assert sharing.counted_twice_bytes == 50


def test_one_unreadable_member_makes_the_sum_unknown() -> None:
    sharing = Sharing((member_of(1, 50, 50), member_of(2, 50, None)))
    assert sharing.pss_sum_bytes is None
    assert sharing.counted_twice_bytes is None
    assert sharing.worst_case_bytes is None


def test_forked_processes_do_not_pass_for_one_address_space() -> None:
    rollups = [rollup(name) for name in WORKERS]
    assert not any(same_rollup(one, other) for one, other in combinations(rollups, 2))
    assert not same_rollup(rollup("redis"), rollup("redis_bgsave"))


def test_equal_sums_of_private_pages_pass_for_one_address_space() -> None:
    text = "1000-9000 ---p 0 0:0 0 [rollup]\nRss: 8 kB\nPss: 8 kB\nPrivate_Dirty: 8 kB\nAnonymous: 8 kB\n"
    text += "Shared_Dirty: {} kB\n"
    alone, forked = parse_rollup(text.format(0).encode()), parse_rollup(text.format(4).encode())
    assert same_rollup(alone, alone)
    assert not same_rollup(forked, forked), "pages shared copy on write mean that there are two"


def test_a_real_fork_is_not_one_address_space() -> None:
    with subprocess.Popen([sys.executable, "-c", FORK], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        mine, its = (parse_rollup(Path(f"/proc/{pid}/smaps_rollup").read_bytes()) for pid in (parent.pid, child))
        assert not same_rollup(mine, its)
        parent.communicate(b"")


def test_without_permission_there_are_still_bounds() -> None:
    assert bounds([Parts(10, 5, 1), Parts(20, 6, 0)]) == Bounds(20, 37)
    assert bounds([]) is None


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1))
def test_the_worst_case_is_never_below_what_it_costs_now(pairs: list[tuple[int, int]]) -> None:
    sharing = Sharing(tuple(member_of(n, max(pair), min(pair)) for n, pair in enumerate(pairs)))
    assert sharing.worst_case_bytes is not None
    assert sharing.pss_sum_bytes is not None
    assert sharing.worst_case_bytes >= sharing.pss_sum_bytes

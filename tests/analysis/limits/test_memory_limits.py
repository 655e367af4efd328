"""Ceilings and headroom. The trees of version 2 are written after cgroup-v2.rst."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.limits.memory_limits import (
    Ceiling,
    CgroupUse,
    binding,
    ceiling,
    ceilings,
    high_ceiling,
    host_ceiling,
    swap_room,
)
from memtop.procfs.cgroup import UNLIMITED, MemoryStat, parse_limit, parse_memory_stat
from memtop.procfs.meminfo import parse_meminfo

MIB = 1 << 20
GIB = 1 << 30


def use(
    path: str, limit: int | None, usage: int | None, *, inactive: int = 0, active: int = 0, slab: int = 0
) -> CgroupUse:
    text = f"inactive_file {inactive * MIB}\nactive_file {active * MIB}\nslab_reclaimable {slab * MIB}\n"
    return CgroupUse(
        path,
        limit * MIB if limit is not None else None,
        usage * MIB if usage is not None else None,
        parse_memory_stat(text.encode()),
    )


def test_page_cache_that_can_be_dropped_is_not_counted() -> None:
    found = ceiling(use("a", 100, 100, inactive=20, active=10, slab=5), GIB)
    assert found == Ceiling("a", 100 * MIB, 80 * MIB, 20 * MIB, 35 * MIB)
    assert (found.unreclaimable_bytes, found.used_percent) == (65 * MIB, 65)


def test_the_ancestor_with_the_least_headroom_binds() -> None:
    chain = [use("pod/app", 400, 100), use("pod", 500, 450), use("", None, None)]
    bound = binding(ceilings(chain, 24 * GIB))
    assert bound is not None
    assert (bound.path, bound.headroom_bytes) == ("pod", 50 * MIB)


@pytest.mark.parametrize(
    ("min_mib", "kept_mib"), [(None, 0), (0, 0), (40, 0), (60, 20), (100, 60), (UNLIMITED // MIB, 60)]
)
def test_cache_that_memory_min_of_a_cgroup_inside_keeps_is_no_room(min_mib: int | None, kept_mib: int) -> None:
    """Of 100 MiB, 60 are cache; memory.min covers what cannot go anyway first."""
    inner = use("a/b", UNLIMITED // MIB + 1, 100, inactive=50, active=10)
    inner = inner._replace(min_bytes=None if min_mib is None else min_mib * MIB)
    (found,) = ceilings([inner, use("a", 200, 150, inactive=80, active=10)], GIB)
    assert (found.path, found.protected_bytes) == ("a", kept_mib * MIB)
    assert found.headroom_max_bytes == (200 - 60 - kept_mib) * MIB
    assert found.headroom_bytes == min(200 - 70, 200 - 60 - kept_mib) * MIB


def test_memory_min_does_not_protect_from_the_limit_of_its_own_cgroup() -> None:
    own = use("a", 200, 150, inactive=90)._replace(min_bytes=150 * MIB)
    (found,) = ceilings([own], GIB)
    assert (found.protected_bytes, found.headroom_max_bytes) == (0, 140 * MIB)


def test_of_equals_the_nearest_binds() -> None:
    bound = binding(ceilings([use("a/b", 100, 50), use("a", 200, 150)], None))
    assert bound is not None
    assert bound.path == "a/b"


def test_no_limit_and_a_limit_above_the_machine_bind_nothing() -> None:
    no_limit = CgroupUse("a", parse_limit(b"9223372036854771712"), MIB, None)
    assert no_limit.limit_bytes == UNLIMITED
    assert ceilings([no_limit, use("b", 2048, 1), use("c", 1024, 1)], GIB) == ()
    assert binding([]) is None


def test_what_cannot_be_read_sets_no_ceiling() -> None:
    assert ceiling(use("a", None, 10), GIB) is None
    assert ceiling(use("a", 10, None), GIB) is None


def test_without_statistics_all_of_the_use_counts() -> None:
    found = ceiling(CgroupUse("a", 100 * MIB, 90 * MIB, None), GIB)
    assert found is not None
    assert found.headroom_bytes == found.headroom_max_bytes == 10 * MIB
    assert found.unsure_bytes == 90 * MIB


def test_slab_of_version_1_may_be_reclaimable() -> None:
    """100 MiB of cached directory entries in 200 MiB are no danger, and version 1 does not name them."""
    stat = parse_memory_stat(b"total_rss %d\ntotal_cache 0\ntotal_active_file 0\n" % (50 * MIB))
    found = ceiling(CgroupUse("a", 200 * MIB, 160 * MIB, stat._replace(kernel_bytes=100 * MIB)), GIB)
    assert found is not None
    assert (found.unreclaimable_bytes, found.unsure_bytes) == (160 * MIB, 100 * MIB)


def test_a_limit_lowered_below_the_use_leaves_less_than_nothing() -> None:
    found = ceiling(use("a", 50, 80), GIB)
    assert found is not None
    assert found.headroom_bytes == -30 * MIB
    assert found.used_percent == 160


def test_a_limit_of_nothing_is_full() -> None:
    found = ceiling(use("a", 0, 0), GIB)
    assert found is not None
    assert found.used_percent == 100


def test_the_machine_is_a_ceiling_too() -> None:
    meminfo = parse_meminfo(b"MemTotal: 1000 kB\nMemAvailable: 300 kB\nSwapFree: 50 kB\n")
    found = host_ceiling(meminfo)
    assert found == Ceiling(None, 1000 * 1024, 700 * 1024, 300 * 1024, 300 * 1024, 50 * 1024)
    assert host_ceiling(parse_meminfo(b"MemTotal: 1000 kB\n")) is None


@pytest.mark.parametrize("prefix", ["", "total_"], ids=["v2", "v1"])
def test_active_page_cache_costs_speed_and_never_a_kill_while_tmpfs_and_kernel_memory_do(prefix: str) -> None:
    """150 MiB of active page cache in 179 MiB of 200: another 100 MiB were written there and nothing was killed."""
    text = f"{prefix}active_file {150 * MIB}\n{prefix}inactive_file 0\n{prefix}shmem {9 * MIB}\n"
    found = ceiling(CgroupUse("a", 200 * MIB, 179 * MIB, parse_memory_stat(text.encode())), GIB)
    assert found is not None
    assert (found.headroom_bytes, found.headroom_max_bytes) == (21 * MIB, 171 * MIB)
    assert found.unreclaimable_bytes == 29 * MIB


def test_of_two_cgroups_the_one_that_has_less_to_reclaim_binds() -> None:
    bound = binding(ceilings([use("a/b", 200, 179, active=150), use("a", 400, 300)], GIB))
    assert bound is not None and bound.path == "a"


amounts = st.integers(0, 2**62)
stats = st.builds(MemoryStat, *[st.one_of(st.none(), amounts) for _ in MemoryStat._fields])


@given(st.lists(st.builds(CgroupUse, st.just("a"), amounts, amounts, stats), max_size=5))
def test_headroom_is_never_more_than_the_limit_and_the_binding_one_is_least(chain: list[CgroupUse]) -> None:
    found = ceilings(chain, None)
    for one in found:
        assert one.headroom_bytes <= one.headroom_max_bytes <= one.limit_bytes
        assert one.working_set_bytes >= 0
    bound = binding(found)
    assert (bound is None) == (not found)
    if bound:
        assert all(bound.headroom_max_bytes <= one.headroom_max_bytes for one in found)


def with_swap(limit: int | None, used: int = 0, *, high: int | None = None) -> CgroupUse:
    return CgroupUse(
        "a", 100 * MIB, 50 * MIB, None, high and high * MIB, limit if limit is None else limit * MIB, used * MIB
    )


def test_memory_high_is_a_ceiling_that_does_not_kill_and_may_bind_first() -> None:
    assert high_ceiling(with_swap(0, high=80), GIB) == Ceiling(
        "a", 80 * MIB, 50 * MIB, 30 * MIB, 30 * MIB, kills=False, unsure_bytes=50 * MIB
    )
    bound = binding(ceilings([with_swap(0, high=80)], GIB))
    assert bound is not None and (bound.limit_bytes, bound.kills) == (80 * MIB, False)
    assert high_ceiling(with_swap(0), GIB) is None
    assert high_ceiling(CgroupUse("a", UNLIMITED, MIB, None, UNLIMITED), GIB) is None


def test_what_can_go_to_swap_is_bounded_by_every_cgroup_and_by_the_machine() -> None:
    assert swap_room([with_swap(40, 10), with_swap(None)], 500 * MIB) == 30 * MIB
    assert swap_room([with_swap(40, 10), with_swap(15)], 500 * MIB) == 15 * MIB
    assert swap_room([with_swap(40, 50)], 500 * MIB) == 0
    assert swap_room([with_swap(None)], 500 * MIB) == 500 * MIB
    unread = with_swap(40)._replace(swap_bytes=None)
    assert swap_room([unread], 500 * MIB) is None, "it may be full"
    assert swap_room([unread], 0) == swap_room([with_swap(0)._replace(swap_bytes=None)], 500 * MIB) == 0
    assert swap_room([with_swap(40, 10)], None) is None, "SwapFree is unknown"
    denied = with_swap(None)._replace(unread=(("memory.swap.max", "permission denied"),))
    assert swap_room([denied], 500 * MIB) is None and swap_room([denied, with_swap(0)], 500 * MIB) == 0
    assert swap_room([with_swap(UNLIMITED // MIB + 1)], 7 * MIB) == 7 * MIB
    assert ceilings([with_swap(40, 10)], GIB, 500 * MIB)[0].swap_room_bytes == 30 * MIB


def test_swap_beyond_a_joint_limit_takes_from_the_room_of_memory() -> None:
    """Version 1: 100 MiB of memory and 120 MiB with swap; 50 MiB lie on swap, so 70 are left to memory, not 100."""
    use = CgroupUse("a", 100 * MIB, 30 * MIB, None, None, 20 * MIB, 50 * MIB, joint_limit=True)
    found = ceiling(use, GIB)
    assert found is not None
    assert (found.headroom_max_bytes, found.used_percent) == (40 * MIB, 60)
    alone = ceiling(use._replace(joint_limit=False), GIB)
    assert alone is not None and alone.headroom_max_bytes == 70 * MIB


def test_where_zswap_may_not_write_back_its_own_limit_is_the_room_of_swap() -> None:
    """memory.zswap.max 0 and memory.zswap.writeback 0: nothing can be swapped, though the machine has swap."""
    closed = CgroupUse("a", 100 * MIB, MIB, None, zswap_room_bytes=0)
    assert swap_room([closed], 500 * MIB) == 0
    assert ceilings([closed], GIB, 500 * MIB)[0].swap_room_bytes == 0
    open_ended = CgroupUse("a", 100 * MIB, MIB, None, zswap_only=True)
    assert swap_room([open_ended], 500 * MIB) == 500 * MIB
    assert swap_room([open_ended], 500 * MIB, zswap=False) == 0, "what may not leave zswap has no place without it"

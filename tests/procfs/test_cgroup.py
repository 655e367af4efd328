"""The files of memory cgroups. The v2 texts are written after cgroup-v2.rst."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.procfs.cgroup import (
    UNLIMITED,
    MemoryEvents,
    OomControl,
    parse_count,
    parse_limit,
    parse_memory_events,
    parse_memory_stat,
    parse_oom_control,
)

V2_STAT = b"""anon 104857600
file 41943040
kernel 5242880
kernel_stack 131072
pagetables 262144
sock 4096
shmem 8388608
inactive_anon 113246208
active_anon 0
inactive_file 20971520
active_file 12582912
unevictable 0
slab_reclaimable 1048576
slab_unreclaimable 524288
workingset_refault_anon 7
workingset_refault_file 9
pgmajfault 3
"""
V1_STAT = b"""cache 100
rss 200
shmem 50
inactive_file 30
hierarchical_memory_limit 209715200
total_cache 1000
total_rss 2000
total_shmem 500
total_inactive_file 300
total_active_file 200
total_unevictable 0
total_pgmajfault 4
"""


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (b"max\n", UNLIMITED),
        (b"9223372036854771712\n", UNLIMITED),
        (b"9223372036854710272\n", UNLIMITED),  # 64 KiB pages
        (b"9223372036854775807\n", UNLIMITED),
        (b"-1\n", UNLIMITED),
        (b"104857600\n", 104857600),
        (b"0\n", 0),
        (b"", None),
        (b"maximum\n", None),
        (b"-5\n", None),
        (b"12 34\n", None),
    ],
)
def test_limits(data: bytes, limit: int | None) -> None:
    assert parse_limit(data) == limit


@pytest.mark.parametrize(("data", "count"), [(b"511909\n", 511909), (b"0\n", 0), (b"-1\n", None), (b"x", None)])
def test_counts(data: bytes, count: int | None) -> None:
    assert parse_count(data) == count


def test_the_statistics_of_version_two() -> None:
    stat = parse_memory_stat(V2_STAT)
    assert stat.anon_bytes == 100 << 20
    assert stat.file_bytes == 40 << 20
    assert stat.kernel_bytes == 5 << 20
    assert (stat.inactive_file_bytes, stat.active_file_bytes) == (20 << 20, 12 << 20)
    assert stat.slab_reclaimable_bytes == 1 << 20
    assert (stat.refault_anon, stat.refault_file, stat.pgmajfault) == (7, 9, 3)
    assert stat.hierarchical_limit_bytes is None


def test_the_statistics_of_version_one_include_what_is_below() -> None:
    stat = parse_memory_stat(V1_STAT)
    assert (stat.anon_bytes, stat.file_bytes, stat.shmem_bytes) == (2000, 1000, 500)
    assert (stat.inactive_file_bytes, stat.active_file_bytes) == (300, 200)
    assert stat.hierarchical_limit_bytes == 209715200
    assert (stat.kernel_bytes, stat.sock_bytes) == (None, None)


def test_an_absent_line_is_unknown_and_a_zero_is_none_of_it() -> None:
    stat = parse_memory_stat(b"anon 0\n")
    assert (stat.anon_bytes, stat.file_bytes) == (0, None)


def test_events_of_version_two() -> None:
    events = parse_memory_events(b"low 0\nhigh 12\nmax 34\noom 2\noom_kill 1\noom_group_kill 0\n")
    assert events == MemoryEvents(0, 12, 34, 2, 1)
    assert parse_memory_events(b"low 0\nhigh 0\nmax 5\noom 0\n").oom_kill is None


def test_the_oom_control_of_version_one() -> None:
    assert parse_oom_control(b"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n") == OomControl(False, False, 3)
    assert parse_oom_control(b"oom_kill_disable 1\nunder_oom 1\n") == OomControl(True, True, None)


@given(st.binary(max_size=300))
def test_any_bytes_give_values_or_unknown(data: bytes) -> None:
    limit = parse_limit(data)
    assert limit is None or 0 <= limit <= UNLIMITED
    for parsed in (parse_memory_stat(data), parse_memory_events(data), parse_oom_control(data)):
        assert all(value is None or value >= 0 for value in parsed)

"""The files of a memory cgroup: cgroup-v2.rst, cgroup-v1/memory.rst."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from memtop.procfs.lines import int_or_none, key_values, pairs

UNLIMITED: Final = (1 << 63) - 1
"""The value of a limit that is not set: larger than every size, so that it compares like a limit."""
_V1_UNLIMITED: Final = UNLIMITED - (1 << 20)
"""cgroup v1 writes LONG_MAX rounded down to a page (9223372036854771712 with 4 KiB pages, less with larger ones)."""
_KERNEL: Final = (b"slab", b"kernel_stack", b"pagetables", b"sec_pagetables", b"percpu", b"vmalloc")
"""Parts of kernel memory in memory.stat of v2."""
_INACTIVE_ANON: Final = b"total_inactive_anon", b"inactive_anon"
_ACTIVE_ANON: Final = b"total_active_anon", b"active_anon"
_V1_LOCAL: Final = (b"rss", b"cache")
_SHRINKS: Final = rb"^(dentry|radix_tree_node|.*_inode(_cache)?)(\(|$)"
"""Names of slab caches whose objects the kernel frees under pressure (SLAB_RECLAIM_ACCOUNT)."""


class MemoryStat(NamedTuple):
    """memory.stat of a cgroup with its descendants, in bytes unless noted otherwise; None if the line is absent."""

    anon_bytes: int | None
    """cgroup v1 calls it rss."""
    file_bytes: int | None
    """Page cache, with tmpfs and shared memory. cgroup v1 calls it cache."""
    shmem_bytes: int | None
    kernel_bytes: int | None
    """In v2 since Linux 5.18, before that the sum of its parts. In v1 it is memory.kmem.usage_in_bytes, a file of its
    own."""
    sock_bytes: int | None
    """v2 only."""
    slab_reclaimable_bytes: int | None
    """v2; of v1 the caches of memory.kmem.slabinfo that are known to shrink, which is empty since Linux 5.9."""
    zswap_bytes: int | None
    """Compressed pages, part of the kernel memory; v2 since Linux 5.19."""
    hugetlb_bytes: int | None
    """v2 since Linux 6.7, where huge pages are charged."""
    inactive_file_bytes: int | None
    active_file_bytes: int | None
    unevictable_bytes: int | None
    refault_anon: int | None
    """Pages of anonymous memory read back after eviction, a counter."""
    refault_file: int | None
    pgmajfault: int | None
    """A counter."""
    hierarchical_limit_bytes: int | None
    """v1 only: the lowest limit of the cgroup and its ancestors."""
    below_bytes: int | None
    """v1 only: the part of anonymous memory and page cache that belongs to descendants."""
    swappable_bytes: int | None = None
    """Anonymous memory and shmem that may be swapped out: locked memory (mlock) is on no list of theirs."""


class MemoryEvents(NamedTuple):
    """memory.events of cgroup v2, of a cgroup with its descendants; memory.events.local, of the cgroup alone.

    Counts.
    """

    low: int | None
    high: int | None
    """How often tasks were throttled at memory.high."""
    max: int | None
    """How often the limit was hit and memory had to be reclaimed."""
    oom: int | None
    oom_kill: int | None
    """Processes of the cgroup killed by any kernel OOM killer."""


class OomControl(NamedTuple):
    """memory.oom_control of cgroup v1, for this cgroup alone."""

    kill_disabled: bool | None
    """Tasks hang at the limit instead of being killed."""
    under_oom: bool | None
    oom_kill: int | None
    """Processes killed, since Linux 4.13."""


def parse_limit(data: bytes) -> int | None:
    """Parse memory.max, memory.high, memory.limit_in_bytes and the like into bytes.

    UNLIMITED means no limit; None means that the text is not a limit.
    """
    if data.strip() == b"max":
        return UNLIMITED
    limit = int_or_none(data)
    if limit is None or limit < -1:
        return None
    return UNLIMITED if limit == -1 or limit >= _V1_UNLIMITED else limit


def parse_count(data: bytes) -> int | None:
    """Parse a file with one number, such as memory.current or memory.failcnt.

    None if it is not a number of 0 or more.
    """
    count = int_or_none(data)
    return count if count is not None and count >= 0 else None


def parse_memory_stat(data: bytes) -> MemoryStat:
    """Parse memory.stat of either version. In v1 the ``total_`` lines are used, which include the descendants."""
    lines = pairs(data)

    def value(*keys: bytes) -> int | None:
        for key in keys:
            if key in lines:
                return parse_count(lines[key])
        return None

    limit = lines.get(b"hierarchical_memory_limit")
    return MemoryStat(
        anon_bytes=value(b"anon", b"total_rss", b"rss"),
        file_bytes=value(b"file", b"total_cache", b"cache"),
        shmem_bytes=value(b"total_shmem", b"shmem"),
        kernel_bytes=value(b"kernel") if b"kernel" in lines else _sum(value(key) for key in _KERNEL),
        sock_bytes=value(b"sock"),
        slab_reclaimable_bytes=value(b"slab_reclaimable"),
        zswap_bytes=value(b"zswap"),
        hugetlb_bytes=value(b"hugetlb"),
        inactive_file_bytes=value(b"total_inactive_file", b"inactive_file"),
        active_file_bytes=value(b"total_active_file", b"active_file"),
        unevictable_bytes=value(b"total_unevictable", b"unevictable"),
        refault_anon=value(b"total_workingset_refault_anon", b"workingset_refault_anon"),
        refault_file=value(b"total_workingset_refault_file", b"workingset_refault_file"),
        pgmajfault=value(b"total_pgmajfault", b"pgmajfault"),
        hierarchical_limit_bytes=None if limit is None else parse_limit(limit),
        below_bytes=None if b"total_rss" not in lines else _below(lines),
        swappable_bytes=None
        if None in (anon := (value(*_INACTIVE_ANON), value(*_ACTIVE_ANON)))
        else sum(one or 0 for one in anon),
    )


def _sum(sizes_bytes: Iterable[int | None]) -> int | None:
    known = [size for size in sizes_bytes if size is not None]
    return sum(known) if known else None


def _below(lines: dict[bytes, bytes]) -> int | None:
    both = [(parse_count(lines.get(b"total_" + key, b"")), parse_count(lines.get(key, b""))) for key in _V1_LOCAL]
    return sum(max(0, (whole or 0) - (own or 0)) for whole, own in both if own is not None)


def parse_reclaimable_slab(data: bytes) -> int | None:
    """Bytes of memory.kmem.slabinfo in caches that shrink under pressure: cached inodes and directory entries.

    None where the file lists no cache at all, as since Linux 5.9. See slabinfo(5).
    """
    found: int | None = None
    for line in data.split(b"\n"):
        words = line.split()
        if len(words) < 6 or not all(word.isdigit() for word in words[1:6]):
            continue
        objects, size = int(words[2]), int(words[3])
        found = (found or 0) + (objects * size if re.search(_SHRINKS, words[0]) else 0)
    return found


def parse_memory_events(data: bytes) -> MemoryEvents:
    """Parse memory.events or memory.events.local."""
    lines = key_values(data, b" ")
    return MemoryEvents(*(parse_count(lines.get(name.encode(), b"")) for name in MemoryEvents._fields))


def parse_oom_control(data: bytes) -> OomControl:
    """Parse memory.oom_control."""
    lines = key_values(data, b" ")
    disabled = parse_count(lines.get(b"oom_kill_disable", b""))
    under = parse_count(lines.get(b"under_oom", b""))
    return OomControl(
        kill_disabled=None if disabled is None else bool(disabled),
        under_oom=None if under is None else bool(under),
        oom_kill=parse_count(lines.get(b"oom_kill", b"")),
    )

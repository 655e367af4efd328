"""A memory cgroup's ledger: its memory (charge) by owner, and by whether the kernel can reclaim it.

Sources: cgroup-v2.rst, cgroup-v1/memory.rst, mm/memcontrol.c of the kernel.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from memtop.analysis.ledger.ledger import Ledger, Part, make_ledger
from memtop.procfs.cgroup import MemoryStat

_NOISE_BYTES: Final = 1 << 20
"""Statistics are updated late, so differences of this size mean nothing."""


class CgroupPart(StrEnum):
    """A part of a cgroup's memory. The value is its key in JSON."""

    ANON = "anon"
    """Private memory of processes, without memory given back by MADV_FREE."""
    LAZYFREE = "lazyfree"
    """Memory given back by MADV_FREE: anonymous pages on the lists of file pages, which are dropped like those."""
    ANON_UNMAPPED = "anon_unmapped"
    """Anonymous memory that no process maps: freed parts of huge pages that are not split yet, and the swap cache. The
    kernel reclaims it like page cache."""
    SHMEM = "shmem"
    """tmpfs, memfd, System V and anonymous shared memory. It is charged to the cgroup that touched it first, mapped or
    not."""
    KERNEL = "kernel"
    """Kernel memory without reclaimable slab and zswap."""
    KERNEL_AND_SLAB = "kernel_and_slab"
    """All kernel memory, if its slab is not separate (version 1). Part of it can be reclaimed."""
    SLAB_RECLAIMABLE = "slab_reclaimable"
    """Cached inodes, directory entries and the like."""
    ZSWAP = "zswap"
    """Compressed pages in RAM."""
    SOCK = "sock"
    """Buffers of sockets."""
    HUGETLB = "hugetlb"
    """Huge pages, if they are charged at all (mount option memory_hugetlb_accounting)."""
    CACHE_INACTIVE = "cache_inactive"
    CACHE_ACTIVE = "cache_active"
    CACHE = "cache"
    """Page cache, if its active part is unknown."""
    FILE_OTHER = "file_other"
    """File pages on neither list: mlocked, or shared memory if this kernel does not report that separately."""
    OTHER = "other"
    """Memory that memory.stat does not name."""
    UNSPLIT = "kernel_and_other"
    """The same if kernel memory is unknown too. Part of it may be reclaimable slab."""


_LEDGERS: Final = 128
"""Of one reading the limits, the series and the incidents ask for it."""
_INACTIVE: Final = (CgroupPart.CACHE_INACTIVE, CgroupPart.LAZYFREE)
_RECLAIMABLE: Final = (*_INACTIVE, CgroupPart.CACHE_ACTIVE, CgroupPart.SLAB_RECLAIMABLE, CgroupPart.ANON_UNMAPPED)
_UNSURE: Final = (CgroupPart.CACHE, CgroupPart.KERNEL_AND_SLAB, CgroupPart.UNSPLIT)


@lru_cache(maxsize=_LEDGERS)
def cgroup_ledger(usage_bytes: int, stat: MemoryStat | None) -> Ledger:
    """The ledger of memory.current or memory.usage_in_bytes. Without memory.stat all of it is the remainder.

    If statistics that are updated late exceed the use, what can be reclaimed is cut first.
    """
    if stat is None:
        return make_ledger(usage_bytes, (), CgroupPart.UNSPLIT)
    kernel = _kernel(stat)
    known = any(part is not None for part in kernel)
    named = (
        *_anon(stat),
        _part(CgroupPart.SHMEM, stat.shmem_bytes),
        *kernel,
        _part(CgroupPart.SOCK, stat.sock_bytes),
        _part(CgroupPart.HUGETLB, stat.hugetlb_bytes),
        *_cache(stat),
        _part(CgroupPart.ANON_UNMAPPED, _anon_unmapped(stat)),
    )
    return make_ledger(usage_bytes, named, CgroupPart.OTHER if known else CgroupPart.UNSPLIT)


def inactive_bytes(ledger: Ledger) -> int:
    """The memory of a cgroup that the kernel reclaims first. The working set is the rest."""
    return ledger.size_of(*_INACTIVE) or 0


def reclaimable_bytes(ledger: Ledger) -> int:
    """The memory of a cgroup that can certainly be reclaimed without swap."""
    return ledger.size_of(*_RECLAIMABLE) or 0


def unsure_bytes(ledger: Ledger) -> int:
    """The memory of a cgroup that may be reclaimable, in whole or in part: the kernel does not say."""
    return ledger.size_of(*_UNSURE) or 0


class Unmapped(NamedTuple):
    """Memory charged to a cgroup that none of its processes has in RES and that is not page cache.

    Bytes, lower bounds.
    """

    shmem_bytes: int
    anon_bytes: int
    """Huge pages that are not split yet, or memory of processes that have moved to another cgroup."""
    kernel_bytes: int
    """Kernel memory and buffers of sockets, without slab that is known to be reclaimable."""

    @property
    def total_bytes(self) -> int:
        """The sum."""
        return sum(self)


def unmapped(ledger: Ledger, tasks_anon_bytes: int, tasks_shmem_bytes: int) -> Unmapped:
    """The difference between a ledger and the RES of all processes in the cgroup.

    ``tasks_anon_bytes`` and ``tasks_shmem_bytes`` are the sums of their RssAnon and RssShmem. These count shared pages
    several times, and pages that are charged to another cgroup. Therefore the difference is a lower bound.
    """
    anon = ledger.size_of(CgroupPart.ANON, CgroupPart.LAZYFREE) or 0
    return Unmapped(
        shmem_bytes=max(0, (ledger.size_of(CgroupPart.SHMEM) or 0) - tasks_shmem_bytes),
        anon_bytes=max(0, anon - tasks_anon_bytes),
        kernel_bytes=ledger.size_of(CgroupPart.KERNEL, CgroupPart.KERNEL_AND_SLAB, CgroupPart.SOCK) or 0,
    )


def _part(name: CgroupPart, size_bytes: int | None) -> Part | None:
    return None if size_bytes is None else Part(name, size_bytes)


def _lists(stat: MemoryStat) -> int:
    """Pages on the lists of file pages."""
    return (stat.inactive_file_bytes or 0) + (stat.active_file_bytes or 0)


def _files(stat: MemoryStat) -> int | None:
    """Page cache without shared memory; with it if this kernel does not report it separately."""
    return None if stat.file_bytes is None else max(0, stat.file_bytes - (stat.shmem_bytes or 0))


def _lazyfree(stat: MemoryStat) -> int:
    """Anonymous pages on the lists of file pages: the amount by which those lists exceed the page cache."""
    files = _files(stat)
    if files is None or stat.shmem_bytes is None or stat.anon_bytes is None:
        return 0
    beyond = min(_lists(stat) - files, stat.anon_bytes, stat.inactive_file_bytes or 0)
    return beyond if beyond > _NOISE_BYTES else 0


def _anon(stat: MemoryStat) -> tuple[Part | None, ...]:
    if stat.anon_bytes is None:
        return ()
    lazyfree = _lazyfree(stat)
    parts = (Part(CgroupPart.ANON, stat.anon_bytes - lazyfree), Part(CgroupPart.LAZYFREE, lazyfree))
    return parts if lazyfree else parts[:1]


def _anon_unmapped(stat: MemoryStat) -> int | None:
    """The amount by which the lists of anonymous pages exceed what is mapped of them, and shared memory."""
    if stat.swappable_bytes is None or stat.anon_bytes is None or stat.shmem_bytes is None:
        return None
    beyond = stat.swappable_bytes - (stat.anon_bytes - _lazyfree(stat)) - stat.shmem_bytes
    return beyond if beyond > _NOISE_BYTES else None


def _kernel(stat: MemoryStat) -> tuple[Part | None, ...]:
    """Kernel memory; unsplit if reclaimable slab is unknown."""
    kernel, slab, zswap = stat.kernel_bytes, stat.slab_reclaimable_bytes, stat.zswap_bytes
    if slab is None:
        return (_part(CgroupPart.KERNEL_AND_SLAB, kernel),)
    rest = None if kernel is None else max(0, kernel - slab - (zswap or 0))
    return _part(CgroupPart.KERNEL, rest), _part(CgroupPart.SLAB_RECLAIMABLE, slab), _part(CgroupPart.ZSWAP, zswap)


def _cache(stat: MemoryStat) -> tuple[Part | None, ...]:
    """Page cache by list. Pages on neither list come first, because they cannot be dropped."""
    files, lazyfree = _files(stat), _lazyfree(stat)
    inactive, active = stat.inactive_file_bytes, stat.active_file_bytes
    if inactive is None and active is None:
        return (_part(CgroupPart.CACHE, files),)
    inactive, active = (inactive or 0) - lazyfree, active or 0
    if files is not None:
        inactive = min(inactive, files)
        active = min(active, files - inactive)
    other = None if files is None else files - inactive - active
    return (
        _part(CgroupPart.FILE_OTHER, other if other is None or other > _NOISE_BYTES else None),
        Part(CgroupPart.CACHE_ACTIVE, active),
        Part(CgroupPart.CACHE_INACTIVE, inactive),
    )

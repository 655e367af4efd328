"""The machine's ledger: every page of MemTotal by its use, from /proc/meminfo, vmstat and zoneinfo.

Sources: Documentation/filesystems/proc.rst, fs/proc/meminfo.c, mm/vmscan.c of the kernel.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Final

from memtop.analysis.ledger.ledger import REMAINDER, Ledger, Part, make_ledger
from memtop.procfs.meminfo import Meminfo


class MachinePart(StrEnum):
    """A part of the machine's RAM. The value is its key in JSON."""

    FREE = "free"
    FREE_PER_CPU = "free_per_cpu"
    """Free pages on the lists of the CPUs, which MemFree leaves out: up to an eighth of the RAM since Linux 6.7."""
    ANONYMOUS = "anonymous"
    """AnonPages: private memory of processes, transparent huge pages included."""
    FILE_MAPPED = "file_mapped"
    """Clean file pages that a process maps. They have an upper bound, because Mapped counts shared memory too."""
    CACHE_CLEAN = "cache_clean"
    """Page cache that the kernel can drop at once."""
    CACHE_UNEVICTABLE = "cache_unevictable"
    """Page cache that the kernel cannot drop, because there is no copy of it: files of ramfs."""
    CACHE_DIRTY = "cache_dirty"
    CACHE_WRITEBACK = "cache_writeback"
    SHMEM = "shmem"
    """tmpfs, memfd, System V and anonymous shared memory, mapped or not."""
    SWAP_CACHED = "swap_cached"
    """Pages read from swap that no process maps."""
    SLAB_RECLAIMABLE = "slab_reclaimable"
    SLAB_UNRECLAIMABLE = "slab_unreclaimable"
    KERNEL_RECLAIMABLE = "kernel_reclaimable"
    """KReclaimable without slab."""
    PAGE_TABLES = "page_tables"
    """PageTables and SecPageTables (KVM, IOMMU)."""
    KERNEL_STACKS = "kernel_stacks"
    VMALLOC = "vmalloc"
    """VmallocUsed without the kernel stacks in it."""
    PERCPU = "percpu"
    HUGETLB_USED = "hugetlb_used"
    HUGETLB_RESERVED = "hugetlb_reserved"
    """Free huge pages that are promised to a mapping."""
    HUGETLB_FREE = "hugetlb_free"
    HUGETLB_OTHER_SIZES = "hugetlb_other_sizes"
    """Pools of other sizes than the default. /proc/meminfo does not show how much of them is used."""
    ZSWAP = "zswap"
    """Compressed pages of zswap: the RAM that they use."""
    ZRAM = "zram"
    """The rest of the compressed pages of zsmalloc: zram."""
    ZFS_ARC = "zfs_arc"
    """The cache of ZFS, where its statistics are there. It shrinks under pressure; MemAvailable leaves it out."""
    FUSE_WRITEBACK = "fuse_writeback"
    BOUNCE = "bounce"
    GPU = "gpu"
    """GPUActive and GPUReclaim, since Linux 7.1."""
    BALLOON = "balloon"
    """Pages given back to the hypervisor, as far as they still count in MemTotal."""
    POISONED = "poisoned"
    """HardwareCorrupted: taken out of use after memory errors."""
    UNACCOUNTED = REMAINDER
    """Memory that no counter names: drivers, GPU, a balloon of older kernels; free pages of the CPUs if
    /proc/zoneinfo was not read."""


class Reclaim(Enum):
    """How the kernel reclaims pages for other processes."""

    IS_FREE = "already free"
    DROP = "at once"
    SHRINK = "if not in use"
    WRITE = "after writeback"
    SWAP = "only to swap"
    NO = "no"
    UNKNOWN = "unknown"


RECLAIM: Final[dict[MachinePart, Reclaim]] = {
    MachinePart.FREE: Reclaim.IS_FREE,
    MachinePart.FREE_PER_CPU: Reclaim.IS_FREE,
    MachinePart.ANONYMOUS: Reclaim.SWAP,
    MachinePart.FILE_MAPPED: Reclaim.DROP,
    MachinePart.CACHE_CLEAN: Reclaim.DROP,
    MachinePart.CACHE_DIRTY: Reclaim.WRITE,
    MachinePart.CACHE_WRITEBACK: Reclaim.WRITE,
    MachinePart.SHMEM: Reclaim.SWAP,
    MachinePart.SWAP_CACHED: Reclaim.DROP,
    MachinePart.SLAB_RECLAIMABLE: Reclaim.SHRINK,
    MachinePart.KERNEL_RECLAIMABLE: Reclaim.SHRINK,
    MachinePart.ZFS_ARC: Reclaim.SHRINK,
    MachinePart.UNACCOUNTED: Reclaim.UNKNOWN,
}
"""Parts that are absent cannot be reclaimed."""


def reclaim_of(part: MachinePart) -> Reclaim:
    """How the kernel reclaims pages of a part."""
    return RECLAIM.get(part, Reclaim.NO)


def machine_ledger(
    meminfo: Meminfo,
    *,
    per_cpu_bytes: int | None = None,
    zspages_bytes: int | None = None,
    zram_bytes: int | None = None,
    arc_bytes: int | None = None,
) -> Ledger | None:
    """The ledger of MemTotal; None if that is unknown.

    ``per_cpu_bytes`` are the free pages on the lists of the CPUs (/proc/zoneinfo), ``zspages_bytes`` is nr_zspages of
    /proc/vmstat, ``zram_bytes`` is the sum of mem_used_total of all /sys/block/zram*/mm_stat, ``arc_bytes`` what ZFS
    caches. Each is None if it was not read. Memory of absent counters stays in the remainder. For the meminfo of a
    container see :func:`of_container`.
    """
    m = meminfo
    if m.total_bytes is None:
        return None
    named = _counted(m, per_cpu_bytes, zspages_bytes, zram_bytes, arc_bytes)
    return make_ledger(m.total_bytes, named, MachinePart.UNACCOUNTED)


_OF_MACHINE: Final = (
    *("kernel_stack_bytes", "page_tables_bytes", "sec_page_tables_bytes", "vmalloc_used_bytes", "percpu_bytes"),
    *("slab_reclaimable_bytes", "slab_unreclaimable_bytes", "kernel_reclaimable_bytes", "swap_cached_bytes"),
    *("zswap_bytes", "zswapped_bytes", "bounce_bytes", "fuse_writeback_bytes", "poisoned_bytes", "balloon_bytes"),
    *("gpu_active_bytes", "gpu_reclaim_bytes", "hugetlb_bytes", "huge_page_bytes", "huge_pages_total"),
)
"""What the meminfo of lxcfs copies from the machine, or gives as 0 though the container has some."""


def of_container(meminfo: Meminfo) -> Meminfo:
    """The meminfo of lxcfs without what is not the container's own: then MemTotal is its limit, and the remainder its
    kernel memory (lxcfs, src/proc_fuse.c).

    Older versions copy more from the machine: what the container cannot have within its use is left out too.
    """
    own = meminfo._replace(**dict.fromkeys(_OF_MACHINE))
    if own.total_bytes is None or own.free_bytes is None:
        return own
    cached = own.cached_bytes or 0
    most = {"anon_bytes": own.total_bytes - own.free_bytes - cached, "mapped_bytes": cached}
    most |= {"dirty_bytes": cached, "writeback_bytes": cached}
    foreign = [name for name, size in most.items() if (getattr(own, name) or 0) > size]
    return own._replace(**dict.fromkeys(foreign))


def counted_bytes(meminfo: Meminfo, *, zspages_bytes: int | None = None) -> dict[str, int]:
    """The parts as they were counted, by name, to be compared with those of other instants.

    In a ledger the last ones are cut where all together exceed MemTotal, so that they move without reason.
    """
    named = _counted(meminfo, None, zspages_bytes, None, None)
    return {part.name: max(0, part.size_bytes) for part in named if part is not None}


def _counted(
    m: Meminfo, per_cpu_bytes: int | None, zspages_bytes: int | None, zram_bytes: int | None, arc_bytes: int | None
) -> tuple[Part | None, ...]:
    """All parts but the remainder, the most reliable first."""
    cache = _page_cache(m)
    return (
        _part(MachinePart.FREE, m.free_bytes),
        _part(MachinePart.ANONYMOUS, m.anon_bytes),
        _part(MachinePart.SHMEM, m.shmem_bytes),
        *cache,
        _part(MachinePart.SLAB_RECLAIMABLE, m.slab_reclaimable_bytes),
        _part(MachinePart.SLAB_UNRECLAIMABLE, m.slab_unreclaimable_bytes),
        *_huge_pools(m),
        _part(MachinePart.PAGE_TABLES, _sum(m.page_tables_bytes, m.sec_page_tables_bytes)),
        _part(MachinePart.KERNEL_STACKS, m.kernel_stack_bytes),
        _part(MachinePart.VMALLOC, _vmalloc(m)),
        _part(MachinePart.PERCPU, m.percpu_bytes),
        _part(MachinePart.FREE_PER_CPU, per_cpu_bytes),
        _part(MachinePart.SWAP_CACHED, _unmapped_swap_cache(m)),
        *_compressed(m, zspages_bytes, zram_bytes),
        _part(MachinePart.KERNEL_RECLAIMABLE, _difference(m.kernel_reclaimable_bytes, m.slab_reclaimable_bytes)),
        _part(MachinePart.ZFS_ARC, arc_bytes),
        _part(MachinePart.FUSE_WRITEBACK, m.fuse_writeback_bytes),
        _part(MachinePart.BOUNCE, m.bounce_bytes),
        _part(MachinePart.POISONED, m.poisoned_bytes),
        _part(MachinePart.GPU, _sum(m.gpu_active_bytes, m.gpu_reclaim_bytes)),
        # Most balloons take their pages out of MemTotal, and the line counts those too.
        _part(MachinePart.BALLOON, m.balloon_bytes),
    )


def _part(name: MachinePart, size_bytes: int | None, at_most_bytes: int | None = None) -> Part | None:
    return None if size_bytes is None else Part(name, size_bytes, at_most_bytes)


def _sum(*sizes_bytes: int | None) -> int | None:
    known = [size for size in sizes_bytes if size is not None]
    return sum(known) if known else None


def _difference(whole_bytes: int | None, part_bytes: int | None) -> int | None:
    return None if whole_bytes is None or part_bytes is None else max(0, whole_bytes - part_bytes)


def _file_cache(m: Meminfo) -> int | None:
    """Pages of files and block devices: Cached and Buffers without shared memory, which Cached includes."""
    if m.cached_bytes is None:
        return None
    return max(0, m.cached_bytes - (m.shmem_bytes or 0)) + (m.buffers_bytes or 0)


def _page_cache(m: Meminfo) -> tuple[Part | None, ...]:
    """Dirty, writeback, mapped and other clean pages.

    Mapped includes shared memory, for which only bounds are known.
    """
    cache = _file_cache(m)
    if cache is None:
        return ()
    dirty = min(m.dirty_bytes or 0, cache)
    writeback = min(m.writeback_bytes or 0, cache - dirty)
    of_ramfs, locked = _unevictable(m, cache)
    unevictable = min(of_ramfs + locked, cache - dirty - writeback)
    clean = cache - dirty - writeback - unevictable
    mapped: Part | None = None
    if m.mapped_bytes is not None:
        least = min(max(0, m.mapped_bytes - (m.shmem_bytes or 0) - locked), clean)
        most = min(max(0, m.mapped_bytes - locked), clean)
        mapped = _part(MachinePart.FILE_MAPPED, least, most if most > least else None)
        clean -= least
    return (
        _part(MachinePart.CACHE_DIRTY, None if m.dirty_bytes is None else dirty),
        _part(MachinePart.CACHE_WRITEBACK, None if m.writeback_bytes is None else writeback),
        mapped,
        _part(MachinePart.CACHE_UNEVICTABLE, unevictable),
        _part(MachinePart.CACHE_CLEAN, clean),
    )


def _unevictable(m: Meminfo, cache_bytes: int) -> tuple[int, int]:
    """What of the page cache is on no list of reclaim: files of ramfs, and pages that processes have mapped and locked;
    0 where that is unknown."""
    on_lists = _sum(m.active_file_bytes, m.inactive_file_bytes)
    if on_lists is None or m.unevictable_bytes is None or m.mlocked_bytes is None:
        return 0, 0
    beyond = max(0, cache_bytes - on_lists)
    of_ramfs = max(0, min(m.unevictable_bytes - m.mlocked_bytes, beyond))
    return of_ramfs, min(m.mlocked_bytes, beyond - of_ramfs)


def _unmapped_swap_cache(m: Meminfo) -> int | None:
    """The part of SwapCached that is not in AnonPages: the LRU lists beyond everything that is named."""
    lists = (m.active_bytes, m.inactive_bytes, m.unevictable_bytes)
    if m.swap_cached_bytes is None:
        return None
    if not m.swap_cached_bytes:
        return 0
    if None in lists or m.anon_bytes is None or m.cached_bytes is None:
        return None
    beyond = (_sum(*lists) or 0) - m.anon_bytes - m.cached_bytes - (m.buffers_bytes or 0)
    return min(max(0, beyond), m.swap_cached_bytes)


def _vmalloc(m: Meminfo) -> int | None:
    """VmallocUsed without kernel stacks, which are part of it on every kernel with CONFIG_VMAP_STACK."""
    if m.vmalloc_used_bytes is None:
        return None
    return max(0, m.vmalloc_used_bytes - (m.kernel_stack_bytes or 0))


def _huge_pools(m: Meminfo) -> tuple[Part | None, ...]:
    """Pools of huge pages (hugetlb), which are taken from all other memory when they are filled."""
    size = m.huge_page_bytes
    if size is None or m.huge_pages_total is None:
        return (_part(MachinePart.HUGETLB_OTHER_SIZES, m.hugetlb_bytes),)
    total = m.huge_pages_total * size
    free = min((m.huge_pages_free or 0) * size, total)
    reserved = min((m.huge_pages_reserved or 0) * size, free)
    return (
        _part(MachinePart.HUGETLB_USED, total - free),
        _part(MachinePart.HUGETLB_RESERVED, reserved),
        _part(MachinePart.HUGETLB_FREE, free - reserved),
        _part(MachinePart.HUGETLB_OTHER_SIZES, _difference(m.hugetlb_bytes, total)),
    )


def _compressed(m: Meminfo, zspages_bytes: int | None, zram_bytes: int | None) -> tuple[Part | None, ...]:
    """Compressed swap in RAM.

    Without mm_stat, zram is the part of zsmalloc beyond zswap, which may use zsmalloc too.
    """
    if zram_bytes is None and zspages_bytes is not None:
        zram_bytes = max(0, zspages_bytes - (m.zswap_bytes or 0))
    return _part(MachinePart.ZSWAP, m.zswap_bytes), _part(MachinePart.ZRAM, zram_bytes)

"""/proc/meminfo, proc_meminfo(5): the machine's memory."""

from typing import NamedTuple

from memtop.procfs.lines import int_or_none, key_values, kib_to_bytes


class Meminfo(NamedTuple):
    """Sizes in bytes and counts of huge pages, None where this kernel or container does not show the line."""

    total_bytes: int | None
    free_bytes: int | None
    available_bytes: int | None
    """MemAvailable: RAM that programs could still get without swapping, estimated by the kernel (since 3.14).
    MemFree where a container shows more than MemTotal, as procps does; never more than MemTotal."""
    cached_bytes: int | None
    """Cached: page cache, shared memory included, which cannot be dropped."""
    shmem_bytes: int | None
    swap_total_bytes: int | None
    swap_free_bytes: int | None
    committed_bytes: int | None
    """Committed_AS: address space the kernel has promised to back."""
    commit_limit_bytes: int | None
    """CommitLimit: enforced only with vm.overcommit_memory=2."""
    anon_bytes: int | None
    """AnonPages: anonymous pages that are mapped, transparent huge pages included."""
    mapped_bytes: int | None
    """Mapped: pages of files and of shared memory that are mapped."""
    buffers_bytes: int | None
    """Buffers: page cache of block devices, which Cached leaves out."""
    swap_cached_bytes: int | None
    """SwapCached: pages read from swap that still have their place there; most of them are in AnonPages too."""
    active_bytes: int | None
    inactive_bytes: int | None
    unevictable_bytes: int | None
    dirty_bytes: int | None
    writeback_bytes: int | None
    """Writeback: pages being written, those on their way to swap included."""
    slab_reclaimable_bytes: int | None
    slab_unreclaimable_bytes: int | None
    kernel_reclaimable_bytes: int | None
    """KReclaimable: SReclaimable and other kernel memory with a shrinker, since 4.20."""
    kernel_stack_bytes: int | None
    page_tables_bytes: int | None
    sec_page_tables_bytes: int | None
    """SecPageTables: page tables of KVM and of IOMMUs, since 6.1."""
    vmalloc_used_bytes: int | None
    """VmallocUsed: pages, since 5.3; 0 from 4.4 to 5.2, and address space before."""
    percpu_bytes: int | None
    """Percpu, since 4.20."""
    zswap_bytes: int | None
    """Zswap: RAM that the compressed pages take, since 5.19."""
    zswapped_bytes: int | None
    """Zswapped: what they were before they were compressed."""
    bounce_bytes: int | None
    fuse_writeback_bytes: int | None
    """WritebackTmp."""
    poisoned_bytes: int | None
    """HardwareCorrupted."""
    balloon_bytes: int | None
    """Balloon: given back to the hypervisor, since 6.16; most drivers take it out of MemTotal as well."""
    gpu_active_bytes: int | None
    """GPUActive, since 7.1."""
    gpu_reclaim_bytes: int | None
    """GPUReclaim: pools of free pages of GPU drivers."""
    hugetlb_bytes: int | None
    """Hugetlb: pools of huge pages of all sizes, since 4.17."""
    huge_page_bytes: int | None
    """Hugepagesize: the default size; the counts below are of this size only."""
    huge_pages_total: int | None
    huge_pages_free: int | None
    huge_pages_reserved: int | None
    """HugePages_Rsvd: of the free ones, promised to a mapping."""
    huge_pages_surplus: int | None
    """HugePages_Surp: of the total, beyond vm.nr_hugepages."""


def parse_meminfo(data: bytes) -> Meminfo:
    """Parse /proc/meminfo; lines that are absent become None."""
    lines = key_values(data)

    def size(key: bytes) -> int | None:
        return kib_to_bytes(lines.get(key))

    total, free, available = size(b"MemTotal"), size(b"MemFree"), size(b"MemAvailable")
    if total is not None and available is not None and available > total:
        available = None if free is None else min(free, total)
    return Meminfo(
        total_bytes=total,
        free_bytes=free,
        available_bytes=available,
        cached_bytes=size(b"Cached"),
        shmem_bytes=size(b"Shmem"),
        swap_total_bytes=size(b"SwapTotal"),
        swap_free_bytes=size(b"SwapFree"),
        committed_bytes=size(b"Committed_AS"),
        commit_limit_bytes=size(b"CommitLimit"),
        anon_bytes=size(b"AnonPages"),
        mapped_bytes=size(b"Mapped"),
        buffers_bytes=size(b"Buffers"),
        swap_cached_bytes=size(b"SwapCached"),
        active_bytes=size(b"Active"),
        inactive_bytes=size(b"Inactive"),
        unevictable_bytes=size(b"Unevictable"),
        dirty_bytes=size(b"Dirty"),
        writeback_bytes=size(b"Writeback"),
        slab_reclaimable_bytes=size(b"SReclaimable"),
        slab_unreclaimable_bytes=size(b"SUnreclaim"),
        kernel_reclaimable_bytes=size(b"KReclaimable"),
        kernel_stack_bytes=size(b"KernelStack"),
        page_tables_bytes=size(b"PageTables"),
        sec_page_tables_bytes=size(b"SecPageTables"),
        vmalloc_used_bytes=size(b"VmallocUsed"),
        percpu_bytes=size(b"Percpu"),
        zswap_bytes=size(b"Zswap"),
        zswapped_bytes=size(b"Zswapped"),
        bounce_bytes=size(b"Bounce"),
        fuse_writeback_bytes=size(b"WritebackTmp"),
        poisoned_bytes=size(b"HardwareCorrupted"),
        balloon_bytes=size(b"Balloon"),
        gpu_active_bytes=size(b"GPUActive"),
        gpu_reclaim_bytes=size(b"GPUReclaim"),
        hugetlb_bytes=size(b"Hugetlb"),
        huge_page_bytes=size(b"Hugepagesize"),
        huge_pages_total=int_or_none(lines.get(b"HugePages_Total")),
        huge_pages_free=int_or_none(lines.get(b"HugePages_Free")),
        huge_pages_reserved=int_or_none(lines.get(b"HugePages_Rsvd")),
        huge_pages_surplus=int_or_none(lines.get(b"HugePages_Surp")),
    )

"""/proc/meminfo, proc_meminfo(5): the machine's memory."""

from typing import NamedTuple

from memtop.procfs.lines import int_or_none, key_values, kib_to_bytes


class Meminfo(NamedTuple):
    """Sizes in bytes, and counts of huge pages. None if this kernel or container does not show the line."""

    total_bytes: int | None
    free_bytes: int | None
    available_bytes: int | None
    """MemAvailable: the kernel's estimate of the RAM that programs could still get without swapping (since 3.14). If a
    container shows more than MemTotal, it is MemFree, as in procps. It is never more than MemTotal."""
    cached_bytes: int | None
    """Cached: page cache. It includes shared memory, which cannot be dropped."""
    shmem_bytes: int | None
    swap_total_bytes: int | None
    swap_free_bytes: int | None
    committed_bytes: int | None
    """Committed_AS: address space the kernel has promised to back."""
    commit_limit_bytes: int | None
    """CommitLimit, enforced only with vm.overcommit_memory=2."""
    anon_bytes: int | None
    """AnonPages: mapped anonymous pages, transparent huge pages included."""
    mapped_bytes: int | None
    """Mapped: mapped pages of files and of shared memory."""
    buffers_bytes: int | None
    """Buffers: page cache of block devices, which is not in Cached."""
    swap_cached_bytes: int | None
    """SwapCached: pages that were read from swap and still have their swap slot. Most of them are in AnonPages too."""
    active_bytes: int | None
    inactive_bytes: int | None
    active_file_bytes: int | None
    inactive_file_bytes: int | None
    unevictable_bytes: int | None
    mlocked_bytes: int | None
    """Mlocked: the part of Unevictable that processes have locked."""
    dirty_bytes: int | None
    writeback_bytes: int | None
    """Writeback: pages being written, including pages on their way to swap."""
    slab_reclaimable_bytes: int | None
    slab_unreclaimable_bytes: int | None
    kernel_reclaimable_bytes: int | None
    """KReclaimable: SReclaimable and other kernel memory with a shrinker, since 4.20."""
    kernel_stack_bytes: int | None
    page_tables_bytes: int | None
    sec_page_tables_bytes: int | None
    """SecPageTables: page tables of KVM and of IOMMUs, since 6.1."""
    vmalloc_used_bytes: int | None
    """VmallocUsed, in pages since 5.3; 0 from 4.4 to 5.2; address space before."""
    percpu_bytes: int | None
    """Percpu, since 4.20."""
    zswap_bytes: int | None
    """Zswap: RAM that holds the compressed pages, since 5.19."""
    zswapped_bytes: int | None
    """Zswapped: the size of those pages before compression."""
    bounce_bytes: int | None
    fuse_writeback_bytes: int | None
    """WritebackTmp."""
    poisoned_bytes: int | None
    """HardwareCorrupted."""
    balloon_bytes: int | None
    """Balloon: memory given back to the hypervisor, since 6.16. Most drivers take it out of MemTotal as well."""
    gpu_active_bytes: int | None
    """GPUActive, since 7.1."""
    gpu_reclaim_bytes: int | None
    """GPUReclaim: free pages in the pools of GPU drivers."""
    hugetlb_bytes: int | None
    """Hugetlb: pools of huge pages of all sizes, since 4.17."""
    huge_page_bytes: int | None
    """Hugepagesize: the default size. The counts below are of this size only."""
    huge_pages_total: int | None
    huge_pages_free: int | None
    huge_pages_reserved: int | None
    """HugePages_Rsvd: free huge pages that are promised to a mapping."""
    """HugePages_Surp: huge pages beyond vm.nr_hugepages."""


def parse_meminfo(data: bytes) -> Meminfo:
    """Parse /proc/meminfo. Absent lines become None."""
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
        active_file_bytes=size(b"Active(file)"),
        inactive_file_bytes=size(b"Inactive(file)"),
        unevictable_bytes=size(b"Unevictable"),
        mlocked_bytes=size(b"Mlocked"),
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
    )

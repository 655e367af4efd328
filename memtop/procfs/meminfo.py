"""/proc/meminfo, proc_meminfo(5): the machine's memory."""

from typing import NamedTuple

from memtop.procfs.lines import key_values, kib_to_bytes


class Meminfo(NamedTuple):
    """Sizes in bytes, None where this kernel or container does not show the line."""

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
    )

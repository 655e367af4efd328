"""Splits what a memory cgroup is charged into parts that add up to it: one ledger for every view."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.procfs.cgroup import MemoryStat

OTHER: Final = "other"
"""The part that memory.stat does not name."""


class ChargePart(NamedTuple):
    """One part of a cgroup's charge."""

    name: str
    size_bytes: int


def charge_parts(usage_bytes: int, stat: MemoryStat) -> tuple[ChargePart, ...]:
    """Parts of memory.current or memory.usage_in_bytes that do not overlap, then the remainder; their sum is the use.

    A part of which nothing is known is absent and lies in the remainder. The kernel updates the statistics late, so
    the parts may exceed the use: the last of them are cut, page cache first.
    """
    shmem = stat.shmem_bytes
    file = stat.file_bytes
    cache = file if file is None or shmem is None else max(0, file - shmem)
    named = (
        ("anon", stat.anon_bytes),
        ("kernel", stat.kernel_bytes),
        ("sock", stat.sock_bytes),
        ("shmem", shmem),
        ("page cache" if shmem is not None else "file", cache),
    )
    left = usage_bytes
    parts = []
    for name, size_bytes in named:
        if size_bytes is not None:
            parts.append(ChargePart(name, min(size_bytes, left)))
            left -= parts[-1].size_bytes
    return (*parts, ChargePart(OTHER, left))

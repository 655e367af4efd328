"""Reads one memory cgroup through a given reader: its location, limits, use (memory.current) and memory.stat.

See cgroups(7), cgroup-v2.rst and cgroup-v1/memory.rst of the kernel's documentation.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from memtop.analysis.limits.memory_cgroups import CgroupPlace, memory_places
from memtop.procfs.cgroup import MemoryStat, parse_count, parse_limit, parse_memory_stat, parse_reclaimable_slab
from memtop.procfs.membership import parse_memberships
from memtop.procfs.mountinfo import parse_mountinfo

Read = Callable[[str, int], bytes | None]
"""``(path, size)`` -> at most that many bytes of a file, its path relative to the root; None if it cannot be read."""


def places_of(read: Read, process: str, *, else_mounts: bool = False) -> tuple[CgroupPlace, ...]:
    """Places where the memory cgroup of ``proc/PID`` may be, the best first; empty if unknown.

    ``else_mounts`` gives the mounts themselves if a cgroup namespace hides the place below them.
    """
    members = parse_memberships(read(f"{process}/cgroup", 16_384) or b"")
    mounts = parse_mountinfo(read("proc/self/mountinfo", 1 << 20) or b"")
    unified = next((os.fsdecode(mount.point).lstrip("/") for mount in mounts if mount.fstype == b"cgroup2"), None)
    controllers = None if unified is None else read(f"{unified}/cgroup.controllers", 1024)
    places = memory_places(members, mounts, controllers)
    if places or not else_mounts:
        return places
    at_root = [one._replace(path=b"/", deleted=False) for one in members]
    return memory_places(at_root, [mount._replace(root=b"/") for mount in mounts], controllers)


def limit_bytes(read: Read, folder: str, *, v2: bool) -> int | None:
    """memory.max or memory.limit_in_bytes of a cgroup's directory; UNLIMITED for no limit, None if it is unknown."""
    data = read(f"{folder}/{'memory.max' if v2 else 'memory.limit_in_bytes'}", 64)
    return None if data is None else parse_limit(data)


def usage_bytes(read: Read, folder: str, *, v2: bool) -> int | None:
    """memory.current or memory.usage_in_bytes, which include page cache; None if it is unknown."""
    data = read(f"{folder}/{'memory.current' if v2 else 'memory.usage_in_bytes'}", 64)
    return None if data is None else parse_count(data)


def memory_stat(read: Read, folder: str) -> MemoryStat | None:
    """memory.stat of either version; None if it cannot be read, or does not hold what it should."""
    data = read(f"{folder}/memory.stat", 16_384)
    stat = None if data is None else parse_memory_stat(data)
    return None if stat is None or (stat.anon_bytes is None and stat.file_bytes is None) else stat


def with_kernel_v1(stat: MemoryStat, read: Read, folder: str) -> MemoryStat:
    """memory.stat of version 1, extended by other files on kernel memory, part of which is reclaimable slab.

    What they do not say stays as it is: a recording does not have them for each instant.
    """
    used, caches = read(f"{folder}/memory.kmem.usage_in_bytes", 64), read(f"{folder}/memory.kmem.slabinfo", 65_536)
    return stat._replace(
        kernel_bytes=stat.kernel_bytes if used is None else parse_count(used),
        slab_reclaimable_bytes=stat.slab_reclaimable_bytes if caches is None else parse_reclaimable_slab(caches),
    )

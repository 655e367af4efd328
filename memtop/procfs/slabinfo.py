"""/proc/slabinfo, slabinfo(5): the kernel's object caches. Only root may read it on most machines."""

from typing import Final, NamedTuple

from memtop.procfs.statm import page_bytes

_RECLAIMABLE: Final = frozenset(
    (b"dentry", b"radix_tree_node", b"buffer_head", b"xfs_ili", b"xfs_ifork", b"btrfs_extent_map", b"fsnotify_mark")
)
"""Caches with a shrinker whose names do not end in ``inode_cache``. slabinfo does not say which caches have one."""


class SlabCache(NamedTuple):
    """One cache. Caches of the same object size may share one entry (slab merging)."""

    name: str
    size_bytes: int
    """RAM of its slabs, with the objects that are not in use."""
    objects: int
    """Objects in use."""
    reclaimable: bool
    """Whether its objects are freed under pressure, judged by its name."""


def parse_slabinfo(data: bytes) -> tuple[SlabCache, ...]:
    """Parse all caches that use memory, the largest first. Malformed lines are skipped."""
    caches = []
    for line in data.split(b"\n"):
        before, _, slabs = line.partition(b" : slabdata ")
        sizes, _, _ = before.partition(b" : tunables ")
        fields, counts = sizes.split(), slabs.split()
        if len(fields) != 6 or len(counts) < 2 or not all(field.isdigit() for field in (*fields[1:], *counts[:2])):
            continue
        size_bytes = int(counts[1]) * int(fields[5]) * page_bytes()
        if size_bytes:
            name = fields[0]
            reclaimable = name in _RECLAIMABLE or name.endswith((b"inode_cache", b"inode", b"-rcl"))
            caches.append(SlabCache(name.decode("ascii", "replace"), size_bytes, int(fields[1]), reclaimable))
    return tuple(sorted(caches, key=lambda cache: cache.size_bytes, reverse=True))

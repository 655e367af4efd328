"""What is read of the machine only while its panel is on screen. None for what was not read."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from memtop.procfs.memfds_report import Memfd
from memtop.procfs.meminfo import Meminfo
from memtop.procfs.mounts_report import MountsReport
from memtop.procfs.slabinfo import SlabCache
from memtop.procfs.swaps import SwapDevice, ZramStat
from memtop.procfs.sysv_shm import Segment

_NOTABLE_BYTES: Final = 64 << 20
"""Shared memory from which on it is of interest that its holder is unknown."""
SUBSTANTIAL: Final = 0.1
"""A process is named as a holder of shared memory if it maps at least this share of it."""


def is_unexplained(shmem_bytes: int, known_bytes: int) -> bool:
    """Whether shared memory is notable, and most of it is held by none of those that are known."""
    return shmem_bytes >= _NOTABLE_BYTES and 2 * known_bytes < shmem_bytes


class OpenMemfds(NamedTuple):
    """The memfds that processes have open, as far as these were looked through."""

    by_pid: Mapping[int, tuple[Memfd, ...]]
    """The largest of a process first. One that several processes have open is at each of them."""
    unread: str = ""
    """Why not all are known; empty where they are."""


class MachineReading(NamedTuple):
    """The latest answer of each file."""

    slab: tuple[SlabCache, ...] | None = None
    mounts: MountsReport | None = None
    segments: tuple[Segment, ...] | None = None
    swaps: tuple[SwapDevice, ...] | None = None
    zram: tuple[ZramStat, ...] | None = None
    """Of all devices that are set up."""
    arc_bytes: int | None = None
    """What ZFS caches; None where there is no ZFS, or where it does not say it."""
    nodes: tuple[tuple[int, Meminfo], ...] | None = None
    """NUMA nodes by number; None where there is only one."""
    memfds: OpenMemfds | None = None
    """None where they were not looked for, because others hold most of the shared memory."""
    unread: Mapping[str, str] = {}
    """Path -> why it could not be read."""

"""What is read of the machine only while its panel is on screen. None for what was not read."""

from collections.abc import Mapping
from typing import NamedTuple

from memtop.procfs.meminfo import Meminfo
from memtop.procfs.mounts_report import MountsReport
from memtop.procfs.slabinfo import SlabCache
from memtop.procfs.swaps import SwapDevice, ZramStat
from memtop.procfs.sysv_shm import Segment


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
    unread: Mapping[str, str] = {}
    """Path -> why it could not be read."""

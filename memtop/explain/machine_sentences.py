"""Sentences about the machine's memory: names of its parts and their holders, swap, pressure, what was not read."""

from __future__ import annotations

from typing import Final

from memtop import units
from memtop.analysis.ledger.machine import MachinePart
from memtop.errors import NOT_RECORDED
from memtop.model.machine import Holder, MachinePartRow, MachineView
from memtop.sampling.machine_reading import is_unexplained
from memtop.sanitize import clean

PART_NAMES: Final[dict[MachinePart, str]] = {
    MachinePart.FREE: "free",
    MachinePart.FREE_PER_CPU: "free, on per-CPU lists",
    MachinePart.ANONYMOUS: "anonymous (processes)",
    MachinePart.FILE_MAPPED: "files mapped by processes",
    MachinePart.CACHE_CLEAN: "page cache, clean",
    MachinePart.CACHE_UNEVICTABLE: "page cache, unevictable",
    MachinePart.CACHE_DIRTY: "page cache, dirty",
    MachinePart.CACHE_WRITEBACK: "page cache, being written",
    MachinePart.SHMEM: "tmpfs and shared memory",
    MachinePart.SWAP_CACHED: "swap cache",
    MachinePart.SLAB_RECLAIMABLE: "slab, reclaimable",
    MachinePart.SLAB_UNRECLAIMABLE: "slab, unreclaimable",
    MachinePart.KERNEL_RECLAIMABLE: "kernel, reclaimable",
    MachinePart.PAGE_TABLES: "page tables",
    MachinePart.KERNEL_STACKS: "kernel stacks",
    MachinePart.VMALLOC: "vmalloc",
    MachinePart.PERCPU: "per-CPU memory",
    MachinePart.HUGETLB_USED: "huge pages, in use",
    MachinePart.HUGETLB_RESERVED: "huge pages, reserved",
    MachinePart.HUGETLB_FREE: "huge pages, free",
    MachinePart.HUGETLB_OTHER_SIZES: "huge pages, other sizes",
    MachinePart.ZSWAP: "zswap",
    MachinePart.ZRAM: "zram",
    MachinePart.ZFS_ARC: "ZFS ARC (cache)",
    MachinePart.FUSE_WRITEBACK: "FUSE writeback",
    MachinePart.BOUNCE: "bounce buffers",
    MachinePart.GPU: "GPU",
    MachinePart.BALLOON: "balloon",
    MachinePart.POISONED: "bad pages",
    MachinePart.UNACCOUNTED: "unaccounted",
}
_UNACCOUNTED: Final = "drivers, pipes, sockets, GPU, ZFS ARC, balloon: in no counter"
_UNEVICTABLE: Final = "locked by processes (VmLck), or files of ramfs"
_OF_CONTAINER: Final = "kernel memory of this container"
_UNMAPPED: Final = "tmpfs or memfd: no process that can be read maps a tenth of it"
_MAPPED_TOGETHER: Final = frozenset({MachinePart.SHMEM, MachinePart.FILE_MAPPED})
_LEAST_SHARE: Final = 0.0005
"""Parts below this share of MemTotal are summed up in one line."""


def large_and_small(view: MachineView) -> tuple[list[MachinePartRow], list[MachinePartRow]]:
    """The parts that have a line of their own, and those that share one."""
    least_bytes = _LEAST_SHARE * view.total_bytes
    large = [row for row in view.rows if row.size_bytes >= least_bytes]
    return large, [row for row in view.rows if 0 < row.size_bytes < least_bytes]


def held_by(row: MachinePartRow, most: int, *, past: bool = False, of_container: bool = False) -> str:
    """``java 4242 3.10G, postgres 77 1.20G``; what the remainder may be; empty where no holder is known.

    Pages that are not anonymous count in full in each process, as often as it maps them: ``java 4242 ≤3.10G``.

    ``past``: it is a moment of the past, of which holders are not kept. ``of_container``: the parts are those of lxcfs.
    """
    if row.part is MachinePart.UNACCOUNTED:
        return _OF_CONTAINER if of_container else _UNACCOUNTED
    if row.part is MachinePart.CACHE_UNEVICTABLE:
        return _UNEVICTABLE
    known_bytes = sum(holder.size_bytes or 0 for holder in row.holders)
    if row.part is MachinePart.SHMEM and not past and is_unexplained(row.size_bytes, known_bytes):
        return _UNMAPPED
    at_most = "≤" if row.part in _MAPPED_TOGETHER else ""
    return ", ".join(holder_text(one, at_most if one.kind == "process" else "") for one in row.holders[:most])


def holder_text(holder: Holder, sign: str = "") -> str:
    """``java 4242 3.10G``, with a sign before the size; or ``java 4242 (6,001 threads)``; or with memfds that it has
    open: ``java 4242 236M (memfd java_heap)``."""
    name = holder.name if holder.pid is None else f"{holder.name} {holder.pid}"
    if holder.threads is not None:
        return f"{name} ({units.counted(holder.threads, 'thread')})"
    size = f"{name} {sign}{units.size(holder.size_bytes)}"
    if holder.memfds is None:
        return size
    which = f"memfd {holder.memfd}" if holder.memfds == 1 and holder.memfd else units.counted(holder.memfds, "memfd")
    return f"{size} ({which}, also open in {holder.others:,} more)" if holder.others else f"{size} ({which})"


def sentences(view: MachineView) -> list[str]:
    """What there is to say beside the table: whose numbers these are, pressure, reclaim, swap, nodes, gaps."""
    found = [_whose(view), _pressure(view), _reclaim(view), *_swap(view), _nodes(view)]
    if not view.past and not view.lxcfs and all(row.part is not MachinePart.FREE_PER_CPU for row in view.rows):
        found.append("Free pages on per-CPU lists count as unaccounted: /proc/zoneinfo has not been read.")
    if view.excess_bytes > view.total_bytes // 100:
        found.append(
            f"The counters add up to {units.long_size(view.excess_bytes)} more than MemTotal; the last parts were cut."
        )
    found += [f"{path} could not be read: {why}." for path, why in sorted(view.unread.items()) if why != NOT_RECORDED]
    if absent := [path for path, why in sorted(view.unread.items()) if why == NOT_RECORDED]:
        found.append(f"Not in this recording, because this panel was not open: {', '.join(absent)}.")
    if view.past:
        found.append("Holders are not kept for the past.")
    return [text for text in found if text]


def _whose(view: MachineView) -> str:
    if view.lxcfs:
        return (
            "lxcfs shows the limit of this container as MemTotal; these are its own parts, and what is unaccounted is "
            "its kernel memory. Pressure, reclaim and swap devices are those of the whole machine."
        )
    if view.contained:
        return "memtop runs in a container; these are the numbers of the whole machine. Limits are in panel 3."
    return ""


def _pressure(view: MachineView) -> str:
    pressure = view.pressure
    if pressure is None or pressure.some is None:
        return "Pressure unknown: this kernel has no PSI, or it is off (psi=0)."
    parts = []
    for name, stall in (("some", pressure.some), ("full", pressure.full)):
        if stall is not None:
            spans = (stall.avg10_percent, stall.avg60_percent, stall.avg300_percent)
            parts.append(f"{name} " + " / ".join(units.percent(span) for span in spans) + " %")
    return f"Pressure over 10 s / 60 s / 5 min: {', '.join(parts)} of the time some task waited for memory."


def _reclaim(view: MachineView) -> str:
    rates = view.rates
    known = (
        ("kswapd scans", rates.scan_kswapd_per_s),
        ("direct reclaim scans", rates.scan_direct_per_s),
        ("refaults", rates.refaults_per_s),
    )
    parts = [f"{name} {units.count(rate)} pages/s" for name, rate in known if rate is not None]
    if rates.stalls_per_s is not None:
        parts.append(f"allocations stalled {units.count(rates.stalls_per_s)}/s")
    return f"Reclaim: {', '.join(parts)}." if parts else ""


def _swap(view: MachineView) -> list[str]:
    found = []
    if view.swaps is not None and not view.swaps:
        found.append("Swap: none. Anonymous memory, tmpfs and shared memory must stay in RAM.")
    elif view.swaps:
        areas = ", ".join(
            f"{clean(area.path)} {units.long_size(area.used_bytes)} of {units.long_size(area.size_bytes)}"
            for area in view.swaps
        )
        moved = view.rates.swap_in_per_s, view.rates.swap_out_per_s
        rates = "" if None in moved else f"; in {units.count(moved[0])}, out {units.count(moved[1])} pages/s"
        found.append(f"Swap: {areas}{rates}.")
    if view.zswap is not None:
        held, used = map(units.long_size, view.zswap)
        found.append(f"Of the swap in use, {held} is compressed in {used} of RAM (zswap) and not on disk.")
    for device in view.zram or ():
        if device.original_bytes:
            used, held = units.long_size(device.used_bytes), units.long_size(device.original_bytes)
            found.append(f"zram holds {held} in {used} of RAM.")
    return found


def _nodes(view: MachineView) -> str:
    if not view.nodes:
        return ""
    texts = []
    for number, node in view.nodes:
        free, total = units.long_size(node.free_bytes), units.long_size(node.total_bytes)
        texts.append(f"node {number}: {free} free of {total}")
    return f"NUMA {'; '.join(texts)}."

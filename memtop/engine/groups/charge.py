"""What the cgroup of a group is charged, and the limit that binds it, from the latest readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from memtop.analysis.ledger.cgroup import CgroupPart, cgroup_ledger, inactive_bytes, reclaimable_bytes
from memtop.analysis.limits.memory_limits import (
    Ceiling,
    binding,
    ceilings,
    is_known,
    swap_free_bytes,
    unread_files,
    unread_swap,
)
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED
from memtop.procfs.meminfo import Meminfo
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample

_FILE = (CgroupPart.CACHE, CgroupPart.CACHE_ACTIVE, CgroupPart.CACHE_INACTIVE, CgroupPart.FILE_OTHER)
_KERNEL = (
    CgroupPart.KERNEL,
    CgroupPart.KERNEL_AND_SLAB,
    CgroupPart.SLAB_RECLAIMABLE,
    CgroupPart.ZSWAP,
    CgroupPart.SOCK,
)


class Charge(NamedTuple):
    """A cgroup's charge and its parts in bytes, None where unknown."""

    charge_bytes: int
    working_set_bytes: int
    used_bytes: int | None
    """What cannot be reclaimed, and what is on swap where the kernel counts that by cgroup; None if that was not
    read."""
    anon_bytes: int | None
    file_bytes: int | None
    shmem_bytes: int | None
    kernel_bytes: int | None
    swap_bytes: int | None


def charge_of(reading: CgroupReading) -> Charge | None:
    """Of one reading; None where the use is unknown."""
    if reading.usage_bytes is None:
        return None
    ledger = cgroup_ledger(reading.usage_bytes, reading.stat)
    return Charge(
        reading.usage_bytes,
        ledger.whole_bytes - inactive_bytes(ledger),
        None
        if unread_swap(reading.use)
        else ledger.whole_bytes - reclaimable_bytes(ledger) + (reading.swap_bytes or 0),
        ledger.size_of(CgroupPart.ANON, CgroupPart.LAZYFREE, CgroupPart.ANON_UNMAPPED),
        ledger.size_of(*_FILE),
        ledger.size_of(CgroupPart.SHMEM),
        ledger.size_of(*_KERNEL),
        reading.swap_bytes,
    )


def is_swapless(meminfo: Meminfo | None, cgroups: CgroupSample) -> bool:
    """Whether the machine has no swap; the meminfo of a container does not say that."""
    return meminfo is not None and meminfo.swap_total_bytes == 0 and not cgroups.own_meminfo


def chain_of(path: str, cgroups: CgroupSample) -> Sequence[str]:
    """The directory and those above it that were read, nearest first."""
    found = []
    while path:
        if path in cgroups.latest:
            found.append(path)
        path = path.rpartition("/")[0]
    return found


def blind_path(path: str, members: Iterable[ProcessKey], cgroups: CgroupSample) -> str | None:
    """The nearest directory from ``path`` up whose limit is not known; None where all are.

    ``members`` are processes in it or below: what is above it is known from one of them.
    """
    chains = (cgroups.chains.get(key, ()) for key in members)
    chain = next((found for found in chains if path in found), (path,))
    latest = cgroups.latest
    above = chain[chain.index(path) :]
    return next((one for one in above if one not in latest or not _is_read(latest[one].reading)), None)


def unread_limit(path: str, cgroups: CgroupSample) -> str:
    """Why the limit of a cgroup is not known, or of one above it; empty where all were read.

    Those above it are read no later than it is.
    """
    if path not in cgroups.latest:
        return "not read yet"
    latest = cgroups.latest
    while path:
        reading = latest[path].reading if path in latest else None
        # Of hundreds of groups nearly all are known by their numbers; the rest takes ten times as long.
        may_be_unread = reading is not None and (reading.unread or None in (reading.limit_bytes, reading.usage_bytes))
        if reading is not None and may_be_unread and not _is_read(reading):
            return next((why for _, why in reading.unread), "it cannot be read")
        path = path.rpartition("/")[0]
    return ""


def _is_read(reading: CgroupReading) -> bool:
    """Whether its limit and memory.high were read."""
    return is_known(reading.use) and not unread_files(reading.use, swaps=False)


def ceiling_of(path: str, cgroups: CgroupSample, meminfo: Meminfo | None) -> Ceiling | None:
    """The limit that binds a cgroup, its own or that of a cgroup above it; None without one."""
    if not _has_limit(path, cgroups):  # most have none, and this is a fifth of the cost
        return None
    return binding([one for one in _ceilings(path, cgroups, meminfo) if one.kills])


def _has_limit(path: str, cgroups: CgroupSample) -> bool:
    latest = cgroups.latest
    while path:
        timed = latest.get(path)
        if timed is not None and timed.reading.limit_bytes is not None and timed.reading.limit_bytes < UNLIMITED:
            return True
        path = path.rpartition("/")[0]
    return False


def brake_of(path: str, cgroups: CgroupSample, meminfo: Meminfo | None) -> Ceiling | None:
    """The memory.high that leaves least to a cgroup, its own or that of a cgroup above it; None without one."""
    return binding([one for one in _ceilings(path, cgroups, meminfo) if not one.kills])


def _ceilings(path: str, cgroups: CgroupSample, meminfo: Meminfo | None) -> tuple[Ceiling, ...]:
    total, swap_free = meminfo.total_bytes if meminfo is not None else None, swap_free_bytes(meminfo)
    uses = [cgroups.latest[above].reading.use for above in chain_of(path, cgroups)]
    return ceilings(uses, total, swap_free, zswap=cgroups.policy.zswap)

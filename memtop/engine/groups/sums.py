"""Sums over the members of groups, in one pass over the rows of processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Final, NamedTuple

from memtop.engine.groups.naming import GroupName
from memtop.model.frame import ProcessRow
from memtop.model.group import GroupKey

_FIELDS = (
    "virt_bytes",
    "rss_bytes",
    "shr_bytes",
    "anon_bytes",
    "file_bytes",
    "shmem_bytes",
    "swap_bytes",
    "minflt_per_s",
    "majflt_per_s",
    "cpu_percent",
    "threads",
)
"""Summed where known."""
summed: Final = attrgetter(*_FIELDS, "pss_bytes", "command_raw", "uid", "same_memory_as")
"""What a row of a process adds to its group, and what decides about the group."""


class Sums:
    """What the members of one group have together; None where it is known of none of them."""

    __slots__ = (*_FIELDS, "members", "name", "pss_bytes", "pss_members")

    def __init__(self, name: GroupName) -> None:
        self.name = name
        self.members = 0
        self.virt_bytes: int | None = None
        self.rss_bytes: int | None = None
        self.shr_bytes: int | None = None
        self.anon_bytes: int | None = None
        self.file_bytes: int | None = None
        self.shmem_bytes: int | None = None
        self.swap_bytes: int | None = None
        self.minflt_per_s: float | None = None
        self.majflt_per_s: float | None = None
        self.cpu_percent: float | None = None
        self.threads: int | None = None
        self.pss_bytes: int | None = None
        self.pss_members = 0
        """Members whose PSS is known."""

    def add(self, row: ProcessRow) -> None:
        """One more member."""
        self.members += 1
        if row.same_memory_as is None:
            self._add_memory(row)
        if (minor := row.minflt_per_s) is not None:
            self.minflt_per_s = minor + (self.minflt_per_s or 0.0)
        if (major := row.majflt_per_s) is not None:
            self.majflt_per_s = major + (self.majflt_per_s or 0.0)
        if (cpu := row.cpu_percent) is not None:
            self.cpu_percent = cpu + (self.cpu_percent or 0.0)
        if (threads := row.threads) is not None:
            self.threads = threads + (self.threads or 0)
        if (pss := 0 if row.rss_bytes == 0 or row.same_memory_as is not None else row.pss_bytes) is not None:
            self.pss_bytes = pss + (self.pss_bytes or 0)
            self.pss_members += 1

    def _add_memory(self, row: ProcessRow) -> None:
        """The sizes of a member whose memory no other member has too."""
        (virt, rss, shr, anon) = row.virt_bytes, row.rss_bytes, row.shr_bytes, row.anon_bytes
        if rss is not None and virt is not None and shr is not None and anon is not None:  # of one file: all or none
            self.virt_bytes = virt + (self.virt_bytes or 0)
            self.rss_bytes = rss + (self.rss_bytes or 0)
            self.shr_bytes = shr + (self.shr_bytes or 0)
            self.anon_bytes = anon + (self.anon_bytes or 0)
        if (swap := row.swap_bytes) is not None:
            self.swap_bytes = swap + (self.swap_bytes or 0)
        if (file := row.file_bytes) is not None:
            self.file_bytes = file + (self.file_bytes or 0)
        if (shmem := row.shmem_bytes) is not None:
            self.shmem_bytes = shmem + (self.shmem_bytes or 0)

    def add_all(self, other: Sums) -> None:
        """All members of another group, which is inside this one."""
        self.members += other.members
        for field in _FIELDS:
            more = getattr(other, field)
            if more is not None:
                setattr(self, field, more + (getattr(self, field) or 0))
        if other.pss_bytes is not None:
            self.pss_bytes = other.pss_bytes + (self.pss_bytes or 0)
            self.pss_members += other.pss_members


class Totals(NamedTuple):
    """What a series keeps of a group, in bytes."""

    virt_bytes: int
    rss_bytes: int
    anon_bytes: int
    members: int = 0
    """Processes whose sizes are in the sums; it is no part of a series."""


def sums_of(rows: Iterable[ProcessRow], group_of: Callable[[ProcessRow], GroupName]) -> dict[GroupKey, Sums]:
    """The sums of each group, of the processes that live and have memory."""
    found: dict[GroupKey, Sums] = {}
    for row in rows:
        if row.rss_bytes is None or row.gone_s is not None:
            continue
        name = group_of(row)
        sums = found.get(name.key)
        if sums is None:
            sums = found[name.key] = Sums(name)
        sums.add(row)
    return found

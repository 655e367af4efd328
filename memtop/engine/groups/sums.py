"""Sums over the members of groups, in one pass over the rows of processes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from memtop.engine.groups.naming import GroupName
from memtop.model.group import GroupKey
from memtop.model.row import ProcessRow

_MEMORY: Final = ("virt_bytes", "rss_bytes", "shr_bytes", "anon_bytes", "file_bytes", "shmem_bytes", "swap_bytes")
_OTHERS: Final = ("minflt_per_s", "majflt_per_s", "cpu_percent", "threads")
_FIELDS: Final = (*_MEMORY, *_OTHERS)
"""Summed where known."""
_RATES: Final = frozenset({"minflt_per_s", "majflt_per_s", "cpu_percent"})
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

    def add_members(self, rows: Collection[ProcessRow]) -> None:
        """More members. Of thousands in one group some change at every tick: columns are added up, not rows.

        Memory that another member has too is left out: a child that shares the address space of its parent.
        """
        self.members += len(rows)
        own = [row for row in rows if row.same_memory_as is None]
        self._add_columns(_MEMORY, own)
        self._add_columns(_OTHERS, rows)
        read = [pss for row in own if (pss := 0 if row.rss_bytes == 0 else row.pss_bytes) is not None]
        shared = len(rows) - len(own)
        if read or shared:
            self.pss_bytes = sum(read) + (self.pss_bytes or 0)
            self.pss_members += len(read) + shared

    def _add_columns(self, fields: Sequence[str], rows: Collection[ProcessRow]) -> None:
        if not rows:
            return
        for field, column in zip(fields, zip(*map(attrgetter(*fields), rows), strict=True), strict=True):
            zero = 0.0 if field in _RATES else 0
            total = sum(filter(None, column), zero)
            if total or any(value is not None for value in column):
                setattr(self, field, total + (getattr(self, field) or zero))

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
    members: dict[GroupKey, tuple[GroupName, list[ProcessRow]]] = {}
    for row in rows:
        if row.rss_bytes is not None and row.gone_s is None:
            name = group_of(row)
            members.setdefault(name.key, (name, []))[1].append(row)
    found = {}
    for key, (name, inside) in members.items():
        found[key] = Sums(name)
        found[key].add_members(inside)
    return found

"""Regions: the kind of every mapping, sums of RSS, PSS and swap by kind, and the split of VIRT."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.procfs.smaps import Mapping, Smaps

_DIGITS = re.compile(r"\d+")
GIVEN: Final = (b"[anon:", b"[anon_shmem:")
"""Prefix of a mapping's name that the program gave (prctl(2), PR_SET_VMA)."""
DELETED: Final = b" (deleted)"
POOL_FIELDS: Final = ("Shared_Hugetlb", "Private_Hugetlb")


class Sizes(NamedTuple):
    """Sizes of a mapping, of a kind, or of all mappings. Bytes; None if this kernel does not report it."""

    size_bytes: int
    """Address space."""
    rss_bytes: int | None
    pss_bytes: int | None
    private_dirty_bytes: int | None
    swap_bytes: int | None

    def __sub__(self, other: Sizes) -> Sizes:
        """The change since ``other``; None where either is unknown."""
        return Sizes(
            self.size_bytes - other.size_bytes,
            *(None if a is None or b is None else a - b for a, b in zip(self[1:], other[1:], strict=True)),
        )


NOTHING: Final = Sizes(0, 0, 0, 0, 0)


def _sum_known(column: Sequence[int | None]) -> int | None:
    return None if None in column else sum(filter(None, column))


def total(parts: Sequence[Sizes]) -> Sizes:
    """The sum; None if a part is unknown."""
    if not parts:
        return NOTHING
    _, *columns = zip(*parts, strict=True)
    return Sizes(sum(part.size_bytes for part in parts), *map(_sum_known, columns))


@dataclass(frozen=True, slots=True)
class KindSum:
    """All mappings of one kind."""

    kind: RegionKind
    count: int
    sizes: Sizes
    hugetlb_bytes: int = 0
    """Huge pages of the pool, which RSS and PSS leave out."""


class Split(NamedTuple):
    """VIRT in parts that add up to it. Bytes."""

    virt_bytes: int
    """All mappings but [vsyscall], as VmSize counts."""
    reserved_bytes: int
    """Reserved without access. It cannot be touched and costs nothing."""
    untouched_bytes: int
    """Promised, without RAM or swap behind it now: never written, given back, or only read."""
    resident_bytes: int
    swapped_bytes: int
    hugetlb_bytes: int
    """Huge pages of a pool, which RES does not count."""
    uncounted_bytes: int
    """Device memory, for which the kernel does not report what is touched, and mappings that were not read."""


class Confidence(Enum):
    """How reliable the kinds are, from the number of thread stacks compared with the number of threads."""

    GOOD = "good"
    LOW = "low"
    UNKNOWN = "unknown"
    """The number of threads is unknown, or threads here have no stacks of that kind (Go)."""


class Region(NamedTuple):
    """One mapping with its kind."""

    mapping: Mapping
    kind: RegionKind
    sizes: Sizes

    @property
    def hugetlb_bytes(self) -> int:
        """Its huge pages of the pool, which RSS and PSS leave out."""
        return sum(self.mapping.number(field) or 0 for field in POOL_FIELDS)

    @property
    def label(self) -> str:
        """The name that the program gave, with numbers folded; empty without one. It is not cleaned."""
        name = self.mapping.name
        if self.kind is RegionKind.MEMFD:
            text = name.removeprefix(b"/memfd:").removesuffix(DELETED)
        elif name.startswith(GIVEN):
            text = name.split(b":", 1)[1].removesuffix(b"]").strip()
        else:
            return ""
        return _DIGITS.sub("#", text.decode("utf-8", "surrogateescape"))


def _kind_sum(kind: RegionKind, rows: list[list[Any]]) -> KindSum:
    """The sum of (pool, size, rss, pss, dirty, swap) of mappings."""
    pool, spans, *columns = zip(*rows, strict=True)
    return KindSum(kind, len(rows), Sizes(sum(spans), *map(_sum_known, columns)), sum(pool))


class Regions:
    """All mappings of one reading, each with its kind. Immutable.

    They are stored as columns: an object for each of 65,000 mappings would make the garbage collector hold up the
    screen.
    """

    __slots__ = ("_by_kind", "_columns", "_spans", "kinds", "smaps")

    def __init__(self, smaps: Smaps, kinds: Sequence[RegionKind]) -> None:
        self.smaps = smaps
        self.kinds = kinds
        """One for each mapping, in address order."""
        self._spans = array("Q", [end - start for start, end in zip(smaps.starts, smaps.ends, strict=True)])
        self._columns = [smaps.numbers(field) for field in ("Rss", "Pss", "Private_Dirty", "Swap")]
        self._by_kind: list[KindSum] | None = None

    def __len__(self) -> int:
        return len(self.kinds)

    def __getitem__(self, index: int) -> Region:
        return Region(self.smaps[index], self.kinds[index], self.sizes(index))

    def __iter__(self) -> Iterator[Region]:
        return map(self.__getitem__, range(len(self)))

    def sizes(self, index: int) -> Sizes:
        """The sizes of one mapping."""
        rss, pss, dirty, swap = self._columns
        return Sizes(self._spans[index], rss[index], pss[index], dirty[index], swap[index])

    def largest(self, measure: str = "size_bytes", limit: int | None = None) -> list[Region]:
        """Regions by one measure of :class:`Sizes`, largest first, unknown last; ties in address order."""
        columns: list[Sequence[int | None]] = [self._spans, *self._columns]
        column = [-1 if value is None else value for value in columns[Sizes._fields.index(measure)]]
        return [self[index] for index in sorted(range(len(self)), key=column.__getitem__, reverse=True)[:limit]]

    def by_kind(self) -> list[KindSum]:
        """Sums for each kind that occurs, largest address space first; computed once."""
        if self._by_kind is None:
            rows: dict[RegionKind, list[list[Any]]] = {}
            for kind, *row in zip(self.kinds, self._pool(), self._spans, *self._columns, strict=True):
                rows.setdefault(kind, []).append(row)
            sums = [_kind_sum(kind, found) for kind, found in rows.items()]
            self._by_kind = sorted(sums, key=lambda one: one.sizes.size_bytes, reverse=True)
        return self._by_kind

    def total(self) -> Sizes:
        """Sums over all mappings."""
        return total([one.sizes for one in self.by_kind()])

    def _pool(self) -> list[int]:
        """Huge pages of the pool in each mapping."""
        columns = [self.smaps.sizes(field) for field in POOL_FIELDS]
        if not any(map(any, columns)):
            return [0] * len(self)
        return [sum(parts) for parts in zip(*columns, strict=True)]

    def differs(self, index: int, other: Regions, other_index: int) -> bool:
        """Whether one mapping has other sizes than one of another reading, as far as both know them."""
        for mine, theirs in zip(self._columns, other._columns, strict=True):
            one, two = mine[index], theirs[other_index]
            if one != two and one is not None and two is not None:
                return True
        return False

    def split(self) -> Split:
        """VIRT = reserved + untouched + resident + swapped + in huge pages + uncounted, exactly."""
        reserved = untouched = resident = swapped = huge = uncounted = virt = 0
        smaps = self.smaps
        known = zip(self._spans, smaps.sizes("Rss"), smaps.sizes("Swap"), self._pool(), strict=True)
        rows = zip(known, smaps.perms, smaps.flags, smaps.names, strict=True)
        unread = [value is None for value in smaps.numbers("Rss")] if "Rss" in smaps.fields else [False] * len(self)
        for ((size, rss, swap, in_pool), perms, flags, name), not_read in zip(rows, unread, strict=True):
            if name == b"[vsyscall]":
                continue
            virt += size
            resident += rss
            swapped += swap
            huge += in_pool
            rest = size - rss - swap - in_pool
            if perms.startswith("---"):
                reserved += rest
            elif not_read or (not rss and ("pf" in flags or "io" in flags)):
                uncounted += rest
            else:
                untouched += rest
        return Split(virt, reserved, untouched, resident, swapped, huge, uncounted)

    def deleted_files(self) -> tuple[bytes, ...]:
        """Files that code is mapped from and whose names were removed since: the program, then the largest library."""
        found = [
            (kind is RegionKind.TEXT, span, name)
            for kind, span, name in zip(self.kinds, self._spans, self.smaps.names, strict=True)
            if kind in (RegionKind.TEXT, RegionKind.LIB_TEXT) and name.startswith(b"/") and name.endswith(DELETED)
        ]
        return tuple(dict.fromkeys(name.removesuffix(DELETED) for *_, name in sorted(found, reverse=True)))

    def confidence(self, threads: int | None) -> Confidence:
        """How well the number of stacks matches that of threads: within a fifth (at least one) is good."""
        if threads is None or RegionKind.GO_HEAP in self.kinds:
            return Confidence.UNKNOWN
        stacks = sum(kind is RegionKind.THREAD_STACK for kind in self.kinds) + 1
        return Confidence.GOOD if abs(stacks - threads) <= max(1, threads / 5) else Confidence.LOW

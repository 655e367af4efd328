"""Regions: the kind of every mapping, sums of RSS, PSS and swap by kind, and the split of VIRT."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from memtop.analysis.memory_map.guessed_flags import flags_of
from memtop.analysis.memory_map.region_kinds import (
    ANON_RULES,
    GIVEN_NAMES,
    GO_HEAP_START,
    KERNEL_NAMES,
    NO_ACCESS_RULES,
    SHADOW_MIN,
    SPREAD,
    WITHOUT_ACCESS,
    MappingTraits,
    RegionKind,
)
from memtop.procfs.smaps import Mapping, Smaps

_LIBRARY = re.compile(rb"(?:lib[^/]*\.so|[^/]*\.so(?:\.|\Z)|ld-)")
_DIGITS = re.compile(r"\d+")
_GIVEN: Final = (b"[anon:", b"[anon_shmem:")
DELETED: Final = b" (deleted)"
POOL_FIELDS: Final = ("Shared_Hugetlb", "Private_Hugetlb")


class Sizes(NamedTuple):
    """What a mapping, or a kind, or all of them have. Bytes; None where this kernel does not say."""

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
    """The sum; None where a part is unknown."""
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
    """In huge pages of the pool, which RSS and PSS leave out."""


@dataclass(frozen=True, slots=True)
class Split:
    """VIRT in parts that add up to it. Bytes."""

    virt_bytes: int
    """All mappings but [vsyscall], as VmSize counts."""
    reserved_bytes: int
    """Reserved without access: it cannot be touched and costs nothing."""
    untouched_bytes: int
    """Promised, with neither RAM nor swap behind it now: never written, given back, or only read."""
    resident_bytes: int
    swapped_bytes: int
    hugetlb_bytes: int
    """In huge pages of a pool, which RES does not count."""
    uncounted_bytes: int
    """Device memory, of which the kernel does not say what is touched."""


class Confidence(Enum):
    """How sure the kinds are, by the count of thread stacks against that of threads."""

    GOOD = "good"
    LOW = "low"
    UNKNOWN = "unknown"
    """The number of threads is not known, or threads here have no stacks of that kind (Go)."""


@dataclass(frozen=True, slots=True)
class Region:
    """One mapping with its kind."""

    mapping: Mapping
    kind: RegionKind
    sizes: Sizes

    @property
    def hugetlb_bytes(self) -> int:
        """What it has in huge pages of the pool, which RSS and PSS leave out."""
        return sum(self.mapping.number(field) or 0 for field in POOL_FIELDS)

    @property
    def label(self) -> str:
        """The name that the program gave, with numbers folded, or empty; not cleaned."""
        name = self.mapping.name
        if self.kind is RegionKind.MEMFD:
            text = name.removeprefix(b"/memfd:").removesuffix(DELETED)
        elif name.startswith(_GIVEN):
            text = name.split(b":", 1)[1].removesuffix(b"]").strip()
        else:
            return ""
        return _DIGITS.sub("#", text.decode("utf-8", "surrogateescape"))


def _kind_sum(kind: RegionKind, rows: list[list[Any]]) -> KindSum:
    """The sum of (pool, size, rss, pss, dirty, swap) of mappings."""
    pool, spans, *columns = zip(*rows, strict=True)
    return KindSum(kind, len(rows), Sizes(sum(spans), *map(_sum_known, columns)), sum(pool))


class Regions:
    """All mappings of one reading, each with its kind; never changed after it was made.

    Kept as columns: an object for each of 65,000 mappings would make the garbage collector hold up the screen.
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
        """What each mapping has in huge pages of the pool."""
        columns = [self.smaps.sizes(field) for field in POOL_FIELDS]
        if not any(map(any, columns)):
            return [0] * len(self)
        return [sum(parts) for parts in zip(*columns, strict=True)]

    def differs(self, index: int, other: Regions, other_index: int) -> bool:
        """Whether one mapping has other sizes than one as large of another reading, as far as both know them."""
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
        for (size, rss, swap, in_pool), perms, flags, name in rows:
            if name == b"[vsyscall]":
                continue
            virt += size
            resident += rss
            swapped += swap
            huge += in_pool
            rest = size - rss - swap - in_pool
            if perms.startswith("---"):
                reserved += rest
            elif not rss and ("pf" in flags or "io" in flags):
                uncounted += rest
            else:
                untouched += rest
        return Split(virt, reserved, untouched, resident, swapped, huge, uncounted)

    def replaced_file(self) -> bytes | None:
        """The program whose code is mapped from a file that was deleted since, else the largest such library."""
        found = [
            (kind is RegionKind.TEXT, span, name)
            for kind, span, name in zip(self.kinds, self._spans, self.smaps.names, strict=True)
            if kind in (RegionKind.TEXT, RegionKind.LIB_TEXT) and name.startswith(b"/") and name.endswith(DELETED)
        ]
        return max(found)[2].removesuffix(DELETED) if found else None

    def confidence(self, threads: int | None) -> Confidence:
        """Whether thread stacks and the main stack are as many as threads, within a fifth (at least one)."""
        if threads is None or RegionKind.GO_HEAP in self.kinds:
            return Confidence.UNKNOWN
        stacks = sum(kind is RegionKind.THREAD_STACK for kind in self.kinds) + 1
        return Confidence.GOOD if abs(stacks - threads) <= max(1, threads / 5) else Confidence.LOW


def classify(
    smaps: Smaps,
    *,
    exe: bytes | None = None,
    is_go: bool | None = None,
    is_java: bool | None = None,
    tmpfs: Sequence[bytes] = (),
) -> Regions:
    """Give each mapping its kind.

    ``exe`` is the target of /proc/PID/exe, ``tmpfs`` the mount points of that type. Whether it is a Go or a Java
    program is guessed from the mappings where it is not said.
    """
    names = set(smaps.names)
    if is_go is None:
        # position-independent on purpose: the hint for the first arena is the same for all of Go's 64-bit ports
        is_go = GO_HEAP_START in smaps.starts or any(name.startswith(b"[anon: Go:") for name in names)
    if is_java is None:
        is_java = any(b"/libjvm.so" in name for name in names)
    all_flags = flags_of(smaps)
    is_sanitized = any(
        "dd" in flags and "nr" in flags and end - start >= SHADOW_MIN
        for flags, start, end in zip(all_flags, smaps.starts, smaps.ends, strict=True)
    )
    namer = _Namer(smaps, exe, is_java, tmpfs)
    world = _World(is_go, is_java, is_sanitized)
    kinds = _by_rules(smaps, all_flags, namer, world)
    count = len(kinds)
    touches = [below == above for below, above in zip(smaps.ends, smaps.starts[1:], strict=False)]
    for place in range(1, count):
        if touches[place - 1]:
            kinds[place] = _spread(kinds[place], kinds[place - 1], smaps.perms[place])
    for place in range(count - 2, -1, -1):
        if touches[place]:
            kinds[place] = _spread(kinds[place], kinds[place + 1], smaps.perms[place])
    return Regions(smaps, tuple(kinds))


class _World(NamedTuple):
    """What is known of the whole process."""

    is_go: bool
    is_java: bool
    is_sanitized: bool


def _by_rules(smaps: Smaps, all_flags: Sequence[frozenset[str]], namer: _Namer, world: _World) -> list[RegionKind]:
    """The kinds by the rules; only three mappings are looked at, and are objects, at a time."""
    kinds: list[RegionKind] = []
    rows = zip(smaps.starts, smaps.ends, smaps.perms, all_flags, smaps.names, smaps.inodes, strict=True)
    looks = (
        MappingTraits(start, end, perms, flags, *world, kind=namer.kind(name, perms, inode, flags))
        for start, end, perms, flags, name, inode in rows
    )
    before: MappingTraits | None = None
    look = next(looks, None)
    while look is not None:
        after = next(looks, None)
        if look.kind is None:
            look.before = before if before is not None and before.end == look.start else None
            look.after = after if after is not None and after.start == look.end else None
            rules = NO_ACCESS_RULES if look.no_access else ANON_RULES
            look.kind = next(kind for test, kind in rules if test(look))
            look.before = look.after = None
        kinds.append(look.kind)
        before, look = look, after
    return kinds


def _spread(kind: RegionKind, neighbour: RegionKind, perms: str) -> RegionKind:
    target = SPREAD.get((neighbour, kind))
    if target is None:
        return kind
    return WITHOUT_ACCESS[target] if perms.startswith("---") else target


class _Namer:
    """Kinds of mappings that have a name, remembered: thousands of mappings share a few names."""

    def __init__(self, smaps: Smaps, exe: bytes | None, is_java: bool, tmpfs: Sequence[bytes]) -> None:
        self._exe = exe
        self._is_java = is_java
        self._tmpfs = tuple(mount.rstrip(b"/") + b"/" for mount in tmpfs)
        self._code = {name for name, perms in zip(smaps.names, smaps.perms, strict=True) if "x" in perms}
        self._known: dict[tuple[bytes, str, bool], RegionKind | None] = {}

    def kind(self, name: bytes, perms: str, inode: int, flags: frozenset[str]) -> RegionKind | None:
        """The kind, or None for what only its neighbors tell."""
        if "ht" in flags:
            return RegionKind.HUGETLB
        if not name and not flags & {"pf", "io"}:
            return None if not inode else RegionKind.FILE
        key = (name, perms, bool(flags & {"pf", "io"}))
        if key not in self._known:
            self._known[key] = self._decide(*key)
        return self._known[key]

    def _decide(self, name: bytes, perms: str, device: bool) -> RegionKind | None:
        if name.startswith(_GIVEN):
            return self._given(name, perms)
        if name == b"/dev/zero" or name == b"/dev/zero" + DELETED:
            return RegionKind.SHARED_ANON if perms.endswith("s") else None
        if self._is_java and name.startswith(b"/memfd:java_heap"):
            return RegionKind.JVM_HEAP
        for beginning, kind in KERNEL_NAMES:
            if name.startswith(beginning):
                return kind
        if device:
            return RegionKind.DEVICE
        return self._file(name, perms)

    @staticmethod
    def _given(name: bytes, perms: str) -> RegionKind:
        text = name.split(b":", 1)[1].strip()
        kind = next((kind for beginning, kind in GIVEN_NAMES if text.startswith(beginning)), RegionKind.NAMED)
        return WITHOUT_ACCESS.get(kind, kind) if perms.startswith("---") else kind

    def _file(self, name: bytes, perms: str) -> RegionKind:
        path = name.removesuffix(DELETED)
        if name == self._exe:
            parts = RegionKind.TEXT, RegionKind.RODATA, RegionKind.DATA
        elif path.endswith(b".jsa"):
            return RegionKind.JVM_ARCHIVE
        elif name in self._code or _LIBRARY.match(path.rpartition(b"/")[2]):
            parts = RegionKind.LIB_TEXT, RegionKind.LIB_RODATA, RegionKind.LIB_DATA
        else:
            return RegionKind.TMPFS if self._tmpfs and path.startswith(self._tmpfs) else RegionKind.FILE
        if perms.startswith("---"):
            return RegionKind.RESERVED
        return parts[0] if "x" in perms else parts[2] if "w" in perms else parts[1]

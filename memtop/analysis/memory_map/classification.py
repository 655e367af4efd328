"""Classification of regions: which kind of memory each mapping is, by name, flags, neighbors and runtime."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.analysis.memory_map.guessed_flags import flags_of, runs_v8
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
from memtop.analysis.memory_map.regions import DELETED, GIVEN, Regions
from memtop.procfs.smaps import Smaps

_LIBRARY = re.compile(rb"(?:lib[^/]*\.so|[^/]*\.so(?:\.|\Z)|ld-)")


def classify(smaps: Smaps, *, exe: bytes | None = None, tmpfs: Sequence[bytes] = ()) -> Regions:
    """Give each mapping its kind.

    ``exe`` is the target of /proc/PID/exe, ``tmpfs`` the mount points of that type.
    """
    names = set(smaps.names)
    # Independent of the position on purpose: the hint for the first arena is the same for all of Go's 64-bit ports.
    is_go = GO_HEAP_START in smaps.starts or any(name.startswith(b"[anon: Go:") for name in names)
    is_java = any(b"/libjvm.so" in name for name in names)
    all_flags = flags_of(smaps)
    is_sanitized = any(
        "dd" in flags and "nr" in flags and end - start >= SHADOW_MIN
        for flags, start, end in zip(all_flags, smaps.starts, smaps.ends, strict=True)
    )
    namer = _Namer(smaps, exe, is_java, tmpfs)
    world = _World(is_go, is_java, is_sanitized, runs_v8(smaps))
    kinds = _by_rules(smaps, all_flags, namer, world)
    count = len(kinds)
    touches = [below == above for below, above in zip(smaps.ends, smaps.starts[1:], strict=False)]
    for place in range(1, count):
        if touches[place - 1]:
            if is_java:
                reserved_above = place + 1 < count and touches[place] and smaps.perms[place + 1].startswith("---")
                kinds[place] = _of_archive(kinds[place], kinds[place - 1], smaps.perms[place], reserved_above)
            kinds[place] = _spread(kinds[place], kinds[place - 1], smaps.perms[place])
    for place in range(count - 2, -1, -1):
        if touches[place]:
            kinds[place] = _spread(kinds[place], kinds[place + 1], smaps.perms[place])
    return Regions(smaps, tuple(kinds))


_CLASSES: Final = (RegionKind.JVM_ARCHIVE, RegionKind.JVM_CLASSES, RegionKind.JVM_CLASSES_RESERVED)


class _World(NamedTuple):
    """Facts about the whole process."""

    is_go: bool
    is_java: bool
    is_sanitized: bool
    is_v8: bool


def _by_rules(smaps: Smaps, all_flags: Sequence[frozenset[str]], namer: _Namer, world: _World) -> list[RegionKind]:
    """The kinds by the rules. Only three mappings at a time exist as objects."""
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


def _of_archive(kind: RegionKind, below: RegionKind, perms: str, reserved_above: bool) -> RegionKind:
    """The kind of a mapping that touches a class archive, or is one.

    Archived objects lie within the heap. Since JDK 17 the class space lies above the archive of classes, often at low
    addresses as the heap does: what follows that archive is reserved.
    """
    heap = below is RegionKind.JVM_HEAP or (below is RegionKind.JVM_HEAP_RESERVED and not reserved_above)
    if kind is RegionKind.JVM_ARCHIVE and heap:
        return RegionKind.JVM_HEAP
    if below in _CLASSES and kind in (RegionKind.JVM_HEAP, RegionKind.JVM_HEAP_RESERVED):
        return RegionKind.JVM_CLASSES_RESERVED if perms.startswith("---") else RegionKind.JVM_CLASSES
    return kind


def _spread(kind: RegionKind, neighbor: RegionKind, perms: str) -> RegionKind:
    target = SPREAD.get((neighbor, kind))
    if target is None:
        return kind
    return WITHOUT_ACCESS[target] if perms.startswith("---") else target


class _Namer:
    """Kinds of mappings with a name. They are cached, because thousands of mappings share a few names."""

    def __init__(self, smaps: Smaps, exe: bytes | None, is_java: bool, tmpfs: Sequence[bytes]) -> None:
        self._exe = exe
        self._is_java = is_java
        self._tmpfs = tuple(mount.rstrip(b"/") + b"/" for mount in tmpfs)
        self._code = {name for name, perms in zip(smaps.names, smaps.perms, strict=True) if "x" in perms}
        self._known: dict[tuple[bytes, str, bool], RegionKind | None] = {}

    def kind(self, name: bytes, perms: str, inode: int, flags: frozenset[str]) -> RegionKind | None:
        """The kind; None if only the neighbors decide it."""
        if "ht" in flags:
            return RegionKind.HUGETLB
        if not name and not flags & {"pf", "io"}:
            return None if not inode else RegionKind.FILE
        key = (name, perms, bool(flags & {"pf", "io"}))
        if key not in self._known:
            self._known[key] = self._decide(*key)
        return self._known[key]

    def _decide(self, name: bytes, perms: str, device: bool) -> RegionKind | None:
        if name.startswith(GIVEN):
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

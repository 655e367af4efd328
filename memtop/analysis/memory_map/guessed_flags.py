"""Guesses VmFlags from addresses, permissions and neighbors if only maps and pagemap were read.

Only smaps has VmFlags, and reading it holds a large process up. This module guesses only the flags that identify a kind
of memory (:mod:`memtop.analysis.memory_map.region_kinds`). On recordings of real programs the sizes by kind then agree
with those from smaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memtop.analysis.memory_map.region_kinds import ARENA_BYTES, GO_HEAP_START, GUARD_MAX, KIB, V8_PAGE
from memtop.procfs.smaps import Smaps

_NONE: Final = frozenset[str]()
_NO_CAGES: Final = frozenset[int]()
_CAGE: Final = 4 << 30
_NO_RESERVE: Final = frozenset({"nr"})
_STACK: Final = frozenset({"nh"})
_GUARDED_STACK: Final = frozenset({"nh", "gu"})
_V8: Final = frozenset({"dc", "nr"})
_SHADOW: Final = frozenset({"dd", "nr"})
_POOL: Final = frozenset({"ht"})
_SHADOW_STARTS: Final = frozenset({0x7FFF_7000, 0x7FFF_8000, 0x0200_8FFF_7000})
"""Addresses of the shadow memory of the address sanitizer on x86-64. GCC and Clang use fixed addresses."""
_V8_PROGRAMS: Final = (b"/node", b"/nodejs", b"/chrome", b"/chromium", b"/electron", b"/libnode.so", b"/deno")
_METASPACE_GRANULE: Final = 64 * KIB
"""The JVM reserves memory for classes in multiples of this. Its guards are smaller."""
_LEAST_STACK: Final = 16 * KIB
"""PTHREAD_STACK_MIN of glibc on x86-64."""
_STACKS_BYTES: Final = 1 << 40
"""Address space below the lowest library in which stacks of threads are looked for."""


def guessed_flags(smaps: Smaps) -> list[frozenset[str]]:
    """One set for each mapping; see the module."""
    count = len(smaps)
    flags = [_NONE] * count
    is_v8 = runs_v8(smaps)
    cages = _cages(smaps) if is_v8 else _NO_CAGES
    is_go = GO_HEAP_START in smaps.starts
    is_java = any(b"/libjvm.so" in name for name in set(smaps.names))
    lowest_stack = _lowest_stack(smaps)
    has_guards = not (is_go or is_java)  # guards below stacks; Go has none, and the JVM's are recognized without flags
    pool = [sum(pair) for pair in zip(smaps.sizes("Shared_Hugetlb"), smaps.sizes("Private_Hugetlb"), strict=True)]
    guards = smaps.sizes("Guards")
    for place in range(count):
        if pool[place]:
            flags[place] = _POOL
        elif smaps.names[place] or not smaps.perms[place].endswith("p"):
            continue
        elif smaps.perms[place].startswith("---"):
            size = smaps.ends[place] - smaps.starts[place]
            if (size > GUARD_MAX and not is_go) or (is_java and size % _METASPACE_GRANULE == 0):
                flags[place] = _NO_RESERVE
        elif is_v8 and _may_be_v8(smaps, place, cages):
            flags[place] = _V8
        elif smaps.perms[place].startswith("rw-"):
            if guards[place] and smaps.starts[place] >= lowest_stack:
                flags[place] = _GUARDED_STACK  # glibc 2.42 and later
                continue
            may_be_stack = has_guards and smaps.starts[place] >= lowest_stack
            _guess_writable(smaps, place, flags, may_be_stack=may_be_stack)
    return flags


def runs_v8(smaps: Smaps) -> bool:
    """Whether the process is a program with V8, by its files."""
    return any(_is_v8(name) for name in set(smaps.names))


def _cages(smaps: Smaps) -> frozenset[int]:
    """Addresses, in units of 4 GiB, of what V8 reserves where it compresses pointers: its constants begin there."""
    rows = zip(smaps.starts, smaps.perms, smaps.names, strict=True)
    return frozenset(
        start // _CAGE for start, perms, name in rows if not name and perms == "r--p" and start % _CAGE == 0
    )


def _may_be_v8(smaps: Smaps, place: int, cages: frozenset[int]) -> bool:
    start = smaps.starts[place]
    if start % V8_PAGE or "x" in smaps.perms[place]:
        return False
    return start // _CAGE in cages if cages else not _is_above_guard(smaps, place)


def _lowest_stack(smaps: Smaps) -> int:
    """Address below which no stack of a thread is: the kernel puts them near libraries, an allocator its memory far."""
    libraries = (start for start, name in zip(smaps.starts, smaps.names, strict=True) if b".so" in name)
    return max(0, min(libraries, default=0) - _STACKS_BYTES)


def _is_v8(name: bytes) -> bool:
    folder, _, last = name.rpartition(b"/")
    return bool(folder) and (b"/" + last).startswith(_V8_PROGRAMS)


def _guess_writable(smaps: Smaps, place: int, flags: list[frozenset[str]], *, may_be_stack: bool) -> None:
    start, end = smaps.starts[place], smaps.ends[place]
    if start % ARENA_BYTES == 0 and (end == start + ARENA_BYTES or _reserves_up_to(smaps, place + 1, end, start)):
        flags[place] = _NO_RESERVE
        if end != start + ARENA_BYTES:
            flags[place + 1] = _NO_RESERVE
    elif start in _SHADOW_STARTS:
        flags[place] = _SHADOW
    elif may_be_stack and end - start >= _LEAST_STACK and _is_above_guard(smaps, place):
        flags[place] = _STACK


def _reserves_up_to(smaps: Smaps, place: int, start: int, arena: int) -> bool:
    """Whether this mapping is the reserved rest of an arena."""
    return (
        place < len(smaps)
        and smaps.starts[place] == start
        and smaps.ends[place] == arena + ARENA_BYTES
        and _is_reserved(smaps, place)
    )


def _is_above_guard(smaps: Smaps, place: int) -> bool:
    below = place - 1
    return (
        below >= 0
        and smaps.ends[below] == smaps.starts[place]
        and smaps.ends[below] - smaps.starts[below] <= GUARD_MAX
        and _is_reserved(smaps, below)
    )


def _is_reserved(smaps: Smaps, place: int) -> bool:
    return not smaps.names[place] and smaps.perms[place].startswith("---")


def flags_of(smaps: Smaps) -> Sequence[frozenset[str]]:
    """VmFlags of every mapping, guessed if the file that was read has none."""
    return smaps.flags if "VmFlags" in smaps.fields else guessed_flags(smaps)

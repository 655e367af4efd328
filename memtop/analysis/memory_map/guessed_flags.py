"""Guesses VmFlags from addresses, permissions and neighbors if only maps and pagemap were read.

Only smaps has VmFlags, and reading it holds a large process up. This module guesses only the flags that identify a kind
of memory (:mod:`memtop.analysis.memory_map.region_kinds`). On recordings of real programs the sizes by kind then agree
with those from smaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memtop.analysis.memory_map.region_kinds import ARENA_BYTES, GO_HEAP_START, GUARD_MAX, KIB
from memtop.procfs.smaps import Smaps

_NONE: Final = frozenset[str]()
_NO_RESERVE: Final = frozenset({"nr"})
_STACK: Final = frozenset({"nh"})
_V8: Final = frozenset({"dc", "nr"})
_SHADOW: Final = frozenset({"dd", "nr"})
_POOL: Final = frozenset({"ht"})
_SHADOW_STARTS: Final = frozenset({0x7FFF_7000, 0x7FFF_8000, 0x0200_8FFF_7000})
"""Addresses of the shadow memory of the address sanitizer on x86-64. GCC and Clang use fixed addresses."""
_V8_PAGE: Final = 256 * KIB
"""Every page of V8's heap is aligned to this."""
_V8_PROGRAMS: Final = (b"/node", b"/nodejs", b"/chrome", b"/chromium", b"/electron", b"/libnode.so", b"/deno")
_METASPACE_GRANULE: Final = 64 * KIB
"""The JVM reserves memory for classes in multiples of this. Its guards are smaller."""
_LEAST_STACK: Final = 64 * KIB


def guessed_flags(smaps: Smaps) -> list[frozenset[str]]:
    """One set for each mapping; see the module."""
    count = len(smaps)
    flags = [_NONE] * count
    is_v8 = any(_is_v8(name) for name in set(smaps.names))
    is_go = GO_HEAP_START in smaps.starts
    is_java = any(b"/libjvm.so" in name for name in set(smaps.names))
    has_guards = not (is_go or is_java)  # guards below stacks; Go has none, and the JVM's are recognized without flags
    pool = [sum(pair) for pair in zip(smaps.sizes("Shared_Hugetlb"), smaps.sizes("Private_Hugetlb"), strict=True)]
    for place in range(count):
        if pool[place]:
            flags[place] = _POOL
        elif smaps.names[place] or not smaps.perms[place].endswith("p"):
            continue
        elif smaps.perms[place].startswith("---"):
            size = smaps.ends[place] - smaps.starts[place]
            if (size > GUARD_MAX and not is_go) or (is_java and size % _METASPACE_GRANULE == 0):
                flags[place] = _NO_RESERVE
        elif is_v8 and smaps.starts[place] % _V8_PAGE == 0 and "x" not in smaps.perms[place]:
            flags[place] = _V8
        elif smaps.perms[place].startswith("rw-"):
            _guess_writable(smaps, place, flags, has_guards=has_guards)
    return flags


def _is_v8(name: bytes) -> bool:
    folder, _, last = name.rpartition(b"/")
    return bool(folder) and (b"/" + last).startswith(_V8_PROGRAMS)


def _guess_writable(smaps: Smaps, place: int, flags: list[frozenset[str]], *, has_guards: bool) -> None:
    start, end = smaps.starts[place], smaps.ends[place]
    if start % ARENA_BYTES == 0 and (end == start + ARENA_BYTES or _reserves_up_to(smaps, place + 1, end, start)):
        flags[place] = _NO_RESERVE
        if end != start + ARENA_BYTES:
            flags[place + 1] = _NO_RESERVE
    elif start in _SHADOW_STARTS:
        flags[place] = _SHADOW
    elif has_guards and end - start >= _LEAST_STACK and _is_above_guard(smaps, place):
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

"""Detects allocators by the files that a process has mapped, and counts glibc's arenas. See proc_pid_maps(5)."""

from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple


class Allocator(Enum):
    """The allocator that serves malloc()."""

    GLIBC = "glibc"
    MUSL = "musl"
    JEMALLOC = "jemalloc"
    TCMALLOC = "tcmalloc"
    MIMALLOC = "mimalloc"


_ALLOCATORS: Final = (
    (Allocator.JEMALLOC, ("libjemalloc",)),
    (Allocator.TCMALLOC, ("libtcmalloc",)),
    (Allocator.MIMALLOC, ("libmimalloc",)),
    (Allocator.MUSL, ("ld-musl-", "libc.musl-")),
    (Allocator.GLIBC, ("libc.so", "libc-2.")),
)
"""Prefixes of their file names. Preloaded allocators come first, because they replace malloc of the C library."""


def allocator_of(files: Iterable[str]) -> Allocator | None:
    """The allocator of a process that maps files with these names; None if none is among them.

    A replacement for malloc that is linked in statically shows no file and is not detected.
    """
    names = list(files)
    return next((kind for kind, begins in _ALLOCATORS if any(name.startswith(begins) for name in names)), None)


_ARENA_BYTES: Final = 64 << 20


class Arenas(NamedTuple):
    """The secondary arenas of glibc's malloc: one per thread, up to eight per core, 64 MiB of addresses each."""

    number: int
    reserved_bytes: int
    """Address space, most of it without RAM behind it."""
    usable_bytes: int
    """The parts that can be written."""


def glibc_arenas(maps: bytes) -> Arenas:
    """The arenas in a maps file: a writable and an inaccessible anonymous region that fill 64 MiB together."""
    count = usable = 0
    before: tuple[int, int] | None = None
    for line in maps.split(b"\n"):
        perms, start, end = _anonymous(line)
        if perms == b"---p" and before is not None and before[1] == start:
            if before[0] % _ARENA_BYTES == 0 and end == before[0] + _ARENA_BYTES:
                count += 1
                usable += before[1] - before[0]
        elif perms == b"rw-p":
            if start % _ARENA_BYTES == 0 and end - start == _ARENA_BYTES:
                count += 1
                usable += end - start
            before = (start, end)
            continue
        before = None
    return Arenas(count, count * _ARENA_BYTES, usable)


def _anonymous(line: bytes) -> tuple[bytes, int, int]:
    """Permissions, start and end of an anonymous region without a name; no permissions for any other line."""
    fields = line.split()
    if len(fields) != 5 or fields[4] != b"0":
        return b"", 0, 0
    start, _, end = fields[0].partition(b"-")
    try:
        return fields[1], int(start, 16), int(end, 16)
    except ValueError:
        return b"", 0, 0

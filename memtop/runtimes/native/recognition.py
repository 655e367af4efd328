"""Runtimes and allocators, recognised from the files that a process has mapped. See proc_pid_maps(5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple


class Runtime(Enum):
    """A language runtime."""

    GO = "go"
    JVM = "jvm"
    CPYTHON = "python"
    NODE = "node"
    RUBY = "ruby"
    PHP = "php"
    DOTNET = "dotnet"


class Allocator(Enum):
    """Who serves malloc()."""

    GLIBC = "glibc"
    MUSL = "musl"
    JEMALLOC = "jemalloc"
    TCMALLOC = "tcmalloc"
    MIMALLOC = "mimalloc"


class Native(NamedTuple):
    """What was recognised; None where nothing was (a static program shows nothing)."""

    runtime: Runtime | None
    version: str | None
    """Of the runtime, as far as file names tell: ``3.11``, ``20``."""
    allocator: Allocator | None


_VERSION: Final = r"(\d{1,2}(?:\.\d{1,3}){0,2})?"
_RUNTIMES: Final = (
    (Runtime.JVM, "libjvm", r"libjvm\.so\Z"),
    (Runtime.CPYTHON, "python", rf"libpython{_VERSION}[dmu]*\.so|python{_VERSION}[dmut]*\Z"),
    (Runtime.NODE, "node", rf"(?:node|nodejs){_VERSION}\Z|libnode\.so\.?(\d{{1,3}})?"),
    (Runtime.RUBY, "ruby", rf"libruby-?{_VERSION}\.so|ruby{_VERSION}\Z"),
    (Runtime.PHP, "php", rf"php(?:-fpm|-cgi)?{_VERSION}\Z|libphp{_VERSION}\.so"),
    (Runtime.DOTNET, "libcoreclr", r"libcoreclr\.so\Z"),
)
"""Each with a part of every name that the pattern matches: most processes have none, and need no pattern compiled."""
_ALLOCATORS: Final = (
    (Allocator.JEMALLOC, ("libjemalloc",)),
    (Allocator.TCMALLOC, ("libtcmalloc",)),
    (Allocator.MIMALLOC, ("libmimalloc",)),
    (Allocator.MUSL, ("ld-musl-", "libc.musl-")),
    (Allocator.GLIBC, ("libc.so", "libc-2.")),
)
"""How their files begin. Those that are preloaded come first, since they serve malloc in place of the C library's."""
_DELETED: Final = " (deleted)"


def recognise(paths: Iterable[str], exe: str | None = None, is_go: bool = False) -> Native:
    """Runtime and allocator of a process that maps these files; ``exe`` is its own executable, where known.

    A replacement for malloc that is linked in statically shows no file and is not seen. ``is_go`` is what the build
    information says, which comes before everything else.
    """
    files = {path.removesuffix(_DELETED).rpartition("/")[2] for path in paths}
    own = exe.removesuffix(_DELETED).rpartition("/")[2] if exe else None
    runtime, version = _runtime(files, own)
    if is_go:
        runtime, version = Runtime.GO, None
    allocator = next((kind for kind, names in _ALLOCATORS if any(file.startswith(names) for file in files)), None)
    return Native(runtime, version, allocator)


def _runtime(files: set[str], own: str | None) -> tuple[Runtime | None, str | None]:
    """Libraries count wherever they are mapped; executables only as the process's own."""
    named = sorted(files | ({own} if own else set()))
    for runtime, part, pattern in _RUNTIMES:
        for file in named:
            match = re.match(pattern, file) if part in file else None
            if match and (".so" in file or file == own):
                return runtime, next((group for group in match.groups() if group), None)
    return None, None


def old_space_bytes(argv: Iterable[str]) -> int | None:
    """--max-old-space-size of a Node command line, in bytes (it is given in MiB); None where absent."""
    found = None
    for argument in argv:
        match = re.fullmatch(r"--max[-_]old[-_]space[-_]size=(\d{1,9})", argument)
        if match:
            found = int(match[1]) << 20
    return found


_ARENA_BYTES: Final = 64 << 20


class Arenas(NamedTuple):
    """The secondary arenas of glibc's malloc: one per thread, up to eight per core, 64 MiB of addresses each."""

    number: int
    reserved_bytes: int
    """Address space, most of which has no RAM behind it."""
    usable_bytes: int
    """The parts that may be written."""


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
    """Permissions, start and end of a region that is no file and has no name; no permissions for any other line."""
    fields = line.split()
    if len(fields) != 5 or fields[4] != b"0":
        return b"", 0, 0
    start, _, end = fields[0].partition(b"-")
    try:
        return fields[1], int(start, 16), int(end, 16)
    except ValueError:
        return b"", 0, 0

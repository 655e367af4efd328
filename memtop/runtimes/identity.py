"""Identifies a process's runtime (by the registry), its allocator and malloc's arenas."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final

from memtop.errors import ParseError
from memtop.runtimes.native.allocators import Allocator, allocator_of, glibc_arenas
from memtop.runtimes.process_folder import process_folder
from memtop.runtimes.protocol import Access, Identity, ReadAt, Runtime
from memtop.runtimes.small_json import dumps, loads, text, whole

_MAPS_BYTES: Final = 8 << 20
_LONGEST_BUILD: Final = 4096
_DELETED: Final = " (deleted)"


class _Files:
    """ProcessFiles of a process, each read once."""

    def __init__(self, access: Access, pid: int) -> None:
        self._access = access
        self._folder = process_folder(access, pid)
        self.trouble = ""

    @cached_property
    def maps(self) -> bytes:
        try:
            return self._access.read(f"{self._folder}/maps", _MAPS_BYTES)
        except OSError as error:
            self.trouble = f"its mappings cannot be read: {error.strerror}"
            return b""

    @cached_property
    def mapped(self) -> frozenset[str]:
        paths = {os.fsdecode(fields[5]) for line in self.maps.split(b"\n") if len(fields := line.split(None, 5)) == 6}
        return frozenset(_name(path) for path in paths)

    @cached_property
    def exe_name(self) -> str | None:
        try:
            return _name(self._access.link(f"{self._folder}/exe"))
        except OSError as error:
            self.trouble = self.trouble or f"its mappings cannot be read: {error.strerror}"
            return None

    @contextmanager
    def executable(self) -> Iterator[ReadAt | None]:
        try:
            with self._access.regular_file(f"{self._folder}/exe") as read_at:
                yield read_at
        except OSError as error:
            raise ParseError("exe", f"its executable cannot be read: {error.strerror}") from error


def read_identity(runtimes: Iterable[Runtime], access: Access, pid: int) -> Identity:
    """Read which runtime of the table a process has; the first one wins. ``trouble`` names what cannot be read."""
    files, trouble = _Files(access, pid), ""
    name, version, build = None, None, b""
    for runtime in runtimes:
        try:
            detected = runtime.detect(files)
        except ParseError as error:
            trouble = trouble or error.why
            continue
        if detected is not None:
            name, (version, build) = runtime.name, detected
            break
    allocator = allocator_of(files.mapped)
    return Identity(
        runtime=name,
        version=version,
        allocator=allocator and allocator.value,
        arenas=glibc_arenas(files.maps) if allocator is Allocator.GLIBC else None,
        build=build.decode("utf-8", "replace"),
        trouble=trouble or files.trouble,
    )


def encode_identity(identity: Identity) -> bytes:
    """Encode the identity as small JSON."""
    return dumps(identity._asdict())


def decode_identity(data: bytes) -> Identity:
    """The inverse of :func:`encode_identity`. Raises ParseError."""
    found = loads(data)
    numbers = found.get("arenas")
    arenas = None
    if isinstance(numbers, list) and len(numbers) == 3 and all(whole(number) for number in numbers):
        arenas = (numbers[0], numbers[1], numbers[2])
    return Identity(
        runtime=text(found, "runtime") or None,
        version=text(found, "version") or None,
        allocator=text(found, "allocator") or None,
        arenas=arenas,
        build=text(found, "build", _LONGEST_BUILD),
        trouble=text(found, "trouble"),
    )


def _name(path: str) -> str:
    return path.removesuffix(_DELETED).rpartition("/")[2]

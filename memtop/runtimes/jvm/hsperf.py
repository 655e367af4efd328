"""Parses the hsperfdata file of a HotSpot JVM, version 2: named counters, which jps and jstat read as well.

The file is ``/tmp/hsperfdata_USER/PID`` in the JVM's own namespaces. It may be written while it is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from memtop.errors import ParseError
from memtop.sanitize import clean

MOST_BYTES: Final = 1 << 20
_MAGIC: Final = b"\xca\xfe\xc0\xc0"
_HEADER: Final = "BBBIIQII"
_ENTRY: Final = "IIIBBBBI"
_MOST_ENTRIES: Final = 10_000
_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 4096
_LONG: Final = ord("J")
TEXT: Final = ord("B")
"""The type of a text; others are numbers."""
ARGUMENTS: Final = "java.rt.vmArgs"


def parse_hsperf(data: bytes) -> dict[str, int | str]:
    """Parse all counters by name: numbers, and cleaned text. Raises ParseError with the reason.

    Counters that do not fit into the file are skipped, because it may be truncated or just being written.
    """
    order, places = counter_places(data)
    found: dict[str, int | str] = {}
    for name, kind, start, size in places:
        if kind == _LONG and size == 8:
            found[name] = int(struct.unpack_from(order + "q", data, start)[0])
        elif kind == TEXT:
            found[name] = clean(data[start : start + min(size, _LONGEST_TEXT)].partition(b"\0")[0])
    if not found:
        raise ParseError("hsperfdata", "no counters in it")
    return found


def counter_places(data: bytes) -> tuple[str, Iterator[tuple[str, int, int, int]]]:
    """The byte order, and (name, type, start, size) of each counter that lies within the file. Raises ParseError."""
    order, at, count = _opened(data)
    return order, _entries(data, order, at, count)


def _opened(data: bytes) -> tuple[str, int, int]:
    """(byte order, offset of the entries, their number)."""
    if len(data) > MOST_BYTES:
        raise ParseError("hsperfdata", "larger than such a file is")
    if not data:
        raise ParseError("hsperfdata", "the file is empty: the JVM is just starting, or has no room for it")
    if data[:4] != _MAGIC:
        raise ParseError("hsperfdata", "not such a file")
    order = ">" if data[4:5] == b"\0" else "<"
    header = struct.Struct(order + _HEADER)
    if len(data) < 4 + 1 + header.size:
        raise ParseError("hsperfdata", "cut short")
    major, minor, accessible, _, _, _, at, count = header.unpack_from(data, 5)
    if major != 2:
        raise ParseError("hsperfdata", f"version {major}.{minor}, of which nothing is known")
    if not accessible:
        raise ParseError("hsperfdata", "not ready: the JVM is just starting")
    if count > _MOST_ENTRIES:
        raise ParseError("hsperfdata", "it claims an impossible number of counters")
    return order, at, count


def _entries(data: bytes, order: str, at: int, count: int) -> Iterator[tuple[str, int, int, int]]:
    """(name, kind, start, size) of each counter that lies within the file."""
    entry = struct.Struct(order + _ENTRY)
    for _ in range(count):
        if at + entry.size > len(data):
            return
        length, name_at, elements, kind, _, _, _, data_at = entry.unpack_from(data, at)
        if length < entry.size:
            return
        end = min(at + length, len(data))
        name = data[at + name_at : min(at + name_at + _LONGEST_NAME, end)].partition(b"\0")[0]
        size = elements if elements else 8
        if name and at + data_at + size <= end:
            yield clean(name), kind, at + data_at, size
        at += length

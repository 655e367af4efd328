"""Reads the rows that are left in a damaged SQLite file: page by page, without the tree that leads to them.

See "Database File Format" of SQLite, 1.6 (pages of a b-tree), 2.1 (records) and 4 (the log beside the file).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

ROW_LIMIT: Final = 32 << 20
"""Most bytes of one row."""
_LEAF: Final = 0x0D
_DEFAULT_SIZE: Final = 4096
_SIZES: Final = frozenset(1 << power for power in range(9, 17))
_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)
_WAL_HEADER, _FRAME_HEADER = 32, 24
_SALTS: Final = slice(8, 16)

Value = int | float | bytes | str | None


class LeafRow(NamedTuple):
    """One row of a table."""

    rowid: int
    values: tuple[Value, ...]
    """Those of the columns. One that repeats the rowid is None."""


class Pages:
    """The pages of a file and of the log beside it. ``wal`` is None without one. Raises OSError."""

    def __init__(self, file: int, wal: int | None) -> None:
        self._file = file
        size = int.from_bytes(os.pread(file, 2, 16), "big")
        size = 65_536 if size == 1 else size
        self._size = size if size in _SIZES else _DEFAULT_SIZE
        file_pages = -(-os.fstat(file).st_size // self._size)
        self.is_cut = int.from_bytes(os.pread(file, 4, 28), "big") > file_pages
        """Whether the file is shorter than it says."""
        self._newer: dict[int, int] = {}
        """Place in the log of each page that is newer there."""
        self._wal = wal
        if wal is not None:
            self._newer = _frames(wal, self._size)
        self._count = max(file_pages, *self._newer, 0)

    def __iter__(self) -> Iterator[int]:
        """The numbers of pages that hold rows of tables."""
        for number in range(1, self._count + 1):
            page = self._page(number)
            start = 100 if number == 1 else 0
            if page[start : start + 1] == bytes([_LEAF]):
                yield number

    def rows(self, number: int) -> Iterator[LeafRow]:
        """The rows on a page, as far as they can be read."""
        page = self._page(number)
        start = 100 if number == 1 else 0
        if len(page) < start + 8:
            return
        (count,) = struct.unpack_from(">H", page, start + 3)
        for at in range(start + 8, min(start + 8 + 2 * count, len(page) - 1), 2):
            try:
                yield self._row(page, *struct.unpack_from(">H", page, at))
            except (IndexError, ValueError, struct.error):
                continue

    def _page(self, number: int) -> bytes:
        if (place := self._newer.get(number)) is not None and self._wal is not None:
            return os.pread(self._wal, self._size, place)
        return os.pread(self._file, self._size, (number - 1) * self._size)

    def _row(self, page: bytes, at: int) -> LeafRow:
        """Raises IndexError, ValueError or struct.error for a damaged one."""
        size, at = _varint(page, at)
        rowid, at = _varint(page, at)
        if size > ROW_LIMIT:
            raise ValueError("too large")
        local = self._local(size)
        payload = page[at : at + local]
        if len(payload) < local:
            raise ValueError("cut")
        if local < size:
            (following,) = struct.unpack_from(">I", page, at + local)
            payload += self._overflow(following, size - local)
        return LeafRow(rowid, tuple(_values(payload)))

    def _local(self, size: int) -> int:
        """How much of a row of a size is on its page."""
        most = self._size - 35
        if size <= most:
            return size
        least = (self._size - 12) * 32 // 255 - 23
        local = least + (size - least) % (self._size - 4)
        return local if local <= most else least

    def _overflow(self, number: int, size: int) -> bytes:
        parts = []
        while size > 0:
            page = self._page(number) if 0 < number <= self._count else b""
            part = page[4 : 4 + size]
            if not part:
                raise ValueError("cut")
            parts.append(part)
            size -= len(part)
            (number,) = struct.unpack_from(">I", page)
        return b"".join(parts)


def _frames(wal: int, size: int) -> dict[int, int]:
    """The place of the newest version of each page in a log, up to the last whole transaction.

    A log may be cut in the middle of a page, which is then not there.
    """
    header, end = os.pread(wal, _WAL_HEADER, 0), os.fstat(wal).st_size
    newest: dict[int, int] = {}
    pending: dict[int, int] = {}
    at = _WAL_HEADER
    while at + _FRAME_HEADER + size <= end:
        head = os.pread(wal, _FRAME_HEADER, at)
        if head[_SALTS] != header[16:24]:
            break
        number, committed = struct.unpack_from(">II", head)
        pending[number] = at + _FRAME_HEADER
        if committed:
            newest |= pending
            pending = {}
        at += _FRAME_HEADER + size
    return newest


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to nine bytes, and where the next one is."""
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    return value << 8 | data[at + 8], at + 9


def _values(record: bytes) -> Iterator[Value]:
    header, at = _varint(record, 0)
    place = header
    while at < header:
        kind, at = _varint(record, at)
        if kind in (8, 9):
            yield kind - 8
            continue
        if kind == 0:
            yield None
            continue
        size = _INTEGER_BYTES[kind] if kind < 7 else 8 if kind == 7 else (kind - 12) // 2
        data = record[place : place + size]
        if len(data) < size or kind in (10, 11):
            raise ValueError("cut")
        place += size
        if kind < 7:
            yield int.from_bytes(data, "big", signed=True)
        elif kind == 7:
            yield struct.unpack(">d", data)[0]
        else:
            yield data if kind % 2 == 0 else data.decode("utf-8", "replace")

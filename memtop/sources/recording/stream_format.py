"""The format of a stream: a header line, then one record for each instant, and one for the end.

The header is ``memtop-stream 1 3``: the version of the stream, and that of the rows in it, which are those of a file
(see :mod:`memtop.sources.recording.format`). A record is

======  =======  ======================================================================
bytes   type     what
======  =======  ======================================================================
4       bytes    a mark, by which the next record is found where one is damaged
1       u8       kind: 1 an instant, 2 the end
1       u8       1 for a keyframe, with which a reader may begin
2                zero
8       u64      number of the instant, counted up
8       double   wall time, seconds since 1970
8       double   seconds of CLOCK_BOOTTIME
4       u32      length of the rows
4       u32      CRC-32 of the rows
4       u32      CRC-32 of all that is before it
length  bytes    rows
======  =======  ======================================================================

Numbers are little-endian. The first instant is a keyframe.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from memtop.errors import RecordingError
from memtop.sources.protocol import Instant
from memtop.sources.recording.format import VERSION, RecordKind, encode_rows
from memtop.sources.recording.tick import Block

STREAM_VERSION: Final = 1
HEADER: Final = b"memtop-stream %d %d\n" % (STREAM_VERSION, VERSION)
ROWS_VERSIONS: Final = range(2, VERSION + 1)
"""Versions of the rows that a reader understands: those with keyframes."""
RECORD_LIMIT: Final = 32 << 20
"""Most bytes of the rows of one instant."""
_LOST_LIMIT: Final = 1 << 40
_HEADER_LIMIT: Final = 64
_START: Final = b"memtop-stream "
_FILE: Final = b"SQLite format 3\0"
_MARK: Final = b"\xf1mt\n"
_TICK, _END = 1, 2
_HEAD: Final = struct.Struct("<4sBBxxQddII")
_CRC: Final = struct.Struct("<I")
_FOREIGN: Final = "it is not a stream from memtop record -o -"


def encode_block(number: int, block: Block) -> bytes:
    """The record of an instant."""
    return _record(_TICK, block.key, number, block.instant, block.rows)


def encode_end(number: int) -> bytes:
    """The record of the end."""
    return _record(_END, False, number, Instant(0.0, 0.0), b"")


def _record(kind: int, key: bool, number: int, instant: Instant, rows: bytes) -> bytes:
    head = _HEAD.pack(_MARK, kind, key, number, *instant, len(rows), zlib.crc32(rows))
    return b"".join((head, _CRC.pack(zlib.crc32(head)), rows))


class StreamDecoder:
    """Turns bytes into blocks. What is damaged is skipped up to the next keyframe, which says how much is missing."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._has_header = False
        self._next = 0
        """Number of the next instant."""
        self._needs_key = True
        self.has_ended = False
        """Whether the record of the end has come."""
        self.is_damaged = False
        """Whether something was skipped since the last instant."""
        self.lost = 0
        """Instants that are missing after the last one, as far as is known."""

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that these bytes complete. Raises RecordingError for a stream of another kind."""
        self._buffer += data
        if not self._has_header and not self._take_header():
            return
        at = 0
        while not self.has_ended and (size := self._size_at(at)) is not None:
            if size == 0:
                self._needs_key = self.is_damaged = True
                found = self._buffer.find(_MARK, at + 1)
                at = found if found >= 0 else max(at + 1, len(self._buffer) - len(_MARK) + 1)
                continue
            if (block := self._take(at, size)) is not None:
                yield block
            at += size
        del self._buffer[:at]

    def _take_header(self) -> bool:
        """Take the header line; False while it has not come whole. Raises RecordingError."""
        line, end, _ = self._buffer[:_HEADER_LIMIT].partition(b"\n")
        if bytes(line[: len(_START)]) != _START[: len(line)]:
            is_file = self._buffer.startswith(_FILE[: len(self._buffer)]) and len(self._buffer) >= len(_FILE)
            raise RecordingError("it is a recording; memtop replay FILE plays one" if is_file else _FOREIGN)
        if not end:
            if len(line) >= _HEADER_LIMIT:
                raise RecordingError(_FOREIGN)
            return False
        versions = line[len(_START) :].split()
        if len(versions) != 2 or not all(version.isdigit() for version in versions):
            raise RecordingError(_FOREIGN)
        stream, rows = map(int, versions)
        if stream != STREAM_VERSION or rows not in ROWS_VERSIONS:
            raise RecordingError(
                f"it has format {stream} with rows of format {rows}, and this memtop reads format {STREAM_VERSION}"
                f" with rows of formats {ROWS_VERSIONS[0]} to {ROWS_VERSIONS[-1]}"
            )
        del self._buffer[: len(line) + 1]
        self._has_header = True
        return True

    def _size_at(self, at: int) -> int | None:
        """The size of the record there; 0 for a damaged head, None for one that has not come whole.

        Damaged rows are left to :meth:`_take`, which skips them whole: to search them for the next record would take
        time that grows with the square of what a hostile sender sends.
        """
        head = bytes(self._buffer[at : at + _HEAD.size + _CRC.size])
        if head[: len(_MARK)] != _MARK[: len(head)]:
            return 0
        if len(head) < _HEAD.size + _CRC.size:
            return None
        length = _HEAD.unpack_from(head)[-2]
        if _CRC.unpack_from(head, _HEAD.size)[0] != zlib.crc32(head[: _HEAD.size]) or length > RECORD_LIMIT:
            return 0
        size: int = len(head) + length
        return size if len(self._buffer) >= at + size else None

    def _take(self, at: int, size: int) -> Block | None:
        """The block of a whole record; None for the end, for damaged rows, and where a keyframe must come first."""
        _, kind, key, number, wall_s, mono_s, length, crc = _HEAD.unpack_from(self._buffer, at)
        rows = bytes(self._buffer[at + size - length : at + size])
        if zlib.crc32(rows) != crc:
            self._needs_key = self.is_damaged = True
            return None
        self.lost = min(max(0, number - self._next), _LOST_LIMIT)
        if kind == _END:
            self.has_ended = True
            return None
        if kind != _TICK or (not key and (self._needs_key or number != self._next)):
            self._needs_key = True
            self.lost += 1
            return None
        lost, self.lost, self._next, self._needs_key, self.is_damaged = self.lost, 0, number + 1, False, False
        if lost:
            rows += encode_rows([(RecordKind.LOST, b"", lost, b"")])
        return Block(Instant(wall_s, mono_s), bool(key), rows)

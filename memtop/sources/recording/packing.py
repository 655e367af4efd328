"""Packs one value of a recording: as what differs from the value before, or compressed; and a keyframe."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Final

from memtop.errors import DamagedError
from memtop.sources.recording.differing_bits import differing_bits
from memtop.sources.recording.format import VALUE_LIMIT, Row, encoded_rows
from memtop.sources.recording.number_changes import decode_changes_of, encode_changes_of

TOOK_LIMIT_S: Final = 1e9
"""Longest time of one reading."""
_COMPRESS_FROM: Final = 200
_CHANGES_FROM: Final = 16
"""Shorter data is stored as it is: its changes are hardly shorter."""
_PLAIN: Final = b"\0"
_ZLIB: Final = b"\1"
_NUMBERS: Final = b"\2"
_TOOK: Final = b"\3"
_BITS: Final = b"\4"
_DICTIONARY_LIMIT: Final = 32_768
_WINDOW_BITS: Final = range(12, zlib.MAX_WBITS + 1)
"""zlib's wbits. Its largest window has 256 KiB to be taken and cleared for each value, most of which have some KiB."""
_MEMORY_BELOW_WINDOW: Final = zlib.MAX_WBITS - zlib.DEF_MEM_LEVEL
"""By how much zlib's memLevel is smaller than its wbits."""
_KEY_LEVEL: Final = 6
"""zlib's level for a keyframe. Level 3 takes half of the 8 ms that one of 500 processes takes, for 20 % more bytes."""
TOOK_BYTES: Final = 8
"""Size of a double."""
_TOOK_END: Final = 1 + TOOK_BYTES


def pack(data: bytes, basis: bytes = b"") -> bytes:
    """Pack ``data`` for storage: what differs from ``basis``, or compressed with it as the dictionary if that helps."""
    if (
        basis
        and len(data) >= _CHANGES_FROM
        and (changes := encode_changes_of(data, basis)) is not None
        and len(changes) < len(data)
    ):
        return _NUMBERS + changes
    return squeeze(data, basis)


def pack_bits(data: bytes, basis: bytes) -> bytes:
    """Pack ``data`` at little cost, for what is compressed again: by the bits that differ from ``basis``, if that has
    as many bytes."""
    if len(data) == len(basis):
        return _BITS + differing_bits(data, basis)
    return _PLAIN + data if len(data) < _COMPRESS_FROM else pack(data, basis)


def squeeze(data: bytes, basis: bytes, level: int = 1) -> bytes:
    """Compress ``data`` with ``basis`` as the dictionary, if that helps. ``level`` is zlib's."""
    if len(data) >= _COMPRESS_FROM:
        window = _window_bits(len(data) + len(basis))
        memory = window - _MEMORY_BELOW_WINDOW
        squeezer = zlib.compressobj(level, zlib.DEFLATED, window, memory, zdict=basis[:_DICTIONARY_LIMIT])
        squeezed = squeezer.compress(data) + squeezer.flush()
        if len(squeezed) < len(data):
            return _ZLIB + squeezed
    return _PLAIN + data


def _window_bits(size: int) -> int:
    """The smallest window in which so many bytes find each other: deflate does not look back by a whole window."""
    return max(_WINDOW_BITS[0], min(_WINDOW_BITS[-1], (size + size // 3 - 1).bit_length()))


def pack_answer(took_s: float, data: bytes, basis: bytes = b"") -> bytes:
    """Pack an answer and the time before it, see :func:`encode_took`. ``basis`` begins with a time as well."""
    if basis:
        return _TOOK + encode_took(took_s) + pack(data, basis[TOOK_BYTES:])
    return pack(encode_took(took_s) + data)


def unpack(stored: bytes, basis: bytes = b"", limit_bytes: int = VALUE_LIMIT) -> bytes:
    """The inverse of :func:`pack`, at most ``limit_bytes``. Raises DamagedError or zlib.error."""
    if stored[:1] == _PLAIN and len(stored) <= limit_bytes + 1:
        return stored[1:]
    if stored[:1] == _NUMBERS:
        return decode_changes_of(stored[1:], basis)
    if stored[:1] == _BITS:
        if len(stored) - 1 != len(basis):
            raise DamagedError("a value and what it is coded by differ in length")
        return differing_bits(stored[1:], basis)
    if stored[:1] == _TOOK and stored[_TOOK_END : _TOOK_END + 1] != _TOOK:
        return stored[1:_TOOK_END] + unpack(stored[_TOOK_END:], basis[TOOK_BYTES:], limit_bytes)
    if stored[:1] == _PLAIN:
        raise DamagedError("a value is too large")
    if stored[:1] != _ZLIB:
        raise DamagedError("a value has an unknown encoding")
    inflater = zlib.decompressobj(zdict=basis[:_DICTIONARY_LIMIT])
    data = inflater.decompress(stored[1:], limit_bytes)
    if not inflater.eof:
        raise DamagedError("a value is cut short or too large")
    return data


def is_longer(stored: bytes, basis: bytes, size: int) -> bool:
    """Whether what :func:`pack_answer` has stored has more than ``size`` bytes, as far as that is seen at little cost.

    Raises zlib.error.
    """
    if stored[:1] == _TOOK and stored[_TOOK_END : _TOOK_END + 1] != _TOOK:
        return is_longer(stored[_TOOK_END:], basis[TOOK_BYTES:], size - TOOK_BYTES)
    if stored[:1] == _ZLIB:
        return len(zlib.decompressobj(zdict=basis[:_DICTIONARY_LIMIT]).decompress(stored[1:], size + 1)) > size
    return stored[:1] == _PLAIN and len(stored) - 1 > size


def number_changes(stored: bytes) -> bytes | None:
    """What :func:`pack` has stored of a value that differs from its basis in numbers only; None for any other."""
    return stored[1:] if stored[:1] == _NUMBERS else None


def encode_took(took_s: float) -> bytes:
    """Encode the time that stands before an answer that may have taken long."""
    return struct.pack("<d", took_s)


def decode_took(data: bytes) -> tuple[float, bytes]:
    """Decode the seconds, and return what follows them. Raises struct.error or DamagedError."""
    (took_s,) = struct.unpack_from("<d", data)
    if not 0 <= took_s < TOOK_LIMIT_S:
        raise DamagedError("a time is not a number")
    return took_s, data[TOOK_BYTES:]


def pack_rows(rows: Iterable[Row]) -> bytes:
    """``pack(encode_rows(rows))`` without all of the rows in memory: those of a keyframe are megabytes."""
    squeezer = zlib.compressobj(_KEY_LEVEL, zlib.DEFLATED)
    return b"".join([_ZLIB, *map(squeezer.compress, encoded_rows(rows)), squeezer.flush()])

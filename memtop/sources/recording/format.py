"""The recording format: one SQLite file with two tables.

``tick`` has the instants, counted up; the oldest may have been dropped. ``fact`` has what was learned at each of them,
only where it differs from what was known before:

==========  =========================  ========================================  ===================================
kind        path                       status                                    data
==========  =========================  ========================================  ===================================
PIDS        empty                      1: all of them; 0: a difference           pids; (how many left, they, the new)
SWEPT       name of the file           1: all that are listed; 0: those of data  pids
SWEEP       name of the file           empty                                     pids, lengths, bytes that differ
READ        of the file                an Outcome                                bytes, or the error's text
READ_SET    empty                      empty: all; 1: more than before; 0: less  paths that were read, NUL between
ASK         of the file                an Outcome                                seconds it took, a double; as READ
WAITING     empty                      as READ_SET                               paths without an answer yet
EXIT        the pid                    wait(2) status or NULL                    wall time, a double
LOST        empty                      samples that are missing before this one  empty
KEY         empty                      empty                                     rows, see :func:`encode_rows`
KEPT        of the file                an Outcome                                as ASK
ABOUT       its name                   empty                                     the value
EVENT       its kind, a word           the pid or NULL                           its label
ROWS        see ANY_ROWS               empty                                     rows of kinds that no query looks for
SWEEP_BITS  name of the file           empty                                     as SWEEP, coded by :mod:`.bits`
READ_BITS   name of the file           1: FITTED; else empty                     as SWEEP_BITS, of files that were read
ONCE        name of the file           1: came at this instant; 0: is known      as SWEEP, of answers as of ASK
==========  =========================  ========================================  ===================================

The mark of a recording that was not finished, because memtop was killed or could not write what it still had, is the
journal mode in the header (byte 18): WAL while it is being written, another one when it is complete.
``SWEPT``, ``READ_SET`` and ``WAITING`` tell "unchanged" from "not asked"; they hold until they change. ``ASK`` and
``EXIT`` belong to their tick alone, and so does ``EVENT``: something that memtop found at that tick, to go to later.
Numbers are little-endian.

A keyframe is a tick with a ``KEY``, whose rows are everything that is known at that tick, so that a reader may begin
there. Its PIDS have the status 2: how many left at this tick, they, all of them. ``KEPT`` are answers that are asked
for once and hold. ``ABOUT`` is what the recording says of its machine and of what was asked. The first tick is a
keyframe. Format 1 has no keyframes, formats 1 and 2 have no events, formats 1 to 3 no ``SWEEP_BITS`` and
``READ_BITS``, and formats 1 to 4 no ``ONCE``, nothing FITTED and no single value
that is coded by its bits.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import IntEnum
from itertools import islice
from typing import Final, TypeVar

from memtop.errors import AccessDenied, Blocked, DamagedError, MemtopError, ProcessGone, Unavailable
from memtop.sources.protocol import is_runtime

APPLICATION_ID: Final = 0x6D656D74
"""``memt``, at byte 68 of the file."""
VERSION: Final = 5
"""PRAGMA user_version, the version that is written."""
_FACT: Final = (
    "CREATE TABLE fact(tick INTEGER NOT NULL, kind INTEGER NOT NULL, path BLOB NOT NULL, status INTEGER, data BLOB)",
    "CREATE INDEX fact_tick ON fact(tick)",
)
_TICK: Final = (
    "CREATE TABLE tick(n INTEGER PRIMARY KEY, wall_s REAL NOT NULL, mono_s REAL NOT NULL, key INTEGER NOT NULL)"
)
_WITH_EVENTS: Final = (_TICK, *_FACT, "CREATE INDEX fact_event ON fact(tick, kind) WHERE kind IN (9, 13)")
SCHEMAS: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("CREATE TABLE tick(n INTEGER PRIMARY KEY, wall_s REAL NOT NULL, mono_s REAL NOT NULL)", *_FACT),
    2: (_TICK, *_FACT, "CREATE INDEX fact_event ON fact(tick, kind) WHERE kind IN (8, 9)"),
    3: _WITH_EVENTS,
    4: _WITH_EVENTS,
    5: _WITH_EVENTS,
}
"""The tables of each version that a reader understands. The last index finds losses and events at once; before there
were events, losses and ends of processes."""
PACKED_LIMIT: Final = 15 << 20
"""Most bytes of one value in the file."""
VALUE_LIMIT: Final = 64 << 20
"""Most bytes of one value unpacked. It has room for the smaps of 65,000 mappings."""
READ_FILE_LIMIT: Final = 4 << 20
"""Most bytes of a file that memtop reads while it takes a sample. It has room for the ids of 500,000 threads."""
LISTING_LIMIT: Final = 16 << 20
"""Most bytes of a reading that may block, other than of mappings with their sizes."""
PROCESS_LIMIT: Final = 1 << 18
"""Most processes of one listing or sweep."""
LABEL_LIMIT: Final = 200
"""Most bytes of the label of an event."""
_TOGETHER: Final = 64
"""Most answers in one row of a keyframe. Several copies of a row are in memory at once: in one row, those of 500
processes took 2 MB more, until malloc's heap was trimmed."""
_NONE: Final = 0xFFFF_FFFF
_ONCE: Final = ("identity", "environ", "container")
"""Answers about a runtime that hold until they are replaced."""
_ROW: Final = struct.Struct("<BBHIq")

_Value = TypeVar("_Value")
Row = tuple[int, bytes, int | None, bytes | None]
"""kind, path, status, data."""


class RecordKind(IntEnum):
    """The subject of a fact."""

    PIDS = 1
    SWEPT = 2
    SWEEP = 3
    READ = 4
    READ_SET = 5
    ASK = 6
    WAITING = 7
    EXIT = 8
    LOST = 9
    KEY = 10
    KEPT = 11
    ABOUT = 12
    EVENT = 13
    ROWS = 14
    SWEEP_BITS = 15
    READ_BITS = 16
    ONCE = 17


FITTED: Final = 1
"""Status of a READ_BITS in which answers are also coded by bits where their length has changed."""
FOUND_BY_QUERIES: Final = frozenset({RecordKind.KEY, RecordKind.LOST, RecordKind.EVENT})
"""Kinds that are rows of their own in the file."""
ANY_ROWS: Final = b""
"""Path of a bundle that may have rows of any such kind, the lists of processes and sweeps among them ..."""
READ_ROWS: Final = b"reads"
"""... and of one that has neither, so that who looks for one process need not unpack it."""
_WITH_BASIS: Final = frozenset(
    {RecordKind.SWEEP, RecordKind.SWEPT, RecordKind.READ_SET, RecordKind.READ, RecordKind.ROWS}
)


class Outcome(IntEnum):
    """The outcome of a reading."""

    OK = 0
    GONE = 1
    DENIED = 2
    UNAVAILABLE = 3
    BLOCKED = 4


ERRORS: Final[Mapping[Outcome, type[MemtopError]]] = {
    Outcome.GONE: ProcessGone,
    Outcome.DENIED: AccessDenied,
    Outcome.UNAVAILABLE: Unavailable,
    Outcome.BLOCKED: Blocked,
}


def has_basis(kind: int) -> bool:
    """Whether the previous fact of the same kind and path is used to pack such a fact, because it differs little.

    A READ uses the last answer of its file, which is remembered anyway, an ASK what
    :mod:`memtop.sources.recording.answer_bases` keeps. Format 1 packed the files of processes without, formats 1 and 2
    every ASK.
    """
    return kind in _WITH_BASIS


def is_kept(path: str) -> bool:
    """Whether the answer of a reading that may block holds until the next one: most are asked for once."""
    name = path.rpartition("/")[2]
    return name in _ONCE if is_runtime(path) else name in ("cmdline", "memfds", "held") or path.startswith("user/")


def largest_bytes(kind: int, path: str) -> int:
    """Most bytes of one value unpacked: no more than memtop ever reads of such a file."""
    if kind == RecordKind.READ:
        return READ_FILE_LIMIT
    if kind in (RecordKind.ASK, RecordKind.KEPT):
        return VALUE_LIMIT if path.endswith(("/smaps", "/pagemap")) else LISTING_LIMIT
    return VALUE_LIMIT


def encode_rows(rows: Iterable[Row]) -> bytes:
    """Encode rows as bytes."""
    return b"".join(encoded_rows(rows))


def encoded_rows(rows: Iterable[Row]) -> Iterator[bytes]:
    """The bytes of rows, piece by piece."""
    for kind, path, status, data in rows:
        yield _ROW.pack(kind, status is None, len(path), len(data or b""), status or 0) + path
        if data:
            yield data


def decode_rows(data: bytes) -> Iterator[Row]:
    """The inverse of :func:`encode_rows`. Raises struct.error or DamagedError."""
    at = 0
    while at < len(data):
        kind, unknown, path_size, size, status = _ROW.unpack_from(data, at)
        path_at = at + _ROW.size
        at = path_at + path_size + size
        if at > len(data):
            raise DamagedError("a row is cut short")
        path = data[path_at : path_at + path_size]
        yield kind, path, None if unknown else status, data[path_at + path_size : at]


def encode_pids(pids: Collection[int]) -> bytes:
    """Encode numbers as 32 bits each."""
    return struct.pack(f"<{len(pids)}I", *pids)


def decode_pids(data: bytes) -> tuple[int, ...]:
    """The inverse of :func:`encode_pids`. Raises struct.error and DamagedError."""
    if len(data) > 4 * (2 * PROCESS_LIMIT + 1):  # a difference: all of them left, and as many are new
        raise DamagedError("it has more processes than memtop can show")
    return struct.unpack(f"<{len(data) // 4}I", data)


def encode_changes(changes: Mapping[int, bytes | None], payload: bytes | None = None) -> bytes:
    """Encode answers by PID. ``payload`` replaces their bytes by as many others."""
    answers = changes.values()
    lengths = [_NONE if data is None else len(data) for data in answers]
    numbers = struct.pack(f"<{1 + 2 * len(changes)}I", len(changes), *changes, *lengths)
    return numbers + (b"".join(filter(None, answers)) if payload is None else payload)


def pieces(by_pid: Mapping[int, _Value]) -> Iterator[dict[int, _Value]]:
    """Divide what a keyframe says of many processes into rows."""
    rest = iter(by_pid.items())
    while some := dict(islice(rest, _TOGETHER)):
        yield some


def decode_changes(data: bytes) -> dict[int, bytes | None]:
    """The inverse of :func:`encode_changes`. Raises struct.error or DamagedError."""
    (count,) = struct.unpack_from("<I", data)
    if count > PROCESS_LIMIT:
        raise DamagedError("a sweep has more processes than memtop can show")
    if 4 + 8 * count > len(data):
        raise DamagedError("a sweep is cut short")
    numbers = struct.unpack_from(f"<{2 * count}I", data, 4)
    changes: dict[int, bytes | None] = {}
    at = 4 + 8 * count
    for pid, length in zip(numbers[:count], numbers[count:], strict=True):
        if length == _NONE:
            changes[pid] = None
            continue
        changes[pid] = data[at : at + length]
        at += length
    if at != len(data):
        raise DamagedError("a sweep does not add up")
    return changes

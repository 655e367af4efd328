"""Opens a recording safely, even one from an untrusted sender.

The file is checked before SQLite opens it. Its schema must be exactly ours, so it has no view, trigger or virtual
table. Nothing but reading our two tables is allowed. Values are limited in size and untyped until they are checked.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
import urllib.parse
from pathlib import Path
from typing import Final

from memtop.errors import RecordingError
from memtop.sources.recording.format import APPLICATION_ID, SCHEMAS, VERSION

FILE_LIMIT: Final = 2 << 30
LENGTH_LIMIT: Final = 16 << 20
JOURNAL_AT: Final = 18
"""Place of the byte that says how an SQLite file is written, "The SQLite database file format", 1.3.3."""
WAL: Final = b"\x02"
"""That byte, of a file that is written with a log beside it."""
SCHEMA_S: Final = 2.0
"""Longest time to read the schema. SQLite reads all of it, however many tables a hostile file has."""
MOST_OBJECTS: Final = 64
"""Tables and indexes that are compared; a recording has fewer."""
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""How a file is opened to be checked: not through a link, and without waiting for the writer of a pipe."""
_FOREIGN: Final = "it is not a recording made by memtop"
_OTHER_TABLES: Final = "it does not have the tables of a recording"
_MAGIC: Final = b"SQLite format 3\0"
_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: LENGTH_LIMIT,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 4096,
    sqlite3.SQLITE_LIMIT_COLUMN: 16,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 16,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 1000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_PRAGMAS: Final = ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0", "temp_store=MEMORY")


def open_recording(path: str) -> sqlite3.Connection:
    """Open one recording for reading. Raises RecordingError, sqlite3.Error or OSError."""
    path = str(Path(path).absolute())
    version = _check_file(path)
    beside = [suffix for suffix in ("-wal", "-shm", "-journal") if os.path.lexists(path + suffix)]
    for suffix in beside:
        if not stat.S_ISREG(os.lstat(path + suffix).st_mode):
            raise RecordingError(f"{suffix} beside it is not a regular file")
    uri = f"file:{urllib.parse.quote(os.fsencode(path))}?mode=ro{'' if beside else '&immutable=1'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        _harden(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def check_foreign(head: bytes) -> None:
    """Refuse the database of another program, by the first 100 bytes of its file. Raises RecordingError."""
    if head[:16] == _MAGIC and head[68:72] != APPLICATION_ID.to_bytes(4, "big"):
        raise RecordingError(_FOREIGN)


def format_of(path: str) -> int:
    """The format of a file that was opened as a recording. Raises OSError."""
    descriptor = os.open(path, _FLAGS)
    try:
        return int.from_bytes(os.read(descriptor, 64)[60:], "big")
    finally:
        os.close(descriptor)


def is_unfinished(path: str) -> bool:
    """Whether the file has the mark of a recording that lacks samples at its end. Raises OSError."""
    descriptor = os.open(path, _FLAGS)
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.pread(descriptor, 1, JOURNAL_AT) == WAL
    finally:
        os.close(descriptor)


def _harden(connection: sqlite3.Connection, version: int) -> None:
    connection.text_factory = bytes
    for limit, value in _LIMITS.items():
        connection.setlimit(limit, value)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
    until_s = time.monotonic() + SCHEMA_S
    connection.set_progress_handler(lambda: time.monotonic() > until_s, 100)
    try:
        schema = sorted(connection.execute("SELECT sql FROM sqlite_master").fetchmany(MOST_OBJECTS), key=repr)
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        raise RecordingError(_OTHER_TABLES) from error
    connection.set_progress_handler(None, 0)
    if schema != sorted(((sql.encode(),) for sql in SCHEMAS[version]), key=repr):
        raise RecordingError(_OTHER_TABLES)
    connection.set_authorizer(_authorize)


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    allowed = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and first in ("tick", "fact"))
        or (action == sqlite3.SQLITE_FUNCTION and second in ("max", "min"))
        or (action == sqlite3.SQLITE_TRANSACTION and first == "BEGIN")
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _check_file(path: str) -> int:
    """Check the file before SQLite opens it. Returns its format. Raises RecordingError or OSError."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise RecordingError("it is a symbolic link") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise RecordingError("it is not a regular file")
        if found.st_size > FILE_LIMIT:
            raise RecordingError("it is larger than 2 GiB")
        head = os.read(descriptor, 100)
    finally:
        os.close(descriptor)
    if not head:
        raise RecordingError("it is empty: memtop ended before writing anything")
    if head[:16] != _MAGIC:
        raise RecordingError(_FOREIGN)
    check_foreign(head)
    version = int.from_bytes(head[60:64], "big")
    if version not in SCHEMAS:
        raise RecordingError(f"it has format {version}, and this memtop reads formats 1 to {VERSION}")
    return version

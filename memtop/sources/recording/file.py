"""The file of a recording while it is written: created safely, one transaction for each tick, bounded if asked."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
import urllib.parse
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from memtop.errors import RecordingError, starved
from memtop.sanitize import clean
from memtop.sources.recording.format import APPLICATION_ID, SCHEMAS, VERSION, decode_rows
from memtop.sources.recording.tick import Block

LOOK_S: Final = 5.0
"""How often to check that the file still exists: SQLite goes on writing into a file that was removed."""
CHECKPOINT_S: Final = 60.0
WAL_LIMIT_BYTES: Final = 1 << 20
_DESCRIPTORS: Final = "/proc/self/fd"


class Bounds(NamedTuple):
    """How much a recording keeps. The oldest is dropped first, from one keyframe to the next."""

    keep_s: float | None = None
    """Seconds before the newest instant that stay; None for all."""
    max_bytes: int | None = None
    """Size of the file; None for any."""


class RecordingFile:
    """Creates one recording and writes blocks into it.

    What is committed survives the end of memtop and of the machine. Raises RecordingError if the file exists or cannot
    be created.
    """

    def __init__(self, path: str, bounds: Bounds) -> None:
        try:
            self.path = str(Path(path).absolute())
        except OSError as error:
            raise RecordingError(f"{clean(path)}: the current directory is gone") from error
        self.removed = False
        """Whether the file was seen to be removed or replaced."""
        self._bounds = bounds
        self._connection = _create(self.path)
        self._inode = _inode(self.path)
        self._written = 0
        self._keys: deque[tuple[int, float]] = deque()
        """Number and time of each keyframe in the file, oldest first."""
        self._looked_s = self._checkpointed_s = time.monotonic()

    def write(self, blocks: Sequence[Block]) -> None:
        """Write blocks in one transaction. Raises RecordingError; nothing is written then."""
        keys = []
        try:
            with self._connection as connection:
                connection.execute("BEGIN")
                for number, block in enumerate(blocks, self._written):
                    if block.key:
                        keys.append((number, block.instant.mono_s))
                    connection.execute("INSERT INTO tick VALUES (?, ?, ?, ?)", (number, *block.instant, block.key))
                    connection.executemany(
                        "INSERT INTO fact VALUES (?, ?, ?, ?, ?)", [(number, *row) for row in decode_rows(block.rows)]
                    )
        except (sqlite3.Error, MemoryError) as error:
            raise RecordingError(clean(starved(error) or str(error))) from error
        self._written += len(blocks)
        self._keys += keys
        if keys:
            self._drop_oldest(blocks[-1].instant.mono_s)

    def keep_house(self) -> None:
        """Do what is due from time to time."""
        now_s = time.monotonic()
        if now_s - self._looked_s > LOOK_S:
            self._looked_s = now_s
            self.look()
        if now_s - self._checkpointed_s > CHECKPOINT_S:
            self._checkpointed_s = now_s
            with suppress(sqlite3.Error):  # the next write meets the same trouble and reports it
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def look(self) -> bool:
        """Whether the file is still there under its name."""
        self.removed = self.removed or _inode(self.path) != self._inode
        return not self.removed

    def finish(self, *, complete: bool) -> None:
        """Close the file. A complete one becomes one file that can be read anywhere. Raises RecordingError.

        The mark of one that lacks samples at its end is the journal mode that it was written in.
        """
        try:
            if complete:
                self._connection.execute("PRAGMA journal_mode=DELETE").fetchall()
            self._connection.close()
        except (sqlite3.Error, MemoryError) as error:
            raise RecordingError(clean(starved(error) or str(error))) from error

    def size_bytes(self) -> int:
        """Size on the disk, including SQLite's extra files."""
        size = 0
        for name in (self.path, self.path + "-wal"):
            with suppress(OSError):
                size += os.stat(name).st_size
        return size

    def _drop_oldest(self, now_s: float) -> None:
        keep_s, keys = self._bounds.keep_s, self._keys
        before = None
        while len(keys) > 1 and (
            (keep_s is not None and keys[1][1] <= now_s - keep_s) or (before is None and self._is_too_large())
        ):
            keys.popleft()
            before = keys[0][0]
        if before is None:
            return
        with suppress(sqlite3.Error), self._connection as connection:  # the next keyframe tries again
            connection.execute("BEGIN")
            connection.execute("DELETE FROM fact WHERE tick < ?", (before,))
            connection.execute("DELETE FROM tick WHERE n < ?", (before,))
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()
        if self._is_too_large() and len(keys) > 1:
            self._drop_oldest(now_s)

    def _is_too_large(self) -> bool:
        if self._bounds.max_bytes is None:
            return False
        counts = [
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        ]
        used_bytes: int = (counts[0] - counts[1]) * counts[2]
        return used_bytes + WAL_LIMIT_BYTES > self._bounds.max_bytes


def _create(path: str) -> sqlite3.Connection:
    _check_directory(path)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        created = os.open(path, flags, 0o600)
    except FileExistsError as error:
        raise RecordingError(f"{clean(path)}: there is such a file already, and it is not overwritten") from error
    except OSError as error:
        raise RecordingError(f"{clean(path)}: {error.strerror}") from error
    try:
        connection = _connect(path, created)
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("BEGIN")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={VERSION}")
        for statement in SCHEMAS[VERSION]:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={WAL_LIMIT_BYTES // 4096}")
        connection.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")
        connection.execute("PRAGMA cache_size=-512")
    except sqlite3.Error as error:
        raise RecordingError(f"{clean(path)}: {clean(str(error))}") from error
    return connection


def _check_directory(path: str) -> None:
    """Refuse, for root, a directory where other users can replace our file. Raises RecordingError."""
    folder = os.path.dirname(path)
    try:
        mode = os.stat(folder).st_mode
    except OSError:
        return  # creating the file will report the same error
    if os.geteuid() == 0 and mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
        raise RecordingError(f"{clean(folder)}: others may write into this directory, so root does not record there")


def _connect(path: str, created: int) -> sqlite3.Connection:
    """Open exactly the file that was ``created``, whatever file has its name now, and close that descriptor.

    SQLite opens by name only. Therefore the file that it has opened is compared before anything is read or written. It
    does not follow a link then and creates no file. Raises RecordingError and sqlite3.Error.
    """
    identity = os.fstat(created)
    os.close(created)  # before SQLite locks: closing any descriptor of a file gives up its POSIX locks
    connection = sqlite3.connect(
        f"file:{urllib.parse.quote(os.fsencode(path))}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    for descriptor in os.listdir(_DESCRIPTORS):
        with suppress(OSError):  # the descriptor of this very listing, which is closed by now
            if os.path.samestat(identity, os.fstat(int(descriptor))):
                return connection
    connection.close()
    raise RecordingError(f"{clean(path)}: it was replaced by another file while it was being created")


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino

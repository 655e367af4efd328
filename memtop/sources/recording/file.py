"""The file of a recording while it is written: created safely, one transaction for each tick, bounded if asked."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
import urllib.parse
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from memtop.errors import RecordingError
from memtop.sanitize import clean
from memtop.sources.recording import writer_lock
from memtop.sources.recording.sqlite_errors import damage_in_words, trouble_in_words
from memtop.sources.recording.tables import WAL_LIMIT_BYTES, Bounds, Tables
from memtop.sources.recording.tick import Block

LOOK_S: Final = 5.0
"""How often to check that the file still exists: SQLite goes on writing into a file that was removed."""
CHECKPOINT_S: Final = 60.0
_DESCRIPTORS: Final = "/proc/self/fd"


class RecordingFile:
    """Creates one recording and writes blocks into it.

    What is committed survives the end of memtop and of the machine. Raises RecordingError if the file exists or cannot
    be created.
    """

    gone = "its file was removed or replaced"
    silent = "the disk does not answer"
    waiting_bytes = 16 << 20
    """Some ten seconds of a thousand processes: a disk that hangs goes on, and nothing is lost."""

    def __init__(self, path: str, bounds: Bounds) -> None:
        try:
            self.path = str(Path(path).absolute())
        except OSError as error:
            raise RecordingError(f"{clean(path)}: the current directory is gone") from error
        self.removed = False
        """Whether the file was seen to be removed or replaced."""
        self._connection, self._descriptor = _create(self.path)
        try:
            self._tables = _set_up(self._connection, bounds)
        except sqlite3.Error as error:
            _remove(self.path, self._descriptor)  # it is no recording, and would be in the way of the next
            self._let_go()
            raise RecordingError(f"{clean(path)}: {trouble_in_words(error) or damage_in_words(error)}") from error
        self._inode = _inode(self.path)
        self._looked_s = self._checkpointed_s = time.monotonic()

    def write(self, blocks: Sequence[Block]) -> None:
        """Write blocks in one transaction. Raises RecordingError; nothing is written then."""
        self._tables.write(blocks)

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
        beside = self._beside() if self.removed else {}
        try:
            if complete:
                self._connection.execute("PRAGMA journal_mode=DELETE").fetchall()
            elif self.removed:  # it may have another name now, under which it should have all that was written
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except (sqlite3.Error, MemoryError) as error:
            raise RecordingError(trouble_in_words(error) or damage_in_words(error)) from error
        finally:
            self._let_go()
            for name, inode in beside.items():
                if _inode(name) == inode:
                    with suppress(OSError):
                        os.unlink(name)

    def _beside(self) -> dict[str, tuple[int, int]]:
        """The log and its index that SQLite has open beside it, by name.

        It leaves those of a removed file behind, and would take them for those of the next file of that name.
        """
        opened = _opened()
        found = {name: _inode(name) for name in (self.path + "-wal", self.path + "-shm")}
        return {name: inode for name, inode in found.items() if inode is not None and inode in opened}

    def _let_go(self) -> None:
        """Close the file, first SQLite's connection: closing any descriptor of a file gives up its POSIX locks."""
        with suppress(sqlite3.Error, MemoryError):
            self._connection.close()
        os.close(self._descriptor)

    def size_bytes(self) -> int:
        """Size on the disk, including SQLite's extra files."""
        size = 0
        for name in (self.path, self.path + "-wal"):
            with suppress(OSError):
                size += os.stat(name).st_size
        return size


def _create(path: str) -> tuple[sqlite3.Connection, int]:
    """Create the file. Returns it as a database, and a descriptor of it, which has the lock of the writer.

    Raises RecordingError.
    """
    _check_directory(path)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        created = os.open(path, flags, 0o600)
    except FileExistsError as error:
        raise RecordingError(f"{clean(path)}: the file already exists, and memtop does not overwrite it") from error
    except OSError as error:
        raise RecordingError(f"{clean(path)}: {error.strerror}") from error
    writer_lock.hold(created)
    try:
        return _connect(path, created), created
    except sqlite3.Error as error:
        _remove(path, created)
        os.close(created)
        raise RecordingError(f"{clean(path)}: {trouble_in_words(error) or damage_in_words(error)}") from error
    except RecordingError:
        os.close(created)
        raise


def _set_up(connection: sqlite3.Connection, bounds: Bounds) -> Tables:
    """Create the tables, for transactions that survive the end of the machine. Raises sqlite3.Error."""
    tables = Tables(connection, bounds)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={WAL_LIMIT_BYTES // 4096}")
    connection.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")
    connection.execute("PRAGMA cache_size=-512")
    return tables


def _check_directory(path: str) -> None:
    """Refuse, for root, a directory where other users can replace our file. Raises RecordingError."""
    folder = os.path.dirname(path)
    try:
        mode = os.stat(folder).st_mode
    except OSError:
        return  # creating the file will report the same error
    if os.geteuid() == 0 and mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
        raise RecordingError(f"{clean(folder)}: other users can write to this directory, so root does not record there")


def _connect(path: str, created: int) -> sqlite3.Connection:
    """Open exactly the file that was ``created``, whatever file has its name now.

    SQLite opens by name only. Therefore the file that it has opened is compared before anything is read or written. It
    does not follow a link then and creates no file. Raises RecordingError and sqlite3.Error.
    """
    identity = os.fstat(created)
    connection = sqlite3.connect(
        f"file:{urllib.parse.quote(os.fsencode(path))}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    if (identity.st_dev, identity.st_ino) in _opened(but=created):
        return connection
    connection.close()
    raise RecordingError(f"{clean(path)}: another file replaced it while it was being created")


def _remove(path: str, descriptor: int) -> None:
    """Remove the file that is open, unless another file has its name by now."""
    with suppress(OSError):
        if os.path.samestat(os.lstat(path), os.fstat(descriptor)):
            os.unlink(path)


def _opened(but: int = -1) -> set[tuple[int, int]]:
    """Device and inode of each file that this process has open, apart from one descriptor."""
    found = set()
    for descriptor in os.listdir(_DESCRIPTORS):
        with suppress(OSError):  # the descriptor of this very listing, which is closed by now
            if int(descriptor) != but:
                opened = os.fstat(int(descriptor))
                found.add((opened.st_dev, opened.st_ino))
    return found


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino

"""Thread that writes a recording, so that a slow disk does not delay a sample."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
import urllib.parse
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from memtop.errors import RecordingError, starved
from memtop.sanitize import clean
from memtop.sources.recording.encoder import Encoder
from memtop.sources.recording.format import APPLICATION_ID, SCHEMA, VERSION, RecordKind, Row
from memtop.sources.recording.tick import Tick

QUEUE_BYTES: Final = 16 << 20
"""Most memory that ticks may use while they wait for the disk. One tick is always accepted."""
RETRY_S: Final = 1.0
CLOSE_S: Final = 2.0
"""How long closing waits for the disk."""
FROZEN_S: Final = 3.0
"""A write that takes longer is reported."""
LOOK_S: Final = 5.0
"""How often to check that the file still exists: SQLite goes on writing into a file that was removed."""
CHECKPOINT_S: Final = 60.0
_DESCRIPTORS: Final = "/proc/self/fd"


class Writer:
    """Creates one recording and writes ticks into it, each in its own transaction.

    What is committed survives the end of memtop. Raises RecordingError if the file exists or cannot be created.
    """

    def __init__(self, path: str) -> None:
        self._path = str(Path(path).absolute())
        self._connection = _create(self._path)
        self._inode = _inode(self._path)
        self._encoder = Encoder()
        self._changed = threading.Condition()
        self._queue: deque[tuple[Tick, int, int]] = deque()
        """Ticks, their sizes, and how many were dropped before each."""
        self._queued_bytes = 0
        self._closing = False
        self._ended = False
        self._closed = False
        self._removed = False
        self._broken = False
        """Whether the thread has failed, so that nothing more is written."""
        self._dropped = 0
        self._marked = 0
        """How many of the dropped ticks the file tells of, or will once the queue is written."""
        self._failed = ""
        self._writing_since_s: float | None = None
        self._written = 0
        self._looked_s = self._checkpointed_s = time.monotonic()
        threading.Thread(target=self._run, name="memtop-recorder", daemon=True).start()

    @property
    def problem(self) -> str | None:
        """What is wrong now, as one sentence; None if nothing is. After close: what the file lacks."""
        with self._changed:
            waiting, dropped = len(self._queue), self._dropped
            closed = self._closed
            since_s, failed = self._writing_since_s, self._failed
        if self._removed:
            return "recording stopped: its file was removed or replaced"
        if closed and waiting + dropped:
            return (
                f"the recording is not complete: {waiting + dropped} samples are missing{': ' * bool(failed)}{failed}"
            )
        if not failed and since_s is not None and time.monotonic() - since_s > FROZEN_S:
            failed = "the disk does not answer"
        if failed:
            return f"recording paused: {failed} ({waiting} samples kept in memory, {dropped} dropped)"
        return f"{dropped} samples are missing from the recording" if dropped else None

    def submit(self, tick: Tick, *, always: bool = False) -> bool:
        """Queue a tick for writing. Returns False if the queue is full and the tick was not accepted."""
        size = tick.size_bytes()
        with self._changed:
            if self._removed:
                return True  # the file is gone, so keeping the tick would be useless
            if self._broken:
                self._dropped += 1
                return True
            if self._queue and self._queued_bytes + size > QUEUE_BYTES and not always:
                self._dropped += 1
                return False
            self._queue.append((tick, size, self._dropped - self._marked))
            self._marked = self._dropped
            self._queued_bytes += size
            self._changed.notify_all()
        return True

    def close(self) -> None:
        """Write what waits, and finish the file so that it can be read anywhere. Gives up after CLOSE_S."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            ended = self._changed.wait_for(lambda: self._ended, CLOSE_S)
            self._closed = True
            if not ended and not self._failed:
                self._failed = "the disk does not answer"
        self._removed = self._removed or _inode(self._path) != self._inode

    def _run(self) -> None:
        complete = False
        try:
            complete = self._write_all()
        except Exception as error:  # noqa: BLE001 (a thread that dies unsaid would lose every later sample)
            self._failed = clean(starved(error) or f"{type(error).__name__}: {error}")
        with self._changed:
            self._broken = not complete
        self._finish(complete=complete)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _write_all(self) -> bool:
        """Write until closed; whether everything was written."""
        while (waiting := self._next()) is not None:
            if not self._write_at_last(*waiting):
                return False
            with self._changed:
                self._queued_bytes -= self._queue.popleft()[1]
            self._keep_house()
        return not self._removed

    def _next(self) -> tuple[Tick, int] | None:
        """The oldest tick, which stays queued until it is written, and how many were dropped before it.

        None after the last one.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            if self._removed:
                self._queue.clear()
            return (self._queue[0][0], self._queue[0][2]) if self._queue else None

    def _write_at_last(self, tick: Tick, dropped: int) -> bool:
        """Try until the tick is written or the file is gone; when closing, try only once more.

        Returns whether it is written.
        """
        rows = self._encoder.rows(tick)
        if dropped:
            rows.append((RecordKind.LOST, b"", dropped, b""))
        last = False
        while not self._write(tick, rows):
            self._removed = _inode(self._path) != self._inode
            if last or self._removed:
                return False
            with self._changed:
                last = self._changed.wait_for(lambda: self._closing, RETRY_S)
        return True

    def _write(self, tick: Tick, rows: list[Row]) -> bool:
        number = self._written
        self._writing_since_s = time.monotonic()
        try:
            with self._connection as connection:
                connection.execute("BEGIN")
                connection.execute(
                    "INSERT INTO tick VALUES (?, ?, ?)", (number, tick.instant.wall_s, tick.instant.mono_s)
                )
                connection.executemany("INSERT INTO fact VALUES (?, ?, ?, ?, ?)", [(number, *row) for row in rows])
        except (sqlite3.Error, MemoryError) as error:
            self._failed = clean(starved(error) or str(error))
            return False
        finally:
            self._writing_since_s = None
        self._failed = ""
        self._written += 1
        return True

    def _keep_house(self) -> None:
        now_s = time.monotonic()
        if now_s - self._looked_s > LOOK_S:
            self._looked_s = now_s
            self._removed = _inode(self._path) != self._inode
        if now_s - self._checkpointed_s > CHECKPOINT_S:
            self._checkpointed_s = now_s
            with suppress(sqlite3.Error):  # the next write meets the same trouble and reports it
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _finish(self, *, complete: bool) -> None:
        """Close the file. The mark of one that lacks samples at its end is the journal mode that it was written in."""
        try:
            if complete:
                self._connection.execute("PRAGMA journal_mode=DELETE")
            self._connection.close()
        except (sqlite3.Error, MemoryError) as error:
            self._failed = clean(starved(error) or str(error))


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
        connection.execute("BEGIN")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={VERSION}")
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
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

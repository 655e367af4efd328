"""The samples of a stream: a thread takes them from a pipe, and the last ones are kept in memory."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from functools import partial
from typing import Final

from memtop.errors import RecordingError, failure_of, starved
from memtop.sanitize import clean
from memtop.sources.protocol import Growth
from memtop.sources.recording.one_sentence import STREAM, one_sentence
from memtop.sources.recording.opened import Opened
from memtop.sources.recording.stream_format import StreamDecoder
from memtop.sources.recording.tables import Bounds, Tables
from memtop.sources.recording.tick import Block
from memtop.sources.recording.ticks import Ticks

KEPT_BYTES: Final = 32 << 20
"""Memory for the past: hours of one process, a quarter of an hour of 500."""
_CHUNK_BYTES: Final = 1 << 16


class Received:
    """Takes a stream from a descriptor until it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._tables = Tables(self._connection, Bounds(max_bytes=KEPT_BYTES))
        self._lock = threading.Lock()
        """Held while the connection is used."""
        self._is_closed = False
        self._since_key_bytes = 0
        self._changed = threading.Condition()
        self._count = 0
        """Instants that have come."""
        self._reported = 0
        """Instants that :meth:`wait` has reported."""
        self._reported_end = False
        self._ended = ""
        self._is_broken = False
        self._error: RecordingError | None = None
        self._came_s = time.monotonic()
        self._interval_s: float | None = None
        threading.Thread(target=self._run, name="memtop-stream", daemon=True).start()

    def open(self) -> Opened:
        """Wait for the first sample. Raises RecordingError, with one sentence, for a stream that has none."""
        with self._changed:
            self._changed.wait_for(lambda: self._count or self._ended)
            has_begun = self._count > 0
        if not has_begun:
            self.close()
            raise self._error or RecordingError(f"{STREAM} ended before its first sample")
        return Opened(Ticks(lambda: self._connection, has_keys=True, lock=self._lock), self, is_unfinished=False)

    @property
    def growth(self) -> Growth:
        """Whether more may come."""
        with self._changed:
            age_s = time.monotonic() - self._came_s
            return Growth(not self._ended, age_s, self._interval_s, self._ended, self._is_broken)

    def wait(self, timeout_s: float) -> bool:
        """Wait until more has come since the last time, or no more will. False if neither has happened."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > self._reported or self._ended, timeout_s)
            is_new = self._count > self._reported or (bool(self._ended) and not self._reported_end)
            self._reported, self._reported_end = self._count, bool(self._ended)
            return is_new

    def close(self) -> None:
        """Give back the memory. The thread may still wait for the pipe: it takes no more, and ends with memtop."""
        with self._lock:
            self._is_closed = True
            self._connection.close()

    # In the thread

    def _run(self) -> None:
        decoder = StreamDecoder()
        error = failure_of(partial(self._take_all, decoder))
        if error is None:
            ended = _how_it_ended(decoder)
            if decoder.is_damaged and not self._count:
                self._error = RecordingError(
                    f"{STREAM} cannot be played: it is damaged, and no sample of it can be read"
                )
        elif isinstance(error, RecordingError):
            self._error, ended = error, str(error)
        else:
            ended = clean(starved(error) or f"{type(error).__name__}: {error}")
            self._error = RecordingError(ended)
        with self._changed:
            self._ended, self._is_broken = ended, not decoder.has_ended
            self._changed.notify_all()

    def _take_all(self, decoder: StreamDecoder) -> None:
        """Take blocks until the stream ends. Raises RecordingError."""
        with one_sentence(STREAM):
            while not decoder.has_ended and (data := os.read(self._descriptor, _CHUNK_BYTES)):
                for block in decoder.feed(data):
                    self._take(block)

    def _take(self, block: Block) -> None:
        self._since_key_bytes = 0 if block.key else self._since_key_bytes + len(block.rows)
        if self._since_key_bytes > KEPT_BYTES:
            raise RecordingError("it has no keyframes")
        with self._lock:
            if self._is_closed:
                return
            self._tables.write([block])
        with self._changed:
            now_s = time.monotonic()
            if self._count:
                self._interval_s = now_s - self._came_s
            self._came_s = now_s
            self._count += 1
            self._changed.notify_all()


def _how_it_ended(decoder: StreamDecoder) -> str:
    if decoder.has_ended:
        ended = "the end of the stream: its sender has ended"
    else:
        ended = "the stream broke off: its sender or the connection has gone"
    if not decoder.is_damaged:
        return ended
    missing = f"{decoder.lost} {'sample' if decoder.lost == 1 else 'samples'}" if decoder.lost else "what came last"
    return f"{ended}; {missing} before that arrived damaged"

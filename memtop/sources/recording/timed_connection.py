"""A connection to a file on a disk that may hang: each query has a time, after which the caller goes on without it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Final

from memtop.errors import RecordingError, failure_of

PATIENCE_S: Final = 0.5
"""Longest time of one query. The sampler waits for it."""

Row = tuple[Any, ...]


class TimedConnection:
    """Runs queries in a thread of its own. Each method may raise sqlite3.Error and RecordingError.

    A query that takes longer than ``patience_s`` fails, and so do all others while the thread waits for the disk.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._late: _Job | None = None
        self._thread = Thread(target=_work, args=(connect, self._jobs), name="memtop-past", daemon=True)
        self._thread.start()

    def execute(self, query: str, values: Sequence[float | bytes] = (), /) -> Rows:
        """Run a query, and return all of its rows."""
        if self._late is not None and not self._late.done.is_set():
            raise RecordingError("the disk does not answer")
        job = _Job(query, values)
        self._jobs.put(job)
        if not job.done.wait(self._patience_s):
            self._late = job
            raise RecordingError("the disk does not answer")
        self._late = None
        if job.error is not None:
            raise job.error
        return Rows(job.rows)

    def set_progress_handler(self, handler: Callable[[], bool], n: int, /) -> None:
        """Do nothing: the time of a query is limited already."""

    def close(self) -> None:
        """Close it; later, as soon as the disk answers, where it does not."""
        self._jobs.put(None)
        if self._late is None:
            self._thread.join(self._patience_s)


class Rows:
    """The rows of a query."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = iter(rows)

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fetchone(self) -> Row | None:
        """The next row; None for no more."""
        return next(self._rows, None)


class _Job:
    def __init__(self, query: str, values: Sequence[float | bytes]) -> None:
        self.query = query
        self.values = values
        self.rows: list[Row] = []
        self.error: Exception | None = None
        self.done = Event()


def _work(connect: Callable[[], sqlite3.Connection], jobs: SimpleQueue[_Job | None]) -> None:
    connection: sqlite3.Connection | None = None

    def run(job: _Job) -> None:
        nonlocal connection
        connection = connection or connect()
        job.rows = connection.execute(job.query, job.values).fetchall()

    while (job := jobs.get()) is not None:
        job.error = failure_of(partial(run, job))  # the caller raises it
        job.done.set()
    if connection is not None:
        connection.close()

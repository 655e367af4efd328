"""The tables of a recording, for reading: instants by number, what was learned at each, and where to begin."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, NamedTuple, Protocol

from memtop.errors import RecordingError
from memtop.sources.recording.checked_values import blob, integer
from memtop.sources.recording.events import event_queries
from memtop.sources.recording.format import ANY_ROWS, Row

DEADLINE_S: Final = 2.0
"""Longest time of one query."""


class Connection(Protocol):
    """What is used of a connection to a database. Each method may raise sqlite3.Error and RecordingError."""

    def execute(self, query: str, values: Sequence[float | bytes] = ..., /) -> Any:
        """Run a query. Its answer has ``fetchone`` and is an iterator of rows."""
        ...

    def set_progress_handler(self, handler: Callable[[], bool], n: int, /) -> None:
        """Call a function now and then while a query runs, which ends it by True."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Extent(NamedTuple):
    """Which instants there are."""

    first: int
    end: int
    """The number after the last one."""


class Ticks:
    """Reads the two tables of a recording. ``connect`` opens a connection, and is called again after :meth:`rest`.

    ``lock`` is held for queries, where another thread writes through the same connection. Each method may raise
    RecordingError and sqlite3.Error.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        has_keys: bool,
        has_events: bool = True,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._is_shared = lock is not None
        self._lock = lock or nullcontext()
        self._connect = connect
        self._has_keys = has_keys
        """Whether it has keyframes; format 1 has none."""
        self.has_events = has_events
        """Whether it was recorded by a memtop that writes events."""
        self._event_queries = event_queries(has_events=has_events)
        self._connection: Connection | None = None
        self._deadline_s = math.inf

    @contextmanager
    def asking(self) -> Iterator[None]:
        """A context for queries, which have DEADLINE_S together."""
        with self._lock:
            self._deadline_s = time.monotonic() + DEADLINE_S
            yield

    def extent(self) -> Extent | None:
        """The instants that there are now; None for none."""
        first, last = self._one("SELECT min(n), max(n) FROM tick")
        return None if last is None else Extent(integer(first), integer(last) + 1)

    def times(self, number: int) -> tuple[object, object] | None:
        """Wall time and monotonic time of an instant, unchecked; None if it is not there."""
        return self._query().execute("SELECT wall_s, mono_s FROM tick WHERE n = ?", (number,)).fetchone()  # type: ignore[no-any-return]

    def facts(self, number: int) -> Iterator[Row]:
        """What was learned at an instant."""
        rows = self._query().execute(
            "SELECT kind, path, status, data FROM fact WHERE tick = ? ORDER BY rowid", (number,)
        )
        for kind, path, status, data in rows:
            yield integer(kind), blob(path), status, blob(data)

    def number_at(self, wall_s: float) -> int | None:
        """The last instant up to a wall time; None for none."""
        return self._number("SELECT max(n) FROM tick WHERE wall_s <= ?", wall_s)

    def number_near(self, wall_s: float) -> int | None:
        """The instant with the latest wall time up to this one; None for none. For clocks that were set back."""
        return self._number("SELECT n FROM tick WHERE wall_s <= ? ORDER BY wall_s DESC, n LIMIT 1", wall_s)

    def wall_extent(self) -> tuple[object, object]:
        """The earliest and the latest wall time, unchecked."""
        earliest, latest = self._one("SELECT min(wall_s), max(wall_s) FROM tick")
        return earliest, latest

    def number_after(self, mono_s: float) -> int | None:
        """The last instant up to a monotonic time; None for none."""
        return self._number("SELECT max(n) FROM tick WHERE mono_s <= ?", mono_s)

    def event_before(self, number: int) -> int | None:
        """The last instant before another one that has an event; None for none."""
        return self._number(self._event_queries.before, number)

    def event_after(self, number: int) -> int | None:
        """The first instant after another one that has an event; None for none."""
        return self._number(self._event_queries.after, number)

    def latest_events(self) -> Iterator[tuple[object, ...]]:
        """Wall time and row of the last EVENTS_LIMIT events, the latest first, unchecked."""
        rows: Iterator[tuple[object, ...]] = self._query().execute(self._event_queries.latest)
        return rows

    def key_before(self, number: int) -> int | None:
        """The last keyframe up to an instant; None for none."""
        return self._number("SELECT max(n) FROM tick WHERE key AND n <= ?", number) if self._has_keys else None

    def walls(self, first: int, end: int) -> Iterator[tuple[int, object]]:
        """Number and wall time, unchecked, of some instants."""
        query = "SELECT n, wall_s FROM tick WHERE n >= ? AND n < ? ORDER BY n"
        rows: Iterator[tuple[int, object]] = self._query().execute(query, (first, end))
        return rows

    def sweeps(self, name: bytes, first: int, end: int) -> Iterator[tuple[int, int, object, object]]:
        """Number, kind, status and data, unchecked, of what tells a sweep's answers at some instants."""
        rows: Iterator[tuple[int, int, object, object]] = self._query().execute(
            "SELECT tick, kind, status, data FROM fact WHERE tick >= ? AND tick < ? "
            "AND (kind IN (1, 10) OR (kind IN (3, 15) AND path = ?) OR (kind = 14 AND path = ?)) ORDER BY rowid",
            (first, end, name, ANY_ROWS),
        )
        return rows

    def rest(self) -> None:
        """Close the connection until the next query: SQLite cannot finish a file that is being read.

        A connection that is shared stays open.
        """
        if self._is_shared:
            return
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _number(self, query: str, value: float) -> int | None:
        row = self._query().execute(query, (value,)).fetchone()
        return None if row is None or row[0] is None else integer(row[0])

    def _one(self, query: str, *values: float) -> tuple[object, ...]:
        row: tuple[object, ...] = self._query().execute(query, values).fetchone()
        return row

    def _query(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
            self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline_s, 10_000)
        return self._connection


def need(extent: Extent | None, missing_log: str = "") -> Extent:
    """The extent of a recording that has instants. Raises RecordingError for one that has none.

    ``missing_log`` is the name of the log that should be beside it; empty if it is there or not needed.
    """
    if extent is None and missing_log:
        raise RecordingError(
            f"it has no samples: they are in {missing_log}, which is not beside it, or there were none"
        )
    if extent is None:
        raise RecordingError("it has no samples: memtop was ended before the first one was written")
    return extent

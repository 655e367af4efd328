"""A disk that hangs fails the queries of looking back within their time, and delays nothing else."""

from __future__ import annotations

import sqlite3
from threading import Event

import pytest

from memtop.errors import RecordingError
from memtop.sources.recording import timed_connection
from memtop.sources.recording.timed_connection import TimedConnection


def test_rows_are_those_of_the_connection() -> None:
    connection = TimedConnection(lambda: sqlite3.connect(":memory:", isolation_level=None))
    connection.execute("CREATE TABLE one(n)")
    connection.execute("INSERT INTO one VALUES (?)", (7,))
    assert connection.execute("SELECT n FROM one").fetchone() == (7,)
    assert list(connection.execute("SELECT n FROM one")) == [(7,)]
    assert connection.execute("SELECT n FROM one WHERE n = ?", (8,)).fetchone() is None
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        connection.execute("SELECT n FROM other")
    connection.close()


def test_a_query_that_hangs_fails_in_time_the_next_at_once_and_those_after_it_work_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, waits = Event(), list[float | None]()

    class Counted(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return super().wait(timeout)

    monkeypatch.setattr(timed_connection, "Event", Counted)

    def connect() -> sqlite3.Connection:
        answers.wait(30)
        return sqlite3.connect(":memory:")

    connection = TimedConnection(connect, patience_s=0.05)
    with pytest.raises(RecordingError, match="the disk does not answer"):
        connection.execute("SELECT 1")
    with pytest.raises(RecordingError, match="the disk does not answer"):
        connection.execute("SELECT 1")
    assert waits == [0.05], "nothing waits a second time"
    answers.set()
    patient = TimedConnection(connect, patience_s=30)
    assert patient.execute("SELECT 2").fetchone() == (2,)
    patient.close()
    connection.close()

"""What a recorder can give back of the past: the last instants from memory, earlier ones from the file it writes."""

from __future__ import annotations

import math
import os
import sqlite3
import urllib.parse
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from memtop.errors import RecordingError
from memtop.sources.protocol import NotedEvent
from memtop.sources.recording.events import decode_event
from memtop.sources.recording.format import RecordKind, decode_rows
from memtop.sources.recording.opened import Opened
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.sqlite_errors import damage_in_words, trouble_in_words
from memtop.sources.recording.tables import Bounds, Tables
from memtop.sources.recording.ticks import Ticks
from memtop.sources.recording.timed_connection import TimedConnection

if TYPE_CHECKING:
    from memtop.sources.recording.tick import Block

PAST_S: Final = 300.0
"""So much of what precedes an instant is enough for verdicts."""
_NAME: Final = "what is kept of the past"


class OwnPast:
    """The past of a recorder. One thread plays it; the other methods may be called by any."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._ticks: Ticks | None = None
        """Those of the replay that was opened last."""
        self._is_file = False

    def replay_at(self, wall_s: float) -> Replay | None:
        """What has an instant; None if it is not kept. The replay before is closed.

        That is memory, or the file where that has more of what precedes the instant. Raises RecordingError.
        """
        self.close()
        state, blocks = self._recorder.state, self._recorder.recent()
        first_s = blocks[0].instant.wall_s if blocks else math.inf
        file_s = state.from_s if state is not None and state.from_s is not None else math.inf
        if file_s <= wall_s and file_s < first_s and wall_s - first_s < PAST_S:
            assert state is not None
            return self._replay(_file_ticks(state.path), is_file=True)
        if wall_s < first_s:
            return None
        connection = _in_memory(blocks)
        weakref.finalize(self, connection.close)  # where the end comes before a return to now
        return self._replay(Ticks(lambda: connection, has_keys=True), is_file=False)

    def _replay(self, ticks: Ticks, *, is_file: bool) -> Replay:
        self._ticks, self._is_file = ticks, is_file
        return Replay(_NAME, Opened(ticks, None, is_unfinished=False))

    def events(self) -> list[tuple[float, NotedEvent]]:
        """Wall times and events of all that is kept, the oldest first. Raises RecordingError."""
        state, blocks = self._recorder.state, self._recorder.recent()
        recent = [
            (block.instant.wall_s, decode_event(*row))
            for block in blocks
            for row in decode_rows(block.rows)
            if row[0] in (RecordKind.LOST, RecordKind.EVENT)
        ]
        first_s = blocks[0].instant.wall_s if blocks else math.inf
        if state is None or state.from_s is None or state.from_s >= first_s:
            return recent  # the file has no more, and at its start it has nothing yet
        ticks = _file_ticks(state.path)
        try:
            earlier = Replay(_NAME, Opened(ticks, None, is_unfinished=False)).events()
        finally:
            ticks.rest()
        return [*(event for event in earlier if event[0] < first_s), *recent]

    def rest(self) -> None:
        """Keep the file that is being written open no longer than needed: it could not be finished."""
        if self._ticks is not None and self._is_file:
            self._ticks.rest()

    def close(self) -> None:
        """Close the last replay."""
        ticks, self._ticks = self._ticks, None
        if ticks is not None:
            ticks.rest()


def _file_ticks(path: str) -> Ticks:
    return Ticks(lambda: TimedConnection(lambda: _own_file(path)), has_keys=True)


def _in_memory(blocks: Sequence[Block]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.text_factory = bytes
    try:
        Tables(connection, Bounds()).write(blocks)
    except BaseException:
        connection.close()
        raise
    return connection


def _own_file(path: str) -> sqlite3.Connection:
    """Open the file that this process writes. Only SQLite may open it: to close it would drop the writer's locks."""
    uri = f"file:{urllib.parse.quote(os.fsencode(path))}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise RecordingError(trouble_in_words(error) or damage_in_words(error)) from error
    connection.text_factory = bytes
    return connection

"""The events of a recording: where they are, and what they say."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.errors import DamagedError
from memtop.sanitize import clean
from memtop.sources.protocol import NotedEvent
from memtop.sources.recording.checked_values import blob, integer
from memtop.sources.recording.format import LABEL_LIMIT, RecordKind
from memtop.sources.recording.packing import unpack
from memtop.units import counted

EVENTS_LIMIT: Final = 4096
"""Most events that are listed."""


class EventQueries(NamedTuple):
    """Queries that the index on events answers. The number of an instant is the parameter of the first two."""

    before: str
    """The last instant before it that has an event."""
    after: str
    """The first instant after it."""
    latest: str
    """The last EVENTS_LIMIT events, the latest first, as :func:`decode_event` takes them."""


_LATEST: Final = "SELECT wall_s, kind, path, status, data FROM fact JOIN tick ON tick.n = fact.tick WHERE kind IN "
_OLD: Final = EventQueries(
    "SELECT max(tick) FROM fact WHERE tick < ? AND kind IN (8, 9)",
    "SELECT min(tick) FROM fact WHERE tick > ? AND kind IN (8, 9)",
    _LATEST + f"(8, 9) ORDER BY fact.tick DESC, fact.rowid DESC LIMIT {EVENTS_LIMIT}",
)
"""Of recordings without events: ends of processes and losses of samples are all that can be found."""
_NEW: Final = EventQueries(
    "SELECT max(tick) FROM fact WHERE tick < ? AND kind IN (9, 13)",
    "SELECT min(tick) FROM fact WHERE tick > ? AND kind IN (9, 13)",
    _LATEST + f"(9, 13) ORDER BY fact.tick DESC, fact.rowid DESC LIMIT {EVENTS_LIMIT}",
)


def has_events(version: int) -> bool:
    """Whether recordings of a format have events."""
    return version > 2


def event_queries(*, has_events: bool) -> EventQueries:
    """The queries for the index of a recording that has events, or of an older one."""
    return _NEW if has_events else _OLD


def decode_event(kind: object, path: object, status: object, data: object) -> NotedEvent:
    """An event, from its row. A loss of samples is ``lost``; an end of which no more is known is ``exit``.

    Raises DamagedError, ValueError or zlib.error.
    """
    number = None if status is None else integer(status)
    if kind == RecordKind.LOST:
        return NotedEvent("lost", None, counted(number, "sample") if number is not None else "")
    if kind == RecordKind.EXIT:
        return NotedEvent("exit", int(blob(path)), "")
    if kind != RecordKind.EVENT:
        raise DamagedError("an event is of no known kind")
    label = clean(unpack(blob(data), limit_bytes=LABEL_LIMIT))[:LABEL_LIMIT]
    return NotedEvent(clean(blob(path))[:LABEL_LIMIT], number, label)

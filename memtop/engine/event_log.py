"""Log of exec and exit events of processes, for the time axis of the chart."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.process_key import ProcessKey

EVENTS_KEPT: Final = 32
"""Events kept per process. The oldest are dropped first."""


class Event(NamedTuple):
    """Something that happened."""

    at_s: float
    """On the clock of Instant.mono_s."""
    kind: str
    label: str


class EventLog:
    """The events of each process, bounded."""

    def __init__(self) -> None:
        self._events: dict[ProcessKey, list[Event]] = {}

    def add(self, key: ProcessKey, event: Event) -> None:
        """Add an event."""
        events = self._events.setdefault(key, [])
        events.append(event)
        del events[:-EVENTS_KEPT]

    def of(self, key: ProcessKey) -> Sequence[Event]:
        """The events of a process, oldest first."""
        return self._events.get(key, ())

    def forget(self, key: ProcessKey) -> None:
        """Drop the events of a process that no view can show any more."""
        self._events.pop(key, None)

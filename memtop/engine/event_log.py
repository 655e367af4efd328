"""Log of exec and exit events of processes, for the time axis of the chart."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.process_key import ProcessKey

EVENTS_KEPT: Final = 32
"""Events of one process; the oldest go first."""


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
        """Note an event."""
        events = self._events.setdefault(key, [])
        events.append(event)
        del events[:-EVENTS_KEPT]

    def of(self, key: ProcessKey) -> Sequence[Event]:
        """Oldest first."""
        return self._events.get(key, ())

    def forget(self, key: ProcessKey) -> None:
        """No view can show the process any more."""
        self._events.pop(key, None)

"""What a Player plays: a source that can be continued from any of its instants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from memtop.sources.protocol import NotedEvent, Source

if TYPE_CHECKING:
    from memtop.sources.protocol import Growth


class Span(NamedTuple):
    """The wall times between which a recording lies."""

    first_s: float
    last_s: float


class Seekable(Source, Protocol):
    """A recording that can be played from anywhere."""

    @property
    def span(self) -> Span | tuple[float, float]:
        """Wall times of its first and last instant."""
        ...

    @property
    def growth(self) -> Growth | None:
        """What is known of its end while it is being written; None for a recording that is not."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait until more has come since the last time, or no more will. False if neither has happened."""
        ...

    @property
    def has_events(self) -> bool:
        """Whether the events were recorded. If not, only some are found by :meth:`event_before`."""
        ...

    def position(self) -> tuple[int, int]:
        """Instants played so far, and all of them."""
        ...

    def position_at(self, wall_s: float) -> int:
        """Instants up to a wall time, that one included."""
        ...

    def wall_at(self, elapsed_s: float) -> float | None:
        """The wall time so many real seconds after the first instant; before the last one with a minus, -0.0 too."""
        ...

    def event_before(self, position: int) -> int | None:
        """The position of the last recorded event before a position; None for none."""
        ...

    def event_after(self, position: int) -> int | None:
        """The position of the first recorded event after a position; None for none."""
        ...

    def events(self) -> list[tuple[float, NotedEvent]]:
        """Wall times and recorded events, the oldest first."""
        ...

    def sweeps_of(self, name: str, pid: int) -> Iterator[tuple[float, bytes | None]]:
        """Wall time of each instant, and what a sweep has then of one process."""
        ...

    def again(self) -> Seekable:
        """The same recording, to be played from elsewhere at the same time."""
        ...

    def approach(self, position: int) -> None:
        """Continue at or before a position, so that ``begin`` leads to it."""
        ...

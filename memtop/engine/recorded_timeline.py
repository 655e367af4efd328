"""The timeline of a recording: RES of one process over all of it, looked up piece by piece, and its events."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Protocol

from memtop.model.frame import Frame
from memtop.model.timeline import PARTS, EventKind, Timeline, TimelineEvent
from memtop.process_key import ProcessKey
from memtop.procfs.statm import parse_statm

if TYPE_CHECKING:
    from memtop.sources.protocol import NotedEvent

GAP_INTERVALS: Final = 4.0
"""Where so many times the shortest interval lies between two samples, and so many times the interval before, RES in
between is not known. Of very many processes memory keeps a sample every few seconds, but for the first ones."""
KEPT: Final = 4
"""Processes whose RES is kept."""
_MORE: Final = 1.05
"""A recording that has grown by so much since RES was looked up is looked up again."""


class Scannable(Protocol):
    """A recording of which the timeline is made."""

    @property
    def span(self) -> tuple[float, float]:
        """Wall times of its first and last instant."""
        ...

    def events(self) -> list[tuple[float, NotedEvent]]:
        """Wall times and recorded events, the oldest first."""
        ...

    def sweeps_of(self, name: str, pid: int) -> Iterator[tuple[float, bytes | None]]:
        """Wall time of each instant, and what a sweep has then of one process."""
        ...


class RecordedTimeline:
    """The timeline for the process in focus. :meth:`work` looks up what is missing, :meth:`at` gives what is there."""

    def __init__(self) -> None:
        self._length_s: float | None = None
        """Of the recording, when the rest was looked up; None before that."""
        self._events: tuple[TimelineEvent, ...] = ()
        self._known: dict[ProcessKey, _Sizes] = {}
        """By process, that in focus last."""

    def at(self, frame: Frame, source: Scannable) -> Timeline:
        """The timeline for a frame of a recording, which may have grown. Raises RecordingError."""
        first_s, last_s = source.span
        if self._length_s is None or last_s - first_s > _MORE * self._length_s:
            self._length_s = last_s - first_s
            self._events = tuple(timeline_events(source.events()))
            self._known = {}
        row = frame.detail.row if frame.detail is not None else None
        rss: tuple[float | None, ...] = ()
        if row is not None:
            begins_s = first_s if row.started_s is None else row.started_s
            sizes = self._known.pop(row.key, None) or _Sizes(source, row.key, (first_s, last_s), begins_s)
            self._known[row.key] = sizes
            for key in list(self._known)[:-KEPT]:
                del self._known[key]
            rss = tuple(sizes.parts)
        return Timeline(first_s, last_s, frame.at_s, rss, self._events)

    @property
    def has_work(self) -> bool:
        """Whether RES of the process in focus is still to be looked up."""
        return bool(self._known) and not next(reversed(self._known.values())).is_complete

    def work(self, clock: Callable[[], float], until_s: float) -> bool:
        """Look up RES of the process in focus, until a time. Whether all of it is known now."""
        return self.has_work and next(reversed(self._known.values())).go_on(clock, until_s)


class _Sizes:
    """RES of one process in equal parts of a span, the highest of each."""

    def __init__(self, source: Scannable, key: ProcessKey, span: tuple[float, float], begins_s: float) -> None:
        self.parts: list[float | None] = [None] * PARTS
        self.is_complete = False
        self._first_s, last_s = span
        self._length_s = max(1.0, last_s - self._first_s)
        self._begins_s = (
            begins_s - 1.0
        )  # the kernel counts the start in ticks of 10 ms, since a boot known to the second
        self._last: tuple[int, float, float] | None = None
        """Part, wall time and RES of the sample before."""
        self._interval_s = math.inf
        """The shortest time between two samples ..."""
        self._before_s = 0.0
        """... and the latest."""
        self._scan = source.sweeps_of("statm", key.pid)

    def go_on(self, clock: Callable[[], float], until_s: float) -> bool:
        for number, (wall_s, statm) in enumerate(self._scan):
            part = min(PARTS - 1, max(0, int((wall_s - self._first_s) / self._length_s * PARTS)))
            rss_bytes = float(parse_statm(statm).rss_bytes) if statm and wall_s >= self._begins_s else None
            if rss_bytes is not None:
                self._hold_until(part, wall_s)
                self.parts[part] = max(rss_bytes, self.parts[part] or 0.0)
            self._last = None if rss_bytes is None else (part, wall_s, rss_bytes)
            if number % 16 == 15 and clock() >= until_s:
                return False
        self.is_complete = True
        return True

    def _hold_until(self, part: int, wall_s: float) -> None:
        """Let the value before hold in the parts between two samples, unless nothing was sampled for long."""
        if self._last is None:
            return
        last, at_s, rss_bytes = self._last
        interval_s = wall_s - at_s
        if interval_s > 0:
            self._interval_s = min(self._interval_s, interval_s)
        usual_s, self._before_s = max(self._interval_s, self._before_s), interval_s
        if interval_s <= GAP_INTERVALS * usual_s:
            self.parts[last + 1 : part] = [rss_bytes] * (part - last - 1)


def timeline_events(noted: list[tuple[float, NotedEvent]]) -> Iterator[TimelineEvent]:
    """Events as the timeline has them; those whose kind this memtop does not know are left out."""
    kinds = {kind.value: kind for kind in EventKind}
    for at_s, event in noted:
        if event.kind in kinds:
            yield TimelineEvent(at_s, kinds[event.kind], event.label, event.pid)

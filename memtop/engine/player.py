"""Plays a recording: step by step, several samples at once, or from any instant of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from memtop.engine.engine import Engine
from memtop.engine.recorded_timeline import RecordedTimeline
from memtop.errors import NotRecorded, Unavailable
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.procfs.vmstat import parse_vmstat
from memtop.sources.protocol import NotedEvent, Source

if TYPE_CHECKING:
    from memtop.sampling.commands import Command
    from memtop.sources.protocol import Growth

SHORT_PAST_S: Final = 0.15
"""Time for playing what precedes an instant, before that instant is shown ..."""
LEAST_TICKS: Final = 3
"""... but at least so many samples, because rates need them."""
LONG_PAST_S: Final = 2.5
"""Time for playing what precedes an instant once it is shown, so that chart and verdicts have a past ..."""
LONG_TICKS: Final = 300
"""... but at least so many samples ..."""
LONG_TICKS_MOST: Final = 3600
"""... and no more than these."""
CATCH_UP_S: Final = 0.5
"""How long a step takes samples of a recording that has grown."""
PIECE_S: Final = 0.2
"""How long a step that waits for an instant plays before it looks for another wish."""


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


class Player:
    """An Engine on a recording that can be sought in.

    ``engine_of`` makes an engine without a past, which gives its events to a function. ``clock`` gives monotonic
    seconds.

    ``go_to`` and its like may be called by another thread than the others. :meth:`work` carries them out: it shows an
    instant with a short past, then again with a long past. A wish that comes meanwhile waits for the first of these,
    not for the second, so that of many wishes the latest wins and none prevents that something is shown.
    """

    def __init__(
        self,
        source: Seekable,
        engine_of: Callable[[Seekable, Callable[[NotedEvent], None]], Engine],
        clock: Callable[[], float],
        *,
        has_timeline: bool = True,
    ) -> None:
        self._timeline = RecordedTimeline(source) if has_timeline else None
        self._source = source
        self._engine_of = engine_of
        self._clock = clock
        self._engine = engine_of(source, self._note)
        self.is_following = False
        """Whether the newest instant is shown as soon as it comes; see :meth:`follow`."""
        self.samples_per_frame = 1
        """How many samples are taken for a frame: more than one for speeds that no screen can follow."""
        self._wanted: Callable[[], int | None] | None = None
        self._searching = False
        self._seek: _Seek | None = None
        self._met: set[int] = set()
        """Positions of events that were met while playing a recording without events."""
        self._past_of: Request | None = None
        """The request with which the past of the instant on screen was played; None while it is played on."""
        self._sample_s = 0.002

    @property
    def span(self) -> Span:
        """The wall times between which the recording lies, as far as it is known."""
        return Span(*self._source.span)

    @property
    def growth(self) -> Growth | None:
        """What is known of its end while it is being written; None for a recording that is not."""
        return self._source.growth

    def wait(self, timeout_s: float) -> bool:
        """Wait until more has come since the last time, or no more will. False if neither has happened.

        Another thread may call it.
        """
        return self._source.wait(timeout_s)

    def follow(self) -> None:
        """Show the newest instant, and from then on each one that comes."""
        self._wanted = lambda: self._source.position_at(math.inf)
        self.is_following = True

    def go_to(self, wall_s: float) -> None:
        """Show the instant at a wall time."""
        self.is_following = False
        self._wanted = lambda: self._source.position_at(wall_s)

    def go_back(self) -> None:
        """Show the event before this instant."""
        self.is_following = False
        self._wanted = self._before

    def go_on(self) -> None:
        """Show the next event. In a recording without events it is searched for by playing."""
        self.is_following = False
        if self._source.has_events:
            self._wanted = lambda: self._source.event_after(self._source.position()[0])
        else:
            self._searching = True

    # -- samples

    def step(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> Frame | None:
        """Show the next instant, or the one that was asked for. None at the end."""
        shown = self._finish(request)
        if shown is not None:
            return self._timed(self._engine.view(request, commands) if commands else shown)
        self._past_of = None
        if self.is_following:
            return self._timed(self._catch_up(request, commands))
        began_s = self._clock()
        frame = self._play(request, commands, late_s)
        if frame is None and self._source.growth is not None:
            self.is_following = True
        self._measure((self._clock() - began_s) / self.samples_per_frame)
        return self._timed(frame)

    def _play(self, request: Request, commands: Iterable[Command], late_s: float) -> Frame | None:
        """Show the next frame, which stands for as many samples as there are, up to ``samples_per_frame``."""
        for taken in range(self.samples_per_frame - 1):
            if not self.take(request, commands):
                return self._engine.view(request) if taken else None
            commands = ()
        frame = self._engine.step(request, commands, late_s)
        return self._engine.view(request) if frame is None and self.samples_per_frame > 1 else frame

    def _catch_up(self, request: Request, commands: Iterable[Command]) -> Frame | None:
        """Show the newest instant that has come; None for none."""
        until_s = self._clock() + CATCH_UP_S
        has_more = self._engine.take(request, commands)
        if not has_more:
            return None
        while has_more and self._clock() < until_s:
            has_more = self._engine.take(request)
        return self._engine.view(request)

    def take(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> bool:
        """Take the next sample, to be shown with a later one. False at the end."""
        if self._finish(request) is not None:
            return True
        return self._engine.take(request, commands, late_s)

    def prepare(self) -> None:
        """Create what the second sample needs; see :meth:`Engine.prepare`."""
        self._engine.prepare()

    def view(self, request: Request, commands: Iterable[Command] = ()) -> Frame | None:
        """Show the last sample again.

        If the request now wants other readings, the past is played again with it: most are found only at the instants
        at which they came.
        """
        past_of = self._past_of
        if past_of is not None and self._seek is None and _wants_more(past_of, request):
            self._begin_seek(self._source.position()[0], self._long_ticks, request)
        return self._timed(self._engine.view(request, commands))

    @property
    def has_events(self) -> bool:
        """Whether the events were recorded, so that all of them are in the timeline."""
        return self._source.has_events

    def position(self) -> tuple[int, int]:
        """Instants played so far, and all of them."""
        return self._source.position()

    def again(self) -> Player:
        """Another player of the same recording, for the same thread."""
        return Player(self._source.again(), self._engine_of, self._clock, has_timeline=False)

    # -- seeking

    @property
    def has_work(self) -> bool:
        """Whether :meth:`work` has something to do."""
        return self._must_seek or (self._timeline is not None and self._timeline.has_work)

    @property
    def _must_seek(self) -> bool:
        return self._wanted is not None or self._searching or self._seek is not None

    @property
    def is_there(self) -> bool:
        """Whether what was asked for last is on screen, if only with a short past."""
        return self._wanted is None and not self._searching and (self._seek is None or self._seek.is_long)

    def work(self, request: Request, until_s: float = math.inf) -> Frame | None:
        """Play towards what was asked for, until a time of the clock. A frame if it is reached."""
        if not self._must_seek:
            if self._timeline is not None and self._timeline.work(self._clock, until_s):
                return self._timed(self._engine.view(request))
            return None
        if self._wanted is not None and (self._seek is None or self._seek.is_long):
            wanted, self._wanted = self._wanted(), None
            if wanted is None:
                return self._timed(self._engine.view(request))
            short = max(LEAST_TICKS, int(SHORT_PAST_S / self._sample_s))
            self._begin_seek(max(1, wanted), short, request)
        if self._seek is not None:
            return self._timed(self._go_on_seeking(self._seek, request, until_s))
        return self._timed(self._search(request, until_s))

    def _timed(self, frame: Frame | None) -> Frame | None:
        """The frame, with the timeline of the recording, and OOM kills counted from its first instant on."""
        if frame is None:
            return None
        kills, before = frame.system.oom_kills_boot, self._kills_before
        if kills is not None and before is not None:
            frame = frame._replace(system=frame.system._replace(oom_kills=max(0, kills - before)))
        return frame if self._timeline is None else frame._replace(timeline=self._timeline.at(frame))

    @cached_property
    def _kills_before(self) -> int | None:
        """OOM kills since boot, as of the first instant of the recording."""
        source = self._source.again()
        try:
            return parse_vmstat(source.read("proc/vmstat")).oom_kill if source.begin() is not None else None
        except (NotRecorded, Unavailable):
            return None

    def _finish(self, request: Request) -> Frame | None:
        """Do all that was asked for. Returns the frame of the instant, None if nothing was asked for."""
        frame = None
        while self._must_seek:
            frame = self.work(request, self._clock() + PIECE_S) or frame
        return frame

    @property
    def _long_ticks(self) -> int:
        return min(LONG_TICKS_MOST, max(LONG_TICKS, int(LONG_PAST_S / self._sample_s)))

    def _begin_seek(self, position: int, ticks: int, request: Request) -> None:
        source = self._source.again()
        is_long = ticks >= min(position, LONG_TICKS)
        self._seek = _Seek(source, self._engine_of(source, self._note), position, ticks, is_long)
        self._past_of = request

    def _go_on_seeking(self, seek: _Seek, request: Request, until_s: float) -> Frame | None:
        try:
            taken, began_s = seek.taken, self._clock()
            reached = seek.go_on(request, self._clock, until_s)
            if seek.taken > taken:
                self._measure((self._clock() - began_s) / (seek.taken - taken))
        except BaseException:
            self._seek = None  # it is reported, and not tried again and again
            raise
        if not reached:
            return None
        self._seek, self._source, self._engine = None, seek.source, seek.engine
        seek.engine.view(request)  # takes with it the ends of processes before this instant
        frame = seek.engine.step(request)
        if seek.is_long or frame is None:
            return frame
        if self._wanted is None:
            self._begin_seek(seek.position, self._long_ticks, request)
        return _without_end(frame)._replace(is_settled=False)

    def _measure(self, sample_s: float) -> None:
        self._sample_s = max(0.0005, 0.8 * self._sample_s + 0.2 * sample_s)

    # -- events of a recording without them

    def _search(self, request: Request, until_s: float) -> Frame | None:
        while self._wanted is None:
            before = len(self._met)
            if not self._engine.take(request) or len(self._met) > before:
                self._searching = False
                return self._engine.view(request)
            if self._clock() >= until_s:
                return None
        self._searching = False
        return None

    def _before(self) -> int | None:
        here = self._source.position()[0]
        recorded = self._source.event_before(here)
        known = () if recorded is None else (recorded,)
        return max([*(one for one in self._met if one < here), *known], default=None)

    def _note(self, event: NotedEvent) -> None:
        if not self._source.has_events and self._seek is None:
            self._met.add(self._source.position()[0])


class _Seek:
    """An engine on its way to an instant, with a source of its own."""

    def __init__(self, source: Seekable, engine: Engine, position: int, ticks: int, is_long: bool) -> None:
        self.source = source
        self.engine = engine
        self.position = position
        self.is_long = is_long
        self.taken = 0
        self._from = max(0, position - ticks)
        source.approach(self._from)

    def go_on(self, request: Request, clock: Callable[[], float], until_s: float) -> bool:
        """Play until the instant before, or a time of the clock. Returns whether it is reached."""
        while (at := self.source.position()[0]) < self.position - 1:
            if at < self._from:
                self.source.begin()  # what it has learnt by then is what the engine begins with
            else:
                self.engine.take(request)
                self.taken += 1
            if clock() >= until_s:
                return False
        return True


def _without_end(frame: Frame) -> Frame:
    """A frame with a short past does not say how its process ended: the evidence lies further back."""
    detail = frame.detail
    if detail is None or detail.outlook is None or detail.outlook.autopsy is None:
        return frame
    return frame._replace(detail=detail._replace(outlook=None))


def _wants_more(before: Request, now: Request) -> bool:
    """Whether a request wants readings that an earlier one did not."""
    return (
        before.readings.focus != now.readings.focus
        or bool(now.readings.focus_needs & ~before.readings.focus_needs)
        or bool(now.readings.row_needs & ~before.readings.row_needs)
    )

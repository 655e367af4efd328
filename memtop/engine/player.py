"""Plays a recording: step by step, several samples at once, or from any instant of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Final

from memtop.engine.engine import Engine
from memtop.engine.past_length import PastLength
from memtop.engine.recorded_timeline import RecordedTimeline
from memtop.engine.seek import Seek
from memtop.engine.seekable import Seekable, Span
from memtop.errors import NotRecorded, Unavailable
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.procfs.vmstat import parse_vmstat
from memtop.sources.protocol import NotedEvent
from memtop.time_of_day import parse_instant

if TYPE_CHECKING:
    from memtop.sampling.commands import Command
    from memtop.sources.protocol import Growth

CATCH_UP_S: Final = 0.5
"""How long a step takes samples of a recording that has grown."""
PIECE_S: Final = 0.2
"""How long a step that waits for an instant plays before it looks for another wish."""
SAID_EVERY_S: Final = 0.5
"""How often a frame says how much of the past was played."""


class Player:
    """An Engine on a recording that can be sought in.

    ``engine_of`` makes an engine without a past, which gives its events to a function. ``clock`` gives monotonic
    seconds.

    ``go_to`` and its like may be called by another thread than the others. :meth:`work` carries them out: it shows an
    instant with a short past at once, while another engine plays a long past, a piece at a time, and takes its place.
    The instant on screen may be played on meanwhile. Of many wishes the latest wins, and none prevents that something
    is shown. With ``whole`` a step returns frames with a long past only, for output without a screen.
    """

    def __init__(
        self,
        source: Seekable,
        engine_of: Callable[[Seekable, Callable[[NotedEvent], None]], Engine],
        clock: Callable[[], float],
        *,
        has_timeline: bool = True,
        whole: bool = False,
    ) -> None:
        self._timeline = RecordedTimeline() if has_timeline else None
        self._source = source
        self._engine_of = engine_of
        self._clock = clock
        self._whole = whole
        self._engine = engine_of(source, self._note)
        self.is_following = False
        """Whether the newest instant is shown as soon as it comes; see :meth:`follow`."""
        self.samples_per_frame = 1
        """How many samples are taken for a frame: more than one for speeds that no screen can follow."""
        self._wanted: Callable[[], int | None] | None = None
        self._searching = False
        self._seek: Seek | None = None
        """On its way to the instant that was asked for."""
        self._fill: Seek | None = None
        """On its way to the instant on screen, with a long past."""
        self._lacks = 0
        """Samples that are still to be played, before the instant on screen has a past that is long enough."""
        self._is_short = False
        """Whether the instant on screen has a short past only, so that verdicts wait for the long one."""
        self._said_s = -math.inf
        """When a frame last said how much of the past was played."""
        self._met: set[int] = set()
        """Positions of events that were met while playing a recording without events."""
        self._past_of: Request | None = None
        """The request with which the past of the instant on screen was played; None while it is played on."""
        self._past = PastLength()

    @property
    def span(self) -> Span:
        """The wall times between which the recording lies, as far as it is known."""
        return Span(*self._source.span)

    def instant(self, text: str) -> float:
        """The wall time that a user has typed for an instant; see :func:`parse_instant`. Raises UsageError."""
        return parse_instant(text, *self._source.span, self._source.wall_at)

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
        before = self._source.position()[0]
        began_s = self._clock()
        frame = self._play(request, commands, late_s)
        if frame is None and self._source.growth is not None:
            self.is_following = True
        self._note_played(before, began_s)
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
        before, began_s = self._source.position()[0], self._clock()
        has_more = self._engine.take(request, commands)
        if not has_more:
            return None
        while has_more and self._clock() < began_s + CATCH_UP_S:
            has_more = self._engine.take(request)
        self._note_played(before, began_s)
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
        if past_of is not None and self._seek is None and self._fill is None and _wants_more(past_of, request):
            self._begin_fill(request)
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
        has_parts = self._timeline is not None and self._timeline.has_work
        return not self.is_there or self._fill is not None or has_parts

    @property
    def is_there(self) -> bool:
        """Whether what was asked for last is on screen, if only with a short past."""
        return self._wanted is None and not self._searching and self._seek is None

    def work(self, request: Request, until_s: float = math.inf) -> Frame | None:
        """Play toward what was asked for, until a time of the clock. A frame if it is reached."""
        if self._wanted is not None and self._seek is None:
            wanted, self._wanted = self._wanted(), None
            if wanted is None:
                return self._timed(self._engine.view(request))
            self._seek, self._fill = self._seek_to(max(1, wanted), self._past.short_ticks), None
        if self._seek is not None:
            return self._timed(self._go_on_seeking(self._seek, request, until_s))
        if self._searching:
            return self._timed(self._search(request, until_s))
        if self._fill is not None:
            return self._timed(self._go_on_filling(self._fill, request, until_s))
        if self._timeline is not None and self._timeline.work(self._clock, until_s):
            return self._timed(self._engine.view(request))
        return None

    def _timed(self, frame: Frame | None) -> Frame | None:
        """The frame, with the timeline of the recording, and OOM kills counted from its first instant on."""
        if frame is None:
            return None
        if self._fill is not None and self._is_short:
            self._said_s = self._clock()
            frame = _without_end(frame)._replace(past_percent=self._fill.percent)
        kills, before = frame.system.oom_kills_boot, self._kills_before
        if kills is not None and before is not None:
            frame = frame._replace(system=frame.system._replace(oom_kills=max(0, kills - before)))
        return frame if self._timeline is None else frame._replace(timeline=self._timeline.at(frame, self._source))

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
        while not self.is_there or (self._whole and self._fill is not None):
            frame = self.work(request, self._clock() + PIECE_S) or frame
        return frame

    def _seek_to(self, position: int, ticks: int) -> Seek:
        source = self._source.again()
        return Seek(source, self._engine_of(source, self._note), position, ticks)

    def _begin_fill(self, request: Request) -> None:
        """Begin to play a long past of the instant on screen."""
        self._lacks = self._past.long_ticks
        self._fill = self._seek_to(self._source.position()[0], self._lacks)
        self._past_of = request

    def _go_on_seeking(self, seek: Seek, request: Request, until_s: float) -> Frame | None:
        try:
            reached = self._go_on(seek, request, until_s)
        except BaseException:
            self._seek = None  # it is reported, and not tried again and again
            raise
        if not reached:
            return None
        self._seek, self._is_short = None, not seek.is_whole
        frame = self._take_over(seek, request)
        if frame is not None and self._is_short and self._wanted is None:
            self._begin_fill(request)
        return frame

    def _go_on_filling(self, fill: Seek, request: Request, until_s: float) -> Frame | None:
        fill.position = self._source.position()[0]
        try:
            reached = self._go_on(fill, request, until_s)
        except BaseException:
            self._fill = None
            raise
        if reached:
            self._fill, self._is_short = None, False
            return self._take_over(fill, request)
        is_due = self._is_short and self._clock() >= self._said_s + SAID_EVERY_S
        return self._engine.view(request) if is_due else None

    def _go_on(self, seek: Seek, request: Request, until_s: float) -> bool:
        taken, began_s = seek.taken, self._clock()
        reached = seek.go_on(request, self._clock, until_s)
        if seek.taken > taken:
            self._past.note((self._clock() - began_s) / (seek.taken - taken))
        return reached

    def _take_over(self, seek: Seek, request: Request) -> Frame | None:
        """Show the instant that a seek has reached the one before of."""
        self._source, self._engine = seek.source, seek.engine
        seek.engine.drop_exits()  # those before this instant
        return seek.engine.step(request)

    def _note_played(self, before: int, began_s: float) -> None:
        """Measure what was played since a position and a time. An instant that was played to needs no other past."""
        played = self._source.position()[0] - before
        if played > 0:
            self._past.note((self._clock() - began_s) / played)
        self._lacks -= played
        if self._lacks <= 0:
            self._fill, self._is_short = None, False

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
        if not self._source.has_events and self._seek is None and self._fill is None:
            self._met.add(self._source.position()[0])


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

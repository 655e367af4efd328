"""Looking back: shows an earlier instant whole, while the machine is sampled on or a recording stands where it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from memtop.engine.engine import Engine
from memtop.engine.player import Player
from memtop.errors import RecordingError
from memtop.model.detail import Detail, GroupDetail
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.model.row import SystemRow
from memtop.model.timeline import PARTS, Timeline, TimelineEvent

if TYPE_CHECKING:
    from memtop.model.assessment import ExitReport
    from memtop.sampling.commands import Command


class Past(Protocol):
    """What is kept of the past."""

    def first_s(self) -> float | None:
        """Wall time of the first instant that can be played; None for none."""
        ...

    @property
    def sparse_s(self) -> float | None:
        """Seconds between the instants that are kept, where not each sample is; None where each is."""
        ...

    def keep(self) -> None:
        """Add the sample that was just taken."""
        ...

    def player_at(self, wall_s: float) -> Player | None:
        """A player of what is kept of an instant; None if nothing is. Raises RecordingError."""
        ...

    def events(self) -> Sequence[TimelineEvent]:
        """The events that are kept, the oldest first. Any thread may ask. Raises RecordingError."""
        ...

    def rest(self) -> None:
        """Hold no file open until the player goes on."""
        ...

    def close(self) -> None:
        """Close what the last player plays."""
        ...


class LookingBack:
    """An Engine or a Player that plays the instant that a Request looks back at, and shows that in place of its own.

    The chart stays that of now, with the cursor in it. Where the instant is not kept, the engine's own answer is shown,
    which knows a few numbers of the past. The engine is never kept waiting: :meth:`work` plays a piece at a time.
    """

    def __init__(self, engine: Engine | Player, past: Past) -> None:
        self._engine = engine
        self._past = past
        self._player: Player | None = None
        """What plays the past; None while now is shown, and where the past is not kept."""
        self._trouble = ""
        """Why the instant that was looked for last cannot be played; empty if it can."""
        self._cursor_s: float | None = None
        """The instant that was looked for last."""
        self._now: Frame | None = None
        """The engine's own frame, of the newest sample or of the instant at which it was frozen."""
        self._shown: Frame | None = None
        """The frame shown last."""
        self._exits: tuple[ExitReport, ...] = ()
        """Ends in frames that were not shown."""
        self._events: Sequence[TimelineEvent] = ()
        """For the timeline of a machine, as of the last time that the past was opened."""

    @property
    def player(self) -> Player | None:
        """What plays a recording; None where a machine is sampled."""
        return self._engine if isinstance(self._engine, Player) else None

    @property
    def first_s(self) -> float | None:
        """Wall time of the first instant that can be looked back at whole; None for none."""
        return self._past.first_s()

    def lacking_at(self, wall_s: float) -> str:
        """Why no more than sizes is known of an instant; empty where it can be looked back at whole."""
        first_s = self.first_s
        if first_s is not None and wall_s >= first_s:
            return ""
        return "memtop does not keep samples from so long ago"

    @property
    def sparse_s(self) -> float | None:
        """Seconds between the instants that can be looked back at whole; None where each sample can be."""
        return self._past.sparse_s

    def events(self) -> Sequence[TimelineEvent]:
        """The events that are kept, the oldest first. Any thread may ask."""
        return self._past.events()

    def step(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> Frame | None:
        """See :meth:`Engine.step`."""
        frame = self._engine.step(request, commands, late_s)
        self._past.keep()
        return None if frame is None else self._answer(frame, request) or self._shown or frame

    def take(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> bool:
        """See :meth:`Engine.take`."""
        there_is_more = self._engine.take(request, commands, late_s)
        self._past.keep()
        return there_is_more

    def prepare(self) -> None:
        """See :meth:`Engine.prepare`."""
        self._engine.prepare()

    def view(self, request: Request, commands: Iterable[Command] = ()) -> Frame | None:
        """See :meth:`Engine.view`. None while the instant is being played."""
        frame = self._engine.view(request, commands)
        return None if frame is None else self._answer(frame, request)

    @property
    def has_work(self) -> bool:
        """Whether :meth:`work` has something to do."""
        return self._plays or (self.player is not None and self.player.has_work)

    @property
    def _plays(self) -> bool:
        return self._player is not None and self._player.has_work

    def work(self, request: Request, until_s: float = math.inf) -> Frame | None:
        """Play toward the instant that is looked for, until a monotonic time. A frame if it is reached."""
        if self._player is not None and self._player.has_work:
            try:
                past = self._player.work(_at_present(request), until_s)
                self._past.rest()
            except RecordingError as error:
                return self._without_past(error)
            return None if past is None or self._cursor_s is None else self._merge(past)
        frame = self.player.work(request, until_s) if self.player is not None else None
        return None if frame is None else self._answer(frame, request)

    # -- the instant that is looked for

    def _answer(self, frame: Frame, request: Request) -> Frame | None:
        """What is shown for the engine's own frame; None while the instant is being played."""
        self._exits += frame.exits
        cursor_s = request.window.cursor_s
        if cursor_s is None:
            if self._player is not None:
                self._past.close()
            self._player, self._cursor_s, self._now, self._events = None, None, None, ()
            return self._show(frame)
        self._now = frame if frame.timeline is not None else frame._replace(timeline=self._timeline(frame))
        if cursor_s != self._cursor_s:
            self._cursor_s = cursor_s
            self._go_to(cursor_s)
            self._now = self._now._replace(timeline=self._timeline(frame)) if frame.timeline is None else self._now
        if self._player is None:
            return self._show(self._troubled(self._now))
        if not self._player.is_there:
            return None
        try:
            past = self._player.view(_at_present(request))
        except RecordingError as error:
            return self._without_past(error)
        return self._show(self._now) if past is None else self._merge(past)

    def _without_past(self, error: RecordingError) -> Frame | None:
        """What the engine knows of the instant, where its file cannot be read: sampling goes on."""
        self._player, self._trouble = None, str(error)
        return None if self._now is None else self._show(self._troubled(self._now))

    def _troubled(self, frame: Frame) -> Frame:
        return frame._replace(problems=(*frame.problems, self._trouble)) if self._trouble else frame

    def _go_to(self, wall_s: float) -> None:
        player, self._trouble = self._player, ""
        if player is None or not player.span.first_s <= wall_s <= player.span.last_s:
            try:
                self._player = self._past.player_at(wall_s)
                self._events = self._past.events() if self._player is not None else ()
            except RecordingError:  # its file may have gone meanwhile; what the engine knows is shown
                self._player = None
        if self._player is not None:
            self._player.go_to(wall_s)

    def _timeline(self, frame: Frame) -> Timeline | None:
        """The timeline of a machine: all that can be looked back at whole, and the instant on screen."""
        first_s = self._past.first_s()
        if first_s is None or isinstance(self._engine, Player):
            return None
        at_s = frame.at_s if self._cursor_s is None else self._cursor_s
        first_s = min(first_s, at_s)  # before what is kept whole, the chart knows the process in focus
        key = frame.detail.row.key if frame.detail is not None else None
        rss = self._engine.past_rss_bytes(key, first_s, frame.at_s, PARTS) if key is not None else ()
        return Timeline(first_s, frame.at_s, at_s, rss, tuple(self._events))

    def _merge(self, past: Frame) -> Frame:
        """The instant that was played, with the chart and the state of now."""
        now = self._now
        assert now is not None, "nothing is played before there is a frame"
        ended = {one.key: one for one in (*now.ended, *past.ended) if one.at_s <= past.at_s}
        return self._show(
            past._replace(
                tick=now.tick,
                elapsed_s=now.elapsed_s,
                late_s=now.late_s,
                system=_kills_counted(past.system, now.system),
                detail=_in_chart(past.detail, now.detail),
                group=_group_in_chart(past.group, now.group),
                own=now.own,
                problems=now.problems,
                replay_position=now.replay_position,
                exits=(),
                ended=tuple(sorted(ended.values(), key=lambda one: -one.at_s)),
                groupings=now.groupings,
                timeline=None if now.timeline is None else now.timeline._replace(at_s=past.at_s),
                newest_s=now.at_s,
            )
        )

    def _show(self, frame: Frame) -> Frame:
        frame, self._exits = frame._replace(exits=self._exits), ()
        self._shown = frame._replace(exits=())
        return frame


def _at_present(request: Request) -> Request:
    """The request without its cursor: for the player of the past, the instant looked at is the present."""
    return request._replace(window=request.window._replace(cursor_s=None, frozen=False))


def _in_chart(past: Detail | None, now: Detail | None) -> Detail | None:
    """A process as it was, in the chart of now."""
    if past is None or now is None:
        return now if past is None else past
    return past._replace(series=now.series, window=now.window, marks=now.marks)


def _group_in_chart(past: GroupDetail | None, now: GroupDetail | None) -> GroupDetail | None:
    if past is None or now is None:
        return now if past is None else past
    return past._replace(series=now.series, window=now.window)


def _kills_counted(past: SystemRow, now: SystemRow) -> SystemRow:
    """The machine as it was, with OOM kills counted since memtop started."""
    if past.oom_kills_boot is None or now.oom_kills_boot is None or now.oom_kills is None:
        return past._replace(oom_kills=None)
    return past._replace(oom_kills=max(0, now.oom_kills - (now.oom_kills_boot - past.oom_kills_boot)))

"""Plays a recording: step by step, several samples at once, or from any instant of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from memtop.engine.engine import Engine
from memtop.model.frame import Frame
from memtop.model.request import Request

if TYPE_CHECKING:
    from memtop.sampling.commands import Command
    from memtop.sources.protocol import Growth

SHORT_PAST_S: Final = 0.15
"""Time for playing what precedes an instant, before that instant is shown ..."""
LEAST_TICKS: Final = 3
"""... but at least so many samples, because rates need them."""
DEEP_TICKS: Final = 300
"""Samples before an instant that are played once it is shown, so that chart and verdicts have a past."""
SEARCH_S: Final = 3.0
"""How long one search for an event goes on."""
CATCH_UP_S: Final = 0.5
"""How long a step takes samples of a recording that has grown."""


class Span(NamedTuple):
    """The wall times between which a recording lies."""

    first_s: float
    last_s: float


class Seekable(Protocol):
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

    def position(self) -> tuple[int, int]:
        """Instants played so far, and all of them."""
        ...

    def position_at(self, wall_s: float) -> int:
        """Instants up to a wall time, that one included."""
        ...

    def event_before(self, position: int) -> int | None:
        """The position of the last recorded event before a position; None for none."""
        ...

    def seek(self, position: int) -> None:
        """Continue after so many instants."""
        ...


class Player:
    """An Engine on a recording that can be sought in. ``engine_of`` makes an engine without a past. ``clock``
    gives seconds, to bound how long it works at once.

    ``go_to`` and its like may be called by another thread than the others; the next step carries them out. A step to
    another instant shows it at once, with a short past; the next step then plays the long past before it.
    """

    def __init__(self, source: Seekable, engine_of: Callable[[], Engine], clock: Callable[[], float]) -> None:
        self._source = source
        self._engine_of = engine_of
        self._clock = clock
        self._engine = engine_of()
        self.is_following = False
        """Whether the newest instant is shown as soon as it comes; see :meth:`follow`."""
        self.samples_per_frame = 1
        """How many samples are taken for a frame: more than one for speeds that no screen can follow."""
        self._wanted: Callable[[], int | None] | None = None
        self._searching = False
        self._is_shallow = False
        self._events: set[int] = set()
        """Positions of events that were met while playing."""
        self._standing: frozenset[object] = frozenset()
        """The incidents of the last frame."""
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

    @property
    def wants_past(self) -> bool:
        """Whether the next step plays the past of the instant on screen instead of going on."""
        return self._is_shallow and self._wanted is None

    def go_to(self, wall_s: float) -> None:
        """Show the instant at a wall time."""
        self.is_following = False
        self._wanted = lambda: self._source.position_at(wall_s)

    def go_back(self) -> None:
        """Show the event before this instant, of those recorded or met while playing."""
        self.is_following = False
        self._wanted = self._before

    def go_on(self) -> None:
        """Show the next event. It is searched for by playing, for some seconds at most."""
        self.is_following = False
        self._searching = True

    def step(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> Frame | None:
        """Show the next instant, or the one that was asked for. None at the end."""
        if self._wanted is not None:
            wanted, self._wanted = self._wanted(), None
            position = wanted if wanted is not None else self._source.position()[0]
            ticks = max(LEAST_TICKS, int(SHORT_PAST_S / self._sample_s))
            self._is_shallow = position > ticks
            return self._play_to(position, ticks, request, commands)
        if self._is_shallow:
            self._is_shallow = False
            return self._play_to(self._source.position()[0], DEEP_TICKS, request, commands)
        if self._searching:
            self._searching = False
            return self._search(request, commands)
        if self.is_following:
            return self._catch_up(request, commands)
        began_s = self._clock()
        frame = self._noted(self._play(request, commands, late_s))
        if frame is None and self._source.growth is not None:
            self.is_following = True
        self._sample_s = max(0.0005, 0.8 * self._sample_s + 0.2 * (self._clock() - began_s) / self.samples_per_frame)
        return frame

    def _play(self, request: Request, commands: Iterable[Command], late_s: float) -> Frame | None:
        """Show the next frame, which stands for as many samples as there are, up to ``samples_per_frame``."""
        for taken in range(self.samples_per_frame - 1):
            if not self.take(request, commands):
                return self._engine.view(request) if taken else None
            commands = ()
        frame = self._engine.step(request, commands, late_s)
        return self._engine.view(request) if frame is None and self.samples_per_frame > 1 else frame

    def take(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> bool:
        """Take the next sample, to be shown with a later one. False at the end."""
        return self._engine.take(request, commands, late_s)

    def prepare(self) -> None:
        """Create what the second sample needs; see :meth:`Engine.prepare`."""
        self._engine.prepare()

    def view(self, request: Request, commands: Iterable[Command] = ()) -> Frame | None:
        """Show the last sample again."""
        return self._engine.view(request, commands)

    def _play_to(self, position: int, past: int, request: Request, commands: Iterable[Command]) -> Frame | None:
        """Show an instant, with so many samples before it. Another wish interrupts it."""
        position = max(1, position)
        self._source.seek(max(0, position - past))
        engine = self._engine_of()
        while self._source.position()[0] < position - 1:
            if self._wanted is not None:
                break
            engine.take(request)
        self._engine = engine
        engine.view(request)  # takes with it the ends of processes before this instant
        return self._noted(engine.step(request, commands))

    def _catch_up(self, request: Request, commands: Iterable[Command]) -> Frame | None:
        """Show the newest instant that has come; None for none."""
        until_s = self._clock() + CATCH_UP_S
        has_more = self._engine.take(request, commands)
        if not has_more:
            return None
        while has_more and self._clock() < until_s:
            has_more = self._engine.take(request)
        return self._noted(self._engine.view(request))

    def _search(self, request: Request, commands: Iterable[Command]) -> Frame | None:
        until_s = self._clock() + SEARCH_S
        frame = self._noted(self._engine.step(request, commands))
        while (
            frame is not None
            and self._source.position()[0] not in self._events
            and self._clock() < until_s
            and self._wanted is None
        ):
            following = self._noted(self._engine.step(request))
            if following is None:
                break
            frame = following
        return frame

    def _before(self) -> int | None:
        here = self._source.position()[0]
        recorded = self._source.event_before(here)
        return max(
            [*(one for one in self._events if one < here), *([] if recorded is None else [recorded])], default=None
        )

    def _noted(self, frame: Frame | None) -> Frame | None:
        """Note where something has begun or ended."""
        if frame is not None:
            standing = frame.incidents.standing if frame.incidents is not None else ()
            now = frozenset((one.subject.identity, one.story) for one in standing)
            if frame.exits or now - self._standing:
                self._events.add(self._source.position()[0])
            self._standing = now
        return frame

"""The past that the screen can look back at: all of a recording that is played, or what a recorder keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from memtop.cli.composition import engine_on
from memtop.engine.engine import Engine
from memtop.engine.looking_back import LookingBack
from memtop.engine.player import Player
from memtop.engine.recorded_timeline import timeline_events
from memtop.engine.seekable import Seekable
from memtop.model.timeline import TimelineEvent
from memtop.sources.protocol import NotedEvent, Source
from memtop.sources.recording.recorder import Recorder

if TYPE_CHECKING:
    from memtop.sources.recording.own_past import OwnPast


class PlayedPast:
    """Of a recording that is played: all of it. The timeline comes from its player."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def first_s(self) -> float | None:
        """See ``Past``."""
        return self._player.span.first_s

    @property
    def sparse_s(self) -> float | None:
        """See ``Past``: it has what it has."""
        return None

    def keep(self) -> None:
        """See ``Past``: nothing is added to it."""

    def player_at(self, wall_s: float) -> Player | None:
        """See ``Past``."""
        return self._player.again()

    def events(self) -> Sequence[TimelineEvent]:
        """See ``Past``: they are in the player's timeline."""
        return ()

    def rest(self) -> None:
        """See ``Past``: the recording is open as long as it is played."""

    def close(self) -> None:
        """See ``Past``: as above."""


class RecorderPast:
    """Of a machine: what its recorder keeps in memory and in the file that it writes."""

    def __init__(
        self, recorder: Recorder, engine_of: Callable[[Seekable, Callable[[NotedEvent], None]], Engine]
    ) -> None:
        self._recorder = recorder
        self._engine_of = engine_of

    @cached_property
    def _past(self) -> OwnPast:
        from memtop.sources.recording.own_past import OwnPast  # noqa: PLC0415 (13 ms of SQLite, for looking back only)

        return OwnPast(self._recorder)

    def first_s(self) -> float | None:
        """See ``Past``."""
        return self._recorder.first_s

    @property
    def sparse_s(self) -> float | None:
        """See ``Past``."""
        return self._recorder.sparse_s if self._recorder.state is None else None

    def keep(self) -> None:
        """See ``Past``."""
        self._recorder.pass_on()

    def player_at(self, wall_s: float) -> Player | None:
        """See ``Past``."""
        replay = self._past.replay_at(wall_s)
        return None if replay is None else Player(replay, self._engine_of, time.monotonic, has_timeline=False)

    def events(self) -> Sequence[TimelineEvent]:
        """See ``Past``."""
        return tuple(timeline_events(self._past.events()))

    def rest(self) -> None:
        """See ``Past``."""
        self._past.rest()

    def close(self) -> None:
        """See ``Past``."""
        self._past.close()


def looking_back_on(source: Source, engine: Engine | Player) -> Engine | LookingBack:
    """What shows earlier instants whole: of the recording that is played, or of what a recorder keeps."""

    if isinstance(engine, Player):
        return LookingBack(engine, PlayedPast(engine))
    assert isinstance(source, Recorder)

    def engine_of_past(kept: Seekable, note: Callable[[NotedEvent], None]) -> Engine:
        past = engine_on(kept, None, note)
        past.begin_with(engine)
        return past

    return LookingBack(engine, RecorderPast(source, engine_of_past))

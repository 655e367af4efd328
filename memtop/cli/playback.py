"""Puts together what plays a recording: from its start, a time of day, a process, or its end on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from memtop.cli.composition import engine_on
from memtop.engine.engine import Engine
from memtop.engine.player import Player
from memtop.engine.recorded_processes import first_seen_s, not_held
from memtop.engine.seekable import Seekable
from memtop.sources.protocol import NotedEvent, OwnCost, Source
from memtop.sources.recording.replay import Replay

END: Final = "end"
"""Where a recording that is still being written is played at once as it grows."""


def player_on(
    source: Source, at: str, own: Callable[[], OwnCost] | None = None, *, pids: Sequence[int] = (), whole: bool = False
) -> Player:
    """Create what plays a recording: from its start, a time of day, or its end on.

    Without a time it begins where the first of the ``pids`` is. ``whole``: see Player; there is no timeline then.
    Raises UsageError, and ProcessGone where the recording has none of the processes.
    """

    assert isinstance(source, Replay)
    player = Player(source, partial(_engine_of_recording, own), time.monotonic, has_timeline=not whole, whole=whole)
    seen_s = _seen_s(source, pids) if pids else None
    if at == END:
        player.follow()
    elif at:
        player.go_to(player.instant(at))
    elif seen_s is not None and seen_s > player.span.first_s:
        player.go_to(seen_s)
    return player


def _seen_s(source: Replay, pids: Sequence[int]) -> float | None:
    """Wall time of the first instant with one of the processes; None where more of it may come. Raises ProcessGone."""

    found = [seen_s for pid in pids if (seen_s := first_seen_s(source, pid)) is not None]
    if not found and source.growth is None:
        raise not_held(source, pids, time.monotonic)
    return min(found, default=None)


def _engine_of_recording(
    own: Callable[[], OwnCost] | None, source: Seekable, note: Callable[[NotedEvent], None]
) -> Engine:
    return engine_on(source, own, note)

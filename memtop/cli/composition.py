"""Opens the source and creates the engine for every command, and takes the first samples of a started program."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from memtop.engine.engine import Engine
from memtop.errors import UsageError
from memtop.runtimes.registry import REGISTRY
from memtop.sources.live import LiveSource
from memtop.sources.protocol import OwnCost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtop.cli.launch import Launch
    from memtop.engine.looking_back import LookingBack
    from memtop.engine.player import Player
    from memtop.engine.seekable import Seekable
    from memtop.model.frame import Frame
    from memtop.model.request import Request
    from memtop.settings import Settings
    from memtop.sources.protocol import Growth, NotedEvent, Recording, Source
    from memtop.sources.recording.replay import Replay


STANDARD: Final = "-"
"""The name of standard input or output, for a recording that comes or goes as a stream."""
END: Final = "end"
"""Where a recording that is still being written is played at once as it grows."""


def open_source(settings: Settings, *, looks_back: bool = False) -> Source:
    """Open the live machine, the live machine with a recorder, or a recording. Raises MemtopError.

    With ``looks_back`` there is always a recorder, which keeps the last instants in memory.
    """
    if settings.replay == STANDARD:
        return _stream()
    if settings.replay:
        from memtop.sources.recording.replay import Replay  # noqa: PLC0415 (13 ms of SQLite, which one sample does without)

        return Replay(settings.replay)
    source = LiveSource(runtimes=REGISTRY.read)
    if not settings.record and not looks_back:
        return source
    from memtop.sources.recording.recorder import Recorder  # noqa: PLC0415 (as above)

    return Recorder(source, settings.record, looks_back=looks_back, asked=asked_words(settings))


def _stream() -> Source:
    """Play the stream on standard input, once its first sample has come. Raises UsageError and RecordingError."""
    from memtop.sources.recording.one_sentence import STREAM  # noqa: PLC0415 (as above)
    from memtop.sources.recording.received import Received  # noqa: PLC0415 (13 ms of SQLite)
    from memtop.sources.recording.replay import Replay  # noqa: PLC0415 (as above)

    if os.isatty(0):
        raise UsageError("replay - plays a stream from a pipe: ssh -n HOST memtop record -o - PID | memtop replay -")
    return Replay(STREAM, Received(0).open())


def asked_words(settings: Settings) -> str:
    """The processes that were asked for, as on the command line."""
    words = [*map(str, settings.pids), *settings.names]
    words += [f"-f {settings.filter}"] * bool(settings.filter) + [f"-u {settings.user}"] * bool(settings.user)
    return " ".join([*words, "-C"] if settings.children else words)


def recording_of(source: Source) -> Recording | None:
    """What writes a recording of this source on demand; None for a recording that is played."""
    return source if hasattr(source, "start") and hasattr(source, "stop") else None  # type: ignore[return-value]


def engine_on(
    source: Source, own: Callable[[], OwnCost] | None = None, note: Callable[[NotedEvent], None] | None = None
) -> Engine:
    """Create the engine on a source. ``own`` measures memtop itself, for views that show it.

    ``note`` takes its events; without it a recorder does.
    """
    position: Callable[[], tuple[int, int]] | None = getattr(source, "position", None)
    noted: Callable[[NotedEvent], None] = getattr(source, "note", lambda event: None) if note is None else note
    return Engine(
        source,
        own=own or (lambda: OwnCost(None, None)),
        position=position,
        trouble=lambda: trouble_of(source),
        note=noted,
        wants_all=lambda: getattr(source, "wants_all", False),
    )


def player_on(
    source: Source, at: str, own: Callable[[], OwnCost] | None = None, *, pids: Sequence[int] = (), whole: bool = False
) -> Player:
    """Create what plays a recording: from its start, a time of day, or its end on.

    Without a time it begins where the first of the ``pids`` is. ``whole``: see Player; there is no timeline then.
    Raises UsageError, and ProcessGone where the recording has none of the processes.
    """
    from memtop.engine.player import Player  # noqa: PLC0415 (2.5 ms; live there is none)
    from memtop.sources.recording.replay import Replay  # noqa: PLC0415 (as above)

    assert isinstance(source, Replay)
    player = Player(source, partial(_engine_of_recording, own), time.monotonic, has_timeline=not whole, whole=whole)
    seen_s = _seen_s(source, pids) if pids else None
    if at == END:
        player.follow()
    elif at:
        from memtop.time_of_day import parse_instant  # noqa: PLC0415 (0.0 ms; for a recording only)

        player.go_to(parse_instant(at, *player.span))
    elif seen_s is not None and seen_s > player.span.first_s:
        player.go_to(seen_s)
    return player


def _seen_s(source: Replay, pids: Sequence[int]) -> float | None:
    """Wall time of the first instant with one of the processes; None where more of it may come. Raises ProcessGone."""
    from memtop.engine.recorded_processes import first_seen_s, not_held  # noqa: PLC0415 (1.4 ms; for a recording only)

    found = [seen_s for pid in pids if (seen_s := first_seen_s(source, pid)) is not None]
    if not found and source.growth is None:
        raise not_held(source, pids, time.monotonic)
    return min(found, default=None)


def _engine_of_recording(
    own: Callable[[], OwnCost] | None, source: Seekable, note: Callable[[NotedEvent], None]
) -> Engine:
    return engine_on(source, own, note)


def looking_back_on(source: Source, engine: Engine | Player) -> Engine | LookingBack:
    """What shows earlier instants whole: of the recording that is played, or of what a recorder keeps."""
    from memtop.cli.kept_past import PlayedPast, RecorderPast  # noqa: PLC0415 (2.6 ms; one sample does without)
    from memtop.engine.looking_back import LookingBack  # noqa: PLC0415 (as above)
    from memtop.engine.player import Player  # noqa: PLC0415 (as above)
    from memtop.sources.recording.recorder import Recorder  # noqa: PLC0415 (as above)

    if isinstance(engine, Player):
        return LookingBack(engine, PlayedPast(engine))
    assert isinstance(source, Recorder)

    def engine_of_past(kept: Seekable, note: Callable[[NotedEvent], None]) -> Engine:
        past = engine_on(kept, None, note)
        past.begin_with(engine)
        return past

    return LookingBack(engine, RecorderPast(source, engine_of_past))


def first_look(engine: Engine | Player, request: Request, launch: Launch) -> Frame | None:
    """Take the first two samples of a program before it begins.

    The first finds it, the second holds it until its end.
    """
    engine.step(request)
    frame = engine.step(request)
    launch.go()
    return frame


def growth_of(source: Source) -> Growth | None:
    """What is known of the end of a recording that is still being written; None for anything else."""
    growth: Growth | None = getattr(source, "growth", None)
    return growth


def problem_of(source: Source) -> str | None:
    """What is wrong with the recording that ``source`` writes; None for nothing, or no recording."""
    problem: str | None = getattr(source, "problem", None)
    return problem


def trouble_of(source: Source) -> str | None:
    """What is wrong with the recording that is written, or what the one that is played lacks; None for nothing."""
    lacks: str | None = getattr(source, "incomplete", None)
    return problem_of(source) or lacks

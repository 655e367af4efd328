"""Opens the source and creates the engine for every command, and takes the first samples of a started program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from memtop.engine.engine import Engine
from memtop.errors import UsageError
from memtop.runtimes.registry import REGISTRY
from memtop.sources.live import LiveSource
from memtop.sources.protocol import OwnCost

if TYPE_CHECKING:
    from collections.abc import Callable

    from memtop.cli.launch import Launch
    from memtop.engine.player import Player
    from memtop.model.frame import Frame
    from memtop.model.request import Request
    from memtop.settings import Settings
    from memtop.sources.protocol import Growth, NotedEvent, Recording, Source


STANDARD: Final = "-"
"""The name of standard input or output, for a recording that comes or goes as a stream."""

KEEP_S: Final = 1.0
"""How long a sample waits for the disk before it is printed."""


def open_source(settings: Settings, *, looks_back: bool = False) -> Source:
    """Open the live machine, the live machine with a recorder, or a recording. Raises MemtopError.

    With ``looks_back`` there is always a recorder, which keeps the last instants in memory.
    """
    if settings.replay:
        return _recording(settings.replay)
    source = LiveSource(runtimes=REGISTRY.read)
    if not settings.record and not looks_back:
        return source
    from memtop.sources.recording.recorder import Recorder  # noqa: PLC0415 (12 ms, which one sample does without)

    return Recorder(source, settings.record, looks_back=looks_back, asked=asked_words(settings))


def _recording(path: str) -> Source:
    """Play a file, or the stream on standard input once its first sample is in. Raises UsageError, RecordingError."""
    from memtop.sources.recording.replay import Replay  # noqa: PLC0415 (17 ms with SQLite, which one sample does without)

    if path != STANDARD:
        return Replay(path)
    from memtop.sources.recording.one_sentence import STREAM  # noqa: PLC0415 (comes with the next)
    from memtop.sources.recording.received import Received  # noqa: PLC0415 (3 ms; a file does without)

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
    )


def first_look(engine: Engine | Player, request: Request, launch: Launch) -> Frame | None:
    """Take the first two samples of a program before it begins.

    The first finds it, the second holds it until its end.
    """
    engine.step(request)
    frame = engine.step(request)
    launch.go()
    return frame


def keep(source: Source) -> None:
    """Wait until a recorder has written the sample that was just taken, so that none is printed that could be lost.

    A disk that takes longer than KEEP_S is waited for no more; what is printed then is said to wait for the disk.
    """
    pass_on: Callable[[float], None] = getattr(source, "pass_on", lambda wait_s: None)
    pass_on(KEEP_S)


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
    behind: str | None = getattr(source, "behind", None)
    lacks: str | None = getattr(source, "incomplete", None)
    return problem_of(source) or behind or lacks

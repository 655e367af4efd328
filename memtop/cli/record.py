"""``memtop record``: samples and writes a recording without a screen, until a signal ends it.

README.md has a systemd unit for it.
"""

from __future__ import annotations

import gc
import os
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from memtop import units
from memtop.cli.composition import KEEP_S, STANDARD, asked_words, engine_on
from memtop.cli.end_signals import EndSignals
from memtop.cli.mappings_turn import MappingsTurn
from memtop.cli.output import say
from memtop.cli.settings_from_args import duration_s, settings_of, size_bytes
from memtop.cli.watchdog import Watchdog
from memtop.engine.absent import why_absent
from memtop.errors import AccessDenied, ProcessGone, ReaderGone, RecordingError, Unavailable, UsageError
from memtop.explain.name_choice import choice_sentences
from memtop.runtimes.registry import REGISTRY
from memtop.sampling.problems import hidden_processes
from memtop.sampling.request import Need
from memtop.sources.live import LiveSource
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.stream_sink import StreamSink
from memtop.sources.recording.tables import Bounds
from memtop.view_state import View

if TYPE_CHECKING:
    from memtop.engine.engine import Engine
    from memtop.model.frame import Frame
    from memtop.model.request import Request
    from memtop.settings import Settings

GIVE_UP_S: Final = 5.0
"""How long a file that cannot be written is tried again before the recording ends."""
LEAST_BYTES: Final = 4 << 20
"""Smallest bound of a file: two keyframes of a large machine and what SQLite needs."""
_NEEDS_ALL: Final = Need.STAT | Need.STATUS | Need.OOM | Need.MEMBERSHIP
_FOCUS_NEEDS: Final = Need.LIMITS | Need.RUNTIME | Need.MACHINE | Need.LAZY_FREE


def run(given: Namespace) -> int:
    """Record until a signal, the end of the processes, or an error. Returns the exit code of the settings.

    Raises MemtopError.
    """
    settings, bounds = settings_of(given), _bounds(given)
    to_stdout = given.output == STANDARD
    if to_stdout and (bounds.keep_s is not None or bounds.max_bytes is not None):
        raise UsageError("--keep and --max-size are for a file; a stream keeps nothing")
    if to_stdout and os.isatty(1):
        raise UsageError("-o - writes a stream, not for a terminal: | memtop replay - shows it")
    path = "" if to_stdout else given.output or time.strftime("memtop-%Y%m%d-%H%M%S.memtop")
    ending = EndSignals()
    ending.install()
    recorder = Recorder(
        LiveSource(runtimes=REGISTRY.read),
        path,
        bounds=bounds,
        sink=StreamSink(1) if to_stdout else None,
        asked=asked_words(settings),
        command_lines=not given.no_cmdline,
    )
    say(settings.notice)
    if not to_stdout:  # ssh would write it over the screen that shows the stream
        say(f"recording {_subject(settings)} into {path}, every {settings.delay_s:g} s{_kept(bounds)}; ctrl+c ends it")
    nothing = False
    try:
        _sample(engine_on(recorder), recorder, settings, ending)
    except (AccessDenied, ProcessGone, Unavailable):  # the first sample has none of them
        nothing = True
        raise
    finally:
        recorder.close()
        problem = recorder.problem
        if nothing and path:
            with suppress(FileNotFoundError):  # it was removed meanwhile
                os.unlink(path)
        elif to_stdout and recorder.is_lost:
            raise ReaderGone(problem)
        elif problem and not nothing:
            raise RecordingError(problem)
    return settings.exit_code


def _sample(engine: Engine, recorder: Recorder, settings: Settings, ending: EndSignals) -> None:
    """Sample until the last process has ended, or what is recorded can no longer be written."""
    troubled = _trouble_of(recorder)
    request, dog, turn = _request(settings), Watchdog(settings.delay_s), MappingsTurn()
    planned_s = time.monotonic()
    while not troubled():
        with dog:
            frame = engine.step(request, late_s=max(0.0, time.monotonic() - planned_s))
        assert frame is not None, "a machine always has a next sample"
        if not frame.tick:
            if (settings.names or settings.pids) and not frame.rows:
                recorder.drop()
                if not settings.names:
                    raise why_absent(settings.pids, frame.hidden, frame.problems)
                raise ProcessGone(f"no process matches {' '.join([*map(str, settings.pids), *settings.names])}")
            if frame.hidden != 0 and settings.output != STANDARD:
                say(hidden_processes(frame.hidden, "they are not recorded"))
            for text in choice_sentences(frame.choices) if settings.output != STANDARD else ():
                say(text)
            gc.freeze()
            gc.enable()
            engine.prepare()
        recorder.pass_on(0.0 if settings.output == STANDARD else KEEP_S)  # a stream waits for nothing
        if settings.iterations is not None and frame.tick + 1 >= settings.iterations:
            return
        if settings.pids and not settings.names and not frame.total:
            return
        request = _in_focus(request, frame, settings, turn)
        planned_s = max(planned_s + settings.delay_s, time.monotonic())
        with ending:
            time.sleep(max(0.0, planned_s - time.monotonic()))


def _trouble_of(recorder: Recorder) -> Callable[[], bool]:
    """Whether the file can no longer be written, or is gone."""
    failing_since_s: float | None = None

    def troubled() -> bool:
        nonlocal failing_since_s
        if recorder.is_lost:  # what has been removed, or has no reader anymore, is never written again
            return True
        if not recorder.write_error:
            failing_since_s = None
            return False
        failing_since_s = failing_since_s or time.monotonic()
        return time.monotonic() - failing_since_s > GIVE_UP_S

    return troubled


def _request(settings: Settings) -> Request:
    request = View.of(settings).request()
    groups = Need.GROUPS if request.everybody else Need.NONE  # all cgroups are most of the file of one process
    return request._replace(
        rows=request.rows._replace(killed=False),
        window=request.window._replace(points=0),
        readings=request.readings._replace(
            needs_all=_NEEDS_ALL | groups | request.readings.row_needs,
            focus_needs=_FOCUS_NEEDS,
            alone=True,
            outlooks=True,
            runtimes=True,
        ),
    )


def _in_focus(request: Request, frame: Frame, settings: Settings, turn: MappingsTurn) -> Request:
    """With the first process that was asked for in focus, so that its limits, its runtime and its mappings are read."""
    readings = request.readings
    if readings.focus is None and (settings.pids or settings.names) and frame.rows:
        readings = readings._replace(focus=frame.rows[0].key)
    if readings.smaps and readings.focus is not None:
        # smaps has what smaps_rollup has, which would make it wait
        needs = (_FOCUS_NEEDS & ~Need.LAZY_FREE) | Need.MAPPINGS if turn.is_due(frame) else _FOCUS_NEEDS
        readings = readings._replace(focus_needs=needs) if needs != readings.focus_needs else readings
    return request if readings is request.readings else request._replace(readings=readings)


def _bounds(given: Namespace) -> Bounds:
    keep_s = None if given.keep is None else duration_s(given.keep, "--keep")
    max_bytes = None if given.max_size is None else size_bytes(given.max_size, "--max-size")
    if keep_s is not None and keep_s < 60:
        raise UsageError("--keep must be 60 s or more")
    if max_bytes is not None and max_bytes < LEAST_BYTES:
        raise UsageError("--max-size must be 4M or more")
    return Bounds(keep_s, max_bytes)


def _subject(settings: Settings) -> str:
    words = asked_words(settings)
    return words if words else "all processes"


def _kept(bounds: Bounds) -> str:
    words = [f"the last {units.duration(bounds.keep_s)}"] if bounds.keep_s is not None else []
    words += [f"at most {units.long_size(bounds.max_bytes)}"] if bounds.max_bytes is not None else []
    return f", {' and '.join(words)}" if words else ""

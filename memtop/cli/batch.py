"""Batch output without a screen: prints records until enough were printed or all processes have ended."""

from __future__ import annotations

import gc
import os
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from memtop.cli.composition import STANDARD, engine_on, first_look, growth_of, keep, open_source, problem_of, trouble_of
from memtop.cli.end_signals import EndSignals
from memtop.cli.output import put, say
from memtop.cli.watchdog import Watchdog
from memtop.errors import MemtopError, ProcessGone, RecordingError, UsageError
from memtop.headless import formats
from memtop.sampling.problems import announcer, hidden_processes, without_metrics
from memtop.sampling.request import Need
from memtop.view_state import View

if TYPE_CHECKING:
    from typing import TextIO

    from memtop.cli.launch import Launch
    from memtop.engine.engine import Engine
    from memtop.engine.player import Player
    from memtop.model.frame import Frame
    from memtop.model.request import Request
    from memtop.settings import Settings
    from memtop.sources.protocol import Source


WAIT_S: Final = 0.5
"""How often to look for more of a recording that is still being written."""
OBJECTS_BETWEEN: Final = 20_000
"""New objects after which Python searches for garbage. Each sample has new objects for each process, and few of them
are garbage that only a search finds: with the default of 700 that took a seventh of the time."""
TOO_FEW: Final = (
    "one sample shows no growth: headline, verdict, findings and growth are null; -n 30 gives growth and a headline, "
    "-n 100 a verdict (with the default delay of 1 s)"
)
"""The remark to a person after the only sample as JSON."""


def run(settings: Settings, form: str, launch: Launch | None = None) -> int:
    """Print samples as ``json``, ``csv`` or ``text``. Returns the exit code of the settings. Raises MemtopError.

    A recording that is not complete is an error too. While samples continue, standard error says what is wrong with it.
    """
    ending = EndSignals()
    # A single sample is over before a user can send a signal, unless a program was started.
    if settings.iterations != 1 or settings.record or launch is not None:
        ending.install()
    with ending if settings.replay == STANDARD else nullcontext():  # a stream is waited for
        source = open_source(settings)
    try:
        sought = settings.replay and (settings.at or settings.pids)
        engine: Engine | Player = _sought(source, settings) if sought else engine_on(source)
        request = View.of(settings).request()
        dog = Watchdog(settings.delay_s)
        if launch is not None:
            with dog:
                first_look(engine, request, launch)
        names = Need.NONE if form == "text" else Need.MEMBERSHIP  # of a text there are columns for them
        lists_groups = request.rows.by is not None and request.rows.inside is None
        has_trends = form == "text" and any(column.key == "trend" for column in View.of(settings).titled_columns())
        request = request._replace(
            # Their ends are separate records.
            rows=request.rows._replace(killed=False, dead=False, trends=has_trends),
            readings=request.readings._replace(
                needs_all=Need.STAT | Need.STATUS | Need.OOM | names | request.readings.row_needs,
                once=settings.iterations == 1,
                patient=True,
                runtimes=form == "json",
                outlooks=form == "json" and not lists_groups,
            ),
        )
        if not settings.output:
            write = _reporting(source, settings, form, sys.stdout)
            _watch(engine, request, settings, write, ending, source=source, dog=dog, launch=launch)
        else:
            with _new_file(settings.output) as file:
                write = _reporting(source, settings, form, file)
                _watch(engine, request, settings, write, ending, source=source, dog=dog, launch=launch)
    except BaseException as error:
        source.close()
        problem = problem_of(source)
        if problem and isinstance(error, SystemExit):  # a signal: what it has cost is worth more than its number
            raise RecordingError(problem) from None
        say(problem)
        raise
    source.close()
    if problem := problem_of(source):
        raise RecordingError(problem)
    return settings.exit_code


def _reporting(source: Source, settings: Settings, form: str, out: TextIO) -> formats.Writer:
    """Write frames, and report on standard error what the screen would announce: failed readings, each kind once,
    that CSV lacks processes, why an address that was given has no metrics, and when a recording begins to have
    problems; and after the only sample why its JSON has no growth, if a person reads it."""
    write, said_hidden = _writer(form, settings, out), form != "csv"  # the others have a place for it
    addressed = {pid for pid, _ in settings.go_urls} | (set(settings.pids) if settings.go_urls else set())
    announce = announcer(say)
    if settings.filter:
        from memtop.filter_hint import unknown_columns  # noqa: PLC0415 (3 ms; only for a filter)

        for text in unknown_columns(settings.filter):
            say(f"--filter: {text}")

    def report_and_write(frame: Frame) -> None:
        nonlocal said_hidden
        problem = trouble_of(source)
        announce((*((problem,) if problem else ()), *frame.problems, *without_metrics(frame.runtimes, addressed)))
        if frame.hidden != 0 and not said_hidden:
            said_hidden = True
            say(hidden_processes(frame.hidden, "they have no rows"))
        write(frame)
        # A recording may have a past. A program that reads this knows what it has asked for.
        if form == "json" and settings.iterations == 1 and frame.incidents is None and sys.stderr.isatty():
            say(TOO_FEW)

    return report_and_write


def say_choices(frame: Frame) -> None:
    """Say what each name on the command line stands for, where there was a choice."""
    if frame.choices:
        from memtop.explain.name_choice import choice_sentences  # noqa: PLC0415 (10 ms; only for names)

        for text in choice_sentences(frame.choices):
            say(text)


def _has_more(source: Source, settings: Settings, ending: EndSignals) -> bool:
    """Whether more has come of a recording that is still being written, after waiting for it if that was asked for."""
    growth = growth_of(source)
    if growth is None:
        return False
    if not settings.follow and settings.replay != STANDARD:
        if growth.is_open:
            say("the recording is still being written; --follow waits for more of it")
        return False
    said_late = False
    while True:
        with ending:
            if source.wait(WAIT_S):  # type: ignore[attr-defined]
                return True
        growth = growth_of(source)
        assert growth is not None, "what grew once has an end"
        if not growth.is_open:
            break
        if growth.is_late and not said_late:
            say(f"no sample for {growth.age_s:.0f} s")
        said_late = growth.is_late
    if growth.is_broken:
        raise RecordingError(growth.ended)
    return False


def _never_there(settings: Settings) -> str:
    """What a recording that was played to its end had none of, in one sentence; empty where nothing was asked for."""
    if settings.inside is not None:
        return f"no process of the recording is in {settings.inside.by.value} {settings.inside.name}"
    if settings.pids:  # a file that is complete has one of them, before the time that was asked for
        whole = f" from {settings.at} on" if settings.at else ""
        return f"process {' or '.join(map(str, settings.pids))} is not in the recording{whole}"
    return ""


def _sought(source: Source, settings: Settings) -> Player:
    """Play a recording from a time of day, or from where the processes are."""
    from memtop.cli.playback import player_on  # noqa: PLC0415 (19 ms with SQLite; for a part of a recording)

    return player_on(source, settings.at, pids=settings.pids, whole=True)


def _absent(source: Source, settings: Settings, frame: Frame) -> MemtopError:
    if settings.replay:  # the beginning of a stream, of which more may come
        from memtop.engine.recorded_processes import not_held  # noqa: PLC0415 (1.4 ms; one sample mostly does without)

        return not_held(source, settings.pids, time.monotonic)  # type: ignore[arg-type]
    from memtop.engine.absent import why_absent  # noqa: PLC0415 (0.1 ms; most processes are there)

    return why_absent(settings.pids, frame.hidden, frame.problems)


def _new_file(path: str) -> TextIO:
    """Create a file that only its owner may read, since it has command lines in it. Raises UsageError."""
    try:
        return open(path, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise UsageError(f"--output: {path}: {error.strerror}") from error


def _writer(form: str, settings: Settings, out: TextIO) -> formats.Writer:
    if form == "json":
        return formats.json_writer(out, redact=settings.redact, absent=settings.absent)
    if form == "csv":
        return formats.csv_writer(out, redact=settings.redact)
    from memtop.headless.text_format import text_writer  # noqa: PLC0415 (a module that JSON of one sample does without)

    width = os.get_terminal_size().columns if out.isatty() else None
    return text_writer(out, View.of(settings).titled_columns(), width)


def _watch(
    engine: Engine | Player,
    request: Request,
    settings: Settings,
    write: formats.Writer,
    ending: EndSignals,
    *,
    source: Source,
    dog: Watchdog,
    launch: Launch | None,
) -> None:
    done = 0
    is_file = bool(settings.replay) and settings.replay != STANDARD
    was_there = launch is not None  # it may have ended before the first of these samples
    planned_s = time.monotonic()
    while True:
        has_ended = launch is not None and not launch.running
        with nullcontext() if settings.replay else dog:
            frame = engine.step(
                request, late_s=max(0.0, time.monotonic() - planned_s) if done and not settings.replay else 0.0
            )
        if frame is None:
            if _has_more(source, settings, ending):
                continue
            if not was_there and (missed := _never_there(settings)):
                raise ProcessGone(missed)
            return
        hint = "" if frame.hidden == 0 else "; or it belongs to another user and /proc hides it (hidepid)"
        if not frame.tick and settings.names and not settings.pids and not frame.rows:
            raise ProcessGone(f"no process matches {' '.join(settings.names)}{hint}")
        was_there = was_there or bool(frame.total if settings.inside is None else frame.rows or frame.group)
        if not frame.tick and not was_there and not is_file:
            if settings.inside is not None:
                raise ProcessGone(f"no process is in {settings.inside.by.value} {settings.inside.name}{hint}")
            if request.rows.only and not request.everybody:
                raise _absent(source, settings, frame)
        if not done:
            say_choices(frame)
        keep(source)
        with ending:
            put(write, frame)
        done += 1
        all_gone = settings.pids and not settings.names and was_there and not frame.total
        # In a sandbox that refuses to wait, the program that has ended stays a zombie.
        is_zombie = has_ended and frame.total == sum(row.state == "Z" for row in frame.rows)
        if done == settings.iterations or all_gone or is_zombie:
            return
        if done == 1:  # objects from the start-up stay, so the collector need not search them again
            gc.freeze()
            gc.set_threshold(OBJECTS_BETWEEN)
            gc.enable()
            engine.prepare()
            # The samples are one delay apart from the first one on, which the start-up has made late.
            planned_s = max(planned_s, time.monotonic() - max(0.0, time.time() - frame.at_s))
        if not settings.replay:
            planned_s = max(planned_s + settings.delay_s, time.monotonic())
            with ending:
                time.sleep(max(0.0, planned_s - time.monotonic()))

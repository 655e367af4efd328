"""Starts the dashboard. The first sample is taken and drawn before Textual is imported, which takes 300 ms."""

# ruff: noqa: PLC0415 (the order of imports is the order of the start)

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Final

from memtop import preflight
from memtop.cli.composition import STANDARD, engine_on, first_look, open_source, problem_of, recording_of
from memtop.cli.output import say
from memtop.errors import RecordingError, UsageError, failure_of
from memtop.settings import Settings
from memtop.sources.live.own_cost import OwnCostMeter
from memtop.view_state import View

FIRST_S: Final = 2.0
"""How long the screen waits for the first sample."""

if TYPE_CHECKING:
    from memtop.cli.launch import Launch
    from memtop.demo.progress import Step
    from memtop.demo.recorded_runs import Recorded
    from memtop.engine.engine import Engine
    from memtop.engine.player import Player
    from memtop.model.frame import Frame
    from memtop.sources.protocol import Source
    from memtop.tui.app.app import MemtopApp
    from memtop.tui.terminal import lifecycle


def run(settings: Settings, demo: str = "", recording: str = "", launch: Launch | None = None) -> int:
    """Show the dashboard; with ``demo``, that scenario or a recorded run of it.

    Returns the exit code. Raises MemtopError.
    """
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError("this terminal cannot show a screen (TERM); use -b, --json or --csv")
    preflight.check_memory(preflight.SCREEN_BYTES)
    preflight.check_descriptors(preflight.SCREEN_DESCRIPTORS)
    if not settings.color:
        os.environ["NO_COLOR"] = "1"
    recorded = None
    if demo == "go":
        from memtop.demo.recorded_runs import recorded_named

        recorded = recorded_named(recording)
        settings = settings._replace(replay=recorded.path, pids=(recorded.pid,), readonly=True)
    elif recording:
        raise UsageError(f"demo {demo} takes no second name; recorded runs are played by demo go {recording}")
    stream = _awaited(settings)
    from memtop.tui.terminal import memory_tuning

    memory_tuning.prepare()
    from memtop.tui.terminal import lifecycle, terminal_state

    if not terminal_state.speaks_utf8(os.environ):
        settings = settings._replace(ascii=True)

    for name in [name for name in os.environ if name.startswith("TEXTUAL_")]:
        del os.environ[name]  # they are for other programs: TEXTUAL_PRESS, for one, would press keys

    def make(life: lifecycle.Life) -> MemtopApp:
        nonlocal settings
        source = stream or open_source(settings, looks_back=True)
        life.at_end.callback(_close, source, life)
        commentary: Callable[[], Step | None] | None = None
        panel = ""
        if recorded is not None:
            panel = recorded.panel
        elif demo:
            from memtop.demo.scenarios import scenario_named
            from memtop.demo.workload import Workload

            panel = scenario_named(demo).panel
            workload = Workload.start(demo)
            life.at_end.callback(workload.stop)
            commentary = workload.commentary
            settings = settings._replace(pids=(workload.pid,), children=True)
        view = View.of(settings)._replace(panel=panel)
        meter = OwnCostMeter()
        engine: Engine | Player = _played(source, settings, meter) if settings.replay else engine_on(source, meter)
        if recorded is not None:
            commentary = partial(_step_shown, recorded, engine)
        look = _FirstLook(
            lambda: engine.step(view.request()) if launch is None else first_look(engine, view.request(), launch)
        )
        first = look.frame()
        if first is not None and not settings.ascii:  # the first picture has characters beyond ASCII
            _paint(first, view, settings, source, life)
        app_class = _app_class(settings)
        from memtop.cli.kept_past import looking_back_on

        app = app_class(
            looking_back_on(source, engine),
            settings,
            view,
            first=first if settings.replay else with_detail(engine, view, first),
            life=life,
            commentary=commentary,
            ready=look.wait,
            recording=recording_of(source),
        )
        life.at_end.callback(app.sampler_thread.stop)
        return app

    return lifecycle.run(make, mouse=settings.mouse, supervised=launch)


def _awaited(settings: Settings) -> Source | None:
    """A stream, which is waited for without a screen, because ssh may ask for a password; None for anything else."""
    return open_source(settings) if settings.replay == STANDARD else None


def _played(source: Source, settings: Settings, meter: OwnCostMeter) -> Player:
    """Play a recording; a stream from its end on, unless a time of day was given."""
    from memtop.cli.playback import END, player_on

    at = settings.at or (END if settings.replay == STANDARD else "")
    return player_on(source, at, meter, pids=settings.pids)


def _step_shown(recorded: Recorded, engine: Engine | Player) -> Step | None:
    """The step of a recorded demo at the instant that is played."""
    position: Callable[[], tuple[int, int]] = engine.position  # type: ignore[union-attr]  # it is a player
    return recorded.step_at(position()[0])


def _app_class(settings: Settings) -> type[MemtopApp]:
    """Import Textual and the app, in little memory."""
    from memtop.tui.terminal import late_imports, memory_tuning

    # A reader of metrics may already be importing ssl on its thread.
    with late_imports.without_unneeded(keep=("ssl",) if settings.go_urls else ()):
        from memtop.tui.app.app import MemtopApp
    memory_tuning.without_strip_caches()
    memory_tuning.drop_descriptions()  # before the first picture, which takes the memory that this frees
    return MemtopApp


def with_detail(engine: Engine | Player, view: View, first: Frame | None) -> Frame | None:
    """The first frame with the process that the cursor will be on, so that chart and sentences have content at once.

    Otherwise they wait until the sampler's thread has made a frame for it, which takes seconds on a busy machine.
    """
    if first is None or first.detail is not None or first.groups is not None or not first.rows:
        return first
    focused = view._replace(readings=view.readings._replace(focus=first.rows[0].key))
    return engine.view(focused.request()) or first


def _paint(first: Frame, view: View, settings: Settings, source: Source, life: lifecycle.Life) -> None:
    """Draw the first picture, before the screen is there."""
    from memtop.tui.bars.header_parts import state_of
    from memtop.tui.terminal.splash import paint

    written = recording_of(source)
    state = state_of(settings, None if written is None else written.state)
    life.terminal.show(paint(first, view, *life.terminal.size(), color=settings.color, state=state))


class _FirstLook:
    """The first sample, taken on a thread: where the kernel does not answer there is a screen all the same."""

    def __init__(self, look: Callable[[], Frame | None]) -> None:
        self._look = look
        self._frame: Frame | None = None
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name="memtop-first-look", daemon=True)
        self._thread.start()

    def frame(self) -> Frame | None:
        """The frame; None where it takes longer than a screen can wait. Raises what taking it has raised.

        It is not kept: the rows of thousands of processes would stay as they were at the start.
        """
        self._thread.join(FIRST_S)
        if self._error is not None:
            raise self._error
        frame, self._frame = self._frame, None
        return frame

    def wait(self) -> None:
        """Wait for its end, whatever it is: one sample is taken at a time."""
        self._thread.join()

    def _run(self) -> None:
        # Frame raises it; where that is over, the next sample meets it.
        self._error = failure_of(self._take)

    def _take(self) -> None:
        self._frame = self._look()


def _close(source: Source, life: lifecycle.Life) -> None:
    """Close the source. A recording that is not complete is reported, and its code replaces 0 and that of a signal."""
    source.close()
    if problem := problem_of(source):
        say(problem)
        life.code = RecordingError.exit_code if not life.code or life.code > 128 else life.code

"""The dashboard over a recording, standing still: same recording, same picture."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from unittest import mock
from weakref import WeakKeyDictionary

from textual.pilot import Pilot
from textual.strip import Strip

from memtop.demo.progress import Step, step_from_line
from memtop.engine.engine import Engine
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.sampling.commands import Command
from memtop.settings import Settings
from memtop.sources.recording.replay import Replay
from memtop.tui.app.app import MemtopApp
from memtop.view_state import View
from tests.screenshots.record import DELAY_S, RECORDINGS
from tests.screenshots.svg import svg

HOST: Final = "web-7"
DEADLINE_S: Final = 20.0
_ENGINES: Final[WeakKeyDictionary[MemtopApp, StillEngine]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Still:
    """One picture: a recording, how far it has been played, and the keys that were pressed."""

    name: str
    recording: str
    size: tuple[int, int] = (120, 40)
    samples: int = 10_000
    """How many instants of the recording; all by default."""
    pid: int | None = None
    """Asked for on the command line; None for all processes."""
    keys: tuple[str, ...] = ()
    settings: dict[str, object] = field(default_factory=dict)
    focus: int | None = None
    """In focus while the recording is played, as the process under the cursor is; the first row's by default."""


def commentary_of(recording: str, at_s: float) -> Callable[[], Step | None] | None:
    """What the demo said at that moment; None where the recording is of no demo."""
    steps = RECORDINGS / f"{recording}.steps"
    if not steps.exists():
        return None
    said = [line.split(b" ", 1) for line in steps.read_bytes().splitlines()]
    heard = [step_from_line(step) for second, step in said if float(second) <= at_s]
    return lambda: heard[-1] if heard else None


class StillEngine(Engine):
    """An engine for which time can stand still. What it plays looks like the live machine."""

    stands_still = False
    answers = 0
    """How many requests it has answered."""
    answered: tuple[Request, Frame | None] | None = None
    """The latest of them, and the frame."""

    def step(self, ask: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> Frame | None:
        """See ``Engine.step``."""
        return self.view(ask, commands) if self.stands_still else _live(super().step(ask, commands, late_s))

    def view(self, request: Request, commands: Iterable[Command] = ()) -> Frame | None:
        """See ``Engine.view``."""
        frame = _live(super().view(request, commands))
        self.answered, self.answers = (request, frame), self.answers + 1
        return frame

    def take(self, ask: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> bool:
        """See ``Engine.take``."""
        return self.stands_still or super().take(ask, commands, late_s)


def _live(frame: Frame | None) -> Frame | None:
    """The frame without the position in the recording, which the header would show."""
    return None if frame is None else frame._replace(replay_position=None)


@lru_cache(maxsize=8)
def played(recording: str, samples: int, pid: int | None, focus_pid: int | None) -> tuple[StillEngine, View, Frame]:
    """A recording after so many instants: the engine, which stands still, what was asked for, and the last frame."""
    view = View.of(Settings(pids=() if pid is None else (pid,), delay_s=DELAY_S))
    source = Replay(str(RECORDINGS / f"{recording}.memtop"))
    engine = StillEngine(source, position=source.position)
    first = engine.step(view.request())
    assert first is not None
    while first.tick + 1 < samples:
        keys = frozenset(row.key for row in first.rows)
        under_cursor = next((row.key for row in first.rows if row.pid == focus_pid), first.rows[0].key)
        focus = view.readings.focus if focus_pid is None and view.readings.focus else under_cursor
        view = view._replace(readings=view.readings._replace(visible=keys, focus=focus))
        frame = engine.step(view.request())
        if frame is None:
            break
        first = frame
    engine.stands_still = True
    return engine, view, first


def app_of(still: Still) -> MemtopApp:
    """The application at the end of what was played."""
    pids = () if still.pid is None else (still.pid,)
    settings = Settings(pids=pids, delay_s=DELAY_S, **still.settings)  # type: ignore[arg-type]
    engine, view, first = played(still.recording, still.samples, still.pid, still.focus)
    with mock.patch.dict(os.environ, COLORTERM="truecolor"):  # whatever terminal it is drawn from
        app = MemtopApp(engine, settings, view, first=first, commentary=commentary_of(still.recording, first.at_s))
    _ENGINES[app] = engine
    return app


def named(host: str) -> AbstractContextManager[object]:
    """The machine has this name."""
    return mock.patch("os.uname", return_value=os.uname_result(("Linux", host, *os.uname()[2:])))


async def picture(still: Still) -> str:
    """The picture as SVG that needs nothing from elsewhere."""
    async with standing(still) as (app, _):
        return svg(lines_of(app), still.size[0])


@asynccontextmanager
async def standing(still: Still) -> AsyncIterator[tuple[MemtopApp, Pilot[None]]]:
    """The application, in a time zone and on a machine that are the same everywhere."""
    with mock.patch.dict(os.environ, TZ="UTC"), named(HOST):
        time.tzset()
        app = app_of(still)
        async with app.run_test(size=still.size) as pilot:
            await settle(pilot, app)
            for key in still.keys:
                await pilot.press(key)
            await settle(pilot, app)
            yield app, pilot
    time.tzset()


def lines_of(app: MemtopApp) -> list[Strip]:
    """What is on the screen."""
    return app.screen._compositor.render_strips(app.size)


async def settle(pilot: Pilot[None], app: MemtopApp) -> None:
    """Wait until what the keys asked for is shown, and asks for nothing more."""
    engine, limit_s = _ENGINES[app], time.monotonic() + DEADLINE_S
    for _ in range(2):  # the first answer may have been begun before the last key
        before = engine.answers
        app.sampler_thread.step_once()
        while engine.answers == before or engine.answered != (app.request, app.frame) or _is_reading(app):
            assert time.monotonic() < limit_s, "the picture does not come to rest"
            await pilot.pause(0.005)
        await pilot.pause()


def _is_reading(app: MemtopApp) -> bool:
    return app.frame is None or (app.frame.detail or app.frame.group) is None

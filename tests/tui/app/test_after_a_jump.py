"""Keys pressed right after a jump act on the process that was jumped to, though its numbers are still on their way."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Markdown

from memtop.engine.engine import Engine
from memtop.errors import ActionRefused
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.model.row import ProcessRow
from memtop.process_control import Target
from memtop.sampling.commands import Command
from memtop.settings import Settings
from memtop.tui.app.app import MemtopApp
from memtop.tui.drawing.text_lines import TextLines
from memtop.tui.side.side_panel import SidePanel
from memtop.view_state import View
from tests.fakes import FakeSource
from tests.tui.app.test_app import LONG_S, Board, world

BEFORE, AFTER = "80.0 MiB", "50.0 MiB"
"""RES of the process in focus at first (40), and of the one that is jumped to (20)."""


class SlowEngine(Engine):
    """An engine that answers no request while ``open`` is not set."""

    def __init__(self, source: FakeSource) -> None:
        super().__init__(source)
        self.open = threading.Event()
        self.open.set()

    def view(self, request: Request, commands: Iterable[Command] = ()) -> Frame | None:
        assert self.open.wait(20)
        return super().view(request, commands)


@asynccontextmanager
async def jumped(*, to_side: bool = False) -> AsyncIterator[tuple[Board, SlowEngine]]:
    """The screen right after a jump to process 20: it still shows process 40."""
    source, settings = world(), Settings(delay_s=LONG_S)
    engine = SlowEngine(source)
    app = MemtopApp(engine, settings, View.of(settings))
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            it = Board(app, pilot, source)
            await it.until(lambda: app.frame is not None, "there is a first frame")
            await it.tick()
            await it.until(lambda: app.frame is not None and app.frame.detail is not None, "it has a detail")
            side = app.query_one(SidePanel)
            await it.until(lambda: BEFORE in side.sentences, "the first process is described")
            if to_side:
                side.query_one(TextLines).focus()
                await pilot.pause()
            engine.open.clear()
            app.table.select(next(at for at, pid in enumerate(it.pids) if pid == 20))
            yield it, engine
    finally:
        engine.open.set()


async def test_all_that_is_copied_is_of_the_process_that_was_jumped_to() -> None:
    async with jumped(to_side=True) as (it, engine):
        await it.press("Y")
        await it.pilot.pause(0.2)
        assert it.app.clipboard == "", "the sentences are still those of the process before"
        engine.open.set()
        await it.until(lambda: it.app.clipboard, "they are copied")
        assert AFTER in it.app.clipboard and BEFORE not in it.app.clipboard


async def test_the_next_step_that_is_copied_is_never_that_of_the_process_before() -> None:
    async with jumped(to_side=True) as (it, engine):
        await it.press("y")
        engine.open.set()
        await it.until(lambda: it.app.clipboard, "it is copied")
        assert AFTER in it.app.clipboard and BEFORE not in it.app.clipboard


async def test_an_explanation_has_the_numbers_of_the_process_that_was_jumped_to() -> None:
    async with jumped() as (it, engine):
        it.app.topic = "rss"
        await it.press("e")
        assert it.at_rest()
        engine.open.set()
        await it.until(lambda: it.app.screen.query(Markdown), "the topic is open")
        await it.until(lambda: it.app.screen.query_one(Markdown).source, "its text is there")
        assert AFTER in it.app.screen.query_one(Markdown).source
        assert BEFORE not in it.app.screen.query_one(Markdown).source


async def test_a_report_is_about_the_process_that_was_jumped_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with jumped() as (it, engine):
        await it.press("E")
        assert not list(tmp_path.iterdir())
        engine.open.set()
        await it.until(lambda: list(tmp_path.iterdir()), "it is written")
        assert [path.name.split("-")[1] for path in tmp_path.iterdir()] == ["20"]


async def test_a_mark_a_copied_pid_and_enter_mean_the_process_that_was_jumped_to() -> None:
    async with jumped() as (it, engine):
        await it.press("m", "y", "enter")
        assert it.app.clipboard == "20"
        assert it.app.watched is not None and it.app.watched.pid == 20
        engine.open.set()
        await it.until(
            lambda: it.app.frame is not None and it.app.frame.detail is not None and it.app.frame.detail.mark,
            "the mark is set",
        )
        assert it.app.frame is not None and it.app.frame.detail is not None
        assert it.app.frame.detail.row.pid == 20


@pytest.mark.parametrize("key", ["K", "r"])
async def test_a_dialog_that_acts_on_a_process_holds_the_one_that_was_jumped_to(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refuse(row: ProcessRow) -> Target:
        asked.append(row.pid)
        raise ActionRefused("not in a test")

    monkeypatch.setattr("memtop.tui.app.actions_process.hold", refuse)
    async with jumped() as (it, _):
        await it.press(key)
        assert asked == [20]


async def test_what_a_key_asked_for_is_dropped_if_the_focus_moves_on() -> None:
    async with jumped(to_side=True) as (it, engine):
        await it.press("Y")
        it.app.table.select(next(at for at, pid in enumerate(it.pids) if pid == 30))
        engine.open.set()
        await it.until(lambda: "30.0 MiB" in it.app.query_one(SidePanel).sentences, "the third is shown")
        await it.pilot.pause(0.2)
        assert it.app.clipboard == ""

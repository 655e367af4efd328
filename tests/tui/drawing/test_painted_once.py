"""A layout is painted once, when the widgets have taken their new sizes."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import Screen
from textual.strip import Strip

from memtop.tui.drawing.cached_lines import CachedLines
from memtop.tui.drawing.painted_once import PaintedOnce


class Sizes(CachedLines):
    """It writes the height that it has been told, as a chart that is built for it."""

    told, fails = 0, False

    def on_resize(self, event: Resize) -> None:
        if not self.fails:
            self.call_later(self.write, event.size.height)

    def write(self, told: int) -> None:
        self.told = told
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if self.fails:
            self.fails = False  # only the first painting
            raise ZeroDivisionError
        return Strip([Segment(str(self.told) * self.line_size.width)], self.line_size.width)


class TwoWidgets(App[None]):
    CSS = "#one { height: 1fr; } #one.-small { height: 2; } #two { height: 1fr; }"

    def __init__(self, screen: Screen[None]) -> None:
        super().__init__()
        self.first, self.seen = screen, list[str]()

    def get_default_screen(self) -> Screen[None]:
        return self.first

    def compose(self) -> ComposeResult:
        yield Vertical(Sizes(id="one"), Sizes(id="two"))

    def _display(self, screen: Screen[object], renderable: object) -> None:
        if renderable is not None and not self._batch_count:
            self.seen.append("".join(strip.text[0] for strip in screen._compositor.render_strips()))


async def test_widgets_that_take_another_size_are_painted_once_when_they_have() -> None:
    app = TwoWidgets(PaintedOnce(id="_default"))
    async with app.run_test(size=(10, 8)) as pilot:
        await pilot.pause()
        app.seen.clear()
        app.query_one("#one").add_class("-small")
        await pilot.pause(0.05)
        assert app.seen == ["22666666"]


async def test_what_changes_while_updates_are_held_back_is_painted_after_that() -> None:
    app = TwoWidgets(PaintedOnce(id="_default"))
    async with app.run_test(size=(10, 8)) as pilot:
        await pilot.pause()
        app.seen.clear()
        held = ExitStack()
        layouts = app.screen.screen_layout_refresh_signal
        layouts.subscribe(app, lambda _: held.enter_context(app.batch_update()), immediate=True)
        app.query_one("#one").add_class("-small")
        await asyncio.sleep(0.05)
        assert not app.seen
        layouts.unsubscribe(app)
        held.close()
        await pilot.pause(0.05)
        assert app.seen and app.seen[-1] == "22666666"


async def test_a_screen_that_has_closed_before_it_is_painted_ends_nothing() -> None:
    app = TwoWidgets(PaintedOnce(id="_default"))
    async with app.run_test(size=(10, 8)) as pilot:
        for _ in range(3):
            await app.push_screen(PaintedOnce())
            app.screen.refresh(layout=True)
            await app.pop_screen()
            await pilot.pause()
        app.query_one("#one").add_class("-small")
        await pilot.pause()
        assert app.seen[-1] == "22666666"


async def test_an_error_of_the_painting_is_one_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", 60.0)  # nothing else paints
    app = TwoWidgets(PaintedOnce(id="_default"))
    with pytest.raises(ZeroDivisionError):
        async with app.run_test(size=(10, 8)) as pilot:
            app.query_one("#one", Sizes).fails = True
            await pilot.resize_terminal(10, 9)

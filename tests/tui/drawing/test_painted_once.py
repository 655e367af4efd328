"""A layout is painted once, when the widgets have taken their new sizes."""

from __future__ import annotations

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
        self.told = event.size.height
        if not self.fails:
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
        if renderable is not None:
            self.seen.append("".join(strip.text[0] for strip in screen._compositor.render_strips()))


async def test_widgets_that_take_another_size_are_painted_once_when_they_have() -> None:
    app = TwoWidgets(PaintedOnce(id="_default"))
    async with app.run_test(size=(10, 8)) as pilot:
        await pilot.pause()
        app.seen.clear()
        app.query_one("#one").add_class("-small")
        await pilot.pause(0.05)
        assert app.seen == ["22666666"]


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

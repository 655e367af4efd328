"""Partial updates show what Textual's show, and ask only the widgets that are seen in the changed place."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from memtop.tui.drawing.cached_lines import entitle
from memtop.tui.drawing.span_compositor import SpanCompositor

SIZE = Size(40, 8)
_MOVE = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[[0-9;]*m|\n")


class Letters(Widget):
    """Fills its place with one letter, and counts the requests for its lines."""

    def __init__(self, letter: str) -> None:
        super().__init__()
        self.letter, self.asked = letter, 0

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self.letter * self.size.width)], self.size.width)

    def render_lines(self, crop: Region) -> list[Strip]:
        self.asked += 1
        return super().render_lines(crop)


class Overlay(Letters):
    DEFAULT_CSS = "Overlay { layer: over; offset: 5 2; width: 20; height: 3; }"


class SmallApp(App[None]):
    CSS = """
    Screen { layers: under over; }
    #left, #right { border: round white; width: 1fr; }
    """

    def compose(self) -> ComposeResult:
        self.letters = [Letters("a"), Letters("b"), Overlay("o")]
        with Horizontal():
            with Vertical(id="left"):
                yield self.letters[0]
            with Vertical(id="right"):
                yield self.letters[1]
        yield self.letters[2]


def seen_after(update: ChopsUpdate | None) -> list[str]:
    """The screen, blank before, with dots where nothing was written."""
    grid = [["."] * SIZE.width for _ in range(SIZE.height)]
    if update is None:
        return []
    text, x, y, at = update.render_segments(Console(color_system=None)), 0, 0, 0
    for found in [*_MOVE.finditer(text), None]:
        for character in text[at : found.start() if found else len(text)]:
            grid[y][x] = character
            x += cell_len(character)
        if found is not None:
            at = found.end()
            if found[1]:
                y, x = int(found[1]) - 1, int(found[2]) - 1
    return ["".join(row) for row in grid]


def partial(compositor: Compositor, app: SmallApp, widget: Widget, *regions: Region) -> ChopsUpdate | None:
    """The update after ``widget`` was refreshed."""
    compositor.reflow(app.screen, SIZE)
    compositor.update_widgets({widget})  # with what was left to repaint
    compositor.render_update(full=True)
    widget.refresh(*regions)
    compositor.update_widgets({widget})
    found = compositor.render_update()
    assert found is None or isinstance(found, ChopsUpdate)
    return found


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "regions",
    [(), (Region(0, 0, 5, 1),), (Region(2, 1, 3, 2), Region(9, 1, 4, 1)), (Region(0, 2, 19, 1), Region(0, 5, 3, 1))],
)
async def test_partial_updates_show_what_those_of_textual_show(number: int, regions: tuple[Region, ...]) -> None:
    app = SmallApp()
    async with app.run_test(size=SIZE):
        widget = app.letters[number]
        theirs = seen_after(partial(Compositor(), app, widget, *regions))
        ours = seen_after(partial(SpanCompositor(), app, widget, *regions))
        assert ours == theirs
        assert not regions or any("." in row for row in ours)


async def test_widgets_beside_and_behind_a_change_are_not_asked() -> None:
    app = SmallApp()
    async with app.run_test(size=SIZE):
        left, right, over = app.letters
        compositor = SpanCompositor()
        compositor.reflow(app.screen, SIZE)
        compositor.render_update(full=True)
        for one in app.letters:
            one.asked = 0
        over.refresh()
        compositor.update_widgets({over})
        compositor.render_update()
        assert (left.asked, right.asked, over.asked) == (0, 0, 1)


async def test_nothing_is_drawn_where_nothing_has_changed() -> None:
    app = SmallApp()
    async with app.run_test(size=SIZE):
        compositor = SpanCompositor()
        compositor.reflow(app.screen, SIZE)
        compositor.render_update(full=True)
        assert compositor.render_update() is None


async def test_new_titles_redraw_only_the_lines_of_the_frame_that_they_stand_on() -> None:
    app = SmallApp()
    async with app.run_test(size=SIZE):
        frame, compositor = app.query_one("#left"), SpanCompositor()
        compositor.reflow(app.screen, SIZE)
        compositor.update_widgets({frame})
        compositor.render_update(full=True)
        entitle(frame, Content("RES 5M"), Content("now"))
        compositor.update_widgets({frame})
        update = compositor.render_update()
        assert isinstance(update, ChopsUpdate)
        first, *between, last = seen_after(update)
        assert "RES 5M" in first and "now" in last
        assert not any(row.strip(".") for row in between)
        entitle(frame, Content("RES 5M"), Content("now"))
        compositor.update_widgets({frame})
        assert compositor.render_update() is None


async def test_a_widget_that_asks_to_be_painted_before_it_has_a_place_is_shown_by_the_next_layout() -> None:
    """Otherwise it gets no Resize, and what it covers stays on the screen."""
    app = SmallApp()
    async with app.run_test(size=SIZE):
        left, compositor = app.letters[0], SpanCompositor()
        left.display = False
        compositor.reflow(app.screen, SIZE)
        compositor.render_update(full=True)
        left.display = True
        compositor.update_widgets({left})
        assert left in compositor.full_map
        assert left in compositor.reflow(app.screen, SIZE).shown
        update = compositor.render_update()
        assert isinstance(update, ChopsUpdate)
        assert any("a" in row for row in seen_after(update))

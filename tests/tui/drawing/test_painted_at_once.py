"""A frame is painted when it has been shown, unless it has changed more than lines."""

from __future__ import annotations

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.strip import Strip

from memtop.tui.drawing.cached_lines import CachedLines, NotedWidget


class Letters(CachedLines):
    """One letter in each cell."""

    letter = "a"

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self.letter * self.line_size.width)], self.line_size.width)

    def write(self, letter: str) -> None:
        self.letter = letter
        self.refresh()


class OneWidget(App[None]):
    """An application that counts what it paints."""

    def __init__(self) -> None:
        super().__init__()
        self.letters, self.painted = Letters(), 0

    def compose(self) -> ComposeResult:
        yield self.letters

    def _display(self, *args: object, **kwargs: object) -> None:
        self.painted += 1
        super()._display(*args, **kwargs)  # type: ignore[arg-type]


async def test_changed_lines_are_painted_before_the_frame_ends_and_only_once() -> None:
    app = OneWidget()
    async with app.run_test(size=(10, 2)) as pilot:
        await pilot.pause()
        before = app.painted
        with NotedWidget.painted_at_once():
            app.letters.write("b")
            app.letters.write("c")
            assert app.painted == before
        assert app.painted == before + 1
        await pilot.pause(0.05)
        assert app.painted == before + 1
        strips = app.screen._compositor.render_strips()
        assert strips[0].text == "c" * 10


async def test_a_frame_that_changes_the_layout_is_painted_after_it() -> None:
    app = OneWidget()
    async with app.run_test(size=(10, 2)) as pilot:
        await pilot.pause()
        before = app.painted
        with NotedWidget.painted_at_once():
            app.letters.write("b")
            app.letters.styles.height = 1
            app.letters.refresh(layout=True)
        assert app.painted == before, "in its old place it would be seen for a moment"
        await pilot.pause()
        assert app.painted > before
        assert app.screen._compositor.render_strips()[0].text == "b" * 10

"""Line of short texts, each of which can be clicked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip

from memtop.tui.drawing.cached_lines import CachedLines
from memtop.tui.drawing.cell_text import to_ascii
from memtop.tui.drawing.line_parts import LinePart, placed


class Bar(CachedLines):
    """Parts from the left and parts from the right, on one line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--strong", "bar--dim", "bar--warning", "bar--danger"}
    DEFAULT_CSS = """
    Bar {
        height: 1;
        background: $panel;
        & > .bar--strong { text-style: bold; }
        & > .bar--dim { color: $memtop-muted; }
        & > .bar--warning { color: $memtop-warning; }
        & > .bar--danger { color: $memtop-danger; text-style: bold; }
    }
    """

    @dataclass
    class ExplainAsked(Message):
        """A click on a value, which asks for its explanation."""

        topic: str

    ascii: Reactive[bool] = Reactive(False)
    """Draw with ASCII characters only."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown: tuple[list[LinePart], list[LinePart]] | None = None
        self._shown_cells = 0
        self._regions: list[tuple[int, int, str]] = []

    def parts(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """The texts left and right on a bar of this many cells."""
        raise NotImplementedError

    def _spelled(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """The parts in the characters of this terminal, before they are placed: ``←`` becomes ``Left``."""
        left, right = self.parts(width)
        if not self.ascii:
            return left, right
        return [one._replace(text=to_ascii(one.text)) for one in left], [
            one._replace(text=to_ascii(one.text)) for one in right
        ]

    def clicked(self, target: str) -> None:
        """Handle a click on a part with a target. Targets are topics, unless a subclass overrides this."""
        self.post_message(self.ExplainAsked(target))

    def redraw_if_changed(self) -> None:
        """Repaint if the bar has changed."""
        width = self.size.width
        if not width:
            self._shown = None  # what it showed before it was hidden is old when it is shown again
            self.refresh()
        elif (parts := self._spelled(width)) != self._shown:
            self._shown, self._shown_cells = parts, width
            self.refresh()

    def watch_ascii(self) -> None:
        """Redraw with other characters."""
        self._shown = None

    def render_line(self, y: int) -> Strip:
        """The bar."""
        width = self.line_size.width
        if self._shown is None or self._shown_cells != width:
            self._shown, self._shown_cells = self._spelled(width), width
        base = self.style_of()
        segments: list[Segment] = []
        self._regions.clear()
        end = used = 0
        for x, part in placed(*self._shown, width):
            wide = cell_len(part.text)
            style = self.style_of(f"bar--{part.style}" if part.style else "")
            segments += (Segment(" " * (x - end), base), Segment(part.text, style))
            # The blank between a key and its label belongs to both.
            start = end if part.glued and self._regions and self._regions[-1][1:] == (end, part.target) else x
            used += max(0, x - end) + wide
            end = x + wide
            if part.target:
                self._regions.append((start, end, part.target))
        return Strip([segment for segment in segments if segment.text], used).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        """Report which part was clicked."""
        offset = event.get_content_offset(self)
        for start, end, target in self._regions:
            if offset is not None and start <= offset.x < end:
                self.clicked(target)

"""Frames to draw, made of as few words as a test needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from memtop.model.frame import Frame, TreePlace
from memtop.model.row import ProcessRow
from memtop.sources.protocol import OwnCost
from memtop.tui import colors
from tests.rows import MIB, system_row

M = TypeVar("M", bound=Message)


def frame(rows: Sequence[ProcessRow] = (), tree: Sequence[TreePlace] | None = None, **changes: Any) -> Frame:
    """A picture of these rows."""
    values: dict[str, Any] = {
        "tick": 1,
        "at_s": 1.7e9,
        "elapsed_s": 1.0,
        "late_s": 0.0,
        "system": system_row(),
        "rows": tuple(rows),
        "tree": None if tree is None else tuple(tree),
        "total": len(rows),
        "detail": None,
        "own": OwnCost(1.4, 46 * MIB),
        "hidden": 0,
        "problems": (),
    }
    return Frame(**{**values, **changes})


class WidgetApp(App[None]):
    """One widget, with memtop's colors; keeps what the widget says."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[Message] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return colors.variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mount(self) -> None:
        self.widget.focus()

    def heard_of(self, kind: type[M]) -> list[M]:
        """The messages of one kind that the widget has sent."""
        return [message for message in self.heard if isinstance(message, kind)]

    async def _on_message(self, message: Message) -> None:
        self.heard.append(message)
        await super()._on_message(message)


def line(widget: Widget, y: int) -> str:
    """Line ``y`` of what the screen shows of a widget, as text."""
    return _strip(widget, y).text


def styles_at(widget: Widget, x: int, y: int) -> Style:
    """How the screen shows one cell of a widget."""
    (segment, *_) = _strip(widget, y).crop(x, x + 1)
    return segment.style or Style()


def _strip(widget: Widget, y: int) -> Strip:
    """One line of the screen, cut to the widget. All lines of the screen would cost ten times that."""
    region = widget.region
    row, compositor = region.y + y, widget.screen._compositor
    chops = compositor._render_chops(Region(0, row, compositor.size.width, 1), row.__eq__)
    return Strip.join(chops[row].values()).crop(region.x, region.right)

"""Base class of the charts over time: a click or a drag goes to an instant, and the wheel zooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.geometry import Offset
from textual.message import Message

from memtop.tui.chart.chart_base import ChartBase
from memtop.tui.chart.picture import MemoryPicture
from memtop.tui.chart.plot import time_at
from memtop.tui.drawing.dragged import Dragged


class TimedChart(ChartBase, Dragged):
    """A chart on the time axis of :attr:`picture`."""

    TITLE_LINES: ClassVar[int] = 0
    """Lines at the top that are text, where a click goes nowhere."""
    picture: MemoryPicture | None = None
    """What the memory chart draws; None while there is no process."""

    @dataclass
    class CursorMoved(Message):
        """The user points at an instant."""

        at_s: float | None
        """Wall time; None for now."""

    @dataclass
    class WindowZoomed(Message):
        """The user zoomed to another window of time."""

        factor: float
        """Above 1 for more of the past, below 1 for less. See ``memory_chart.zoomed``."""

    def place_at(self, offset: Offset, *, begins: bool) -> int | None:
        """The column of the chart; None in the title, and while there is no curve."""
        in_title = begins and offset.y < self.TITLE_LINES
        return offset.x if self.picture is not None and len(self.picture.series.times_s) > 1 and not in_title else None

    def point_at(self, place: int) -> None:
        """Go to the instant of a column."""
        if self.picture is not None:
            self.post_message(self.CursorMoved(time_at(self.picture, place, self.content_size.width)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in (wheel forward)."""
        event.stop()
        self.post_message(self.WindowZoomed(0.5))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out (wheel back)."""
        event.stop()
        self.post_message(self.WindowZoomed(2.0))

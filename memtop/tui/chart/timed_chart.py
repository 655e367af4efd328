"""Base class of the charts over time: a click goes to an instant, and the wheel zooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.message import Message

from memtop.tui.chart.chart_base import ChartBase
from memtop.tui.chart.picture import MemoryPicture
from memtop.tui.chart.plot import points_to


class TimedChart(ChartBase):
    """A chart on the time axis of :attr:`picture`."""

    TITLE_LINES: ClassVar[int] = 0
    """Lines at the top that are text, where a click goes nowhere."""
    picture: MemoryPicture | None = None
    """What the memory chart draws; None while there is no process."""

    @dataclass
    class CursorMoved(Message):
        """The user moved the cursor to another instant."""

        delta_points: int
        """Number of points to the right; negative for the left."""

    @dataclass
    class WindowZoomed(Message):
        """The user zoomed to another window of time."""

        factor: float
        """Above 1 for more of the past, below 1 for less. See ``memory_chart.zoomed``."""

    def on_click(self, event: events.Click) -> None:
        """Look at the instant under the pointer."""
        offset, picture = event.get_content_offset(self), self.picture
        if offset is None or offset.y < self.TITLE_LINES or picture is None or len(picture.series.times_s) < 2:
            return
        if delta := points_to(picture, offset.x, self.content_size.width):
            self.post_message(self.CursorMoved(delta))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in (wheel forward)."""
        event.stop()
        self.post_message(self.WindowZoomed(0.5))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out (wheel back)."""
        event.stop()
        self.post_message(self.WindowZoomed(2.0))

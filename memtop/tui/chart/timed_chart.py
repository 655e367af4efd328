"""Base class of the charts over time: a click or a drag goes to an instant, and the wheel zooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.message import Message

from memtop.tui.chart.chart_base import ChartBase
from memtop.tui.chart.picture import MemoryPicture
from memtop.tui.chart.plot import time_at


class TimedChart(ChartBase):
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

    _dragged: int | None = None
    """The column that the pointer was drawn over last; None while its button is not held."""

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Look at the instant under the pointer, and go on as it is drawn."""
        offset, picture = event.get_content_offset(self), self.picture
        if event.button != 1 or offset is None or offset.y < self.TITLE_LINES:
            return
        if picture is not None and len(picture.series.times_s) > 1:
            self.capture_mouse()
            self._point_at(offset.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow while the button is held. Where its release was missed, there is no button any more."""
        if self._dragged is None:
            return
        if event.button == 1:
            self._point_at(event.get_content_offset_capture(self).x)
        else:
            self._let_go()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End of a click or a drag."""
        self._let_go()

    def on_hide(self) -> None:
        """Give the mouse back with the chart."""
        self._let_go()

    def _let_go(self) -> None:
        if self._dragged is not None:
            self._dragged = None
            self.release_mouse()

    def _point_at(self, x: int) -> None:
        if x != self._dragged and self.picture is not None:
            self._dragged = x
            self.post_message(self.CursorMoved(time_at(self.picture, x, self.content_size.width)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in (wheel forward)."""
        event.stop()
        self.post_message(self.WindowZoomed(0.5))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out (wheel back)."""
        event.stop()
        self.post_message(self.WindowZoomed(2.0))

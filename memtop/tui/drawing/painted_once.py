"""Screens that are painted once after a layout, when the widgets have taken their new sizes.

Textual paints within the layout, before any widget has heard of its new size: the widgets draw themselves for the old
content, then again. A chart was built two to four times for one key that opens a panel, and half of the time went into
pictures that were replaced at once.
"""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

from textual.geometry import Size
from textual.screen import Screen

Result = TypeVar("Result")
TURNS: Final = 8
"""Turns of the event loop in which the sizes reach the widgets, and what these have changed reaches the screen."""


class PaintedOnce(Screen[Result]):
    """A screen that is painted some turns of the event loop after its layout."""

    _lays_out = False

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        """As in Screen, but for the painting."""
        self._lays_out = True
        try:
            super()._refresh_layout(size, scroll)
        finally:
            self._lays_out = False

    def _compositor_refresh(self) -> None:
        """As in Screen, but later within a layout."""
        if self._lays_out:
            self._paint_after(TURNS)
        else:
            super()._compositor_refresh()

    def _paint_after(self, turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._paint_after, turns - 1)
        else:
            self.call_next(self._compositor_refresh)  # in the screen's own task, where errors are handled

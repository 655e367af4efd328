"""Screens that ignore outdated resize events: they obey the terminal's size of now only.

Textual's screen posts a Resize to itself when its size changes. Two of them with different sizes, after the
terminal was resized twice, follow each other for ever: the screen is laid out again and again, and no key is heard.
And of two Resizes that wait Textual drops the first one, even where the second one is the outdated one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from memtop.tui.drawing.painted_once import PaintedOnce
from memtop.tui.drawing.span_compositor import SpanCompositor
from memtop.tui.drawing.text_selection import SelectsText

if TYPE_CHECKING:
    from textual.app import App
    from textual.geometry import Size


class SteadySize:
    """Mixin for a screen, before Textual's class: an outdated Resize is one to the size of now, if there is need."""

    app: App[object]
    outer_size: Size

    async def _on_resize(self, event: events.Resize) -> None:
        now = self.app.size
        if event.size == now:
            return
        if self.outer_size == now:
            event.stop()
            event.prevent_default()
        event.size = event.virtual_size = now


class SteadyScreen(SteadySize, PaintedOnce[None], SelectsText[None]):
    """The screen of the application itself. While a dialog is over it, widgets of class ``front`` are not visible.

    They are hidden one by one: a class of the screen would style all its widgets again, twice for each dialog.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._compositor = SpanCompositor()
        self._began = False

    def on_screen_suspend(self) -> None:
        """A dialog has opened."""
        self.query(".front").set(visible=False)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """The dialog has closed, or the application begins: then all widgets have just been styled."""
        event.refresh_styles = event.refresh_styles and self._began
        self._began = True
        self.query(".front").set(visible=True)

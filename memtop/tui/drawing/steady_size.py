"""Screens that obey the terminal's size of now only.

Textual's screen posts a Resize to itself when its size changes. Two of them with different sizes, after the
terminal was resized twice, follow each other for ever: the screen is laid out again and again, and no key is heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from memtop.tui.drawing.text_selection import SelectsText

if TYPE_CHECKING:
    from textual.app import App


class SteadySize:
    """Mixin for a screen, before Textual's class: an outdated Resize changes nothing."""

    app: App[object]

    async def _on_resize(self, event: events.Resize) -> None:
        if event.size != self.app.size:
            event.stop()
            event.prevent_default()


class SteadyScreen(SteadySize, SelectsText[None]):
    """The screen of the application itself."""

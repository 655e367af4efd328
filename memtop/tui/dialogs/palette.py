"""The command palette. It also works at sizes and moments at which Textual 8's own raises."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon
from textual.containers import Horizontal, Vertical
from textual.errors import NoWidget
from textual.widgets import LoadingIndicator
from textual.worker import WorkerError

from memtop.tui.dialogs.answered_once import AnswersOnce
from memtop.tui.dialogs.choice_list import CurrentClicks
from memtop.tui.drawing.painted_once import PaintedOnce

PATIENCE_S: Final = 2.0
"""Longest wait of Enter for the commands that the text finds."""


class Commands(CurrentClicks, CommandList):
    """The commands found, which change while more is typed."""


class Palette(AnswersOnce, CommandPalette, PaintedOnce[None]):
    """The command palette. It is no ClosedOnce, because Textual inherits style rules from the first base only."""

    def compose(self) -> ComposeResult:
        """The same as Textual's, with a list of our own."""
        with Vertical(id="--container"):
            with Horizontal(id="--input"):
                yield SearchIcon()
                yield CommandInput(placeholder=self._placeholder, select_on_focus=False)
            with Vertical(id="--results"):
                yield Commands()
                yield LoadingIndicator()

    async def on_input_submitted(self) -> None:
        """Wait for the commands that the text finds. Enter often comes before they are there, and chose nothing."""
        searches = [one.wait() for one in self.workers if one.node is self and not one.is_finished]
        with suppress(TimeoutError, WorkerError):
            await asyncio.wait_for(asyncio.gather(*searches), PATIENCE_S)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action may run now. Those of the list wait until it has lines (Textual's raises KeyError)."""
        return action != "command_list" or any(found.scrollable_content_region for found in self.query(CommandList))

    def on_click(self, event: events.Click) -> None:
        """Ignore clicks while the palette is closing, and where the screen no longer reaches after it became smaller.

        Textual's raises ScreenStackError and NoWidget.
        """
        if not (self.is_current and self._has_widget_at(event)):
            event.prevent_default()

    def _has_widget_at(self, event: events.Click) -> bool:
        try:
            self.get_widget_at(event.screen_x, event.screen_y)
        except NoWidget:
            return False
        return True

"""The command palette, and lists of options. They also work at sizes and moments at which Textual 8's own raise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon
from textual.containers import Horizontal, Vertical
from textual.errors import NoWidget
from textual.screen import ModalScreen
from textual.widgets import LoadingIndicator, OptionList
from textual.widgets.option_list import Option
from textual.worker import WorkerError

from memtop.tui.drawing.steady_size import SteadySize
from memtop.tui.drawing.text_selection import SelectsText

Result = TypeVar("Result")
PATIENCE_S: Final = 2.0
"""Longest wait of Enter for the commands that the text finds."""


class AnswersOnce(SteadySize):
    """Mixin for a modal screen, before Textual's class: only its first answer counts, and not until it is composed.

    Keys may come faster than it closes. Textual's then raises ScreenStackError, or closes the screen below. A screen
    that closes while it is being composed waits for itself, and the application with it, forever.
    """

    is_current: bool
    is_mounted: bool
    call_later: Callable[..., bool]
    _answered = False

    def dismiss(self, result: object = None) -> AwaitComplete:
        """Close with this result, unless that has been done; a screen that is being composed closes after that."""
        if self._answered or not self.is_current:
            return AwaitComplete()
        if not self.is_mounted:
            self.call_later(self.dismiss, result)
            return AwaitComplete()
        self._answered = True
        closed: AwaitComplete = super().dismiss(result)  # type: ignore[misc]  # of the class that it is mixed into
        return closed


class ClosedOnce(AnswersOnce, ModalScreen[Result], SelectsText[Result]):
    """A modal screen of our own that answers once."""


class CurrentClicks:
    """Mixin for a list, before Textual's class: clicks on lines that are gone choose nothing (Textual's IndexError)."""

    option_count: int

    async def _on_click(self, event: events.Click) -> None:
        if event.style.meta.get("option", -1) >= self.option_count:
            event.prevent_default()


class ChoiceList(CurrentClicks, OptionList):
    """A list of options whose page keys do nothing until it has lines (Textual's raises KeyError)."""

    def __init__(self, *content: Option, one_click: bool = True) -> None:
        super().__init__(*content, markup=False)
        self._one_click = one_click

    async def _on_click(self, event: events.Click) -> None:
        """Where one click is not enough, the first one on a line only moves the cursor there."""
        number = event.style.meta.get("option", -1)
        if not self._one_click and number < self.option_count and number not in (-1, self.highlighted):
            event.prevent_default()
            self.highlighted = number

    def action_page_up(self) -> None:
        """Move up by one page."""
        if self.scrollable_content_region:
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Move down by one page."""
        if self.scrollable_content_region:
            super().action_page_down()  # type: ignore[no-untyped-call]


class Commands(CurrentClicks, CommandList):
    """The commands found, which change while more is typed."""


class Palette(AnswersOnce, CommandPalette):
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

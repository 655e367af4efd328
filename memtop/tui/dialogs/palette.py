"""The command palette, and lists of options. They also work at sizes and moments at which Textual 8's own raise."""

from __future__ import annotations

from typing import TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.screen import ModalScreen
from textual.widgets import OptionList

from memtop.tui.drawing.steady_size import SteadySize
from memtop.tui.drawing.text_selection import SelectsText

Result = TypeVar("Result")


class ClosedOnce(SteadySize, ModalScreen[Result], SelectsText[Result]):
    """A modal screen that answers once: of keys that come faster than it closes only the first one counts.

    Textual's raises ScreenStackError, or closes the screen below.
    """

    _answered = False

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with this result, unless that has been done; a screen that is being made closes once it is there."""
        if self._answered or not self.is_current:
            return AwaitComplete()
        if not self.is_mounted:
            self.call_later(self.dismiss, result)
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)


class ChoiceList(OptionList):
    """A list of options whose page keys do nothing until it has lines (Textual's raises KeyError)."""

    def action_page_up(self) -> None:
        """Move up by one page."""
        if self.scrollable_content_region:
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Move down by one page."""
        if self.scrollable_content_region:
            super().action_page_down()  # type: ignore[no-untyped-call]


class Palette(SteadySize, CommandPalette):
    """The command palette."""

    _answered = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action may run now. Those of the list wait until it has lines (Textual's raises KeyError)."""
        return action != "command_list" or any(found.scrollable_content_region for found in self.query(CommandList))

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, unless that has been done (Textual's raises ScreenStackError); not by ClosedOnce, for its styles."""
        if self._answered or not self.is_current:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)

    def on_click(self, event: events.Click) -> None:
        """Ignore clicks while the palette is closing (Textual's raises ScreenStackError)."""
        if not self.is_current:
            event.prevent_default()

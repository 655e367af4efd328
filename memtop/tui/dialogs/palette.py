"""The command palette, and lists of options. They also work at sizes and moments at which Textual 8's own raise."""

from __future__ import annotations

from textual import events
from textual.command import CommandList, CommandPalette
from textual.widgets import OptionList


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


class Palette(CommandPalette):
    """The command palette."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action may run now. Those of the list wait until it has lines (Textual's raises KeyError)."""
        return action != "command_list" or bool(self.query_one(CommandList).scrollable_content_region)

    def on_click(self, event: events.Click) -> None:
        """Ignore clicks while the palette is closing (Textual's raises ScreenStackError)."""
        if not self.is_current:
            event.prevent_default()

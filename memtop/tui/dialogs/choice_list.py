"""Lists of options that also work at sizes and moments at which Textual 8's own raise."""

from __future__ import annotations

from textual import events
from textual.widgets import OptionList
from textual.widgets.option_list import Option


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

"""Selection of text with the mouse: it starts and ends only on text of a widget that stays."""

from __future__ import annotations

from typing import TypeVar

from textual.errors import NoWidget
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget

Result = TypeVar("Result")


class SelectsText(Screen[Result]):
    """A screen on which the mouse selects text.

    Textual 8 starts a selection at any widget under the pointer. It raises AttributeError if that widget is just being
    removed, such as a notice or a row of a list.
    """

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """The widget whose text is at this place, and the offset in its text; (None, None) without selectable text.

        Textual asks only when it handles a selection.
        """
        try:
            widget, _ = self.get_widget_at(x, y)
        except NoWidget:
            return None, None
        if not widget.allow_select or widget.parent is None or not widget.is_attached:
            return None, None
        found = super().get_widget_and_offset_at(x, y)
        return found if found[1] is not None else (None, None)

    def on_mouse_down(self) -> None:
        """Drop the previous selection, so that releasing the button elsewhere does not copy it again."""
        if self.selections:
            self.selections = {}

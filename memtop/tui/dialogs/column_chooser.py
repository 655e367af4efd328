"""Column chooser: a dialog for the columns shown and their order."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from memtop.columns import Column, ColumnSet
from memtop.tui.bars.footer import Hint
from memtop.tui.dialogs.choice_list import ChoiceList
from memtop.tui.dialogs.dialog import CANCEL_HINT, Dialog
from memtop.tui.dialogs.keys_line import ACCEPT, KeysLine
from memtop.tui.drawing.hanging_text import HangingText, Paragraph


class ColumnChooser(Dialog[tuple[Column, ...]]):
    """A list of all columns: Space shows or hides one, < and > move it, Enter accepts the choice."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "show_or_hide", "Show or hide", id="chooser.toggle", tooltip="Show or hide this column"),
        Binding("less_than_sign,left", "move(-1)", "Earlier", id="chooser.left", tooltip="Move it to the left"),
        Binding("greater_than_sign,right", "move(1)", "Later", id="chooser.right", tooltip="Move it to the right"),
        Binding("d", "defaults", "Defaults", id="chooser.defaults", tooltip="Restore the default columns"),
    ]

    def __init__(self, shown: tuple[Column, ...], there: ColumnSet) -> None:
        super().__init__()
        self._there = there
        self._order = [*shown, *(column for column in there.columns if column not in shown)]
        self._shown = set(shown)

    def compose(self) -> ComposeResult:
        """Title, list, keys."""
        with Vertical(classes="dialog -wide"):
            yield Label("Columns", classes="dialog-title")
            yield ChoiceList()
            yield KeysLine(
                Hint("Space", "show or hide", "show_or_hide"),
                Hint("<", "", "move(-1)"),
                Hint(">", "move", "move(1)"),
                Hint("d", "defaults", "defaults"),
                Hint("Enter", "apply", ACCEPT),
                CANCEL_HINT,
            )

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill(0)

    def _fill(self, cursor: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        for column in self._order:
            mark = "●" if column in self._shown else " "
            options.add_option(Option(HangingText([Paragraph(f"{mark} {column.title:<9} ", column.says)])))
        options.highlighted = cursor

    @property
    def _cursor(self) -> int:
        return self.query_one(OptionList).highlighted or 0

    def action_show_or_hide(self) -> None:
        """Show or hide the column under the cursor. One always stays."""
        column = self._order[self._cursor]
        if column not in self._shown:
            self._shown.add(column)
            self._before_the_last(column)
        elif len(self._shown) > 1:
            self._shown.discard(column)
        self._fill(self._order.index(column))

    def _before_the_last(self, column: Column) -> None:
        """Put a column that would stand behind the one that takes the rest of the line (COMMAND) before it."""
        flexible = next((one for one in self._order if one in self._shown and not one.width), None)
        if flexible is not None and column is not flexible and self._order.index(flexible) < self._order.index(column):
            self._order.remove(column)
            self._order.insert(self._order.index(flexible), column)

    def action_move(self, places: int) -> None:
        """Move the column under the cursor."""
        at = self._cursor
        to = max(0, min(at + places, len(self._order) - 1))
        self._order.insert(to, self._order.pop(at))
        self._fill(to)

    def action_defaults(self) -> None:
        """Restore the default columns."""
        self._order = [*self._there.defaults, *(column for column in self._there.columns if not column.default)]
        self._shown = set(self._there.defaults)
        self._fill(0)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Accept the choice."""
        event.stop()
        self.dismiss(tuple(column for column in self._order if column in self._shown))

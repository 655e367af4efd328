"""The process table: the process list drawn in columns under a heading; draws only the rows that changed.

A folded row of the tree shows totals of its subtree in VIRT and RES: a sum (Σ), or at most (≤) the sum of RES.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip

from memtop.columns import DEFAULT_COLUMNS, Column
from memtop.model.frame import Frame, TreePlace
from memtop.model.row import RowKey
from memtop.sanitize import clean
from memtop.tui.drawing.cell_text import LOADING
from memtop.tui.table.column_layout import SilentColumns, place_columns
from memtop.tui.table.process_list import HEADING_LINES, ProcessList
from memtop.tui.table.row_painter import Painter, Paintings, RowStyle, Sort


class ProcessTable(ProcessList, inherit_bindings=False):
    """The process list with a heading, columns, growth marks and the branches of the tree."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "process-table--heading",
        "process-table--sorted",
        "process-table--cursor",
        "process-table--dim",
        "process-table--warning",
        "process-table--danger",
    }
    DEFAULT_CSS = """
    ProcessTable {
        & > .process-table--heading { text-style: bold; color: $memtop-muted; background: $panel; }
        & > .process-table--sorted { text-style: bold underline; background: $panel; }
        & > .process-table--cursor { text-style: bold; background: $panel; }
        &:ansi > .process-table--cursor { text-style: bold underline; }
        &:focus > .process-table--cursor { text-style: reverse; background: $surface; }
        & > .process-table--dim { color: $memtop-muted; }
        & > .process-table--warning { color: $memtop-warning; }
        & > .process-table--danger { color: $memtop-danger; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *ProcessList.BINDINGS,
        Binding("o", "fold", "Fold", show=False, id="table.fold", tooltip="Fold or unfold the subtree (in the tree)"),
    ]

    columns: Reactive[tuple[Column, ...]] = Reactive(DEFAULT_COLUMNS, repaint=False)
    """The columns to show, as far as there is room."""
    sort: Reactive[Sort] = Reactive(Sort("res"), repaint=False)
    """The order of the rows in the frames, shown in the heading; the table itself sorts nothing."""
    filter_text: Reactive[str] = Reactive("", repaint=False)
    inside_text = ""
    """The group of which the processes are listed, in words; empty where those of all are."""
    """The filter, for the text in an empty table."""
    ascii: Reactive[bool] = Reactive(False, repaint=False)
    """Draw with ASCII characters only."""

    @dataclass
    class SortChosen(Message):
        """A click on a heading. ``descending`` is the column's natural order; a second click reverses it."""

        column_key: str
        descending: bool

    @dataclass
    class FoldToggled(Message):
        """The user wants to fold or unfold a subtree."""

        key: RowKey

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._paintings: Paintings | None = None
        self._silent_columns = SilentColumns()
        self._silent: frozenset[str] = frozenset()

    def show(self, frame: Frame) -> None:
        """Take a newer frame and redraw the lines that it changes."""
        before, silent_before = self.frame, self._silent
        super().show(frame)
        self._silent = self._silent_columns.keys(self.columns, frame.listed, frame.at_s)
        if (
            before is None
            or self._silent != silent_before
            or before.system.mem_total_bytes != frame.system.mem_total_bytes
        ):
            self.repaint()
        else:
            self.refresh_rows()

    def show_other(self, frame: Frame, columns: tuple[Column, ...], sort: Sort) -> None:
        """Take a frame whose rows are of another kind than before, with the columns of that kind."""
        self._paintings = None
        self.set_reactive(ProcessTable.columns, columns)
        self.set_reactive(ProcessTable.sort, sort)
        super().show(frame)
        self.repaint()

    def watch_watched(self) -> None:
        self.refresh_rows()

    def action_fold(self) -> None:
        """Fold or unfold the subtree of the selected process."""
        index = self.find(self.selected)
        if index is not None and (tree := self._tree_place(index)) is not None and tree.has_children:
            self.post_message(self.FoldToggled(self.rows[index].key))

    def on_click(self, event: events.Click) -> None:
        """Select, choose, or sort by a heading."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < HEADING_LINES:
            self._choose_sort(offset.x)
            return
        index = self.scroll_offset.y + offset.y - HEADING_LINES
        if index < len(self.rows):
            self.select(index)
            if event.chain == 2:
                self.action_choose()

    def _choose_sort(self, x: int) -> None:
        for place in self._get_paintings().painter.places:
            if place.x - 1 <= x < place.x + place.width:
                column = place.column
                descending = not self.sort.descending if column.key == self.sort.key else column.descending
                self.post_message(self.SortChosen(column.key, descending))

    # Drawing

    def line(self, y: int) -> Strip:
        """The heading, a process, the text of an empty table, or a blank line."""
        paintings = self._get_paintings()
        if y < HEADING_LINES:
            return paintings.heading(self.sort)
        index = self.scroll_offset.y + y - HEADING_LINES
        if index < len(self.rows):
            row = self.rows[index]
            return paintings.row(row, self._tree_place(index), row.key == self.selected, row.key == self.watched)
        return paintings.message("" if self.rows else self._words(), index)

    def _words(self) -> str:
        """The text of a table without rows."""
        if self.frame is None:
            return LOADING
        if self.filter_text:
            kind = "process" if self.frame.groups is None else "group"
            return f"No {kind} matches the filter “{clean(self.filter_text)}”; Esc clears it"
        if self.inside_text and self.frame.groups is None:
            known = self.frame.group  # its name for people, where it is known
            inside = f"{known.row.key.by.value} {known.row.name}" if known is not None else self.inside_text
            return f"No process is in {clean(inside)} now; Esc lists all groups"
        if self.frame.hidden is None:
            return "No process to show; /proc hides those of others from this user (hidepid)"
        if self.frame.hidden:
            return f"No process to show; /proc hides {self.frame.hidden} from this user (hidepid)"
        return "No process to show"

    def _tree_place(self, index: int) -> TreePlace | None:
        tree = self.frame.tree if self.frame is not None else None
        return None if tree is None else tree[index]

    def _get_paintings(self) -> Paintings:
        if self._paintings is None:
            base = self.rich_style
            styles = {
                name: base + self.get_component_rich_style(f"process-table--{name}", partial=True)
                for name in RowStyle._fields
                if name != "base"
            }
            self._paintings = Paintings(
                Painter(
                    places=place_columns(
                        self.columns, self.scrollable_content_region.width, self.sort.key, self._silent
                    ),
                    width=self.content_region.width,
                    look=RowStyle(base=base, **styles),
                    ascii=self.ascii,
                    ram_bytes=None if self.frame is None else self.frame.system.mem_total_bytes,
                )
            )
        return self._paintings

    def _has_styles(self) -> bool:
        try:
            self.get_component_styles("process-table--heading")
        except KeyError:
            return False
        return True

    def refresh_rows(self) -> None:
        """See the list. The cached lines of rows out of view are dropped."""
        if not self._has_styles():
            return  # a frame came before the styles, whose update repaints everything
        super().refresh_rows()
        if self.body_lines:
            self._get_paintings().keep_only(self.visible_keys)

    def repaint(self) -> None:
        """Draw everything again."""
        self._paintings = None
        super().repaint()

    def watch_columns(self) -> None:
        self.repaint()

    def watch_sort(self) -> None:
        self.repaint()

    def watch_filter_text(self) -> None:
        self.refresh_rows()

    def watch_ascii(self) -> None:
        self.repaint()

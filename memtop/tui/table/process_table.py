"""The process table: draws the visible rows of a Frame, and of them only those that changed.

The selection is a process, never a row number: through every new order it stays with its process. As in htop
the view does not run after it, so that the top of the list stays in sight; F (follow) makes it. Unlike htop,
the cursor never slides onto another process by itself, because a signal is sent to what is selected; only when
its process has left the list does it pass to the row that took its place.

A folded row of the tree shows totals of its subtree in VIRT and RES: a sum (Σ), or at most (≤) the sum of RES.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip

from memtop.columns import DEFAULT_COLUMNS, Column
from memtop.model.frame import Frame, ProcessRow, TreePlace
from memtop.process_key import ProcessKey
from memtop.sanitize import clean
from memtop.tui.drawing.cell_text import LOADING
from memtop.tui.drawing.scrolling import ScrollingLines
from memtop.tui.table.column_layout import place_columns
from memtop.tui.table.row_painter import Painter, Paintings, RowStyle, Sort

HEADING_LINES: Final = 1


class ProcessTable(ScrollingLines, can_focus=True, inherit_bindings=False):
    """The processes of a Frame as lines; see :meth:`show`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "process-table--heading",
        "process-table--sorted",
        "process-table--cursor",
        "process-table--virt",
        "process-table--res",
        "process-table--dim",
        "process-table--warning",
        "process-table--danger",
    }
    DEFAULT_CSS = """
    ProcessTable {
        & > .process-table--heading { text-style: bold; color: $text-muted; background: $panel; }
        & > .process-table--sorted { text-style: bold underline; background: $panel; }
        & > .process-table--cursor { text-style: bold; background: $surface-lighten-2; }
        &:focus > .process-table--cursor { text-style: reverse; background: $surface; }
        & > .process-table--virt { color: $memtop-virt; }
        & > .process-table--res { color: $memtop-res; }
        & > .process-table--dim { text-style: dim; }
        & > .process-table--warning { color: $memtop-warning; }
        & > .process-table--danger { color: $memtop-danger; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up", tooltip="Select the process above"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down", tooltip="Select the process below"),
        Binding("pageup", "page(-1.0)", "Page up", show=False, id="table.page_up", tooltip="One screen up"),
        Binding("pagedown", "page(1.0)", "Page down", show=False, id="table.page_down", tooltip="One screen down"),
        Binding("ctrl+u", "page(-0.5)", "Half up", show=False, id="table.half_up", tooltip="Half a screen up"),
        Binding("ctrl+d", "page(0.5)", "Half down", show=False, id="table.half_down", tooltip="Half a screen down"),
        Binding("home,g", "first", "First", show=False, id="table.first", tooltip="Select the first process"),
        Binding("G", "last", "Last", show=False, id="table.last", tooltip="Select the last process"),
        Binding("enter", "choose", "Watch", id="table.choose", tooltip="Watch the selected process"),
        Binding(
            "F", "follow", "Follow", show=False, id="table.follow", tooltip="The view follows the selected process"
        ),
        Binding("o", "fold", "Fold", show=False, id="table.fold", tooltip="Fold or open the subtree (in the tree)"),
    ]

    columns: Reactive[tuple[Column, ...]] = Reactive(DEFAULT_COLUMNS, repaint=False)
    """What to show, as far as there is room."""
    sort: Reactive[Sort] = Reactive(Sort("res"), repaint=False)
    """The order of the rows in the frames, shown in the heading; the table itself sorts nothing."""
    selected: Reactive[ProcessKey | None] = Reactive(None, repaint=False)
    """The process under the cursor. Setting it does not scroll; :meth:`reveal` does."""
    follow: Reactive[bool] = Reactive(False, repaint=False)
    """Keep the selected process in view through every new order."""
    watched: Reactive[ProcessKey | None] = Reactive(None, repaint=False)
    """The process marked with ►."""
    filter_text: Reactive[str] = Reactive("", repaint=False)
    """The filter, for the words that stand in an empty table."""
    ascii: Reactive[bool] = Reactive(False, repaint=False)
    """Draw with ASCII characters only."""

    @dataclass
    class SelectionMoved(Message):
        """Another process is under the cursor."""

        key: ProcessKey | None

    @dataclass
    class ProcessChosen(Message):
        """Enter or a double click on a process."""

        key: ProcessKey

    @dataclass
    class SortChosen(Message):
        """A click on a heading; ``descending`` is the column's natural order, turned round by a second click."""

        column_key: str
        descending: bool

    @dataclass
    class FoldToggled(Message):
        """A subtree is to be folded or opened."""

        key: ProcessKey

    class ViewportMoved(Message):
        """Scrolled or resized: ``visible_keys`` may be others now."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self._index = 0
        self._body_lines = 0
        self._paintings: Paintings | None = None

    # What others ask

    def show(self, frame: Frame) -> None:
        """Take a newer frame and redraw the lines that it changes."""
        ram_changed = self._frame is None or self._frame.system.mem_total_bytes != frame.system.mem_total_bytes
        self._frame = frame
        self._keep_selection()
        self.set_length(len(frame.rows) + HEADING_LINES)
        if self.follow:
            self.reveal()
        if ram_changed:
            self.repaint()
        else:
            self._refresh_changed_lines()

    @property
    def rows(self) -> tuple[ProcessRow, ...]:
        """The rows of the frame shown."""
        return self._frame.rows if self._frame is not None else ()

    @property
    def selected_row(self) -> ProcessRow | None:
        """The numbers of the process under the cursor; None when it is not in the list."""
        index = self._find(self.selected)
        return None if index is None else self.rows[index]

    @property
    def visible_keys(self) -> frozenset[ProcessKey]:
        """The processes that are in view."""
        top = self.scroll_offset.y
        return frozenset(row.key for row in self.rows[top : top + self._body_lines])

    def reveal(self) -> None:
        """Scroll, as little as needed, until the selected process is in view."""
        index, top = self._find(self.selected), self.scroll_offset.y
        if index is None or not self._body_lines:
            return
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif index >= top + self._body_lines:
            self.scroll_to(y=index - self._body_lines + 1, animate=False)

    # The selection

    def _find(self, key: ProcessKey | None) -> int | None:
        rows = self.rows
        if self._index < len(rows) and rows[self._index].key == key:
            return self._index
        return next((index for index, row in enumerate(rows) if row.key == key), None)

    def _keep_selection(self) -> None:
        """Stay with the process; when it has left, pass to the row in its place; an empty list changes nothing."""
        rows = self.rows
        if not rows:
            return
        index = self._find(self.selected)
        self._index = min(self._index, len(rows) - 1) if index is None else index
        self.selected = rows[self._index].key

    def _select(self, index: int) -> None:
        if self.rows:
            self._index = max(0, min(index, len(self.rows) - 1))
            self.selected = self.rows[self._index].key
            self.reveal()

    def watch_selected(self, key: ProcessKey | None) -> None:
        self.post_message(self.SelectionMoved(key))
        self._refresh_changed_lines()

    def watch_watched(self) -> None:
        self._refresh_changed_lines()

    def watch_follow(self) -> None:
        if self.follow:
            self.reveal()

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self._select((self._find(self.selected) or 0) + lines)

    def action_page(self, screens: float) -> None:
        """Move the cursor by a part of the screen."""
        self.action_move(int(self._body_lines * screens) or (1 if screens > 0 else -1))

    def action_first(self) -> None:
        """Move the cursor to the first process."""
        self._select(0)

    def action_last(self) -> None:
        """Move the cursor to the last process."""
        self._select(len(self.rows) - 1)

    def action_follow(self) -> None:
        """Begin or cease to follow the selected process."""
        self.follow = not self.follow

    def action_choose(self) -> None:
        """Watch the selected process."""
        if (row := self.selected_row) is not None:
            self.post_message(self.ProcessChosen(row.key))

    def action_fold(self) -> None:
        """Fold or open the subtree of the selected process."""
        index = self._find(self.selected)
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
            self._select(index)
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
        """The heading, a process, words in an empty table, or nothing."""
        paintings = self._get_paintings()
        if y < HEADING_LINES:
            return paintings.heading(self.sort)
        index = self.scroll_offset.y + y - HEADING_LINES
        if index < len(self.rows):
            row = self.rows[index]
            return paintings.row(row, self._tree_place(index), row.key == self.selected, row.key == self.watched)
        return paintings.message("" if self.rows else self._words(), index)

    def _words(self) -> str:
        """What stands in a table without rows."""
        if self._frame is None:
            return LOADING
        if self.filter_text:
            return f"No process matches the filter “{clean(self.filter_text)}”, Esc clears it"
        if self._frame.hidden:
            return f"No process to show; /proc hides {self._frame.hidden} from this user (hidepid)"
        return "No process to show"

    def _tree_place(self, index: int) -> TreePlace | None:
        tree = self._frame.tree if self._frame is not None else None
        return None if tree is None else tree[index]

    def _get_paintings(self) -> Paintings:
        if self._paintings is None:
            base = self.rich_style
            styles = {
                field.name: base + self.get_component_rich_style(f"process-table--{field.name}", partial=True)
                for field in fields(RowStyle)
                if field.name != "base"
            }
            self._paintings = Paintings(
                Painter(
                    places=place_columns(self.columns, self.scrollable_content_region.width, self.sort.key),
                    width=self.content_region.width,
                    look=RowStyle(base=base, **styles),
                    ascii=self.ascii,
                    ram_bytes=None if self._frame is None else self._frame.system.mem_total_bytes,
                )
            )
        return self._paintings

    def _refresh_changed_lines(self) -> None:
        """Ask for a repaint of the lines that would not look as they were drawn last."""
        if not self._body_lines:
            return
        self.refresh_changed(range(HEADING_LINES, HEADING_LINES + self._body_lines))
        self._get_paintings().keep_only(self.visible_keys)

    def repaint(self) -> None:
        """Everything may look different."""
        self._paintings = None
        super().repaint()

    def watch_columns(self) -> None:
        self.repaint()

    def watch_sort(self) -> None:
        self.repaint()

    def watch_filter_text(self) -> None:
        self._refresh_changed_lines()

    def watch_ascii(self) -> None:
        self.repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.ViewportMoved())

    def on_resize(self) -> None:
        """Place the columns again; a selection that was in view stays in view."""
        was_visible = self.selected in self.visible_keys
        self._body_lines = max(0, self.scrollable_content_region.height - HEADING_LINES)
        self.repaint()
        if was_visible or self.follow:
            self.reveal()
        self.post_message(self.ViewportMoved())

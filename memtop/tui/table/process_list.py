"""The list of processes: the rows of a Frame, which are in view, and which process is selected.

The selection is a process, never a row number: through every new order it stays with its process. As in htop the
view does not scroll with it, so that the top of the list stays in sight; F (follow) changes that. The tree has no such
top: there a process that was in view stays in view when others start above it, and so does a watched one in any list.
Unlike in htop the cursor never moves to another process by itself, because a signal is sent to the selected process.
Only when that process has left the list does the cursor pass to the row that took its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive

from memtop.model.frame import Frame
from memtop.model.row import Row, RowKey
from memtop.tui.drawing.scrolling import ScrollingLines

HEADING_LINES: Final = 1
"""Lines above the first row."""


class ProcessList(ScrollingLines, can_focus=True, inherit_bindings=False):
    """The rows of a Frame as lines that can be selected. A subclass draws them."""

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
        Binding("F", "follow", "Follow", show=False, id="table.follow", tooltip="Keep the selected process in view"),
    ]

    selected: Reactive[RowKey | None] = Reactive(None, repaint=False)
    """The process under the cursor. Setting it does not scroll; :meth:`reveal` does."""
    wanted_lines: Reactive[int] = Reactive(0, repaint=False, layout=True)
    """Its height where the style sheet says ``auto``, blank lines included; 0 for that of its rows."""
    follow: Reactive[bool] = Reactive(False, repaint=False)
    """Keep the selected process in view through every new order."""
    watched: Reactive[RowKey | None] = Reactive(None, repaint=False)
    """The process that the chart stays with, if any."""

    @dataclass
    class SelectionMoved(Message):
        """Another process is under the cursor."""

        key: RowKey | None

    @dataclass
    class ProcessChosen(Message):
        """Enter or a double click on a process."""

        key: RowKey

    class ViewportMoved(Message):
        """Scrolled or resized: ``visible_keys`` may be others now."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.frame: Frame | None = None
        """The frame that is shown; None before the first."""
        self.body_lines = 0
        """Lines that there are for rows."""
        self.is_touched = False
        """Whether the user has moved the cursor."""
        self.led_top: int | None = None
        """The first row in view when memtop last scrolled to the selected process itself; None before that."""
        self.page_beside: Callable[[float], bool] = lambda screens: False
        """Scrolls something else by a part of its height; False if there is nothing to scroll."""
        self._index = 0

    def show(self, frame: Frame) -> None:
        """Take a newer frame, and keep the selection with its process."""
        was_in_view, leads = self.selected in self.visible_keys, self._leads
        self.frame = frame
        self._keep_selection()
        self.set_length(len(frame.listed) + HEADING_LINES)
        if leads:
            self._lead()
        elif self.follow or (was_in_view and self._stays):
            self.reveal()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """See ``Widget.get_content_height``."""
        return self.wanted_lines or super().get_content_height(container, viewport, width)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the frame shown."""
        return self.frame.listed if self.frame is not None else ()

    @property
    def selected_row(self) -> Row | None:
        """The numbers of the process under the cursor; None when it is not in the list."""
        index = self.find(self.selected)
        return None if index is None else self.rows[index]

    @property
    def visible_keys(self) -> frozenset[RowKey]:
        """The processes that are in view."""
        top = self.scroll_offset.y
        return frozenset(row.key for row in self.rows[top : top + self.body_lines])

    def reveal(self) -> None:
        """Scroll, as little as needed, until the selected process is in view."""
        index, top = self.find(self.selected), self.scroll_offset.y
        if index is None or not self.body_lines:
            return
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif index >= top + self.body_lines:
            self.scroll_to(y=index - self.body_lines + 1, animate=False)

    def show_top(self) -> None:
        """Scroll to the first row, wherever the selected process is; not while that is followed."""
        if not self.follow:
            self.scroll_to(y=0, animate=False)

    def find(self, key: RowKey | None) -> int | None:
        """The row number of a process; None when it is not in the list."""
        rows = self.rows
        if self._index < len(rows) and rows[self._index].key == key:
            return self._index
        return next((index for index, row in enumerate(rows) if row.key == key), None)

    def _keep_selection(self) -> None:
        """Stay with the process; when it has left, pass to the row in its place; an empty list changes nothing."""
        rows = self.rows
        if not rows:
            return
        index = self.find(self.selected)
        self._index = min(self._index, len(rows) - 1) if index is None else index
        self.selected = rows[self._index].key

    def select(self, index: int, *, by_user: bool = True) -> None:
        """Select the process of a row, or of the nearest row that there is, and scroll to it.

        Where memtop does so itself, it goes on to keep the process in view, until the user scrolls or moves the cursor.
        """
        self.is_touched = self.is_touched or by_user
        if self.rows:
            self._index = max(0, min(index, len(self.rows) - 1))
            self.selected = self.rows[self._index].key
            if by_user:
                self.reveal()
            else:
                self._lead()

    @property
    def _stays(self) -> bool:
        """Whether the selected process stays in view once it is."""
        is_tree = self.frame is not None and self.frame.tree is not None
        return (is_tree and self.is_touched) or self.selected == self.watched

    @property
    def _leads(self) -> bool:
        """Whether memtop scrolled last."""
        top = self.led_top
        return top is not None and not self.is_touched and self.scroll_offset.y == min(top, self.max_scroll_y)

    def _lead(self) -> None:
        """Scroll to the highest place at which the selected process is in view; to the top for one without memory, such
        as a zombie, which is last in most orders: the end of the list says nothing."""
        index = self.find(self.selected)
        if index is not None and self.body_lines:
            self.led_top = 0 if self.rows[index].rss_bytes is None else max(0, index - self.body_lines + 1)
            self.scroll_to(y=self.led_top, animate=False)

    def watch_selected(self, key: RowKey | None) -> None:
        self.post_message(self.SelectionMoved(key))
        self.refresh_rows()

    def watch_follow(self) -> None:
        if self.follow:
            self.reveal()

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self.select((self.find(self.selected) or 0) + lines)

    def action_page(self, screens: float) -> None:
        """Move the cursor by a part of the screen; where all rows are in view, ``page_beside`` may take the key."""
        if len(self.rows) <= max(1, self.body_lines) and self.page_beside(screens):
            return
        self.action_move(int(self.body_lines * screens) or (1 if screens > 0 else -1))

    def action_first(self) -> None:
        """Move the cursor to the first process."""
        self.select(0)

    def action_last(self) -> None:
        """Move the cursor to the last process."""
        self.select(len(self.rows) - 1)

    def action_follow(self) -> None:
        """Begin or cease to follow the selected process."""
        self.follow = not self.follow

    def action_choose(self) -> None:
        """Watch the selected process."""
        if (row := self.selected_row) is not None:
            self.post_message(self.ProcessChosen(row.key))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.ViewportMoved())

    def on_resize(self) -> None:
        """Place the columns again; a selection that was in view stays in view."""
        was_visible, leads = self.selected in self.visible_keys, self._leads
        self.body_lines = max(0, self.scrollable_content_region.height - HEADING_LINES)
        self.repaint()
        if leads:
            self._lead()
        elif was_visible or self.follow:
            self.reveal()
        self.post_message(self.ViewportMoved())

    def refresh_rows(self) -> None:
        """Ask for a repaint of the lines that would look different from how they were drawn last."""
        if self.body_lines:
            self.refresh_changed(range(HEADING_LINES, HEADING_LINES + self.body_lines))

"""Table of the kinds of a process's memory, which unfold to mappings. It draws only visible lines that changed."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.columns.column import ALWAYS
from memtop.sampling.smaps.smaps_view import Reading, RegionsView
from memtop.tui.drawing.cell_text import fit
from memtop.tui.drawing.scrolling import ScrollingLines
from memtop.tui.panels.region_items import (
    BAR_CELLS,
    BY_KEY,
    REGION_COLUMNS,
    SORTABLE,
    Item,
    RegionColumn,
    RegionSort,
    items_of,
)

HEADING_LINES: Final = 1
_FLEXIBLE_CELLS: Final = 12
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


class RegionsTable(ScrollingLines, can_focus=True, inherit_bindings=False):
    """The table; see the module. Its messages say what the user wants explained."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"regions-table--{name}" for name in ("heading", "sorted", "cursor", "rss", "dim")
    }
    DEFAULT_CSS = """
    RegionsTable {
        & > .regions-table--heading { text-style: bold; color: $memtop-muted; background: $panel; }
        & > .regions-table--sorted { text-style: bold underline; background: $panel; }
        & > .regions-table--cursor { text-style: bold; background: $panel; }
        &:ansi > .regions-table--cursor { text-style: bold underline; }
        &:focus > .regions-table--cursor { text-style: reverse; background: $surface; }
        & > .regions-table--rss { color: $memtop-res; }
        & > .regions-table--dim { color: $memtop-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="regions.up", tooltip="Select the line above"),
        Binding("down,j", "move(1)", "Down", show=False, id="regions.down", tooltip="Select the line below"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="regions.page_up", tooltip="One screen up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="regions.page_down", tooltip="One screen down"),
        Binding("home,g", "move(-1000000)", "First", show=False, id="regions.first", tooltip="Select the first line"),
        Binding("G", "scroll_end", "Last", show=False, id="regions.last", tooltip="Select the last line"),
        Binding(
            "enter", "choose", "Open", id="regions.choose", tooltip="Unfold a kind; explain a mapping and its flags"
        ),
        Binding("o", "fold", "Fold", show=False, id="regions.fold", tooltip="Unfold or fold the kind"),
        Binding("e", "explain", "Explain", show=False, id="regions.explain", tooltip="Explain this kind of memory"),
        Binding(
            "less_than_sign",
            "sort(-1)",
            "Left",
            show=False,
            id="regions.left",
            tooltip="Sort by the column to the left",
        ),
        Binding(
            "greater_than_sign",
            "sort(1)",
            "Right",
            show=False,
            id="regions.right",
            tooltip="Sort by the column to the right",
        ),
        Binding("I", "reverse", "Reverse", show=False, id="regions.reverse", tooltip="Reverse the order"),
    ]

    @dataclass
    class ExplainAsked(Message):
        """The user wants an explanation of a kind, or of one of its mappings."""

        reading: Reading
        kind: RegionKind
        start: int | None

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.order = RegionSort()
        self._view: RegionsView | None = None
        self._opened: set[RegionKind] = set()
        self._items: list[Item] = []
        self._index = 0
        self._placed: tuple[tuple[int, str, tuple[str, ...]], list[tuple[RegionColumn, int]]] | None = None
        self._most_rss = 1
        self._made: dict[int, tuple[object, Strip]] = {}
        """The lines, and the values that they were drawn from."""

    def show(self, view: RegionsView) -> None:
        """Take a newer view. Unchanged values cost nothing."""
        before, self._view = self._view, view
        if before is None or before.reading is not view.reading or before.since_mark is not view.since_mark:
            self._rebuild()

    @property
    def items(self) -> list[Item]:
        """The lines, in order."""
        return self._items

    def _rebuild(self) -> None:
        if self._view is None:
            return
        current = self._items[self._index] if self._index < len(self._items) else None
        self._items = items_of(self._view, self.order, self._opened)
        self._most_rss = max((item.sizes.rss_bytes or 0 for item in self._items if item.sizes), default=1) or 1
        if current is not None:
            who = current.kind, current.start
            found = next((at for at, item in enumerate(self._items) if (item.kind, item.start) == who), self._index)
            self._index = max(0, min(found, len(self._items) - 1))
        self.set_length(len(self._items) + HEADING_LINES)
        self._refresh_changed_lines()

    # -- what keys do

    @property
    def _body_lines(self) -> int:
        return max(0, self.scrollable_content_region.height - HEADING_LINES)

    def action_move(self, lines: int) -> None:
        """Move the cursor, and scroll to it."""
        if not self._items:
            return
        self._index = max(0, min(self._index + lines, len(self._items) - 1))
        top = self.scroll_offset.y
        if self._index < top:
            self.scroll_to(y=self._index, animate=False)
        elif self._index >= top + self._body_lines:
            self.scroll_to(y=self._index - self._body_lines + 1, animate=False)
        self._refresh_changed_lines()

    def action_scroll_end(self) -> None:
        """Move the cursor to the last line."""
        self.action_move(len(self._items))

    def action_page(self, screens: int) -> None:
        """Move by a screen."""
        self.action_move(screens * max(1, self._body_lines - 1))

    def action_fold(self) -> None:
        """Unfold or fold the kind under the cursor."""
        if not self._items:
            return
        kind = self._items[self._index].kind
        self._opened ^= {kind}
        if kind not in self._opened:
            self._index = next(at for at, item in enumerate(self._items) if item.kind is kind)
        self._rebuild()
        self.action_move(0)

    def action_choose(self) -> None:
        """Unfold a kind, or explain a mapping."""
        if self._items and self._items[self._index].start not in (None, -1):
            self.action_explain()
        else:
            self.action_fold()

    def action_explain(self) -> None:
        """Explain the line under the cursor."""
        if not self._items or self._view is None or self._view.reading is None:
            return
        item = self._items[self._index]
        start = None if item.start == -1 else item.start
        self.post_message(self.ExplainAsked(self._view.reading, item.kind, start))

    def action_sort(self, step: int) -> None:
        """Sort by the next visible column."""
        keys = [column.key for column, _ in self._places() if column.key in SORTABLE]
        at = keys.index(self.order.key) if self.order.key in keys else 0
        self.sort_by(keys[(at + step) % len(keys)])

    def sort_by(self, key: str) -> None:
        """Sort by a column in its natural order. The same column again reverses the order."""
        again = key == self.order.key
        descending = not self.order.descending if again else not BY_KEY[key].left
        self.order = RegionSort(key, descending)
        self._rebuild()
        self.repaint()

    def action_reverse(self) -> None:
        """Reverse the order."""
        self.sort_by(self.order.key)

    def on_click(self, event: events.Click) -> None:
        """Select, unfold, or sort by a heading."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < HEADING_LINES:
            x = 0
            for column, width in self._places():
                if x <= offset.x < x + width + 1 and column.key in SORTABLE:
                    self.sort_by(column.key)
                x += width + 1
            return
        index = self.scroll_offset.y + offset.y - HEADING_LINES
        if index < len(self._items):
            self.action_move(index - self._index)
            if event.chain == 2:
                self.action_choose()

    # -- drawing

    def _places(self) -> list[tuple[RegionColumn, int]]:
        """The columns that fit, and their widths."""
        width = self.scrollable_content_region.width
        asked = (width, self.order.key, self._empty_columns())
        if self._placed is None or self._placed[0] != asked:
            self._placed = asked, self._place(width, asked[2])
        return self._placed[1]

    def _empty_columns(self) -> tuple[str, ...]:
        """The columns that would show only dashes or zeros now. They are dropped before all others."""
        view = self._view
        reading = view.reading if view is not None else None
        if view is None or reading is None:
            return ("swap",)
        total = reading.total
        values = {
            "swap": total.swap_bytes,
            "mark": view.since_mark is not None,
            "pss": total.pss_bytes,
            "dirty": total.private_dirty_bytes,
        }
        return tuple(key for key, value in values.items() if not value)

    def _place(self, width: int, empty: tuple[str, ...]) -> list[tuple[RegionColumn, int]]:
        kept = list(REGION_COLUMNS)

        def needed() -> int:
            return sum((column.width or _FLEXIBLE_CELLS) + 1 for column in kept) - 1

        optional = sorted((one for one in kept if one.importance < ALWAYS), key=attrgetter("importance"))
        for key in (*empty, *(column.key for column in optional)):
            if needed() <= width:
                break
            if key != self.order.key:
                kept = [column for column in kept if column.key != key]
        rest = max(1, width - needed() + _FLEXIBLE_CELLS)
        return [(column, column.width or rest) for column in kept]

    def line(self, y: int) -> Strip:
        """The heading, or a line of the table."""
        width, places = self.line_size.width, self._places()
        if y < HEADING_LINES:
            return self._strip([self._heading(column, cells) for column, cells in places], "heading", places)
        index = self.scroll_offset.y + y - HEADING_LINES
        if index >= len(self._items):
            return Strip.blank(width, self.rich_style)
        item, cursor = self._items[index], index == self._index
        drawn_from = item, cursor, self._eighths(item), places
        made = self._made.get(y)
        if made is None or made[0] != drawn_from:
            cells = [self._cell(item, column, room, cursor) for column, room in places]
            made = self._made[y] = drawn_from, self._strip(cells, "cursor" if cursor else "", places)
        return made[1]

    def _heading(self, column: RegionColumn, width: int) -> tuple[str, str]:
        if column.key != self.order.key:
            return fit(column.title, width, column.left), "heading"
        mark = "▼" if self.order.descending else "▲"
        title = column.title + mark if column.left or len(column.title) < width else column.title[: width - 1] + mark
        return fit(title, width, column.left), "sorted"

    def _cell(self, item: Item, column: RegionColumn, width: int, cursor: bool) -> tuple[str, str]:
        style = "cursor" if cursor else ""
        if column.key == "kind":
            mark = "" if item.start is not None else "▾ " if item.is_open else "▸ "
            return fit(mark + item.title, width, left=True), style
        if column.key == "bar":
            return _bar(self._eighths(item), width, plain=self.app.has_class("-ascii")), style or "rss"
        text = fit(column.text(item), width, column.left)
        if not style and item.start is not None:
            style = "dim"
        return text, style

    def _eighths(self, item: Item) -> int:
        """The length of its bar, in eighths of a cell. A value above zero shows at least one eighth."""
        rss = (item.sizes.rss_bytes if item.sizes else None) or 0
        return max(int(rss > 0), round(rss / self._most_rss * BAR_CELLS * 8))

    def _strip(self, cells: list[tuple[str, str]], rest: str, places: list[tuple[RegionColumn, int]]) -> Strip:
        segments = []
        for number, (text, style) in enumerate(cells):
            if number:
                segments.append(Segment(" ", self._style(rest)))
            segments.append(Segment(text, self._style(style)))
        cells_used = sum([room for _, room in places]) + len(cells) - 1
        return Strip(segments, cells_used).adjust_cell_length(self.line_size.width, self._style(rest))

    def _style(self, name: str) -> Style:
        return self.style_of(f"regions-table--{name}" if name else "")

    def _refresh_changed_lines(self) -> None:
        self.refresh_changed(range(HEADING_LINES + self._body_lines))

    def repaint(self) -> None:
        """Draw everything again."""
        self._made.clear()
        super().repaint()

    def on_resize(self) -> None:
        """Place the columns again."""
        self.repaint()


def _bar(eighths: int, width: int, *, plain: bool) -> str:
    if plain:
        return ("#" * round(eighths / 8)).ljust(width)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)

"""Paints one line of the process table as a Strip: the heading, or a process.

Everything here is Segments with styles. No text is ever parsed as markup.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from memtop import units
from memtop.explain.severity_signs import DANGER_MARK, NOTE_MARK, WARNING_MARK
from memtop.model.frame import TreePlace
from memtop.model.row import Note, ProcessRow, Row, RowKey
from memtop.tui.drawing.cell_text import fit, to_ascii
from memtop.tui.table.column_layout import MARKER_CELLS, Place, cell_text

WATCHED_MARK: Final = "►"
SUBTREE_MARK: Final = "Σ"
AT_MOST_MARK: Final = "≤"
FOLDED_MARK: Final = "▸ "
OPEN_MARK: Final = "▾ "
_KEPT_SCREENS: Final = 4
"""Painted rows are cached for about this many screens of scrolling."""
_DIM_NOTES: Final = (Note.KERNEL, Note.ZOMBIE, Note.GONE)


class Sort(NamedTuple):
    """The order of the list, as the heading shows it."""

    key: str
    """Key of a Column."""
    descending: bool = True


class RowStyle(NamedTuple):
    """The styles of a table's cells, each complete: color, background and attributes."""

    base: Style
    heading: Style
    sorted: Style
    cursor: Style
    dim: Style
    warning: Style
    danger: Style

    def severity(self, verdict: str) -> Style | None:
        """The style of a verdict's sign; None for one that is no cause for concern."""
        return {DANGER_MARK: self.danger, WARNING_MARK: self.warning, NOTE_MARK: self.base}.get(verdict[:1])

    def under_cursor(self, text: str, style: Style) -> Style:
        """The style of a cell under the cursor: the ground of a sign of danger or warning has its color."""
        return self.cursor + Style(color=style.color) if text[:1] in (DANGER_MARK, WARNING_MARK) else self.cursor


class Painter(NamedTuple):
    """What all lines of a table have in common until it is resized or restyled."""

    places: tuple[Place, ...]
    width: int
    look: RowStyle
    ascii: bool
    ram_bytes: int | None

    def heading(self, sort: Sort) -> Strip:
        """The titles, with ▼ or ▲ at the sorted one (in the gap before it if there is no room after it)."""
        mark = "▼" if sort.descending else "▲"
        runs = [(" " * (MARKER_CELLS - 1), self.look.heading)]
        for place in self.places:
            column, style = place.column, self.look.heading
            title = column.title
            if column.key == sort.key:
                style = self.look.sorted
                title = title + mark if len(title) < place.width else mark + title
            if len(title) > place.width:
                runs.append((self._text(title, place.width + 1, column.left), style))
            else:
                runs += [(" ", self.look.heading), (self._text(title, place.width, column.left), style)]
        return self._strip(runs, self.look.heading)

    def row(self, row: Row, tree: TreePlace | None, selected: bool, watched: bool) -> Strip:
        """One process."""
        look = self.look
        if selected:
            uniform: Style | None = look.cursor
        else:
            uniform = look.dim if row.gone_s is not None or _is_dim(row) else None
        runs = [(self._text(WATCHED_MARK if watched else " ", MARKER_CELLS), uniform or look.base)]
        for place in self.places:
            column = place.column
            style, text = look.base, _command(row, place, tree) if column.branch else column.text(row)
            if column.style:
                style = look.dim
            if column.by_verdict:
                style = look.severity(row.verdict) or style
            if column.subtree and tree is not None and tree.folded:
                text = _subtree_total(tree, column.subtree)
            elif column.marked_from is not None and (
                mark := self._mark(getattr(row, column.field), column.marked_from)
            ):
                text = mark + text
                style = look.danger if mark == DANGER_MARK else look.warning
            # The gap has the base style, so that neighbors with one style become one segment.
            if place.x > MARKER_CELLS:
                runs.append((" ", uniform or look.base))
            own = look.under_cursor(text, style) if selected and style in (look.danger, look.warning) else uniform
            runs.append((self._text(text, place.width, column.left), own or style))
        return self._strip(runs, uniform or look.base)

    def message(self, text: str) -> Strip:
        """A line of text in an empty table."""
        return self._strip(
            [(" ", self.look.base), (self._text(text, self.width - 1, True), self.look.base)], self.look.base
        )

    def _mark(self, value_bytes: float | None, shares: tuple[float, float]) -> str:
        warning, danger = shares
        if not value_bytes or not self.ram_bytes or value_bytes < self.ram_bytes * warning:
            return ""
        return DANGER_MARK if value_bytes >= self.ram_bytes * danger else WARNING_MARK

    def _text(self, text: str, width: int, left: bool = False) -> str:
        return fit(to_ascii(text), width, left, "~") if self.ascii else fit(text, width, left)

    def _strip(self, runs: Sequence[tuple[str, Style]], rest: Style) -> Strip:
        """As few Segments as there are changes of style. The rest of the line has the style ``rest``."""
        segments: list[Segment] = []
        texts: list[str] = []
        current = rest
        for text, style in runs:
            if style is not current:
                if texts:
                    segments.append(Segment("".join(texts), current))
                texts, current = [], style
            if text:
                texts.append(text)
        if texts:
            segments.append(Segment("".join(texts), current))
        return Strip(segments).adjust_cell_length(self.width, rest)


class _Painted(NamedTuple):
    """A row as it was painted last, and everything that its picture depends on."""

    row: Row
    tree: TreePlace | None
    selected: bool
    watched: bool
    strip: Strip


class Paintings:
    """Rows already painted with one Painter, by process. Unchanged rows are not painted again."""

    def __init__(self, painter: Painter) -> None:
        self.painter = painter
        self._rows: dict[RowKey, _Painted] = {}
        self._headings: dict[Sort, Strip] = {}

    def heading(self, sort: Sort) -> Strip:
        """The line of titles."""
        if sort not in self._headings:
            self._headings = {sort: self.painter.heading(sort)}
        return self._headings[sort]

    def row(self, row: Row, tree: TreePlace | None, selected: bool, watched: bool) -> Strip:
        """The row's picture. It is the same object as long as it looks the same."""
        old = self._rows.get(row.key)
        if old and old.row is row and old.selected is selected and old.watched is watched and old.tree == tree:
            return old.strip
        strip = self.painter.row(row, tree, selected, watched)
        if old and old.strip == strip:
            strip = old.strip  # keeps what Textual has cached in it
        self._rows[row.key] = _Painted(row, tree, selected, watched, strip)
        return strip

    def message(self, words: str, line: int) -> Strip:
        """Line ``line`` of the text in a table without rows."""
        lines = textwrap.wrap(words, max(1, self.painter.width - 2))
        return self.painter.message(lines[line] if line < len(lines) else "")

    def keep_only(self, keys: frozenset[RowKey]) -> None:
        """Drop rows that are out of view, if there are many."""
        if len(self._rows) > _KEPT_SCREENS * len(keys) + _KEPT_SCREENS:
            self._rows = {key: painted for key, painted in self._rows.items() if key in keys}


def _subtree_total(tree: TreePlace, field: str) -> str:
    """The sum of a subtree. For RES it is the sum of PSS if that is known, otherwise an upper bound."""
    if field != "rss_bytes":
        return SUBTREE_MARK + units.size(getattr(tree, field))
    if tree.pss_bytes is not None:
        return SUBTREE_MARK + units.size(tree.pss_bytes)
    return AT_MOST_MARK + units.size(tree.rss_bytes)


def _is_dim(row: Row) -> bool:
    return isinstance(row, ProcessRow) and row.note in _DIM_NOTES


def _command(row: Row, place: Place, tree: TreePlace | None) -> str:
    """The command or the name of a group after its branch of the tree: of a name what its parent's does not say. A
    very deep branch shows only its last part."""
    lead = ""
    if tree is not None:
        lead = tree.prefix
        if len(lead) > place.width // 2:
            lead = "…" + lead[len(lead) - place.width // 2 + 1 :]
        lead += (FOLDED_MARK if tree.folded else OPEN_MARK) if tree.has_children else ""
    if row.gone_s is not None:
        killed = isinstance(row, ProcessRow) and row.note is Note.OOM_KILLED
        lead += f"({'OOM kill' if killed else 'gone'}) "
    elif isinstance(row, ProcessRow) and row.note is Note.ZOMBIE:
        lead += "(zombie) "
    return lead + cell_text(row, place, len(lead), tree.said if tree is not None else 0)

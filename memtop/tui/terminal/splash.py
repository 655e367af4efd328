"""First picture: header and table in plain escape codes, drawn while Textual is still being imported.

Of Textual and Rich it imports only the widths of characters, which cost 2 ms. ``Terminal.show`` enters the alternate
screen and draws it. Textual paints over it about 0.3 s later, so it has the layout of the real table. All text in a
Frame has been through ``clean``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from memtop.model.frame import Frame
from memtop.model.row import Note, ProcessRow, Row
from memtop.tui.bars.header_parts import HeaderState, has_state, header_parts
from memtop.tui.bars.headline_parts import Early, early_clauses, headline_parts
from memtop.tui.drawing.cell_text import fit
from memtop.tui.drawing.line_parts import LinePart, placed
from memtop.tui.screen_layout import TINY_BELOW, header_gives_way, table_top
from memtop.tui.table.column_layout import BAR_CELLS, MARKER_CELLS, Place, cell_text, place_columns, says_nothing
from memtop.view_state import View

_HIDE_CURSOR: Final = "\x1b[?25l"
_NO_WRAP: Final = "\x1b[?7l"
_CLEAR: Final = "\x1b[2J"
_BOLD, _DIM, _BLUE, _ORANGE, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[38;5;74m", "\x1b[38;5;178m", "\x1b[0m"
_STYLES: Final = {"virt": _BLUE, "res": _ORANGE}


def paint(frame: Frame, view: View, width: int, height: int, *, color: bool, state: HeaderState) -> str:
    """The escape codes that draw ``frame`` on a screen of ``width`` x ``height`` cells. Color codes are optional."""
    drawn = [_HIDE_CURSOR, _NO_WRAP, _CLEAR, _line(1, _headline(frame, width), _DIM, color)]
    if width >= TINY_BELOW[0] and height >= TINY_BELOW[1]:
        one, rows = view.rows.only is not None, len(frame.listed)
        if not header_gives_way(width, height, rows, one=one, stays=has_state(frame, state)):
            drawn.append(_line(2, _header(frame, view.readings.delay_s, state, width), _BOLD, color))
        columns = view.titled_columns(frame.system)
        silent = [column.key for column in columns if says_nothing(column, frame.listed)]
        places = place_columns(columns, width - BAR_CELLS, view.sort.key, silent)
        top = table_top(width, height, rows, one=one)
        if top is not None:
            drawn.append(_line(1 + top, _heading(places, view.sort.key, view.rows.descending), _BOLD, color))
            for line, row in enumerate(frame.listed[: height - 2 - top], top + 2):
                drawn.append(_line(line, *_row(row, places, color), color))
    return "".join(drawn)


def _line(line: int, text: str, style: str, color: bool) -> str:
    return f"\x1b[{line};1H{style}{text}{_PLAIN}" if color and style else f"\x1b[{line};1H{text}"


def _headline(frame: Frame, width: int) -> str:
    return _bar(headline_parts(Early(early_clauses(frame.system)), width), width)


def _header(frame: Frame, delay_s: float, state: HeaderState, width: int) -> str:
    return _bar(header_parts(frame, delay_s, state, width), width)


def _bar(parts: tuple[list[LinePart], list[LinePart]], width: int) -> str:
    text = ""
    for x, part in placed(*parts, width):
        text += " " * (x - cell_len(text)) + part.text
    return fit(text, width, left=True)


def _heading(places: Sequence[Place], sort_key: str, descending: bool) -> str:
    text = " " * MARKER_CELLS
    for place in places:
        title = place.column.title
        if place.column.key == sort_key:
            title += "▼" if descending else "▲"
        text = text.ljust(place.x) + fit(title, place.width, place.column.left)
    return text


def _row(row: Row, places: Sequence[Place], color: bool) -> tuple[str, str]:
    """The line and the style of all of it."""
    plain = isinstance(row, ProcessRow) and row.note is not Note.NONE
    line, at = "", 0
    for place in places:
        cell = fit(cell_text(row, place), place.width, place.column.left)
        style = _STYLES.get(place.column.style, "") if color and not plain else ""
        line += " " * (place.x - at) + (f"{style}{cell}{_PLAIN}" if style else cell)
        at = place.x + place.width
    return line, _DIM if plain else ""

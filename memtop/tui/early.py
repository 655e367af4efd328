"""The first picture: header and table in plain escape codes, while Textual is still being imported.

Imports neither Textual nor Rich. It is drawn by :meth:`memtop.tui.terminal.Terminal.show`, which enters the
alternate screen, and is painted over by Textual some 0.3 s later; so it stands where the real table will stand.
All text in a Frame has been through :func:`memtop.text.clean`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from unicodedata import east_asian_width

from memtop import units
from memtop.columns import Column
from memtop.frame import Frame, Note, ProcRow, SystemRow
from memtop.tui.layout import MARKER_CELLS, Place, place_columns

UPPER_SHARE: Final = 0.45
"""Of the height, for the charts above the table: ``#upper`` in app.tcss."""
UPPER_LINES: Final = 9
"""At least so many."""
SMALLEST: Final = (60, 16)
"""Columns and lines below which there is no table, only the first line."""

_HIDE_CURSOR: Final = "\x1b[?25l"
_NO_WRAP: Final = "\x1b[?7l"
_CLEAR: Final = "\x1b[2J"
_BOLD, _DIM, _BLUE, _ORANGE, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[38;5;74m", "\x1b[38;5;178m", "\x1b[0m"
_STYLES: Final = {"virt": _BLUE, "res": _ORANGE}


def paint(
    frame: Frame,
    columns: Sequence[Column],
    width: int,
    height: int,
    color: bool = True,
    *,
    sort_key: str = "res",
    descending: bool = True,
) -> str:
    """The escape codes that draw ``frame`` on a screen of ``width`` x ``height`` cells; none of colour without it."""
    drawn = [_HIDE_CURSOR, _NO_WRAP, _CLEAR, _line(1, _header(frame.system, width), _BOLD, color)]
    if width >= SMALLEST[0] and height >= SMALLEST[1]:
        places = place_columns(columns, width, sort_key)
        top = 2 + max(UPPER_LINES, round(UPPER_SHARE * height))
        drawn.append(_line(top, _heading(places, sort_key, descending), _BOLD, color))
        for line, row in enumerate(frame.rows[: height - 1 - top], top + 1):
            drawn.append(_line(line, *_row(row, places, color), color))
    return "".join(drawn)


def fit(text: str, width: int, left: bool = False) -> str:
    """``text`` in exactly ``width`` cells, padded on its free side or cut and ended with an ellipsis."""
    if width <= 0:
        return ""
    if len(text) > width or not text.isascii():
        text = _cut(text, width)
    padding = " " * (width - sum(map(_cells, text)))
    return text + padding if left else padding + text


def _cells(character: str) -> int:
    return 2 if east_asian_width(character) in "WF" else 1


def _cut(text: str, width: int) -> str:
    used = fits = 0
    for index, character in enumerate(text):
        used += _cells(character)
        if used > width:
            return text[:fits] + "…"
        if used < width:
            fits = index + 1  # so much fits beside an ellipsis
    return text


def _line(line: int, text: str, style: str, color: bool) -> str:
    return f"\x1b[{line};1H{style}{text}{_PLAIN}" if color and style else f"\x1b[{line};1H{text}"


def _header(system: SystemRow, width: int) -> str:
    total, available = system.mem_total_bytes, system.mem_available_bytes
    used = None if total is None or available is None else total - available
    facts = [
        f"RAM {units.long_size(used)} of {units.long_size(total)}",
        f"avail {units.size(available)}",
        f"PSI {units.percent(system.psi_memory_some_avg10)}",
        f"OOM kills {units.count(system.oom_kills)}",
    ]
    name = " memtop"
    while facts and len(name) + 3 + len("  ".join(facts)) > width:
        facts.pop()
    return (name + f"{'  '.join(facts)} ".rjust(width - len(name)))[:width]


def _heading(places: Sequence[Place], sort_key: str, descending: bool) -> str:
    text = " " * MARKER_CELLS
    for place in places:
        title = place.column.title
        if place.column.key == sort_key:
            title += "▼" if descending else "▲"
        text = text.ljust(place.x) + fit(title, place.width, place.column.left)
    return text


def _row(row: ProcRow, places: Sequence[Place], color: bool) -> tuple[str, str]:
    """The line and the style of all of it."""
    plain = row.note is not Note.NONE
    line, at = "", 0
    for place in places:
        cell = fit(place.column.text(row), place.width, place.column.left)
        style = _STYLES.get(place.column.key, "") if color and not plain else ""
        line += " " * (place.x - at) + (f"{style}{cell}{_PLAIN}" if style else cell)
        at = place.x + place.width
    return line, _DIM if plain else ""

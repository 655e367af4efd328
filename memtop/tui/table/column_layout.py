"""Layout of a line of the table: the columns that fit into it, and the text of a cell."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from rich.cells import cell_len

from memtop.columns.column import ALWAYS, Column, Values
from memtop.model.row import Row

BAR_CELLS: Final = 1
"""The table's scroll bar, which is always shown."""
MARKER_CELLS: Final = 1
"""The first cell of a line marks the watched process."""
FLEXIBLE_CELLS: Final = 24
"""Cells reserved for a column without a fixed width (COMMAND)."""
SILENT_AFTER_S: Final = 60.0
"""How long a column has said nothing before it may be left out for that: columns do not change with every fault."""


class Place(NamedTuple):
    """A column on the line."""

    column: Column
    x: int
    """First cell. The cell before it is the gap that belongs to it."""
    width: int


def says_nothing(column: Column, rows: Sequence[Row]) -> bool:
    """Whether a ``quiet`` column has no value in any row, or the same word in all of several rows."""
    if not column.quiet:
        return False
    if not rows or not hasattr(rows[0], column.field):  # rows of a table are of one kind
        return len(rows) > 1 or column.values not in (Values.WORD, Values.TEXT)
    values = map(attrgetter(column.field), rows)
    if column.values in (Values.WORD, Values.TEXT):
        words = list(values)
        return len(rows) > 1 and words.count(words[0]) == len(words)
    return not any(values)


class SilentColumns:
    """The columns that have said nothing for a while."""

    def __init__(self) -> None:
        self._spoke_s: dict[str, float] = {}

    def keys(self, columns: Sequence[Column], rows: Sequence[Row], now_s: float) -> frozenset[str]:
        """Their keys at ``now_s`` (wall time of the rows); at once those that have said nothing so far."""
        for column in columns:
            if column.quiet and not says_nothing(column, rows):
                self._spoke_s[column.key] = now_s
        return frozenset(
            column.key
            for column in columns
            if column.quiet and abs(now_s - self._spoke_s.get(column.key, -math.inf)) >= SILENT_AFTER_S
        )


def place_columns(
    columns: Sequence[Column], width: int, sort_key: str, silent: Container[str] = ()
) -> tuple[Place, ...]:
    """The columns that fit in ``width`` cells, in their order. The sorted one is never dropped.

    ``silent`` are the keys of columns that are dropped first, because they say nothing now.
    """
    kept = list(columns)
    droppable = [column for column in columns if column.importance < ALWAYS and column.key != sort_key]
    for least in sorted(droppable, key=lambda column: (column.key not in silent, column.importance)):
        if _needed(kept) <= width:
            break
        kept.remove(least)
    flexible = sum(not column.width for column in kept)
    rest = max(0, width - _needed(kept) + flexible * FLEXIBLE_CELLS)
    places, x = [], MARKER_CELLS
    for column in kept:
        cells = column.width or max(1, rest // flexible)
        places.append(Place(column, x, cells))
        x += cells + 1
    return tuple(places)


def cell_text(row: Row, place: Place, taken: int = 0, said: int = 0) -> str:
    """The text of a cell without so many characters that are ``said`` elsewhere; the shorter one where the ordinary one
    does not fit beside ``taken`` cells."""
    text, shorter, cells = place.column.text(row)[said:], place.column.shorter, place.width - taken
    return text if shorter is None or cell_len(text) <= cells else shorter(row, cells)


def _needed(columns: Sequence[Column]) -> int:
    """Cells of the marker, the columns and a gap between any two."""
    return MARKER_CELLS + sum((column.width or FLEXIBLE_CELLS) + 1 for column in columns) - 1

"""What stands where: the sizes at which the layout changes, the table, and which columns fit in its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from memtop.columns import Column

WIDE_FROM: Final = 160
"""Columns from which the sentences have longer lines."""
NARROW_BELOW: Final = 100
"""Columns below which the sentences stand under the chart."""
SHORT_BELOW: Final = 30
"""Lines below which panels and charts share their place."""
LOW_BELOW: Final = 22
TINY_BELOW: Final = (60, 16)
"""Columns and lines below which there is the chart and its line of facts."""
DOT_BELOW: Final = (30, 6)
"""Below these there is that line alone."""
BAR_CELLS: Final = 1
"""The table's scroll bar, which is always there."""
MARKER_CELLS: Final = 1
"""The first cell of a line tells the watched process."""
FLEXIBLE_CELLS: Final = 15
"""What a column without a width of its own (COMMAND) is given before others are."""
NEVER_DROPPED: Final = ("pid", "res", "command")
DROPPED_FIRST: Final = (
    "oom#", "oom%", "thr", "cpu", "s", "oom", "majflt", "swap", "shr", "minflt", "ppid", "name", "adj", "pte", "peak",
    "file", "shmem", "uss", "pss", "user", "trend", "mem%", "lim%", "anon", "growth", "verdict", "virt",
)  # fmt: skip
"""The order in which columns go when the terminal is too narrow: what explains the least goes first."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column on the line."""

    column: Column
    x: int
    """First cell; the cell before it is the gap that belongs to it."""
    width: int


def table_top(height: int, rows: int, *, one: bool) -> int:
    """The line of a screen of ``height`` on which the heading of the table stands, from 0: what app.tcss makes of it.

    ``one``: certain processes were asked for, so that the chart is large and the table no higher than its rows.
    """
    short = height < SHORT_BELOW
    if one:
        return height - 1 - max(2, min(rows + 1, int(height * (0.2 if short else 0.3))))
    return 1 + max(9, int(height * (0.5 if short else 0.45)))


def place_columns(columns: Sequence[Column], width: int, sort_key: str) -> tuple[Place, ...]:
    """The columns that fit in ``width`` cells, in their order; the sorted one stays as long as PID does."""
    kept = list(columns)
    for key in DROPPED_FIRST:
        if _needed(kept) <= width:
            break
        if key != sort_key:
            kept = [column for column in kept if column.key != key]
    flexible = sum(not column.width for column in kept)
    rest = max(0, width - _needed(kept) + flexible * FLEXIBLE_CELLS)
    places, x = [], MARKER_CELLS
    for column in kept:
        cells = column.width or max(1, rest // flexible)
        places.append(Place(column, x, cells))
        x += cells + 1
    return tuple(places)


def _needed(columns: Sequence[Column]) -> int:
    """Cells of the marker, the columns and a gap between any two."""
    return MARKER_CELLS + sum((column.width or FLEXIBLE_CELLS) + 1 for column in columns) - 1

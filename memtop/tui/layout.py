"""Which columns fit in a line, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from memtop.columns import Column

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

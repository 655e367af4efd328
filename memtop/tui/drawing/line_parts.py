"""Lays out short texts on one line, from the left and from the right, and drops the least important on narrow screens.

Of Textual and Rich it imports only the widths of characters, because the first picture uses it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len

GAP_CELLS: Final = 3
EDGE_CELLS: Final = 1


class LinePart(NamedTuple):
    """One text."""

    text: str
    rank: int
    """Parts of the highest rank are dropped first; those of rank 0 never are."""
    target: str = ""
    """The target of a click; empty for none."""
    style: str = ""
    """``strong``, ``dim``, ``warning``, ``danger`` or ``res``; empty for plain."""
    glued: bool = False
    """Only one cell away from its left neighbor."""


def cells(parts: Sequence[LinePart]) -> int:
    """The number of cells that parts need together."""
    gaps = sum([1 if part.glued else GAP_CELLS for part in parts[1:]])
    return sum([cell_len(part.text) for part in parts]) + gaps


def placed(left: Sequence[LinePart], right: Sequence[LinePart], width: int) -> Iterator[tuple[int, LinePart]]:
    """Each part that fits in ``width`` cells, from the left, with its first cell."""
    left, right = narrow(left, right, width)
    for side, start in ((left, EDGE_CELLS), (right, width - EDGE_CELLS - cells(right))):
        x = start
        for part in side:
            x += _gap(part) if x > start else 0
            yield x, part
            x += cell_len(part.text)


def narrow(left: Sequence[LinePart], right: Sequence[LinePart], width: int) -> tuple[list[LinePart], list[LinePart]]:
    """The parts that fit in ``width`` cells. The highest rank is dropped first; within one rank, the last part.

    Parts of one rank with one target are dropped together.
    """
    sides = [*((part, False) for part in left), *((part, True) for part in right)]

    def split() -> tuple[list[LinePart], list[LinePart]]:
        return [part for part, is_right in sides if not is_right], [part for part, is_right in sides if is_right]

    while sides:
        left_now, right_now = split()
        middle = GAP_CELLS if left_now and right_now else 0
        if cells(left_now) + cells(right_now) + middle + 2 * EDGE_CELLS <= width:
            break
        last = max(reversed(sides), key=lambda side: side[0].rank)[0]
        if last.rank == 0:
            break
        sides = [side for side in sides if side[0] is not last and not _same(side[0], last)]
    return split()


def _same(part: LinePart, other: LinePart) -> bool:
    return bool(part.target) and (part.rank, part.target) == (other.rank, other.target)


def _gap(part: LinePart) -> int:
    return 1 if part.glued else GAP_CELLS

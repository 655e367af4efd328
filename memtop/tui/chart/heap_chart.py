"""Small charts of a heap and its garbage collections: one column per reading, and a mark below each collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from memtop.columns import ASCII_SPARKS, SPARKS
from memtop.runtimes.view import HeapPoint
from memtop.tui.drawing.cell_text import spark_lines
from memtop.units import count, size

ROWS: Final = 3
"""Lines of a chart if there is room, without its title and its marks."""
FRAME_ROWS: Final = 2
_LEAST_CELLS: Final = 12
_BESIDE_FROM: Final = 70
_GAP: Final = "   "


def heap_charts(
    points: Sequence[HeapPoint], titles: tuple[str, str], width: int, *, rows: int = ROWS, plain: bool = False
) -> list[str]:
    """The heap in use and, if it is reported, the number of objects, side by side if there is room.

    A chart has ``rows`` lines, and FRAME_ROWS more.
    """
    charts: list[tuple[str, list[int | None], Callable[[float | None], str]]] = [
        (titles[0], [point.used_bytes for point in points], size)
    ]
    if any(point.objects is not None for point in points):
        charts.append((titles[1], [point.objects for point in points], count))
    beside = len(charts) > 1 and width >= _BESIDE_FROM
    cells = (width - len(_GAP)) // 2 if beside else width
    if cells < _LEAST_CELLS or len(points) < 2:
        return []
    marks = _marks([point.gcs for point in points], cells, plain=plain)
    drawn = []
    for name, values, text in charts:
        columns = _columns(values[-cells:], cells, rows, plain=plain)
        known = [value for value in values[-cells:] if value is not None]
        if known:
            said = f"{name} {text(values[-1])} (from {text(min(known))} to {text(max(known))})"
            drawn.append([said[:cells].ljust(cells), *columns, marks])
    if beside and len(drawn) == 2:
        return [_GAP.join(pair).rstrip() for pair in zip(*drawn, strict=True)]
    return [line.rstrip() for chart in drawn for line in chart]


def _columns(values: Sequence[int | None], cells: int, rows: int, *, plain: bool) -> list[str]:
    """Columns from zero to the largest value, top row first."""
    signs = ASCII_SPARKS if plain else SPARKS
    most = max((value for value in values if value is not None), default=0) or 1
    heights = [0 if value is None else max(1, round(value / most * rows * len(signs))) for value in values]
    return [line.ljust(cells) for line in spark_lines(heights, rows, signs)]


def _marks(gcs: Sequence[int | None], cells: int, *, plain: bool) -> str:
    """A mark under each reading that follows a collection, a bolder one for several."""
    one, more = ("'", '"') if plain else ("╵", "╹")
    found = []
    shown = list(gcs)[-cells - 1 :]
    for before, now in pairwise(shown):
        done = (now or 0) - (before or 0) if now is not None and before is not None else 0
        found.append(" " if done <= 0 else one if done == 1 else more)
    line = "".join(found if len(shown) > cells else [" ", *found])
    said = f"  {one} GC, {more} several"
    return line.ljust(cells) if len(line) + len(said) > cells else (line + said).ljust(cells)

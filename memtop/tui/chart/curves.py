"""Draws curves and the areas under them column by column, and caches each column.

Time moves through a chart by whole columns, so only the newest columns differ from one picture to the next, whatever
the width of the window. plotext draws only the new columns, so its cost does not depend on the size of the chart. A
column's cells follow from its :data:`_Key` alone, so a cached one is never wrong.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeGuard

from textual.strip import Strip

from memtop.columns import SPARKS
from memtop.tui.chart.chart_styles import FULL, LINE_ASCII, TEXTURES, ChartStyle, ChartStyles, Glyphs

DOTS_PER_COLUMN: Final = 2
DOTS_PER_ROW: Final = 4
"""Of a cell of braille."""
EIGHTHS_PER_ROW: Final = 8
"""Of a cell of block characters; two of them are as high as a dot, so areas and lines share one grid."""
_WORTH_A_RUN: Final = 3
"""Up to this many known columns between two new ones are drawn again, which is cheaper than a second call of
plotext."""

Rows = list[list[Any]]
Cells = tuple[list[str], list[Any], list[Any]]
"""One column from the top: characters, styles, background styles."""
_Dots = tuple[tuple[int | None, ...], ...]
"""The dots of each curve in a column and the next dot."""
_Key = tuple[tuple[int | None, ...], ...]
"""The same; last the height of each area in eighths of a row."""


class Curve(NamedTuple):
    """A line, or the upper edge of an area that is stacked on the one before it.

    Places are between 0 and 1 over the width and the height; None is a gap.
    """

    across: Sequence[float]
    up: Sequence[float | None]
    ink: ChartStyle


@dataclass(slots=True)
class DrawnCurves:
    """The columns and lines of the last picture, which can be used again."""

    kind: object = None
    """What all of them have in common. With another height, look or set of curves, none can be used."""
    columns: dict[_Key, Cells] = field(default_factory=dict)
    plotted: dict[_Dots, Cells] = field(default_factory=dict)
    """The columns without areas: VIRT stays level while RES moves under it."""
    lines: list[tuple[Rows, Strip]] = field(default_factory=list)
    """The finished lines, each with the characters and styles that it was made of."""
    inks: ChartStyles | None = None
    """The styles of the lines."""


@cache
def plotext() -> Any:
    """Return the class of plotext's plots, by its public names.

    The first chart imports it, so that its 30 ms are not spent before the first frame. Its modules are forgotten: the
    class keeps those that draw, and the others (help, images, dates) take 0.7 MB.
    """
    plots = type(import_module("plotext").active().monitor)
    for name in list(sys.modules):  # a copy: other threads import, too
        if name.partition(".")[0] == "plotext":
            del sys.modules[name]
    return plots


def draw(
    columns: int, rows: int, *, lines: Sequence[Curve], areas: Sequence[Curve], look: Glyphs, drawn: DrawnCurves
) -> list[Cells]:
    """The columns of a plot, left to right. ``drawn`` provides cached columns, and then holds these."""
    wide, high = (1, 1) if look is Glyphs.ASCII else (DOTS_PER_COLUMN, DOTS_PER_ROW)
    dots = [_dots(spread(line.across, line.up, columns * wide), rows * high - 1) for line in lines]
    heights = [spread(area.across, area.up, columns) for area in areas]
    tops = _under_lines(heights, rows) if look is Glyphs.ASCII else _tops(heights, rows)
    kind = (rows, look, tuple(line.ink for line in lines), tuple(area.ink for area in areas))
    known, plotted = (drawn.columns, drawn.plotted) if drawn.kind == kind else ({}, {})
    ups = list(zip(*tops, strict=True)) if tops else [()] * columns
    pieces = [[line[at : at + wide + 1] for at in range(0, columns * wide, wide)] for line in dots]
    bare: list[_Dots] = list(zip(*pieces, strict=True)) or [()] * columns
    keys: list[_Key] = list(zip(*pieces, ups, strict=True))
    found: list[Any] = list(map(known.get, keys))
    new = [column for column, cells in enumerate(found) if cells is None]
    unplotted = [column for column in new if bare[column] not in plotted]
    for start, end in _runs(unplotted):
        run = [line[start * wide : end * wide + 1] for line in dots]
        cells_of_run = _plotted(run, [line.ink for line in lines], end - start, rows, look)
        plotted.update(zip(bare[start:end], cells_of_run, strict=True))
    for column in new:
        markers, fore, back = plotted[bare[column]]
        cells = found[column] = markers[:], fore[:], back[:]
        _fill(cells, [(area.ink, top[column]) for area, top in zip(areas, tops, strict=True)], look)
    if new:  # what has left the plot is dropped when something comes: to hash a key costs as much as a cell
        drawn.kind, drawn.columns = kind, dict(zip(keys, found, strict=True))
    if unplotted:
        drawn.plotted = {one: plotted[one] for one in dict.fromkeys(bare)}
    return found


def spread(across: Sequence[float], values: Sequence[float | None], columns: int) -> list[float | None]:
    """One value for each column: the largest of its points; between two points, the line that joins them."""
    at, apiece = _columns_of(tuple(across), columns)
    if apiece == 1:
        return list(values)
    if apiece and None not in values:
        return list(map(max, *(values[first::apiece] for first in range(apiece))))
    out: list[float | None] = [None] * columns
    before: tuple[int, float] | None = None
    for column, value in zip(at, values, strict=True):
        if value is None:
            before = None
            continue
        if not 0 <= column < columns:
            continue
        if before is not None:
            start, first = before
            for between in range(start + 1, column):
                out[between] = first + (value - first) * (between - start) / (column - start)
        there = out[column]
        out[column] = value if there is None else max(there, value)
        before = column, value
    return out


@lru_cache(maxsize=8)
def _columns_of(across: tuple[float, ...], columns: int) -> tuple[tuple[int, ...], int]:
    """The column of each place, and how many places each column has if all have as many, in order; otherwise 0.

    It is cached, because values move through a chart and places do not.
    """
    at = tuple(math.floor(place * (columns - 1) + 0.5) for place in across)
    apiece = len(at) // columns if columns else 0
    return at, apiece if at == tuple(column for column in range(columns) for _ in range(apiece)) else 0


def _dots(places: Sequence[float | None], highest: int) -> tuple[int | None, ...]:
    """The dot of each place, counted from the bottom; None outside of the plot."""
    return tuple([None if place is None or not 0 <= place <= 1 else int(place * highest + 0.5) for place in places])


def _are_inside(places: Sequence[float | None]) -> TypeGuard[Sequence[float]]:
    """Whether all are known and in the plot, as most are: then no place needs a check of its own."""
    return bool(places) and None not in places and min(places) >= 0 and max(places) <= 1  # type: ignore[type-var,operator]


def _tops(heights: Sequence[Sequence[float | None]], rows: int) -> list[list[int | None]]:
    """Heights in eighths of a row."""
    highest = rows * EIGHTHS_PER_ROW
    return [
        [int(up * highest + 0.5) for up in layer]
        if _are_inside(layer)
        else [None if up is None else int(min(max(up, 0.0), 1.0) * highest + 0.5) for up in layer]
        for layer in heights
    ]


def _under_lines(heights: Sequence[Sequence[float | None]], rows: int) -> list[list[int | None]]:
    """Heights where a line of characters is the upper edge of each column: no area reaches into its row."""
    tops = _tops(heights, rows)
    for column, ups in enumerate(zip(*heights, strict=True)):
        line = next((up for up in reversed(ups) if up is not None), None)
        if line is not None:
            below = math.floor(min(max(line, 0.0), 1.0) * (rows - 1) + 0.5)
            for layer in tops:
                layer[column] = None if (top := layer[column]) is None else min(top, below * EIGHTHS_PER_ROW)
    return tops


def _runs(columns: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighboring columns as (first, last + 1)."""
    start: int | None = None
    last = 0
    for column in columns:
        if start is not None and column - last > _WORTH_A_RUN:
            yield start, last + 1
            start = None
        start, last = column if start is None else start, column
    if start is not None:
        yield start, last + 1


def _plotted(
    lines: Sequence[Sequence[int | None]], inks: Sequence[ChartStyle], columns: int, rows: int, look: Glyphs
) -> list[Cells]:
    """plotext's cells for lines given in dots. Their last dot is right of the plot, and only leads the line there."""
    wide, high = (1, 1) if look is Glyphs.ASCII else (DOTS_PER_COLUMN, DOTS_PER_ROW)
    plot = plotext()()
    plot.set_size([columns + 1, rows])
    plot.canvas_color = plot.axes_color = ChartStyle.GROUND
    plot.set_xaxes(False, False)
    plot.set_yaxes(False, False)
    plot.set_xlim(0, (columns + 1) * wide - 1)
    plot.set_ylim(0, rows * high - 1, "left")
    plot.set_xticks([], [])
    plot.set_yticks([], [], "left")
    for line, ink in zip(lines, inks, strict=True):
        bends = _bends(line)
        plot.draw(
            bends,
            [line[dot] for dot in bends],
            lines=True,
            marker=LINE_ASCII.get(ink, "*") if look is Glyphs.ASCII else "braille",
            color=ink,
        )
    plot.build_plot()
    matrix = plot.matrix
    layers = (zip(*layer[::-1], strict=True) for layer in (matrix.marker, matrix.fullground, matrix.background))
    return [
        (list(marker), list(fore), list(back)) for _, marker, fore, back in zip(range(columns), *layers, strict=False)
    ]


def _bends(dots: Sequence[int | None]) -> list[int]:
    """Where a line begins, ends or turns. Leaving out flat parts gives the same picture in less time."""
    last = len(dots) - 1
    return [at for at, dot in enumerate(dots) if not (0 < at < last and dots[at - 1] == dot == dots[at + 1])]


def _fill(cells: Cells, areas: Sequence[tuple[ChartStyle, int | None]], look: Glyphs) -> None:
    """Stack areas in a column, each up to its height in eighths of a row from the foot."""
    spans: list[tuple[ChartStyle, int, int]] = []
    floor = 0
    for ink, top in areas:
        if top is not None and top > floor:
            spans.append((ink, floor, top))
            floor = top
    rows = len(cells[0])
    for level in range(min(rows, -(-floor // EIGHTHS_PER_ROW))):
        foot, head = level * EIGHTHS_PER_ROW, (level + 1) * EIGHTHS_PER_ROW
        parts = [(ink, min(top, head) - max(low, foot)) for ink, low, top in spans if low < head and top > foot]
        _fill_cell(cells, rows - 1 - level, parts, look)


def _fill_cell(cells: Cells, row: int, parts: Sequence[tuple[ChartStyle, int]], look: Glyphs) -> None:
    """Draw the areas in one cell, each with its eighths, from the foot. A cell holds two colors: the lowest stays."""
    markers, fore, back = cells
    textures = TEXTURES[look]
    rest = EIGHTHS_PER_ROW - sum([eighths for _, eighths in parts])
    largest, most = max(parts, key=itemgetter(1)) if len(parts) > 1 else parts[0]
    if markers[row] != " " and (look is Glyphs.ASCII or (look is Glyphs.SHADED and not rest)):  # a line before an area
        if look is Glyphs.SHADED:
            back[row] = largest
        return  # in the cell of the upper edge a line gives way: VIRT is hardly more than RES there
    lowest, begun = parts[0]
    if begun == EIGHTHS_PER_ROW or look is Glyphs.ASCII or (lowest in textures and textures[lowest] != FULL):
        if most >= rest:
            _fill_whole(cells, row, largest, look)
        return
    upper = max([*parts[1:], (ChartStyle.GROUND, rest)], key=lambda part: part[1])[0]
    if upper in textures:
        _fill_whole(cells, row, largest, look)
    else:
        markers[row], fore[row], back[row] = SPARKS[begun - 1], lowest, upper


def _fill_whole(cells: Cells, row: int, ink: ChartStyle, look: Glyphs) -> None:
    markers, fore, back = cells
    texture = TEXTURES[look].get(ink)
    if texture is not None:
        markers[row], fore[row] = texture, ink
    if look is Glyphs.SHADED:
        back[row] = ink

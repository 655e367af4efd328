"""Canvas of the charts: plotext draws curves, and this module colors its matrix and cuts it into Strips.

plotext (5.3) knows no themes. It gets the numbers of ``ChartStyle`` as colors, and each becomes a theme's style here.
Its matrix of cells is used directly, because making escape codes of it and parsing them again takes ten times as long.
Only this module and :mod:`memtop.tui.chart.curves` use plotext, and pass it only positions and cleaned text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress, count
from operator import is_not, or_
from typing import Any, Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from memtop.sanitize import clean
from memtop.tui.chart.chart_styles import AREAS, ChartStyle, ChartStyles, Glyphs, area_color
from memtop.tui.chart.curves import DOTS_PER_COLUMN, DOTS_PER_ROW, Cells, Curve, DrawnCurves, Rows, draw, plotext
from memtop.tui.drawing.cell_text import ASCII_LIKE

LABEL_CELLS: Final = 6
"""Width of the labels of a y axis. It is constant, so that the plot does not move when a label grows."""
AXES_FROM: Final = (28, 5)
"""Columns and rows below which a chart is all plot and no axes."""
_LOW_BELOW: Final = 14
"""Rows below which the time labels stand in the line of the axis, so that the plot has a row more."""
_FOOT_LINE: Final = frozenset(" ─┬┴└┘")
"""Characters at the foot that are not of a label."""
BRAILLE: Final = 0x2800
_DOT_BITS: Final = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""Bits of a braille character by column, then by row from the foot."""
_TO_ASCII: Final = str.maketrans(ASCII_LIKE | dict(zip("┤├┬┴└┘┼┌┐╌┈┊╷", "||+++++++-.:'", strict=True)))
Ticks = Sequence[tuple[float, str]]


def foot_rows(width: int, height: int) -> int:
    """Rows of a chart that its time axis takes."""
    if width < AXES_FROM[0] or height < AXES_FROM[1]:
        return 0
    return 1 if height < _LOW_BELOW else 2


@lru_cache(maxsize=2)
def _frame(width: int, height: int, left: Ticks, right: Ticks, bottom: Ticks) -> tuple[Rows, Rows, Rows]:
    """Axes and their labels as plotext draws them around an empty plot: characters, styles, background styles."""
    is_low = bool(bottom) and foot_rows(width, height) == 1
    plot = plotext()()
    plot.set_size([width, height + is_low])
    plot.canvas_color = plot.axes_color = ChartStyle.GROUND
    plot.ticks_color = ChartStyle.AXIS
    plot.set_xaxes(bool(bottom), False)
    plot.set_yaxes(bool(left), bool(right))
    plot.set_xlim(0, 1)
    plot.set_xticks([place for place, _ in bottom], [text for _, text in bottom])
    for side, ticks in (("left", left), ("right", right)):
        plot.set_ylim(0, 1, side)
        texts = [text[:LABEL_CELLS] for _, text in ticks]
        padded = [text.rjust(LABEL_CELLS) if side == "left" else text.ljust(LABEL_CELLS) for text in texts]
        plot.set_yticks([place for place, _ in ticks], padded, side)
        if ticks or side == "left":  # an axis without data would lose its ticks
            plot.draw([0.0], [-1.0], marker=".", color=ChartStyle.GROUND, yside=side)
    plot.build_plot()
    matrix = plot.matrix
    layers = matrix.marker[::-1], matrix.fullground[::-1], matrix.background[::-1]
    return _with_labels_in_the_line(layers) if is_low else layers


def _with_labels_in_the_line(layers: tuple[Rows, Rows, Rows]) -> tuple[Rows, Rows, Rows]:
    """The layers with one row instead of the last two: each label in the line above it, with a blank on either side."""
    text = layers[0][-1]
    taken = [
        at
        for at in range(len(text))
        if any(text[near] != " " for near in range(max(0, at - 1), min(len(text), at + 2)))
    ]
    merged = []
    for layer in layers:
        line = list(layer[-2])
        for at in taken:
            line[at] = layer[-1][at]
        merged.append([*layer[:-2], line])
    return merged[0], merged[1], merged[2]


class Canvas:
    """A chart being drawn. Cells of the plot, inside the axes, are counted from the top left."""

    def __init__(
        self,
        width: int,
        height: int,
        *,
        lines: Sequence[Curve] = (),
        areas: Sequence[Curve] = (),
        left: Ticks = (),
        right: Ticks = (),
        bottom: Ticks = (),
        look: Glyphs = Glyphs.SHADED,
        drawn: DrawnCurves | None = None,
    ) -> None:
        self.width, self.height, self.look = width, height, look
        self._drawn = DrawnCurves() if drawn is None else drawn
        roomy = width >= AXES_FROM[0] and height >= AXES_FROM[1]
        left, right, bottom = (left, right, bottom) if roomy else ((), (), ())
        self.left = LABEL_CELLS + 1 if left else 0
        self.right_margin = LABEL_CELLS + 1 if right else 0
        self.foot = foot_rows(width, height) if bottom else 0
        self.columns = width - self.left - self.right_margin
        self.rows = height - self.foot
        self._written: set[tuple[int, int]] = set()
        """Column and row of each cell of a text, which nothing is drawn over: its blanks belong to it."""
        self._marker: Rows = [[" "] * width for _ in range(height)]
        self._fore: Rows = [[ChartStyle.GROUND] * width for _ in range(height)]
        self._back: Rows = [[ChartStyle.GROUND] * width for _ in range(height)]
        if self.columns < 2 or self.rows < 2:
            return
        if left or right or bottom:
            frame = _frame(width, height, tuple(left), tuple(right), tuple(bottom))
            self._marker, self._fore, self._back = ([row[:] for row in layer] for layer in frame)
        if lines:
            self._paste(draw(self.columns, self.rows, lines=lines, areas=areas, look=look, drawn=self._drawn))

    def _paste(self, columns: Sequence[Cells]) -> None:
        """Copy what was drawn inside the axes."""
        inside = slice(self.left, self.left + self.columns)
        for layer, drawn in zip((self._marker, self._fore, self._back), zip(*columns, strict=True), strict=True):
            for row, cells in zip(layer, zip(*drawn, strict=True), strict=False):
                row[inside] = cells

    def column(self, across: float) -> int:
        """The column of a place between 0 (left) and 1 (right)."""
        return math.floor(across * (self.columns - 1) + 0.5)

    def row(self, up: float) -> int:
        """The row of a place between 0 (foot) and 1 (top); plotext rounds its lines the same way."""
        return self.rows - 1 - self._dot_row(up) // DOTS_PER_ROW

    def blank(self, column: int, row: int, cells: int = 1) -> bool:
        """Whether this many cells of the plot from here on are empty, except perhaps for an area."""
        start = self.left + column
        return (
            0 <= row < self.rows
            and 0 <= column <= self.columns - cells
            and self._marker[row][start : start + cells].count(" ") == cells
            and not self.has_text(column, row, cells)
        )

    def put_where_blank(self, row: int, character: str, ink: ChartStyle) -> None:
        """Write a character into every blank cell of a row."""
        if not 0 <= row < self.rows:
            return
        markers, fore = self._marker[row], self._fore[row]
        texts = {self.left + column for column, at in self._written if at == row}
        for place in range(self.left, self.left + self.columns):
            if markers[place] == " " and place not in texts:
                markers[place], fore[place] = character, ink

    def has_text(self, column: int, row: int, cells: int) -> bool:
        """Whether one of this many cells of the plot belongs to a text."""
        return bool(self._written) and any((at, row) in self._written for at in range(column, column + cells))

    def put(self, column: int, row: int, character: str, ink: ChartStyle) -> None:
        """Write one cell of the plot and keep its background. Cells outside are dropped."""
        if 0 <= row < self.rows and 0 <= column < self.columns:
            self._marker[row][self.left + column] = character
            self._fore[row][self.left + column] = ink

    def dot(self, across: float, up: float, ink: ChartStyle) -> None:
        """Add a dot of braille at a place between 0 and 1 of the plot, where no other character stands."""
        place = math.floor(across * (self.columns * DOTS_PER_COLUMN - 1) + 0.5)
        column, row = place // DOTS_PER_COLUMN, self.row(up)
        if not (0 <= row < self.rows and 0 <= column < self.columns) or (column, row) in self._written:
            return
        marker = self._marker[row][self.left + column]
        if self.look is Glyphs.ASCII:
            if marker == " ":
                self.put(column, row, ".", ink)
        elif marker == " " or BRAILLE <= ord(marker) < BRAILLE + 256:
            bits = ord(marker) - BRAILLE if marker != " " else 0
            bits |= _DOT_BITS[place % DOTS_PER_COLUMN][self._dot_row(up) % DOTS_PER_ROW]
            self.put(column, row, chr(BRAILLE | bits), ink)

    def level(self, up: float, *, dense: bool) -> str:
        """The character of a level line at this height: one dot of braille a cell, two where it is ``dense``."""
        if self.look is Glyphs.ASCII:
            return "-" if dense else "."
        bits = _DOT_BITS if dense else _DOT_BITS[:1]
        return chr(BRAILLE | sum(column[self._dot_row(up) % DOTS_PER_ROW] for column in bits))

    def _dot_row(self, up: float) -> int:
        return math.floor(up * (self.rows * DOTS_PER_ROW - 1) + 0.5)

    def put_text(self, column: int, row: int, text: str, ink: ChartStyle) -> None:
        """Write text into the plot. Every character takes one cell."""
        for offset, character in enumerate(narrow(text)):
            self.put(column + offset, row, character, ink)
            self._written.add((column + offset, row))

    def under(self, column: int, row: int, ink: ChartStyle) -> None:
        """Color the background of a cell of the plot."""
        if 0 <= row < self.rows and 0 <= column < self.columns:
            self._back[row][self.left + column] = ink

    def put_foot(self, column: int, text: str, ink: ChartStyle) -> None:
        """Write into the line of the time labels, centered on a column of the plot."""
        if not self.foot:
            return
        start = min(max(0, self.left + column - len(text) // 2), max(0, self.width - len(text)))
        foot, rest = self._marker[self.height - 1], "─" if self.foot == 1 else " "
        for way in (-1, 1):  # a label that is half covered would be misread
            edge = start if way < 0 else start + len(text) - 1
            while 0 <= edge < self.width and foot[edge] not in _FOOT_LINE:
                foot[edge] = rest
                edge += way
            if self.foot == 1 and 0 <= edge - way < self.width and foot[edge - way] == rest and 0 <= edge < self.width:
                foot[edge] = rest  # the blank beside a label that has gone
        for offset, character in enumerate(narrow(text)[: self.width]):
            self._marker[self.height - 1][start + offset] = character
            self._fore[self.height - 1][start + offset] = ink

    def tint_labels(self, left: ChartStyle, right: ChartStyle) -> None:
        """Give the labels of the y axes the styles of their curves."""
        for row in range(self.rows):
            for column in range(max(0, self.left - 1)):
                self._fore[row][column] = left
            for column in range(self.width - max(0, self.right_margin - 1), self.width):
                self._fore[row][column] = right

    def strips(self, inks: ChartStyles) -> list[Strip]:
        """The finished chart, one Strip per row. A row that has not changed is the same Strip."""
        drawn = self._drawn
        before = drawn.lines if drawn.inks is inks else []
        styles: dict[tuple[Any, Any], Style] = {}
        lines: list[tuple[Rows, Strip]] = []
        for y, layers in enumerate(zip(self._marker, self._fore, self._back, strict=True)):
            row = list(layers)
            same = y < len(before) and before[y][0] == row
            lines.append(before[y] if same else (row, self._strip(row, inks, styles)))
        drawn.lines, drawn.inks = lines, inks
        return [strip for _, strip in lines]

    def _strip(self, row: Rows, inks: ChartStyles, styles: dict[tuple[Any, Any], Style]) -> Strip:
        markers, fore, back = row
        text = "".join(markers)
        if self.look is Glyphs.ASCII:
            text = _ascii_cells(text)
        turns = map(or_, map(is_not, fore[1:], fore), map(is_not, back[1:], back))
        segments = []
        start = 0
        for end in [*compress(count(1), turns), len(text)]:
            pair = fore[start], back[start]
            style = styles.get(pair)
            if style is None:
                style = styles[pair] = _style(pair, inks)
            segments.append(Segment(text[start:end], style))
            start = end
        return Strip(segments, self.width)


def _style(pair: tuple[Any, Any], inks: ChartStyles) -> Style:
    """The style of a cell. The edge of an area is drawn as a character in the area's color."""
    fore, back = (ink if isinstance(ink, ChartStyle) else ChartStyle.GROUND for ink in pair)
    if fore in AREAS:
        return _with(inks[back], area_color(fore, inks), inks[back].bgcolor)
    if back is ChartStyle.GROUND:
        return inks[fore]
    return _with(inks[fore], None, inks[back].bgcolor)


@lru_cache(maxsize=64)
def _with(style: Style, color: Color | None, bgcolor: Color | None) -> Style:
    """A combined style, the same object from chart to chart, because Rich caches a style's escape codes in it."""
    return style + Style(color=color, bgcolor=bgcolor)


def narrow(text: str) -> str:
    """Clean text in which each character takes one cell. Wide ones become ``?``."""
    text = clean(text)
    return text if text.isascii() else "".join(character if cell_len(character) == 1 else "?" for character in text)


def _ascii_cells(text: str) -> str:
    """Cells for --ascii, as many as before: lines as ``|-+``, signs as elsewhere, the rest as ``?``."""
    return text if text.isascii() else text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")

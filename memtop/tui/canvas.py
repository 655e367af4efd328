"""From curves to lines of cells: plotext draws, this module colours its matrix and cuts it into Strips.

plotext (5.3) knows no themes, so it is given the numbers of an :class:`Ink` as colours, and each ink becomes a style
here. Its matrix of cells is taken as it is: making escape codes of it and parsing them again costs ten times as
much. Nothing outside :class:`Canvas` touches plotext, and it gets only numbers between 0 and 1 and clean text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import groupby
from typing import Any, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from memtop.columns import ASCII_SPARKS, SPARKS
from memtop.text import clean
from memtop.tui.ink import AREAS, LINE_ASCII, TEXTURES, Ink, Inks, Look, area_color

DOTS_PER_COLUMN: Final = 2
DOTS_PER_ROW: Final = 4
LABEL_CELLS: Final = 6
"""Width of the labels of a y axis: constant, so that the plot does not move when a label grows."""
AXES_FROM: Final = (28, 5)
"""Columns and rows below which a chart is all plot and no axes."""
_TO_ASCII: Final = str.maketrans("│┤├─┬┴└┘┼┌┐╌┈┊╷", "|||-+++++++-.:'") | {ord("–"): "-", ord("…"): "~"}
Ticks = Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line to draw. Places are between 0 and 1 over the width and the height; None is a gap."""

    across: Sequence[float]
    up: Sequence[float | None]
    ink: Ink
    right: bool = False
    """Belongs to the right-hand axis."""


@cache
def _plotext() -> Any:
    """plotext's plot, imported at the first chart: its 30 ms are not spent before the first frame."""
    return import_module("plotext._monitor").monitor_class


class Canvas:
    """A chart being drawn. Cells of the plot, inside the axes, are addressed from the top left."""

    def __init__(
        self,
        width: int,
        height: int,
        curves: Sequence[Curve] = (),
        *,
        left: Ticks = (),
        right: Ticks = (),
        bottom: Ticks = (),
        look: Look = Look.SHADED,
    ) -> None:
        self.width, self.height, self.look = width, height, look
        self._marker = [[" "] * width for _ in range(height)]
        self._fore: list[list[Any]] = [[Ink.GROUND] * width for _ in range(height)]
        self._back: list[list[Any]] = [[Ink.GROUND] * width for _ in range(height)]
        roomy = width >= AXES_FROM[0] and height >= AXES_FROM[1]
        self.left = LABEL_CELLS + 1 if roomy and left else 0
        self.right_margin = LABEL_CELLS + 1 if roomy and right else 0
        self.foot = 2 if roomy and bottom else 0
        self.columns = width - self.left - self.right_margin
        self.rows = height - self.foot
        if self.columns >= 2 and self.rows >= 2:
            self._draw(curves, left, right, bottom)

    def _draw(self, curves: Sequence[Curve], left: Ticks, right: Ticks, bottom: Ticks) -> None:
        plot = _plotext()()
        plot.set_size([self.width, self.height])
        plot.canvas_color = plot.axes_color = Ink.GROUND
        plot.ticks_color = Ink.AXIS
        plot.set_xaxes(bool(self.foot), False)
        plot.set_yaxes(bool(self.left), bool(self.right_margin))
        sides = ("left", "right") if right else ("left",)
        for side, ticks, shown in (("left", left, self.left), ("right", right, self.right_margin)):
            plot.set_ylim(0, 1, side)
            if shown:
                texts = [
                    text[:LABEL_CELLS].rjust(LABEL_CELLS) if side == "left" else text[:LABEL_CELLS].ljust(LABEL_CELLS)
                    for _, text in ticks
                ]
                plot.set_yticks([place for place, _ in ticks], texts, side)
            else:
                plot.set_yticks([], [], side)
        plot.set_xlim(0, 1)
        plot.set_xticks(*(([p for p, _ in bottom], [t for _, t in bottom]) if self.foot else ([], [])))
        for side in sides:  # an axis without data would lose its ticks
            plot.draw([0.0], [-1.0], marker=".", color=Ink.GROUND, yside=side)
        for curve in curves:
            across, up = self._bends(curve)
            plot.draw(
                across,
                up,
                lines=True,
                marker=LINE_ASCII.get(curve.ink, "*") if self.look is Look.ASCII else "braille",
                color=curve.ink,
                yside="right" if curve.right and right else "left",
            )
        plot.build_plot()
        matrix = plot.matrix
        self._marker = matrix.marker[::-1]
        self._fore = matrix.fullground[::-1]
        self._back = matrix.background[::-1]

    def _bends(self, curve: Curve) -> tuple[list[float], list[float | None]]:
        """The curve without the points inside flat stretches: the same picture for a fraction of plotext's time."""
        scale = self.rows * (1 if self.look is Look.ASCII else DOTS_PER_ROW) - 1
        dots = [None if place is None else math.floor(place * scale + 0.5) for place in curve.up]
        last = len(dots) - 1
        kept = [
            index
            for index, dot in enumerate(dots)
            if not (0 < index < last and dots[index - 1] == dot == dots[index + 1])
        ]
        return [curve.across[index] for index in kept], [curve.up[index] for index in kept]

    def column(self, across: float) -> int:
        """The column of a place between 0 (left) and 1 (right)."""
        return math.floor(across * (self.columns - 1) + 0.5)

    def row(self, up: float) -> int:
        """The row of a place between 0 (foot) and 1 (top); plotext rounds its lines the same way."""
        return self.rows - 1 - math.floor(up * (self.rows * DOTS_PER_ROW - 1) + 0.5) // DOTS_PER_ROW

    def blank(self, column: int, row: int, cells: int = 1) -> bool:
        """Whether so many cells of the plot from here hold nothing but, perhaps, an area."""
        start = self.left + column
        return (
            0 <= row < self.rows
            and 0 <= column <= self.columns - cells
            and all(marker == " " for marker in self._marker[row][start : start + cells])
        )

    def put(self, column: int, row: int, character: str, ink: Ink) -> None:
        """Write one cell of the plot, leaving its background; what is outside is dropped."""
        if 0 <= row < self.rows and 0 <= column < self.columns:
            self._marker[row][self.left + column] = character
            self._fore[row][self.left + column] = ink

    def put_text(self, column: int, row: int, text: str, ink: Ink) -> None:
        """Write text into the plot; every character takes one cell."""
        for offset, character in enumerate(narrow(text)):
            self.put(column + offset, row, character, ink)

    def under(self, column: int, row: int, ink: Ink) -> None:
        """Colour the background of a cell of the plot."""
        if 0 <= row < self.rows and 0 <= column < self.columns:
            self._back[row][self.left + column] = ink

    def put_foot(self, column: int, text: str, ink: Ink) -> None:
        """Write into the line of the time labels, centred on a column of the plot."""
        if not self.foot:
            return
        start = min(max(0, self.left + column - len(text) // 2), max(0, self.width - len(text)))
        foot = self._marker[self.height - 1]
        for way in (-1, 1):  # a label half covered would be read wrongly
            edge = start if way < 0 else start + len(text) - 1
            while 0 <= edge < self.width and foot[edge] != " ":
                foot[edge] = " "
                edge += way
        for offset, character in enumerate(narrow(text)[: self.width]):
            self._marker[self.height - 1][start + offset] = character
            self._fore[self.height - 1][start + offset] = ink

    def tint_labels(self, left: Ink, right: Ink) -> None:
        """Give the labels of the y axes the inks of the curves they belong to."""
        for row in range(self.rows):
            for column in range(max(0, self.left - 1)):
                self._fore[row][column] = left
            for column in range(self.width - max(0, self.right_margin - 1), self.width):
                self._fore[row][column] = right

    def fill(self, layers: Sequence[tuple[Ink, Sequence[float | None]]]) -> None:
        """Areas stacked under a curve: for each column of each layer how far up it reaches, rising from layer to layer.

        The uppermost layer ends at the row nearest to its top; the others between two eighths of a row.
        """
        for column in range(self.columns):
            floor = 0.0  # in rows
            tops = [None if heights[column] is None else heights[column] for _, heights in layers]
            last = max((number for number, top in enumerate(tops) if top is not None), default=-1)
            for number, top in enumerate(tops):
                if top is None:
                    continue
                ceiling = min(max(top, 0.0), 1.0) * self.rows
                if number == last:
                    ceiling = float(math.floor(ceiling + 0.5))
                self._stack(column, floor, max(floor, ceiling), layers[number][0])
                floor = max(floor, ceiling)

    def _stack(self, column: int, floor: float, ceiling: float, ink: Ink) -> None:
        """Fill one column from floor to ceiling (in rows from the foot); a cell begun by another layer is shared."""
        if ceiling <= floor:
            return
        x, textures = self.left + column, TEXTURES[self.look]
        for level in range(int(floor), math.ceil(ceiling - 1e-9)):
            row = self.rows - 1 - level
            marker, below = self._marker[row][x], self._back[row][x]
            begun = floor - level  # how much of the cell the layers below have taken
            if ink in textures:
                if marker == " " and begun <= 0.5 and ceiling - level >= 0.5:
                    self._marker[row][x], self._fore[row][x] = textures[ink], ink
            elif begun > 0 and marker == " ":
                eighths = round(begun * 8)
                if 0 < eighths < 8 and below in AREAS:
                    self._marker[row][x], self._fore[row][x] = SPARKS[eighths - 1], below
                if eighths < 8:
                    self._back[row][x] = ink
            elif begun <= 0.5:
                self._back[row][x] = ink

    def strips(self, inks: Inks) -> list[Strip]:
        """The finished chart, one Strip a row."""
        styles: dict[tuple[Any, Any], Style] = {}
        strips = []
        for markers, fore, back in zip(self._marker, self._fore, self._back, strict=True):
            segments = []
            start = 0
            for pair, run in groupby(zip(fore, back, strict=True)):
                length = sum(1 for _ in run)
                text = "".join(markers[start : start + length])
                start += length
                if pair not in styles:
                    styles[pair] = _style(pair, inks)
                segments.append(Segment(_ascii_cells(text) if self.look is Look.ASCII else text, styles[pair]))
            strips.append(Strip(segments, self.width))
        return strips


def _style(pair: tuple[Any, Any], inks: Inks) -> Style:
    """The style of a cell; the edge of an area is drawn as a character in the area's colour."""
    fore, back = (ink if isinstance(ink, Ink) else Ink.GROUND for ink in pair)
    if fore in AREAS:
        return inks[back] + Style(color=area_color(fore, inks), bgcolor=inks[back].bgcolor)
    if back is Ink.GROUND:
        return inks[fore]
    return inks[fore] + Style(bgcolor=inks[back].bgcolor)


def narrow(text: str) -> str:
    """Clean text in which each character takes one cell; wide ones become ``?``."""
    return "".join(character if cell_len(character) == 1 else "?" for character in clean(text))


def _ascii_cells(text: str) -> str:
    """Cells for --ascii, as many as before: lines as ``|-+``, whatever else is not ASCII as ``?``."""
    return text if text.isascii() else text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")


def spread(across: Sequence[float], values: Sequence[float | None], columns: int) -> list[float | None]:
    """One value for each column: the largest of its points, and between two points the line that joins them."""
    out: list[float | None] = [None] * columns
    before: tuple[int, float] | None = None
    for place, value in zip(across, values, strict=True):
        if value is None:
            before = None
            continue
        column = math.floor(place * (columns - 1) + 0.5)
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


def bars(
    heights: Iterable[float | None], rows: int, ink: Ink, inks: Inks, *, look: Look, cursor: int | None = None
) -> list[Strip]:
    """A bar for each column, 0 to 1 high, in eighths of a row; what is not zero shows at least one eighth."""
    sparks = ASCII_SPARKS if look is Look.ASCII else SPARKS
    columns = list(heights)
    canvas = Canvas(len(columns), rows, look=look)
    for column, height in enumerate(columns):
        if height is not None and height > 0:
            eighths = max(1, round(min(height, 1.0) * rows * 8))
            for level in range(math.ceil(eighths / 8)):
                canvas.put(column, rows - 1 - level, sparks[min(8, eighths - 8 * level) - 1], ink)
        if column == cursor:
            for row in range(rows):
                canvas.under(column, row, Ink.CURSOR)
    return canvas.strips(inks)

"""Lines of a terminal as SVG that looks the same everywhere.

Textual's own export asks for a font from the web and leaves blocks, braille dots and frames to whatever font there
is. Here these are drawn as shapes, and each run of letters is held to its cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from rich.color_triplet import ColorTriplet
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual._ansi_theme import MONOKAI
from textual.strip import Strip

CELL: Final = (9.0, 20.0)
"""Width and height, in pixels."""
FONT_SIZE: Final = 14.95
"""At which a letter of DejaVu Sans Mono is as wide as a cell."""
FONT: Final = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
EDGE: Final = 10.0
DIM: Final = 0.55
_THEME: Final[TerminalTheme] = MONOKAI

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_ARMS: Final = {
    "│": _UP | _DOWN, "┃": _UP | _DOWN, "─": _LEFT | _RIGHT, "━": _LEFT | _RIGHT, "┼": _UP | _DOWN | _LEFT | _RIGHT,
    "┤": _UP | _DOWN | _LEFT, "├": _UP | _DOWN | _RIGHT, "┬": _DOWN | _LEFT | _RIGHT, "┴": _UP | _LEFT | _RIGHT,
    "┌": _DOWN | _RIGHT, "┐": _DOWN | _LEFT, "└": _UP | _RIGHT, "┘": _UP | _LEFT,
    "╭": _DOWN | _RIGHT, "╮": _DOWN | _LEFT, "╰": _UP | _RIGHT, "╯": _UP | _LEFT,
}  # fmt: skip
_BLOCKS: Final = {
    **{character: (0.0, 1 - eighths / 8, 1.0, eighths / 8) for eighths, character in enumerate("▁▂▃▄▅▆▇█", 1)},
    **{character: (0.0, 0.0, (8 - eighths) / 8, 1.0) for eighths, character in enumerate("▉▊▋▌▍▎▏", 1)},
    "▔": (0.0, 0.0, 1.0, 0.125),
    "▕": (0.875, 0.0, 0.125, 1.0),
    "▐": (0.5, 0.0, 0.5, 1.0),
}
"""x, y, width and height as parts of the cell."""
_LETTERS: Final = "–Δ°×±…“”’·●■►▼▲←→↑↓Σ≤"
"""Drawn as letters, with those around them: the font has them, one cell wide."""
_BRAILLE_DOTS: Final = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each bit."""


class _Run(NamedTuple):
    """Cells of one line that look alike."""

    x: int
    y: int
    text: str
    cells: int
    style: Style


def svg(strips: Sequence[Strip], width: int) -> str:
    """The lines as a picture of ``width`` cells."""
    cell_width, cell_height = CELL
    full_width, full_height = width * cell_width + 2 * EDGE, len(strips) * cell_height + 2 * EDGE
    runs = list(_runs(strips))
    area: Counter[str] = Counter()
    for run in runs:
        area[_colors(run.style)[1].hex] += run.cells
    ground = area.most_common(1)[0][0]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full_width:g} {full_height:g}">',
            "<style>text { white-space: pre; dominant-baseline: alphabetic }</style>",
            f'<rect width="{full_width:g}" height="{full_height:g}" rx="8" fill="{ground}"/>',
            f'<g transform="translate({EDGE:g},{EDGE:g})" font-family="{FONT}" font-size="{FONT_SIZE}">',
            *(_ground(run) for run in runs if _colors(run.style)[1].hex != ground),
            *(shape for run in runs for shape in _shapes(run)),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _runs(strips: Sequence[Strip]) -> Iterator[_Run]:
    for y, strip in enumerate(strips):
        x = 0
        for segment in strip:
            if segment.control or not segment.text:
                continue
            yield _Run(x, y, segment.text, segment.cell_length, segment.style or Style.null())
            x += segment.cell_length


def _colors(style: Style) -> tuple[ColorTriplet, ColorTriplet]:
    """Of the letters and of the ground."""
    front = style.color.get_truecolor(_THEME) if style.color is not None else _THEME.foreground_color
    back = style.bgcolor.get_truecolor(_THEME, False) if style.bgcolor is not None else _THEME.background_color
    return (back, front) if style.reverse else (front, back)


def _ground(run: _Run) -> str:
    width, height = CELL
    return (
        f'<rect x="{run.x * width:g}" y="{run.y * height:g}" width="{run.cells * width:g}" height="{height:g}" '
        f'fill="{_colors(run.style)[1].hex}" shape-rendering="crispEdges"/>'
    )


def _paint(style: Style) -> str:
    return f'"{_colors(style)[0].hex}"' + (f' opacity="{DIM}"' if style.dim else "")


def _shapes(run: _Run) -> Iterator[str]:
    """Letters in as few texts as possible, everything else cell by cell."""
    if len(run.text) != run.cells:  # wide characters
        yield _letters(run, 0, run.text, run.cells)
        return
    letters = ""
    for at, character in enumerate([*run.text, ""]):
        if character and (character.isascii() or character in _LETTERS):
            letters += character
            continue
        if letters.strip() or (letters and run.style.underline):
            yield _letters(run, at - len(letters), letters, len(letters))
        letters = ""
        if character:
            yield _drawn(run, at, character)


def _letters(run: _Run, at: int, text: str, cells: int) -> str:
    """A text of so many cells, ``at`` cells from the beginning of the run; blanks around it are not drawn."""
    width, height = CELL
    at += len(text) - len(text.lstrip(" "))
    cells -= len(text) - len(text.strip(" "))
    bold = ' font-weight="bold"' if run.style.bold else ""
    line = ' text-decoration="underline"' if run.style.underline else ""
    return (
        f'<text x="{(run.x + at) * width:g}" y="{(run.y + 0.74) * height:g}" textLength="{cells * width:g}" '
        f"fill={_paint(run.style)}{bold}{line}>{escape(text.strip(' ')).replace(' ', '&#160;')}</text>"
    )


def _drawn(run: _Run, at: int, character: str) -> str:
    """One cell as a shape, or as a letter where there is none for it."""
    width, height = CELL
    left, top = (run.x + at) * width, run.y * height
    paint = _paint(run.style)
    if character in _BLOCKS:
        part_x, part_y, part_width, part_height = _BLOCKS[character]
        return (
            f'<rect x="{left + part_x * width:g}" y="{top + part_y * height:g}" width="{part_width * width:g}" '
            f'height="{part_height * height:g}" fill={paint} shape-rendering="crispEdges"/>'
        )
    if character in _ARMS:
        weight = 2.5 if character in "┃━" else 1.2
        return f'<path d="{_frame(character, left, top)}" fill="none" stroke={paint} stroke-width="{weight}"/>'
    if "\u2800" <= character <= "\u28ff":
        bits = ord(character) - 0x2800
        dots = "".join(
            f"M{left + (column + 0.5) * width / 2 - 1.3:g} {top + (row + 0.5) * height / 4 - 1.3:g}h2.6v2.6h-2.6z"
            for bit, (column, row) in enumerate(_BRAILLE_DOTS)
            if bits >> bit & 1
        )
        return f'<path d="{dots}" fill={paint}/>'
    return _letters(run, at, character, 1)


def _frame(character: str, left: float, top: float) -> str:
    """The path of a line or a corner: arms from the middle of the cell to its edges."""
    width, height = CELL
    x, y = left + width / 2, top + height / 2
    edges = {_UP: (x, top), _DOWN: (x, top + height), _LEFT: (left, y), _RIGHT: (left + width, y)}
    ends = [edge for arm, edge in edges.items() if arm & _ARMS[character]]
    if character in "╭╮╰╯":
        (from_x, from_y), (to_x, to_y) = ends
        return f"M{from_x:g} {from_y:g}Q{x:g} {y:g} {to_x:g} {to_y:g}"
    return "".join(f"M{x:g} {y:g}L{to_x:g} {to_y:g}" for to_x, to_y in ends)

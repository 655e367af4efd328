"""Styles of chart cells, and their forms for terminals with few colors."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from rich.color import Color
from rich.style import Style


class ChartStyle(IntEnum):
    """What a cell shows. A theme gives each member its style. For plotext the numbers are colors and nothing else."""

    GROUND = 0
    AXIS = 1
    VIRT = 2
    RES = 3
    ANON = 4
    FILE = 5
    SHMEM = 6
    LIMIT = 7
    PEAK = 8
    MARK = 9
    CURSOR = 10
    MESSAGE = 11
    MINOR = 12
    MAJOR = 13
    WARNING = 14
    """A limit that a warning is about."""
    DANGER = 15


ChartStyles = Mapping[ChartStyle, Style]
Pieces = list[tuple[str, ChartStyle]]
ALWAYS: Final = 100
"""The rank of a number that is never dropped."""
AREAS: Final = (ChartStyle.ANON, ChartStyle.FILE, ChartStyle.SHMEM)
LINE_ASCII: Final = {ChartStyle.VIRT: "+", ChartStyle.RES: "*"}


class Glyphs(StrEnum):
    """What a terminal can show. It is looked up for every cell of an area, and a string is hashed once."""

    SHADED = "shaded"
    """Areas are shades of a color."""
    TEXTURED = "textured"
    """Areas are patterns: there are too few colors for shades, or none."""
    ASCII = "ascii"


FULL: Final = "█"
TEXTURES: Final[Mapping[Glyphs, Mapping[ChartStyle, str]]] = {
    Glyphs.SHADED: {ChartStyle.SHMEM: "▒"},
    Glyphs.TEXTURED: {ChartStyle.ANON: FULL, ChartStyle.FILE: "▒", ChartStyle.SHMEM: "░"},
    Glyphs.ASCII: {ChartStyle.ANON: "#", ChartStyle.FILE: "=", ChartStyle.SHMEM: "."},
}


def area_color(ink: ChartStyle, inks: ChartStyles) -> Color | None:
    """The color of an area as a character: its shade, or the color of its texture."""
    return inks[ink].color if ink is ChartStyle.SHMEM else inks[ink].bgcolor or inks[ink].color


class Fact(NamedTuple):
    """A number in the line above the chart."""

    pieces: Pieces
    rank: int = ALWAYS
    """Where there is not room for all, those of the lowest rank are dropped first."""

"""What a cell of a chart stands for, and what a terminal can show of it. Themes turn inks into styles."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import Final

from rich.color import Color
from rich.style import Style


class Ink(IntEnum):
    """What a cell shows; a theme gives each ink its style. The numbers are colours to plotext and nothing else."""

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


Inks = Mapping[Ink, Style]
AREAS: Final = (Ink.ANON, Ink.FILE, Ink.SHMEM)
LINE_ASCII: Final = {Ink.VIRT: "+", Ink.RES: "*"}


class Look(Enum):
    """What a terminal can show."""

    SHADED = "shaded"
    """Areas are shades of a colour."""
    TEXTURED = "textured"
    """Areas are patterns: there are too few colours for shades, or none."""
    ASCII = "ascii"


TEXTURES: Final[Mapping[Look, Mapping[Ink, str]]] = {
    Look.SHADED: {},
    Look.TEXTURED: {Ink.ANON: "▓", Ink.FILE: "▒", Ink.SHMEM: "░"},
    Look.ASCII: {Ink.ANON: "#", Ink.FILE: "=", Ink.SHMEM: "."},
}


def area_color(ink: Ink, inks: Inks) -> Color | None:
    """The colour of an area as a character: its shade, or where it is a texture its own colour."""
    return inks[ink].bgcolor or inks[ink].color

"""Converts every cell to ASCII under ``--ascii``, whatever a widget draws.

Widgets choose their own ASCII forms for characters with a meaning. This filter converts the rest: Textual's scroll
bars, borders and check marks, and the typography of the explanations.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.cells import get_character_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from memtop.tui.drawing.cell_text import ASCII_LIKE

_BLANK: Final = "▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▐▔░▒▓"
"""Edges of scroll bars and boxes, whose colors are enough."""
_CORNERS: Final = "╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝"


class AsciiLines(LineFilter):
    """Replaces every character beyond ASCII by a similar one, a blank, or ``?``. Cells stay in place."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See the class."""
        return [
            segment if segment.text.isascii() else Segment(_cells(segment.text), segment.style) for segment in segments
        ]


def _cells(text: str) -> str:
    return "".join(map(_cell, text))


@lru_cache(maxsize=1024)
def _cell(character: str) -> str:
    if character.isascii():
        return character
    if character in _BLANK:
        return " "
    return "+" if character in _CORNERS else ASCII_LIKE.get(character, "?" * get_character_cell_size(character))

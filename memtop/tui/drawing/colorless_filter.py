"""Removes all colors under NO_COLOR and ``--no-color``. What a background marked, the cursor of a list, is reversed."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_PLAIN: Final = Style(color="default", bgcolor="default")
_REVERSED: Final = _PLAIN + Style(reverse=True)


class ColorlessLines(LineFilter):
    """Keeps bold, underlined, dim and reversed text. It belongs to a theme with the terminal's own background."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See the class."""
        return [
            Segment(text, None if style is None else style + _mark(style), control) for text, style, control in segments
        ]


def _mark(style: Style) -> Style:
    """What replaces the colors of a style."""
    ground = style.bgcolor
    return _REVERSED if ground is not None and not ground.is_default else _PLAIN

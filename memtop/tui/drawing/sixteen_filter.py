"""Keeps text readable on terminals with 16 colors, whatever the theme.

Rich draws each color there as the nearest of the 16, so that a red alarm and the gray of its bar may become alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from memtop.tui.colors import contrast

_READABLE: Final = 2.5
"""Least contrast. What is behind a dialog, and is meant to be dim, has more: dark gray on black."""
_BLACK, _WHITE = 0, 15
_CONSOLE: Final = (
    *("#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa"),
    *("#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"),
)
"""The 16 colors of the Linux console, whose grays are darker than those of others."""
_XTERM: Final = (
    *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
    *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
)
"""Those of xterm, whose yellow, green and cyan are lighter."""
_RICH: Final = tuple(RichColor.from_ansi(number).get_truecolor().hex for number in range(16))
"""Those of many others, by which Rich chooses the nearest."""
_GRAYS: Final = frozenset({_BLACK, 7, 8, _WHITE})


class SixteenColors(LineFilter):
    """Replaces pairs of colors that cannot be read. A text with a hue keeps it, and its ground gives way."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See the class."""
        return [
            Segment(text, _readable(style) if style is not None and text.strip() else style, control)
            for text, style, control in segments
        ]


@lru_cache(maxsize=256)
def _readable(style: Style) -> Style:
    front, ground = _number(style.color), _number(style.bgcolor)
    if front is None or ground is None or _contrast(front, ground) >= _READABLE:
        return style
    if front in _GRAYS:
        return style + Style(color=RichColor.from_ansi(_opposite(ground)))
    brighter_or_darker = front ^ 8
    if _contrast(brighter_or_darker, ground) >= _READABLE:
        return style + Style(color=RichColor.from_ansi(brighter_or_darker))
    return style + Style(bgcolor=RichColor.from_ansi(_opposite(front)))


def _number(color: RichColor | None) -> int | None:
    """Which of the 16 the terminal shows; None for the terminal's own."""
    return color.downgrade(ColorSystem.STANDARD).number if color is not None else None


def _opposite(number: int) -> int:
    return max((_BLACK, _WHITE), key=lambda one: _contrast(one, number))


def _contrast(one: int, other: int) -> float:
    """Their contrast on the terminal on which it is worst."""
    return min(
        contrast(Color.parse(palette[one]), Color.parse(palette[other])) for palette in (_RICH, _CONSOLE, _XTERM)
    )

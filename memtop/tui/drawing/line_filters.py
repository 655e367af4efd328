"""The filters that every line of the screen passes: for terminals with few characters or colors."""

from __future__ import annotations

from collections.abc import Iterable

from textual.filter import ANSIToTruecolor, LineFilter, Monochrome

from memtop.tui.drawing.ascii_filter import AsciiLines
from memtop.tui.drawing.colorless_filter import ColorlessLines
from memtop.tui.drawing.sixteen_filter import SixteenColors


def own_filters(*, ascii_only: bool, no_color: bool, color_system: str | None) -> list[LineFilter]:
    """memtop's filters for a terminal. ``color_system`` is Rich's name of its colors."""
    filters: list[LineFilter] = [AsciiLines()] if ascii_only else []
    if no_color:
        filters.append(ColorlessLines())
    elif color_system == "standard":
        filters.append(SixteenColors())
    return filters


def wanted(filters: Iterable[LineFilter]) -> list[LineFilter]:
    """Those of Textual's filters that have an effect.

    Colors come from the theme: either they are true colors, or the terminal's own; then ANSIToTruecolor is off. Without
    color there are no grays either.
    """
    return [one for one in filters if not isinstance(one, ANSIToTruecolor | Monochrome)]

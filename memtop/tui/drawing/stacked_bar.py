"""Stacked bar of RES: each part has its own texture, so that it can be read without colors."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from textual.strip import Strip

from memtop.runtimes.view import Part
from memtop.tui.drawing.cached_lines import CachedLines
from memtop.units import percent, size

SIGNS: Final = {
    "live": ("█", "#", "rss"),
    "garbage": ("▓", "%", "rss"),
    "idle": ("▒", "=", "virt"),
    "freed": ("·", ",", "dim"),
    "stacks": ("▞", "s", "virt"),
    "runtime": ("▚", "r", "dim"),
    "outside": ("◆", "o", "strong"),
    "unknown": ("?", "?", "dim"),
    "files": ("░", ".", "dim"),
}
"""Sign, sign in ASCII, and color of each part."""
_GLUE: Final = "\u00a0"
"""A blank at which textwrap does not break a line."""
_LOOKS: Final = ("rss", "virt", "strong", "dim")


class StackedBar(CachedLines):
    """One line; see :meth:`show`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"stacked-bar--{look}" for look in _LOOKS}
    DEFAULT_CSS = """
    StackedBar {
        height: 1;
        & > .stacked-bar--rss { color: $memtop-res; }
        & > .stacked-bar--virt { color: $memtop-virt; }
        & > .stacked-bar--strong { color: $memtop-text; }
        & > .stacked-bar--dim { color: $memtop-muted; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: Sequence[Part] = ()

    def show(self, parts: Sequence[Part]) -> None:
        """Take newer parts."""
        if list(parts) != list(self._parts):
            self._parts = parts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The bar."""
        plain = self.app.has_class("-ascii")
        pieces = bar(self._parts, self.size.width, plain=plain)
        segments = [Segment(text, self.style_of(f"stacked-bar--{look}")) for text, look in pieces]
        return Strip(segments).adjust_cell_length(self.size.width, self.style_of())


def bar(parts: Sequence[Part], width: int, *, plain: bool = False) -> list[tuple[str, str]]:
    """(text, look) of each part, by length. A part above zero has at least one cell."""
    whole = sum(part.size_bytes for part in parts)
    if not whole or width < len(parts):
        return []
    cells = [max(1, round(width * part.size_bytes / whole)) for part in parts]
    while sum(cells) != width:
        cells[cells.index(max(cells))] += 1 if sum(cells) < width else -1
    return [(SIGNS[part.key][plain] * count, SIGNS[part.key][2]) for part, count in zip(parts, cells, strict=True)]


def legend(rss_bytes: int, parts: Sequence[Part], width: int, *, narrow: bool, plain: bool = False) -> list[str]:
    """``RES 45.1M = █ live heap 30.2M 67% + ▓ garbage ...`` in lines. No line breaks within a part."""
    texts = []
    for part in parts:
        share = 100 * part.size_bytes / rss_bytes if rss_bytes else 0.0
        sign = SIGNS[part.key][plain]
        amount = size(part.size_bytes) if narrow else f"{size(part.size_bytes)} {percent(share)}%"
        texts.append(f"{sign} {part.short if narrow else part.name} {amount}".replace(" ", _GLUE))
    text = f"RES {size(rss_bytes)} = {f' +{_GLUE}'.join(texts)}"
    return [line.replace(_GLUE, " ") for line in textwrap.wrap(text, max(8, width))]

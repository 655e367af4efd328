"""Sentences as lines: wrapped beforehand, so that a new number repaints its own line and nothing is laid out anew."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from memtop.tui.cells import fit
from memtop.tui.direct import DirectLines


class Line(NamedTuple):
    """One line and how it looks."""

    text: str
    look: str = ""
    """``strong``, ``dim``, ``warning`` or ``danger``; empty for plain."""


def wrapped(text: str, width: int, look: str = "", indent: str = "") -> list[Line]:
    """A paragraph as lines of at most ``width`` cells; those after the first begin with ``indent``."""
    return [Line(line, look) for line in _wrapped(text, max(8, width), indent)]


@lru_cache(maxsize=128)
def _wrapped(text: str, width: int, indent: str) -> tuple[str, ...]:
    """Remembered: most sentences stay as they are from second to second."""
    return tuple(textwrap.wrap(text, width, subsequent_indent=indent))


class Prose(DirectLines):
    """Lines to read; its height is their number."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"prose--{look}" for look in ("strong", "dim", "warning", "danger")}
    DEFAULT_CSS = """
    Prose {
        height: 1;
        & > .prose--strong { text-style: bold; }
        & > .prose--dim { color: $text-muted; }
        & > .prose--warning { color: $memtop-warning; text-style: bold; }
        & > .prose--danger { color: $memtop-danger; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._drawn: dict[int, tuple[tuple[Line, int], Strip]] = {}

    def show(self, lines: Sequence[Line]) -> None:
        """Take newer lines and repaint those that differ."""
        before, self._lines = self._lines, list(lines)
        if len(before) != len(self._lines):
            self._drawn.clear()
            self.styles.height = max(1, len(self._lines))
        changed = [y for y, (old, new) in enumerate(zip_longest(before, self._lines)) if old != new]
        if changed and self.size:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One line; the same strip as long as it says the same, so that Textual can know it again."""
        width = self.line_size.width
        line = self._lines[y] if y < len(self._lines) else Line("")
        drawn = self._drawn.get(y)
        if drawn is None or drawn[0] != (line, width):
            style = self.style_of(f"prose--{line.look}" if line.look else "")
            drawn = self._drawn[y] = (line, width), Strip([Segment(fit(line.text, width, left=True), style)], width)
        return drawn[1]

    def notify_style_update(self) -> None:
        """Colours may have changed with the theme."""
        super().notify_style_update()
        self._drawn.clear()

"""Sentences wrapped to lines beforehand, so that new text repaints only its own lines, without a layout."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import ClassVar, Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.selection import Selection
from textual.strip import Strip

from memtop.model.frame import Frame
from memtop.tui.drawing.cell_text import LOADING, fit
from memtop.tui.drawing.scrolling import PAGE_KEYS, TEXT_KEYS, ScrollingLines

_LEAD_CELLS: Final = 40
"""A lead before a colon is no longer than this."""
SLACK_LINES: Final = 4
"""Most blank lines after the last. They keep the scroll bar still if a sentence wraps differently every second."""


class Line(NamedTuple):
    """One line and its look."""

    text: str
    look: str = ""
    """``strong``, ``dim``, ``warning`` or ``danger``; empty for plain."""
    upto: int | None = None
    """How many characters at the start have that look; None for all."""


def without_focus(frame: Frame | None) -> str:
    """Text to show while the process in focus is being read, or if there is none."""
    if frame is not None and frame.group is not None:
        return "This panel shows one process. Enter on a group lists its processes; Enter on a process shows it."
    return LOADING if frame is None or frame.rows else "Select a process."


def lines_without_focus(frame: Frame, width: int) -> list[Line]:
    """What a panel that shows one process says if there is none."""
    return wrapped(without_focus(frame), width)


def words_of_group(frame: Frame, width: int) -> int | None:
    """The number of lines of a panel that shows one process while a group is selected; None otherwise."""
    of_group = frame.detail is None and frame.group is not None
    return len(lines_without_focus(frame, width)) if of_group else None


def wrapped(text: str, width: int, look: str = "", indent: str = "") -> list[Line]:
    """A paragraph as lines of at most ``width`` cells; those after the first begin with ``indent``."""
    return [Line(line, look) for line in _wrapped(text, max(8, width), indent)]


def led(text: str, width: int, look: str = "", indent: str = "") -> list[Line]:
    """A paragraph as in :func:`wrapped`, of which only the lead has the look.

    The lead is what comes before the first colon, if that is short, otherwise the first sentence.
    """
    colon, full_stop = text.find(": ") + 1, text.find(". ") + 1
    ends = [end for end in (colon if colon <= _LEAD_CELLS else 0, full_stop, len(text)) if end]
    left = len(text[: ends[0]].replace(" ", ""))
    lines = []
    for line in wrapped(text, width, look, indent):
        letters, upto = len(line.text.replace(" ", "")), None
        if letters <= left:
            left -= letters
        else:
            upto = 0
            while left > 0:
                left -= line.text[upto] != " "
                upto += 1
        lines.append(line if upto is None else line._replace(upto=upto))
    return lines


@lru_cache(maxsize=64)
def _wrapped(text: str, width: int, indent: str) -> tuple[str, ...]:
    """Wrap a paragraph. It is cached, because most sentences stay the same from second to second."""
    return tuple(textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False))


@lru_cache(maxsize=256)
def _placed(style: Style, x: int, y: int) -> Style:
    """A style that tells the mouse where in the text it is. Rich, too, caches sums of styles, but never finds one again
    whose other half is new each time."""
    return style + Style.from_meta({"offset": (x, y)})


class TextLines(ScrollingLines, inherit_bindings=False):
    """Lines to read, which scroll if there is not enough room. The mouse selects their text."""

    BINDINGS: ClassVar[list[BindingType]] = [*TEXT_KEYS]
    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"text-lines--{look}" for look in ("strong", "dim", "warning", "danger")}
    DEFAULT_CSS = """
    TextLines {
        & > .text-lines--strong { text-style: bold; }
        & > .text-lines--dim { color: $memtop-muted; }
        & > .text-lines--warning { color: $memtop-warning; text-style: bold; }
        & > .text-lines--danger { color: $memtop-danger; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._strips: dict[tuple[Line, int, int], Strip] = {}
        """By line, width and place."""
        self._selection: Selection | None = None

    @property
    def text(self) -> str:
        """All lines, in view or not."""
        return "\n".join(line.text for line in self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Take newer lines and repaint those in view that differ."""
        before, self._lines = self._lines, list(lines)
        if before == self._lines:
            return
        slack = SLACK_LINES if max(len(before), len(lines)) > self.container_size.height else 1
        if not 0 <= self.virtual_size.height - len(lines) < slack:
            self.set_length(len(lines))
        top = self.scroll_offset.y
        in_view = slice(top, top + self.content_size.height)
        pairs = zip_longest(before[in_view], self._lines[in_view])
        self.refresh_changed(y for y, (old, new) in enumerate(pairs) if old != new)

    def line(self, y: int) -> Strip:
        """One line. The same strip is returned as long as its text is the same, so Textual need not compare it."""
        width, index = self.line_size.width, round(self.scroll_y) + y
        line = self._lines[index] if index < len(self._lines) else Line("")
        if (line, width, index) not in self._strips:
            if len(self._strips) > 2 * len(self._lines):
                self._strips.clear()
            style = self.style_of(f"text-lines--{line.look}" if line.look else "")
            text = fit(line.text, width, left=True)
            parts = [(text[: line.upto], style, 0)]
            if line.upto is not None:
                parts.append((text[line.upto :], self.style_of(), line.upto))
            self._strips[line, width, index] = Strip(
                [Segment(piece, _placed(style, x, index)) for piece, style, x in parts], width
            )
        strip = self._strips[line, width, index]
        if self._selection is None:
            return strip
        return self._selected(strip, index).apply_offsets(0, index)  # its pieces are other ones

    def _selected(self, strip: Strip, index: int) -> Strip:
        """The strip of line ``index`` with what is selected of it in the selection's style."""
        selection = self._selection
        span = selection.get_span(index) if selection is not None else None
        if span is None:
            return strip
        start, end = span[0], strip.cell_length if span[1] < 0 else span[1]
        before, selected, after = strip.divide([start, max(start, end), strip.cell_length])
        style = self.screen.get_component_rich_style("screen--selection")
        return Strip.join([before, Strip([Segment(text, style) for text, *_ in selected], selected.cell_length), after])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, as Textual asks for it."""
        return selection.extract(self.text), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the lines in view again."""
        self._selection = selection
        super().repaint()

    def text_select_all(self) -> None:
        """Do nothing: a double click is two clicks here."""

    def repaint(self) -> None:
        """Draw everything again."""
        self._strips.clear()
        super().repaint()


class Page(TextLines, can_focus=True):
    """The text of a dialog."""

    BINDINGS: ClassVar[list[BindingType]] = [*PAGE_KEYS]

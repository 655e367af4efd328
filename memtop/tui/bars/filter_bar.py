"""The line that says which filter is on while it is not being typed; a click clears it."""

from __future__ import annotations

from typing import Final

from textual.message import Message

from memtop import units
from memtop.model.frame import Frame
from memtop.sanitize import clean
from memtop.tui.drawing.cell_text import fit
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import LinePart

_CLEAR: Final = "clear"
_REST_CELLS: Final = 40
"""Room for all but the text of the filter."""


class FilterBar(Bar):
    """One line; see :meth:`show`."""

    class ClearAsked(Message):
        """A click on it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = ""
        self._count = ""

    def show(self, text: str, frame: Frame) -> None:
        """``text`` is the filter as typed."""
        self._text, self._count = clean(text), counted(frame)
        self.redraw_if_changed()

    def clicked(self, target: str) -> None:
        """Clear the filter."""
        self.post_message(self.ClearAsked())

    def parts(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """``filter: search ✕  1 of 146``, and the keys."""
        room = max(8, width - _REST_CELLS)
        text = self._text if len(self._text) <= room else fit(self._text, room, left=True)
        sign = "x" if self.ascii else "✕"
        left = [LinePart(f"filter: {text} {sign}", 0, _CLEAR, "strong"), LinePart(self._count, 1)]
        return left, [LinePart("Esc clears   / changes", 2, style="dim")]


def counted(frame: Frame) -> str:
    """``1 of 146, 2 ended``: the rows of the list, of all processes; of groups their number alone."""
    if frame.groups is None:
        ended = sum(row.gone_s is not None for row in frame.rows)
        return f"{len(frame.rows) - ended} of {frame.total}" + (f", {ended} ended" if ended else "")
    return units.counted(len(frame.groups), "group")

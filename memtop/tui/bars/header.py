"""The header line of the screen; its text is made in :mod:`memtop.tui.bars.header_parts`."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from memtop.model.frame import Frame
from memtop.tui.bars.header_parts import MACHINE, NAME, HeaderState, header_parts
from memtop.tui.drawing.cell_text import LOADING
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import LinePart


class HeaderBar(Bar):
    """One line; see :meth:`show`."""

    @dataclass
    class MachineAsked(Message):
        """A click on the RAM of the machine."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self._delay_s = 0.0
        self._state = HeaderState()

    def show(self, frame: Frame, delay_s: float, state: HeaderState) -> None:
        """Take newer values; ``delay_s`` is the planned time between two samples."""
        self._frame, self._delay_s, self._state = frame, delay_s, state
        self.redraw_if_changed()

    def clicked(self, target: str) -> None:
        """RAM opens the Machine panel, anything else its topic."""
        if target == MACHINE:
            self.post_message(self.MachineAsked())
        else:
            super().clicked(target)

    def parts(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """See ``header_parts``."""
        if self._frame is None:
            return [NAME, LinePart(LOADING, 0, style="dim")], []
        return header_parts(self._frame, self._delay_s, self._state, width, ascii_only=self.ascii)

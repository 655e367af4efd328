"""The header line of the screen; its text is made in :mod:`memtop.tui.bars.header_parts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from memtop.model.frame import Frame
from memtop.tui.bars.header_parts import MACHINE, NAME, HeaderState, has_state, header_parts
from memtop.tui.drawing.cell_text import LOADING
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import LinePart


class HeaderBar(Bar):
    """One line; see :meth:`show`. Shift+Tab leads here from the first part of the screen; Tab passes it by, to cost no
    key between the parts."""

    FOCUS_ON_CLICK: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "machine", "Machine", show=False)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--cursor"}
    DEFAULT_CSS = "HeaderBar > .bar--cursor { text-style: reverse; }"

    @dataclass
    class MachineAsked(Message):
        """A click on the RAM of the machine, or Enter on it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._frame: Frame | None = None
        self._delay_s = 0.0
        self._state = HeaderState()

    def show(self, frame: Frame, delay_s: float, state: HeaderState) -> None:
        """Take newer values; ``delay_s`` is the planned time between two samples."""
        self._frame, self._delay_s, self._state = frame, delay_s, state
        self.redraw_if_changed()

    @property
    def has_state(self) -> bool:
        """Whether it says that the numbers are not those of now, or that they are recorded."""
        return has_state(self._frame, self._state)

    def take_focus(self) -> None:
        """Put the cursor on the machine's RAM."""
        self.can_focus = True
        self.focus()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor, or remove it."""
        super().watch_has_focus(has_focus)
        self.can_focus = has_focus
        self.redraw_if_changed()

    def action_machine(self) -> None:
        """Open the Machine panel."""
        self.post_message(self.MachineAsked())

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
        left, right = header_parts(self._frame, self._delay_s, self._state, width, ascii_only=self.ascii)
        if self.has_focus:
            right = [one._replace(style="cursor") if one.target == MACHINE else one for one in right]
        return left, right

"""The headline of the machine: the widget above everything. Its words are made in ``explain/incident_text``."""

from __future__ import annotations

from typing import Final

from textual.message import Message

from memtop.analysis.severity import Severity
from memtop.explain.incident_text import Headline, headline
from memtop.model.frame import Frame
from memtop.tui.bars.headline_parts import LIST, HeadlineLayout, early_clauses
from memtop.tui.drawing.cell_text import LOADING
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import LinePart

_STYLES: Final = {Severity.DANGER: "danger", Severity.WARNING: "warning", Severity.NOTE: "strong"}


class HeadlineBar(Bar):
    """One line that speaks for the whole machine; a click or ``!`` goes to what it names, and a click on ``! 3 more``
    to the list."""

    class Clicked(Message):
        """A click on the sentence."""

    class ListAsked(Message):
        """A click on the number of the others."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._headline = Headline((LOADING,))
        self._layout = HeadlineLayout()
        self._live = True

    def show(self, frame: Frame, *, live: bool) -> None:
        """Take a newer frame; ``live`` is False while the rest of the screen shows an earlier instant."""
        before = self._headline, self._live
        self._live = live
        if frame.incidents is None:
            self._headline = Headline(early_clauses(frame.system))
        else:
            self._headline = headline(frame.incidents, frame.system, computed_percent=frame.past_percent)
        if (self._headline, self._live) != before:
            self.redraw_if_changed()

    def clicked(self, target: str) -> None:
        """Go to what it names, or to the list."""
        self.post_message(self.ListAsked() if target == LIST else self.Clicked())

    def parts(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """See ``HeadlineLayout``."""
        found = self._headline
        style = _STYLES[found.severity] if found.severity is not None else "dim"
        return self._layout.parts(found, width, sign=found.sign, style=style, live=self._live)

"""Modal screens that answer once, however fast keys come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from memtop.tui.drawing.painted_once import PaintedOnce
from memtop.tui.drawing.steady_size import SteadySize
from memtop.tui.drawing.text_selection import SelectsText

Result = TypeVar("Result")


class AnswersOnce(SteadySize):
    """Mixin for a modal screen, before Textual's class: only its first answer counts, and not until it is composed.

    Keys may come faster than it closes. Textual's then raises ScreenStackError, or closes the screen below. A screen
    that closes while it is being composed waits for itself, and the application with it, forever. An answer that is
    found only when another screen is above it, such as the palette, would close that one, and this one never.
    """

    is_active: bool
    is_mounted: bool
    call_later: Callable[..., bool]
    _answered = False

    def dismiss(self, result: object = None) -> AwaitComplete:
        """Close with this result, unless that has been done or another screen is above it; a screen that is being
        composed closes after that."""
        if self._answered or not self.is_active:
            return AwaitComplete()
        if not self.is_mounted:
            self.call_later(self.dismiss, result)
            return AwaitComplete()
        self._answered = True
        closed: AwaitComplete = super().dismiss(result)  # type: ignore[misc]  # of the class that it is mixed into
        return closed


class ClosedOnce(AnswersOnce, ModalScreen[Result], PaintedOnce[Result], SelectsText[Result]):
    """A modal screen of our own that answers once."""

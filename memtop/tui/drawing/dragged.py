"""Base class of widgets in which a click points at a place, and so does each place to which the pointer is dragged."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.widget import Widget


class Dragged(Widget):
    """Follows the pointer from the press of its first button to the release. A subclass knows the places.

    It comes last among the bases, because Textual inherits style rules from the first one only.
    """

    _place: int | None = None
    """The place that was pointed at last; None while the button is not held."""

    def place_at(self, offset: Offset, *, begins: bool) -> int | None:
        """The place that a cell of the content stands for; None where there is nothing to point at.

        ``begins``: the button was pressed there. Later the offset may lie outside the content.
        """
        raise NotImplementedError

    def point_at(self, place: int) -> None:
        """The user points at this place, which differs from the one before."""
        raise NotImplementedError

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Point at the place under the pointer, and follow it from there."""
        offset = event.get_content_offset(self)
        place = None if offset is None or event.button != 1 else self.place_at(offset, begins=True)
        if place is not None:
            self.capture_mouse()
            self._move_to(place)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow while the button is held. Where its release was missed, there is no button anymore."""
        if self._place is None:
            return
        if event.button != 1:
            self._release()
            return
        place = self.place_at(event.get_content_offset_capture(self), begins=False)
        if place is not None:
            self._move_to(place)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End of a click or a drag."""
        self._release()

    def on_hide(self) -> None:
        """Release the mouse, because a hidden widget gets no more events of it."""
        self._release()

    def _move_to(self, place: int) -> None:
        if place != self._place:
            self._place = place
            self.point_at(place)

    def _release(self) -> None:
        if self._place is not None:
            self._place = None
            self.release_mouse()

"""The last line of a dialog: its keys, each of which can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.message import Message

from memtop.tui.bars.footer import Hint
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import EDGE_CELLS, LinePart, cells

CANCEL: Final = "cancel"
ACCEPT: Final = "accept"
_ALWAYS: Final = (CANCEL, ACCEPT)
"""Actions whose keys are dropped last on a narrow screen."""


class KeysLine(Bar):
    """Keys and what they do. A hint without an action cannot be clicked; one without a label shares the next one's."""

    DEFAULT_CSS = """
    KeysLine { background: $surface; margin-top: 1; offset-x: -1; }
    """

    @dataclass
    class Clicked(Message):
        """A click on a key."""

        action: str

    def __init__(self, *hints: Hint) -> None:
        super().__init__()
        self._hints: Sequence[Hint] = hints

    def on_mount(self) -> None:
        """Spell arrows as words where only ASCII is drawn."""
        self.ascii = self.app.has_class("-ascii")

    def clicked(self, target: str) -> None:
        """Ask for the action."""
        self.post_message(self.Clicked(target))

    def parts(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """The keys that fit, from the left: later ones are dropped first."""
        hints = list(self._hints)
        while len(hints) > 1 and cells(_parts(hints)) + 2 * EDGE_CELLS > width:
            least = max(range(len(hints)), key=lambda at: _rank(hints, at))
            del hints[least]
        return _parts(hints), []


def _rank(hints: Sequence[Hint], at: int) -> tuple[int, int]:
    """Hints of the highest rank are dropped first: a key without a label before the one whose label it shares."""
    hint = hints[at]
    if hint.action in _ALWAYS:
        return _ALWAYS.index(hint.action), 0
    return (len(_ALWAYS) + at, 0) if hint.label else (len(_ALWAYS) + at + 1, 1)


def _parts(hints: Sequence[Hint]) -> list[LinePart]:
    found: list[LinePart] = []
    shares = False
    for key, label, action in hints:
        found.append(LinePart(key, 0, action, "strong", glued=shares))
        if label:
            found.append(LinePart(label, 0, action, "dim", glued=True))
        shares = not label
    return found

"""The last line of a dialog: its keys, each of which can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.message import Message

from memtop.tui.bars.footer import Hint
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import LinePart

CANCEL: Final = "cancel"
ACCEPT: Final = "accept"
_ALWAYS: Final = (CANCEL, ACCEPT)
"""Actions whose keys are dropped last on a narrow screen."""
_NO_ACTION: Final = "none"
"""Target of keys that cannot be clicked."""


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
        if target != _NO_ACTION:
            self.post_message(self.Clicked(target))

    def parts(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """All keys from the left."""
        left: list[LinePart] = []
        shares = False
        for number, (key, label, action) in enumerate(self._hints, 1):
            # A key without a label goes before the one whose label it shares.
            rank = _ALWAYS.index(action) if action in _ALWAYS else 2 * number + (0 if label else 3)
            target = action or _NO_ACTION  # a key and its label go together
            left.append(LinePart(key, rank, target, "strong", glued=shares))
            if label:
                left.append(LinePart(label, rank, target, "dim", glued=True))
            shares = not label
        return left, []

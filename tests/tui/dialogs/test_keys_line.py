"""The keys of a dialog, on wide and narrow screens."""

from __future__ import annotations

import pytest

from memtop.tui.bars.footer import Hint
from memtop.tui.dialogs.keys_line import ACCEPT, CANCEL, KeysLine
from memtop.tui.drawing.line_parts import placed

_HINTS = (
    Hint("Space", "show", "toggle"),
    Hint("<", "", "move(-1)"),
    Hint(">", "move", "move(1)"),
    Hint("↑ ↓", "scroll", ""),
    Hint("Enter", "apply", ACCEPT),
    Hint("Esc", "cancel", CANCEL),
)


@pytest.mark.parametrize(
    ("width", "keys"),
    [
        (80, "Space show   < > move   ↑ ↓ scroll   Enter apply   Esc cancel"),
        (49, "Space show   > move   Enter apply   Esc cancel"),
        (42, "Space show   Enter apply   Esc cancel"),
        (30, "Enter apply   Esc cancel"),
        (14, "Esc cancel"),
    ],
)
def test_keys_are_dropped_with_their_labels_and_those_that_close_stay(width: int, keys: str) -> None:
    line = ""
    for x, part in placed(*KeysLine(*_HINTS).parts(width), width):
        line = line.ljust(x) + part.text
    assert line.strip() == keys

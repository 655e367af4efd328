"""The footer: the most useful keys, and memtop's own CPU time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from textual.message import Message

from memtop import units
from memtop.sources.protocol import OwnCost
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import EDGE_CELLS, GAP_CELLS, LinePart, cells

COST_TOPIC: Final = "own_cost"


class Hint(NamedTuple):
    """A key and what it does."""

    key: str
    label: str
    action: str
    """The app's action, as in a binding. A click runs it."""


class StatusBar(Bar):
    """One line; see :meth:`show_hints` and :meth:`show_cost`."""

    @dataclass
    class HintClicked(Message):
        """A click on a key."""

        action: str

    def __init__(self, hints: Sequence[Hint] = (), *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._hints = tuple(hints)
        self._own = OwnCost(None, None)

    def show_hints(self, hints: Sequence[Hint]) -> None:
        """Show the keys of the panel in focus, the most useful first.

        On narrow screens the last ones are dropped, but not the key that quits.
        """
        self._hints = tuple(hints)
        self.redraw_if_changed()

    def show_cost(self, own: OwnCost) -> None:
        """Show the CPU time and memory that memtop itself uses."""
        self._own = own
        self.redraw_if_changed()

    def clicked(self, target: str) -> None:
        """Run the action, or open the explanation of memtop's own cost."""
        if target == COST_TOPIC:
            super().clicked(target)
        else:
            self.post_message(self.HintClicked(target))

    def parts(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """Keys on the left, cost on the right. The cost is shortened, then dropped, before a key is dropped."""
        left = []
        for number, hint in enumerate(self._hints):
            rank = 1 if number and hint.action == "quit" else 2 * number
            left += [
                LinePart(hint.key, rank, hint.action, "strong"),
                LinePart(hint.label, rank, hint.action, glued=True),
            ]
        if self._own.rss_bytes is None:
            return left, []
        cpu, rss = units.percent(self._own.cpu_percent), units.size(self._own.rss_bytes)
        forms = (f"memtop {cpu} % cpu {rss}", f"{cpu} % cpu {rss}", f"{cpu}% {rss}")
        room = width - cells(left) - GAP_CELLS - 2 * EDGE_CELLS
        cost = next((form for form in forms if len(form) <= room), forms[-1])
        return left, [LinePart(cost, len(left) + 1, COST_TOPIC, "dim")]

"""A line of short texts, each of which may be clicked; the least important leave first when it gets narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip

from memtop.tui.cells import to_ascii
from memtop.tui.direct import DirectLines

GAP_CELLS: Final = 3
EDGE_CELLS: Final = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a bar."""

    text: str
    rank: int
    """Those of the highest rank leave first; 0 never does."""
    target: str = ""
    """What a click on it asks for; empty for nothing."""
    style: str = ""
    """``strong``, ``dim``, ``warning``, ``danger`` or ``res``; empty for plain."""
    glued: bool = False
    """Only one cell from its left neighbour."""


class Bar(DirectLines):
    """Parts from the left and parts from the right, on one line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--strong", "bar--dim", "bar--warning", "bar--danger", "bar--res"}
    DEFAULT_CSS = """
    Bar {
        height: 1;
        background: $panel;
        & > .bar--strong { text-style: bold; }
        & > .bar--dim { color: $text-muted; }
        & > .bar--warning { color: $memtop-warning; }
        & > .bar--danger { color: $memtop-danger; text-style: bold; }
        & > .bar--res { color: $memtop-res; }
    }
    """

    @dataclass
    class ExplainAsked(Message):
        """A click on a value: its explanation is wanted."""

        topic: str

    ascii: Reactive[bool] = Reactive(False)
    """Draw with ASCII characters only."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown: tuple[list[Part], list[Part]] | None = None
        self._regions: list[tuple[int, int, str]] = []

    def parts(self, width: int) -> tuple[list[Part], list[Part]]:
        """What stands left and right on a bar of this many cells."""
        raise NotImplementedError

    def clicked(self, target: str) -> None:
        """A part with a target was clicked; targets are topics, unless a subclass knows better."""
        self.post_message(self.ExplainAsked(target))

    def redraw_if_changed(self) -> None:
        """Repaint, unless the bar would look as it does."""
        if self.size.width and self.parts(self.size.width) != self._shown:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The bar."""
        width = self.size.width
        self._shown = self.parts(width)
        left, right = narrow(*self._shown, width)
        base = self.style_of()
        segments: list[Segment] = []
        self._regions.clear()
        end = 0
        for side, start in ((left, EDGE_CELLS), (right, width - EDGE_CELLS - cells(right))):
            x = start
            for part in side:
                x += _gap(part) if x > start else 0
                text = to_ascii(part.text) if self.ascii else part.text
                style = self.style_of(f"bar--{part.style}" if part.style else "")
                segments += (Segment(" " * (x - end), base), Segment(text, style))
                end = x + cell_len(text)
                if part.target:
                    self._regions.append((x, end, part.target))
                x = end
        return Strip(segment for segment in segments if segment.text).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        """Say which part was meant."""
        offset = event.get_content_offset(self)
        for start, end, target in self._regions:
            if offset is not None and start <= offset.x < end:
                self.clicked(target)


def cells(parts: Sequence[Part]) -> int:
    """The room that parts take beside each other."""
    return sum(cell_len(part.text) + _gap(part) for part in parts) - (_gap(parts[0]) if parts else 0)


def narrow(left: Sequence[Part], right: Sequence[Part], width: int) -> tuple[list[Part], list[Part]]:
    """The parts that fit in ``width`` cells: those of the highest rank leave first, of one rank the last.

    Parts of one rank with one target leave together.
    """
    sides = [*((part, False) for part in left), *((part, True) for part in right)]

    def split() -> tuple[list[Part], list[Part]]:
        return [part for part, is_right in sides if not is_right], [part for part, is_right in sides if is_right]

    while sides:
        left_now, right_now = split()
        middle = GAP_CELLS if left_now and right_now else 0
        if cells(left_now) + cells(right_now) + middle + 2 * EDGE_CELLS <= width:
            break
        last = max(reversed(sides), key=lambda side: side[0].rank)[0]
        if last.rank == 0:
            break
        sides = [side for side in sides if side[0] is not last and not _same(side[0], last)]
    return split()


def _same(part: Part, other: Part) -> bool:
    return bool(part.target) and (part.rank, part.target) == (other.rank, other.target)


def _gap(part: Part) -> int:
    return 1 if part.glued else GAP_CELLS

"""The timeline: the whole span on one line, with RES of the process in focus, the events, and the instant on screen.

A click or a drag on it seeks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip

from memtop.columns import ASCII_SPARKS, SPARKS
from memtop.explain.severity_signs import DANGER_MARK, WARNING_MARK
from memtop.model.timeline import EventKind, Timeline
from memtop.tui.drawing.cached_lines import CachedLines
from memtop.tui.drawing.dragged import Dragged

LEAST_CELLS: Final = 16
"""Cells of the curve below which the times are left out."""
_SECONDS_BELOW_S: Final = 3600.0
_SIGN_STYLES: Final = {
    EventKind.OOM: (DANGER_MARK, "^", "danger"),
    EventKind.LIMIT: (WARNING_MARK, "!", "warning"),
    EventKind.VERDICT: ("↗", "/", "warning"),
    EventKind.RESTART: ("o", "o", "strong"),
    EventKind.EXIT: ("x", "x", "strong"),
    EventKind.MARK: ("m", "m", "strong"),
    EventKind.LOST: ("?", "?", "strong"),
}
"""Sign, sign in ASCII, and style of each kind of event."""
_RANKS: Final = {kind: rank for rank, kind in enumerate(EventKind)}


class Cell(NamedTuple):
    """One cell of the curve."""

    text: str
    part: str
    """Its style: the end of a component class."""
    is_here: bool
    """Whether the instant on screen is in it."""


class TimelineBar(CachedLines, Dragged):
    """One line; see :meth:`show`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "timeline--strong",
        "timeline--dim",
        "timeline--res",
        "timeline--warning",
        "timeline--danger",
    }
    DEFAULT_CSS = """
    TimelineBar {
        height: 1;
        & > .timeline--strong { text-style: bold; }
        & > .timeline--dim { color: $memtop-muted; }
        & > .timeline--res { color: $memtop-res; }
        & > .timeline--warning { color: $memtop-warning; text-style: bold; }
        & > .timeline--danger { color: $memtop-danger; text-style: bold; }
    }
    """

    @dataclass
    class Sought(Message):
        """The user points at an instant, a wall time."""

        at_s: float

    ascii: Reactive[bool] = Reactive(False)
    """Draw with ASCII characters only."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._timeline: Timeline | None = None

    def show(self, timeline: Timeline | None) -> None:
        """Take a newer timeline."""
        if timeline != self._timeline:
            self._timeline = timeline
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        timeline, width = self._timeline, self.line_size.width
        base = self.style_of()
        if timeline is None or y:
            return Strip.blank(width, base)
        lead, trail, cells = layout(timeline, width)
        segments = [Segment(lead, self.style_of("timeline--dim"))]
        for cell in curve(timeline, cells, ascii_only=self.ascii):
            style = self.style_of(f"timeline--{cell.part}") if cell.part else base
            segments.append(Segment(cell.text, style + Style(reverse=True) if cell.is_here else style))
        segments.append(Segment(trail, self.style_of("timeline--dim")))
        return Strip(segments).adjust_cell_length(width, base)

    # -- the mouse

    def place_at(self, offset: Offset, *, begins: bool) -> int | None:
        """The cell of the curve nearest to this cell of the line; None while there is no timeline."""
        if self._timeline is None:
            return None
        lead, _, cells = layout(self._timeline, self.size.width)
        return min(cells - 1, max(0, offset.x - len(lead)))

    def point_at(self, place: int) -> None:
        """Seek to the instant of a cell."""
        if self._timeline is not None:
            _, _, cells = layout(self._timeline, self.size.width)
            self.post_message(self.Sought(time_of(self._timeline, place, cells)))


def layout(timeline: Timeline, width: int) -> tuple[str, str, int]:
    """The text before the curve and after it, and the cells of the curve, in a line of this width."""
    form = " %H:%M:%S " if timeline.last_s - timeline.first_s < _SECONDS_BELOW_S else " %H:%M "
    lead, trail = (time.strftime(form, time.localtime(at_s)) for at_s in (timeline.first_s, timeline.last_s))
    cells = width - len(lead) - len(trail)
    return (lead, trail, cells) if cells >= LEAST_CELLS else ("", "", max(1, width))


def time_of(timeline: Timeline, cell: int, cells: int) -> float:
    """The instant that a cell of the curve stands for: its events if it has some, else its middle, or the ends."""
    inside = [event.at_s for event in timeline.events if cell_of(timeline, event.at_s, cells) == cell]
    if inside:
        return inside[0]
    if cell in (0, cells - 1):
        return timeline.last_s if cell else timeline.first_s
    return timeline.first_s + (cell + 0.5) / cells * (timeline.last_s - timeline.first_s)


def cell_of(timeline: Timeline, at_s: float, cells: int) -> int:
    """The cell of the curve that an instant is in."""
    share = (at_s - timeline.first_s) / max(1e-9, timeline.last_s - timeline.first_s)
    return min(cells - 1, max(0, int(share * cells)))


def curve(timeline: Timeline, cells: int, *, ascii_only: bool) -> list[Cell]:
    """The cells of the curve: RES on a scale from 0 to its highest, events in place of it, the instant on screen."""
    sparks = ASCII_SPARKS if ascii_only else SPARKS
    unknown = " " if ascii_only else "·"
    drawn = [(size or unknown, "res" if size else "dim") for size in heights(timeline, cells, sparks)]
    worst: dict[int, EventKind] = {}
    for event in timeline.events:
        at = cell_of(timeline, event.at_s, cells)
        worst[at] = min(worst.get(at, event.kind), event.kind, key=_RANKS.__getitem__)
    for at, kind in worst.items():
        sign, ascii_sign, part = _SIGN_STYLES[kind]
        drawn[at] = (ascii_sign if ascii_only else sign), part
    here = cell_of(timeline, timeline.at_s, cells)
    return [Cell(text, part, at == here) for at, (text, part) in enumerate(drawn)]


def heights(timeline: Timeline, cells: int, sparks: str) -> list[str | None]:
    """A character for the highest RES in each cell; None where it is not known."""
    parts = timeline.rss_bytes
    if not parts:
        return [None] * cells
    highest = max((size for size in parts if size is not None), default=0.0)
    found: list[str | None] = []
    for cell in range(cells):
        first = cell * len(parts) // cells
        inside = [size for size in parts[first : max(first + 1, (cell + 1) * len(parts) // cells)] if size is not None]
        steps = len(sparks) - 1
        found.append(sparks[round(max(inside) / highest * steps)] if inside and highest else None)
    return found

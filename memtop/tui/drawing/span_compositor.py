"""Compositor that asks only the widgets that are seen in a changed place for their lines.

Textual's own asks every widget on and behind a changed line, and cuts all their lines into pieces, also those beside
the change and those that children cover. That took a quarter of a frame's time. It also makes an object for each place
that the cursor goes to, and keeps the escape codes of each line beside the line.
"""

from __future__ import annotations

from itertools import pairwise

from rich.color import ColorSystem
from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor, CompositorMap, ReflowResult
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

_Gap = tuple[int, int]
"""A place on a line between two cuts, for which no widget has been asked yet: first column, column after the last."""


class SpanUpdate(ChopsUpdate):
    """A ChopsUpdate that is written in fewer steps. What is written is the same."""

    def render_segments(self, console: Console) -> str:
        """As in ChopsUpdate."""
        color_system = console._color_system or ColorSystem.TRUECOLOR
        last_y, written = self.spans[-1][0], []
        for y, first, after in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=True):
                if strip is None or x > after or end <= first:
                    continue
                seen = strip if first <= x < after and end <= after else strip.crop(0, min(end, after) - x)
                written.append(f"\x1b[{y + 1};{x + 1}H")
                for text, style, _ in seen:
                    written.append(text if style is None else Strip.render_style(style, text, color_system))
            if y != last_y:
                written.append("\n")
        return "".join(written)


class SpanCompositor(Compositor):
    """A Compositor with other partial updates. What they show is the same."""

    def __init__(self) -> None:
        super().__init__()
        self._laid_out: CompositorMap = {}
        """Where the widgets were after the last layout."""

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """As in Compositor. What has changed is what has since the last layout.

        Textual's own compares with a map that it also renews between two layouts, when a widget that was just
        displayed asks to be painted. That widget then got no Resize, and the cells of what it covers stayed.
        """
        self._full_map = self._laid_out
        result = super().reflow(parent, size)
        self._laid_out = self._full_map
        return result

    def render_partial_update(self) -> ChopsUpdate | None:
        """As in Compositor."""
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        height = self.size.height
        spans = [span for span in self._regions_to_spans(regions) if 0 <= span[0] < height]
        if not spans:
            return None
        gaps: dict[int, list[_Gap]] = {}
        for y, first, end in spans:
            here = gaps.setdefault(y, [])
            here += [gap for gap in pairwise(self.cuts[y]) if gap[0] < end and gap[1] > first and gap not in here]
        lines: list[dict[int, Strip]] = [{} for _ in range(height)]
        ends: list[list[int]] = [[] for _ in range(height)]
        for widget, (region, clip) in self.visible_widgets.items():  # the one in front comes first
            if not gaps:
                break
            left, top, width, rows = region.intersection(clip)
            right = left + width
            seen = [
                (y, mine)
                for y in gaps.keys() & range(top, top + rows)
                if (mine := [gap for gap in gaps[y] if left <= gap[0] < right])
            ]
            if not seen:
                continue
            strips = widget.render_lines(Region(left - region.x, top - region.y, width, rows))
            for y, mine in seen:
                if len(mine) == len(gaps[y]):
                    del gaps[y]
                else:
                    gaps[y] = [gap for gap in gaps[y] if gap not in mine]
                for start, end in _joined(mine):
                    strip = strips[y - top]
                    is_whole = start == left and end == right
                    lines[y][start] = strip if is_whole else strip.crop(start - left, end - left)
                    ends[y].append(end)
        return SpanUpdate(lines, spans, ends)


def _joined(gaps: list[_Gap]) -> list[_Gap]:
    """Neighbors as one."""
    if len(gaps) == 1:
        return gaps
    found: list[_Gap] = []
    for start, end in sorted(gaps):
        if found and found[-1][1] == start:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found

"""Widget that shows a process's page faults per second: minor ones left, major ones right, each on its own scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip

from memtop import units
from memtop.model.frame import Detail
from memtop.tui.chart.axes import known
from memtop.tui.chart.canvas import bars
from memtop.tui.chart.chart_base import ChartBase
from memtop.tui.chart.chart_styles import ChartStyle, ChartStyles, Glyphs
from memtop.tui.chart.curves import spread
from memtop.tui.drawing.cell_text import fit, to_ascii

_SIDE_BY_SIDE_FROM: Final = 56
"""Columns from which minor and major stand beside each other."""
_WORDS_CELLS: Final = 14
_GAP_CELLS: Final = 2


class FaultChart(ChartBase):
    """Minor and major page faults per second of the process in focus."""

    DEFAULT_CSS = """
    FaultChart { height: 3; }
    """

    detail: reactive[Detail | None] = reactive(None, repaint=False)
    """The process in focus; None if there is none."""

    def watch_detail(self, before: Detail | None, after: Detail | None) -> None:
        """Redraw if the new numbers differ from those on screen."""
        if _shown(before) != _shown(after):
            self.invalidate()

    def build(self, width: int, height: int) -> list[Strip]:
        """Both charts, side by side, or above each other on narrow screens."""
        detail = self.detail
        if detail is None or width < 1 or height < 1:
            return []
        inks = self.inks()
        minor = ("minor faults", detail.row.minflt_per_s, detail.series.minflt_per_s, ChartStyle.MINOR)
        major = ("major faults", detail.row.majflt_per_s, detail.series.majflt_per_s, ChartStyle.MAJOR)
        if width < _SIDE_BY_SIDE_FROM:
            upper = (height + 1) // 2
            strips = _panel(detail, minor, width, upper, inks, look=self.look)
            if height > upper:
                strips += _panel(detail, major, width, height - upper, inks, look=self.look)
            return strips
        half = (width - _GAP_CELLS) // 2
        left = _panel(detail, minor, half, height, inks, look=self.look)
        right = _panel(detail, major, width - _GAP_CELLS - half, height, inks, look=self.look)
        gap = Strip.blank(_GAP_CELLS, inks[ChartStyle.GROUND])
        return [Strip.join([one, gap, other]) for one, other in zip(left, right, strict=True)]


Panel = tuple[str, float | None, tuple[float | None, ...], ChartStyle]


def _shown(detail: Detail | None) -> object:
    """All that the chart depends on."""
    if detail is None:
        return None
    row, series = detail.row, detail.series
    return row.minflt_per_s, row.majflt_per_s, series.minflt_per_s, series.majflt_per_s, detail.cursor_s


def rate(faults_per_s: float | None) -> str:
    """``3100/s``, ``12.4k/s``, ``0/s``; a dash if unknown."""
    return units.UNKNOWN if faults_per_s is None else f"{units.count(faults_per_s)}/s"


def _panel(detail: Detail, panel: Panel, width: int, height: int, inks: ChartStyles, *, look: Glyphs) -> list[Strip]:
    """One chart: its name and numbers on the left, its bars on the right."""
    name, now, past, ink = panel
    values = known(past)
    highest = max((value for value in values if value is not None), default=None)
    if height == 1:
        words = [f"{name} {rate(now)}"]
        cells = max(_WORDS_CELLS, len(words[0])) + 1
    else:
        words = [name, rate(now), "" if highest is None else f"most {rate(highest)}"][:height]
        cells = _WORDS_CELLS
    if look is Glyphs.ASCII:
        words = [to_ascii(word) for word in words]
    words += [""] * (height - len(words))
    cells = min(cells, width)
    columns = width - cells
    if columns < 1:
        drawn = [Strip([])] * height
    elif not highest:
        note = "" if highest is None else f"none in {units.duration(detail.window_s)}"
        drawn = [
            Strip([Segment(fit(note if row == 0 else "", columns, left=True), inks[ChartStyle.AXIS])])
            for row in range(height)
        ]
    else:
        drawn = bars(
            _heights(detail, values, highest, columns),
            height,
            ink,
            inks,
            look=look,
            cursor=_column(detail.cursor_s, detail.window_s, columns),
        )
    styles = [inks[ChartStyle.AXIS], inks[ink]] if height > 1 else [inks[ink]]
    return [
        Strip.join([Strip([Segment(fit(word, cells, left=True), styles[min(row, 1) if row < 2 else 0])]), line])
        for row, (word, line) in enumerate(zip(words, drawn, strict=True))
    ]


def _heights(detail: Detail, values: Sequence[float | None], highest: float, columns: int) -> list[float | None]:
    """The highest rate within each column, relative to the highest of all."""
    across = [_place(at_s, detail.window_s) for at_s in detail.series.times_s]
    return [None if value is None else value / highest for value in spread(across, values, columns)]


def _place(at_s: float, window_s: float) -> float:
    return 1 + at_s / window_s if math.isfinite(at_s) and math.isfinite(window_s) and window_s > 0 else -1.0


def _column(at_s: float | None, window_s: float, columns: int) -> int | None:
    if at_s is None:
        return None
    return math.floor(_place(at_s, window_s) * (columns - 1) + 0.5)

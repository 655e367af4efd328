"""Widget that shows a process's page faults a second on the time axis of the memory chart above it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from memtop import units
from memtop.columns import ASCII_SPARKS, SPARKS
from memtop.model.detail import Detail
from memtop.tui.chart.axes import TimeSpan, known
from memtop.tui.chart.chart_styles import ChartStyle, Glyphs
from memtop.tui.chart.curves import spread
from memtop.tui.chart.picture import picture_of
from memtop.tui.chart.plot import PlotFrame, frame_of
from memtop.tui.chart.timed_chart import TimedChart
from memtop.tui.drawing.cell_text import fit, spark_lines, to_ascii

_LEAST_MARGIN: Final = 7
"""Cells for a rate where the memory chart has no axis to stand under."""
_STEPS: Final = 7
"""Heights of the upper row, in eighths: rows that follow each other stay apart."""


class _Faults(NamedTuple):
    """One kind of faults."""

    name: str
    now_per_s: float | None
    past_per_s: tuple[float | None, ...]
    ink: ChartStyle

    @property
    def most_per_s(self) -> float | None:
        """The highest rate: of the past, which has means of some samples in a long window, and of now."""
        return max([value for value in (*self.past_per_s, self.now_per_s) if value is not None], default=None)


class FaultChart(TimedChart):
    """Minor faults a second of the process in focus, and major ones while there are some in the window."""

    DEFAULT_CSS = """
    FaultChart { height: auto; }
    """

    detail: reactive[Detail | None] = reactive(None, repaint=False)
    """What is known of the process in focus, or None when there is none."""

    def watch_detail(self, before: Detail | None, after: Detail | None) -> None:
        """Redraw if the new numbers differ from those on screen."""
        if _shown(before) != _shown(after):
            if len(_kinds(before)) != len(_kinds(after)):
                self.refresh(layout=True)
            self.invalidate()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One row for each kind of faults."""
        return len(_kinds(self.detail))

    def build(self, width: int, height: int) -> list[Strip]:
        """A row for each kind, or more where there is room."""
        detail = self.detail
        if detail is None or width < 1 or height < 1:
            return []
        kinds = _kinds(detail)[:height]
        frame = frame_of(self.picture or picture_of(detail), width)
        strips: list[Strip] = []
        for number, faults in enumerate(kinds):
            rows = height // len(kinds) + (number < height % len(kinds))
            strips += self._rows(detail, faults, frame, width, rows)
        return strips

    def _rows(self, detail: Detail, faults: _Faults, frame: PlotFrame, width: int, rows: int) -> list[Strip]:
        """The rate in the margin, then a bar for each column of the plot; the name in a gap between the bars."""
        inks, ascii_only = self.inks(), self.look is Glyphs.ASCII
        margin = min(width, max(frame.left, _LEAST_MARGIN))
        columns = max(0, min(frame.columns - (margin - frame.left), width - margin))
        lines = _bars(detail, faults, frame, columns, rows, ascii_only=ascii_only)
        words = _words(faults, detail.window.window_s)
        place = _gap(lines[0], words) if lines[0].strip() else (0, words[0])
        if place[0] == 0 and len(rate(faults.now_per_s)) >= margin:
            place = 0, f" {place[1]}"  # a rate that fills the margin
        cursor = _column(frame, detail.window.cursor_s, columns)
        strips = []
        for row, line in enumerate(lines):
            said = rate(faults.now_per_s) if row == 0 else ""
            text = fit(said, margin) if len(said) >= margin else fit(said, margin - 1) + " "
            segments = [Segment(to_ascii(text) if ascii_only else text, inks[ChartStyle.AXIS])]
            if row == 0:
                start, said = place[0], fit(place[1], min(columns, len(place[1])), left=True)
                segments += _segments(line[:start], 0, inks[faults.ink], cursor, inks[ChartStyle.CURSOR])
                segments.append(Segment(to_ascii(said) if ascii_only else said, inks[ChartStyle.AXIS]))
                start += len(said)
                segments += _segments(line[start:], start, inks[faults.ink], cursor, inks[ChartStyle.CURSOR])
            else:
                segments += _segments(line, 0, inks[faults.ink], cursor, inks[ChartStyle.CURSOR])
            strips.append(Strip(segments).adjust_cell_length(width, inks[ChartStyle.GROUND]))
        return strips


def rate(faults_per_s: float | None) -> str:
    """``3100/s``, ``12.4k/s``, ``0/s``; a dash where unknown."""
    return units.UNKNOWN if faults_per_s is None else f"{units.count(faults_per_s)}/s"


def _kinds(detail: Detail | None) -> list[_Faults]:
    """Minor faults, and major ones where there are any: most processes never have one."""
    if detail is None:
        return []
    row, series = detail.row, detail.series
    minor = _Faults("minor faults", row.minflt_per_s, known(series.minflt_per_s), ChartStyle.MINOR)
    major = _Faults("major faults", row.majflt_per_s, known(series.majflt_per_s), ChartStyle.MAJOR)
    return [minor, major] if major.most_per_s or major.now_per_s else [minor]


def _shown(detail: Detail | None) -> object:
    """All that the chart depends on."""
    if detail is None:
        return None
    row, series = detail.row, detail.series
    return row.minflt_per_s, row.majflt_per_s, series.minflt_per_s, series.majflt_per_s, detail.window.cursor_s


def _bars(detail: Detail, faults: _Faults, frame: PlotFrame, columns: int, rows: int, *, ascii_only: bool) -> list[str]:
    """The highest rate within each column, as high as its share of the highest of all."""
    most = faults.most_per_s
    if not most or columns < 1:
        return [" " * columns] * rows
    signs = ASCII_SPARKS if ascii_only else SPARKS
    across = _places(detail.series.times_s, frame.span)
    high = rows * len(signs) - (len(signs) - _STEPS)
    heights = [
        0 if not value or value < 0 else max(1, round(min(value / most, 1.0) * high))
        for value in spread(across, faults.past_per_s, columns)
    ]
    return spark_lines(heights, rows, signs)


@lru_cache(maxsize=4)
def _places(times_s: tuple[float, ...], span: TimeSpan) -> tuple[float, ...]:
    """The places of instants. They are cached, because values move through a chart and times do not."""
    return tuple([span.place(at_s) if math.isfinite(at_s) else -1.0 for at_s in times_s])


def _words(faults: _Faults, window_s: float) -> list[str]:
    """What may stand in the row, the longest first."""
    most = faults.most_per_s
    if not most:
        none = "" if most is None else f": none in {units.duration(window_s)}"
        return [f"{faults.name}{none}"]
    return [f"{faults.name}, max {rate(most)} ", f"{faults.name} ", f"{faults.name.split()[0]} "]


def _gap(line: str, words: list[str]) -> tuple[int, str]:
    """The first place in the line that is blank for one of the words; over the oldest bars where there is none.

    Behind a bar one cell stays free.
    """
    for text in words:
        if line.startswith(" " * (len(text) + 1)):
            return 0, text
        start = line.find(" " * (len(text) + 2))
        if start >= 0:
            return start, f" {text}"
    return 0, words[1]


def _segments(line: str, start: int, style: Style, cursor: int | None, cursor_style: Style) -> list[Segment]:
    """The bars from column ``start`` on, with the background of the cursor in its column."""
    if cursor is None or not start <= cursor < start + len(line):
        return [Segment(line, style)] if line else []
    at = cursor - start
    behind = style + Style(bgcolor=cursor_style.bgcolor)
    pieces = (Segment(line[:at], style), Segment(line[at], behind), Segment(line[at + 1 :], style))
    return [piece for piece in pieces if piece.text]


def _column(frame: PlotFrame, at_s: float | None, columns: int) -> int | None:
    if at_s is None:
        return None
    place = frame.span.place(at_s)
    return math.floor(place * (columns - 1) + 0.5) if math.isfinite(place) else None

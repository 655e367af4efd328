"""The picture of a process's memory chart: series, scale, limits, marks and forecast, as the plot draws them."""

from __future__ import annotations

from typing import NamedTuple

from memtop.explain.chart_levels import Forecast
from memtop.model.detail import Detail, Mark, Series
from memtop.model.row import Note
from memtop.tui.chart.axes import Scale, clock, known, settle

Limits = tuple[tuple[str, float], ...]
"""(label, bytes) of the binding limits."""


class MemoryPicture(NamedTuple):
    """Everything that the cells of a memory chart depend on, apart from size and colors."""

    series: Series
    window_s: float
    right_edge_s: float
    by_clock: bool
    """Whether time labels are clock times (when looking back) instead of distances from now."""
    cursor_s: float | None = None
    marks: tuple[Mark, ...] = ()
    peak_bytes: float | None = None
    limits: Limits = ()
    scale: Scale = Scale.ONE
    """The scale to draw, never AUTO."""
    message: str = ""
    """Text over the middle of the chart."""
    forecast: Forecast | None = None

    def looks_like(self, other: MemoryPicture | None) -> bool:
        """Whether both give the same cells. The time of the right edge counts only if clock times are shown."""
        if other is None or self.by_clock:
            return self == other
        return self == other._replace(right_edge_s=self.right_edge_s)

    def has_only_newer_numbers(self, before: MemoryPicture | None) -> bool:
        """Whether scale, window, limits and marks are those of the picture before."""
        return before is not None and self == before._replace(
            series=self.series, right_edge_s=self.right_edge_s, peak_bytes=self.peak_bytes, forecast=self.forecast
        )


def picture_of(
    detail: Detail,
    scale: Scale = Scale.AUTO,
    limits: Limits = (),
    before: Scale = Scale.ONE,
    forecast: Forecast | None = None,
) -> MemoryPicture:
    """The picture of a process; ``before`` is the scale drawn last, so that AUTO does not flap."""
    virt = max([value for value in known(detail.series.virt_bytes) if value is not None], default=0.0)
    rss = max([value for value in known(detail.series.rss_bytes) if value is not None], default=0.0)
    return MemoryPicture(
        detail.series,
        detail.window.window_s,
        detail.window.right_edge_s,
        detail.window.cursor_s is not None or detail.gone,
        detail.window.cursor_s,
        detail.marks,
        detail.row.peak_rss_bytes,
        limits,
        settle(scale, virt, rss, before),
        message_of(detail),
        None if detail.gone or detail.window.cursor_s is not None else forecast,
    )


def message_of(detail: Detail) -> str:
    """Text over the chart; empty if the curves need none."""
    row = detail.row
    if detail.gone or row.note is Note.GONE:
        return "gone" if row.gone_s is None else f"gone since {clock(row.gone_s)}"
    if row.note in (Note.KERNEL, Note.ZOMBIE):
        return str(row.note.value)
    known_bytes = known(detail.series.rss_bytes)
    if len(known_bytes) - known_bytes.count(None) >= 2:
        return ""
    if row.note is Note.DENIED:
        return detail.why_unknown.get("rss_bytes", str(row.note.value))
    return "waiting for the second sample"

"""Overlays of the memory chart: limits, peak, marks, cursor and forecast, in the cells that the curves leave."""

from __future__ import annotations

import math
from typing import Final

from memtop import units
from memtop.explain.chart_levels import Forecast
from memtop.explain.severity_signs import DANGER_MARK, WARNING_MARK
from memtop.model.detail import Mark
from memtop.tui.chart.axes import Axis, TimeSpan, clock
from memtop.tui.chart.canvas import Canvas, narrow
from memtop.tui.chart.chart_styles import ChartStyle
from memtop.tui.chart.curves import DOTS_PER_COLUMN
from memtop.tui.chart.picture import MemoryPicture

_OF_SIGNS: Final = {WARNING_MARK: ChartStyle.WARNING, DANGER_MARK: ChartStyle.DANGER}
"""How the limit is drawn whose label begins with such a sign."""
_FORECAST_DOTS: Final = 2
"""Columns of dots between two of a forecast's line."""


def draw_overlays(canvas: Canvas, picture: MemoryPicture, axis: Axis, span: TimeSpan) -> None:
    """Limits, peak, marks and cursor, in the cells that the curves leave."""
    for label, limit_bytes in picture.limits:
        ink, size = _OF_SIGNS.get(label[:1], ChartStyle.LIMIT), units.size(limit_bytes)
        short = size if ink is ChartStyle.LIMIT else f"{label[:1]} {size}"
        _level(canvas, axis, limit_bytes, (f"{label} {size}", short), ink)
    if picture.peak_bytes is not None:
        _level(canvas, axis, picture.peak_bytes, (f"peak {units.size(picture.peak_bytes)}",), ChartStyle.PEAK)
    for mark in picture.marks:
        _mark(canvas, span, mark)
    if picture.cursor_s is not None and -picture.window_s <= picture.cursor_s <= 0:
        column = canvas.column(max(0.0, span.place(picture.cursor_s)))
        for row in range(canvas.rows):
            if canvas.blank(column, row):
                canvas.put(column, row, "│", ChartStyle.CURSOR)
            canvas.under(column, row, ChartStyle.CURSOR)
        canvas.put_foot(column, f" {clock(picture.right_edge_s + picture.cursor_s)} ", ChartStyle.CURSOR)


def draw_forecast(canvas: Canvas, forecast: Forecast, now_bytes: float, axis: Axis, span: TimeSpan) -> None:
    """Two dotted lines from now on, slow and fast, until they meet the limit, and where now is."""
    here, last = canvas.column(span.place(0.0)), canvas.columns * DOTS_PER_COLUMN - 1
    for dot in range((here + 1) * DOTS_PER_COLUMN, last + 1, _FORECAST_DOTS):
        after_s = span.at_s(dot / last)
        for ends_s, rise in zip((forecast.latest_s, forecast.earliest_s), forecast.rises_bytes(after_s), strict=True):
            if after_s <= ends_s:
                canvas.dot(dot / last, axis.place(now_bytes + rise), ChartStyle.RES)
    for row in range(canvas.rows):
        if canvas.blank(here + 1, row):
            canvas.put(here + 1, row, "┊", ChartStyle.AXIS)


def _level(canvas: Canvas, axis: Axis, value_bytes: float, labels: tuple[str, ...], ink: ChartStyle) -> None:
    """Draw a dashed line with the first of its labels that fits, if the value is within the scale.

    Without a label there is no sign of severity, so the line has no color of it either.
    """
    if not (math.isfinite(value_bytes) and axis.low_bytes < value_bytes <= axis.high_bytes):
        return
    up = axis.place(value_bytes)
    row, line = canvas.row(up), canvas.level(up, dense=ink is not ChartStyle.PEAK)
    places = (
        (spot, text)
        for text in (f" {narrow(label)} " for label in labels)
        for spot in (2, canvas.columns // 2 - len(text) // 2, canvas.columns - len(text) - 2)
    )
    spot, text = next((place for place in places if canvas.blank(place[0], row, len(place[1]))), (0, ""))
    if not text and ink is not ChartStyle.PEAK:
        ink = ChartStyle.LIMIT
    canvas.put_where_blank(row, line, ink)
    canvas.put_text(spot, row, text, ink)


def _mark(canvas: Canvas, span: TimeSpan, mark: Mark) -> None:
    """Draw a vertical line at an event, with its label at the top, on the side that has room.

    Labels do not touch each other: where events are close, some have their line only.
    """
    place = span.place(mark.at_s)
    if not 0 <= place <= 1:
        return
    column = canvas.column(place)
    if mark.kind == "gc":  # they are frequent, so each gets only a tick at the top
        if canvas.blank(column, 0):
            canvas.put(column, 0, "╷", ChartStyle.MARK)
        return
    for row in range(canvas.rows):
        if canvas.blank(column, row):
            canvas.put(column, row, "┊", ChartStyle.MARK)
    text = narrow(mark.label or mark.kind)
    for row in range(min(2, canvas.rows)):
        for start in (column + 1, column - len(text)):
            touches = canvas.has_text(start - 1, row, 1) or canvas.has_text(start + len(text), row, 1)
            if canvas.blank(start, row, len(text)) and not touches:
                canvas.put_text(start, row, text, ChartStyle.MARK)
                return

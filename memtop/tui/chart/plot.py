"""Plots a process's VIRT and RES over time as Strips. Pure: the same series gives the same cells."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from textual.strip import Strip

from memtop.tui.chart.axes import Axis, Scale, TimeSpan, close_up, known, linear, logarithmic, time_ticks
from memtop.tui.chart.canvas import AXES_FROM, LABEL_CELLS, Canvas, foot_rows, narrow
from memtop.tui.chart.chart_styles import ChartStyle, ChartStyles, Glyphs
from memtop.tui.chart.curves import DOTS_PER_COLUMN, Curve, DrawnCurves
from memtop.tui.chart.overlays import draw_forecast, draw_overlays
from memtop.tui.chart.picture import MemoryPicture

FILL_FROM_ROWS: Final = 4
"""Height of the plot from which the area under RES shows its parts."""
_AHEAD_SHARE: Final = 0.25
"""Share of the plot for the future, while there is a forecast."""


def points_for(width: int, scale: Scale = Scale.ONE, *, ahead: bool = False) -> int:
    """Number of points of the past in a chart ``width`` cells wide: two for each of its columns of braille."""
    columns = _columns(width, scale)
    return max(2, DOTS_PER_COLUMN * (columns - (_columns_ahead(columns) if ahead else 0)))


def _columns(width: int, scale: Scale) -> int:
    """Columns of the plot inside the axes."""
    axes = 0 if width < AXES_FROM[0] else 2 if scale is Scale.OWN else 1
    return width - axes * (LABEL_CELLS + 1)


def _columns_ahead(columns: int) -> int:
    return int(columns * _AHEAD_SHARE)


def _span(window_s: float, points: int, columns: int, *, ahead: bool) -> TimeSpan:
    """The time that a plot shows: one point of the past per dot, and as much of the future as there is room for."""
    step_s = window_s / max(1, points)
    past_s = window_s - step_s
    if not ahead:
        return TimeSpan(past_s)
    later = _columns_ahead(columns)
    return TimeSpan(past_s, past_s * later / max(1, columns - later - 1 / DOTS_PER_COLUMN))


class PlotFrame(NamedTuple):
    """Where the plot stands inside a chart, in cells, and the time it shows."""

    left: int
    columns: int
    span: TimeSpan


def frame_of(picture: MemoryPicture, width: int) -> PlotFrame:
    """The frame of a memory chart ``width`` cells wide, for charts that share its time axis."""
    columns, points = _columns(width, picture.scale), len(picture.series.times_s)
    span = _span(picture.window_s, points, columns, ahead=picture.forecast is not None)
    return PlotFrame(LABEL_CELLS + 1 if width >= AXES_FROM[0] else 0, columns, span)


def time_at(picture: MemoryPicture, x: int, width: int) -> float | None:
    """Wall time of the point at the cell ``x`` of a chart ``width`` cells wide; None for now, the right edge."""
    left, columns, span = frame_of(picture, width)
    there_s = span.at_s(min(max((x - left) / max(1, columns - 1), 0.0), 1.0))
    step_s = picture.window_s / len(picture.series.times_s)
    points = round(min(there_s, 0.0) / step_s)
    return picture.right_edge_s + points * step_s if points else None


def filled(scale: Scale, rows: int) -> bool:
    """Whether the parts of RES are drawn as areas: they need room, and the scale of VIRT, which gives them a size."""
    return rows >= FILL_FROM_ROWS and scale is Scale.ONE


def memory_strips(
    picture: MemoryPicture,
    width: int,
    height: int,
    inks: ChartStyles,
    *,
    look: Glyphs = Glyphs.SHADED,
    drawn: DrawnCurves | None = None,
) -> list[Strip]:
    """Draw the chart as ``height`` Strips of ``width`` cells. ``drawn`` is its cache from picture to picture."""
    if width < 1 or height < 1:
        return []
    series = picture.series
    _, columns, span = frame_of(picture, width)
    inside, across = _across(series.times_s, span)

    def taken(values: tuple[float | None, ...]) -> Sequence[float | None]:
        clean_values = known(values)
        return clean_values if len(inside) == len(clean_values) else [clean_values[number] for number in inside]

    virt, rss = taken(series.virt_bytes), taken(series.rss_bytes)
    if picture.message and not any(value is not None for value in (*virt, *rss)):
        return message_strips(picture.message, width, height, inks, look)
    rows = height - foot_rows(width, height)
    virt_axis, rss_axis = _axes(picture.scale, virt, rss, _highest_ahead(picture, rss, span), rows)
    own = picture.scale is Scale.OWN
    lines, areas = [], []
    if picture.scale is not Scale.RES_ONLY:
        lines.append(Curve(across, virt_axis.places(virt), ChartStyle.VIRT))
    if filled(picture.scale, rows):
        parts = taken(series.anon_bytes), taken(series.file_bytes), taken(series.shmem_bytes)
        areas = _areas(across, rss, parts, rss_axis)
    if not areas or look is Glyphs.ASCII:  # otherwise RES is the upper edge of its parts
        lines.append(Curve(across, rss_axis.places(rss), ChartStyle.RES))
    canvas = Canvas(
        width,
        height,
        lines=lines,
        areas=areas,
        left=virt_axis.labels(),
        right=rss_axis.labels() if own else (),
        bottom=time_ticks(span, picture.right_edge_s if picture.by_clock else None, columns),
        look=look,
        drawn=drawn,
    )
    if own:
        canvas.tint_labels(ChartStyle.VIRT, ChartStyle.RES)
    if canvas.columns >= 2 and canvas.rows >= 2:
        draw_overlays(canvas, picture, rss_axis, span)
        if picture.forecast is not None and (now_bytes := _latest(rss)) is not None:
            draw_forecast(canvas, picture.forecast, now_bytes, rss_axis, span)
    _say(canvas, picture.message)
    return canvas.strips(inks)


@lru_cache(maxsize=4)
def _across(times_s: tuple[float, ...], span: TimeSpan) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The points inside the plot, and their places. They are cached, because values move through a chart and times do
    not."""
    places = [span.place(at_s) for at_s in times_s]
    inside = tuple(number for number, place in enumerate(places) if 0 <= place <= 1)
    return inside, tuple(places[number] for number in inside)


def message_strips(
    message: str, width: int, height: int, inks: ChartStyles, look: Glyphs = Glyphs.SHADED
) -> list[Strip]:
    """Draw text in the middle of an otherwise empty chart."""
    if width < 1 or height < 1:
        return []
    canvas = Canvas(width, height, look=look)
    _say(canvas, message)
    return canvas.strips(inks)


def _axes(
    scale: Scale, virt: Sequence[float | None], rss: Sequence[float | None], ahead_bytes: float, rows: int
) -> tuple[Axis, Axis]:
    """The axes of VIRT and RES: the same one, unless each has its own scale."""
    virt_known = [value for value in virt if value is not None]
    rss_known = [value for value in rss if value is not None]
    highest_virt = max(virt_known, default=0.0)
    highest_rss = max([*rss_known, ahead_bytes], default=0.0)
    if scale is Scale.OWN:
        virt_axis = linear(0.0, highest_virt * 1.02, rows)
        rss_axis = linear(0.0, highest_rss * 1.02, rows)
        if abs(virt_axis.place(highest_virt) - rss_axis.place(highest_rss)) < 0.12:
            rss_axis = linear(0.0, rss_axis.high_bytes * 1.2, rows)  # two lines at the same height would look like one
        return virt_axis, rss_axis
    if scale is Scale.RES_ONLY:
        axis = close_up([*rss_known, max(ahead_bytes, *rss_known)] if rss_known else [], rows)
    elif scale is Scale.LOG:
        axis = logarithmic([*virt_known, *rss_known, ahead_bytes], rows)
    else:
        axis = linear(0.0, max(highest_virt, highest_rss) * 1.02, rows)
    return axis, axis


def _highest_ahead(picture: MemoryPicture, rss: Sequence[float | None], span: TimeSpan) -> float:
    """The highest RES that the forecast reaches in the time shown; 0 without a forecast."""
    now = _latest(rss)
    return 0.0 if picture.forecast is None or now is None else now + picture.forecast.rises_bytes(span.ahead_s)[1]


def _latest(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _areas(
    across: Sequence[float],
    rss: Sequence[float | None],
    parts: tuple[Sequence[float | None], Sequence[float | None], Sequence[float | None]],
    axis: Axis,
) -> list[Curve]:
    """The parts of RES stacked: file, then shmem, then anon up to RES itself, since anon is what mostly moves.

    The areas always add up to RES, also where the parts were read at another moment than RES. Where file and shmem
    are not known apart they are drawn as one.
    """
    files: list[float | None] = []
    shmems: list[float | None] = []
    anons: list[float | None] = []
    for whole, anon, file, shmem in zip(rss, *parts, strict=True):
        if whole is None or anon is None:
            files.append(whole)
            shmems.append(None)
            anons.append(None)
            continue
        shared = whole - anon if whole > anon else 0.0
        if file is None or not shmem:
            files.append(shared)
            shmems.append(None)
        else:
            files.append(min(file, shared))
            shmems.append(shared)
        anons.append(whole)
    tops = (ChartStyle.FILE, files), (ChartStyle.SHMEM, shmems), (ChartStyle.ANON, anons)
    return [Curve(across, axis.places(top), ink) for ink, top in tops if top]


def _say(canvas: Canvas, message: str) -> None:
    """Write text in the middle of the plot, in as many lines as it needs and as fit; beside other texts if it can."""
    if not message or canvas.columns < 1:
        return
    lines = textwrap.wrap(narrow(message), max(1, canvas.columns - 2))[: canvas.rows]
    texts = [f" {line} "[: canvas.columns] for line in lines]
    starts = [(canvas.columns - len(text)) // 2 for text in texts]
    middle = (canvas.rows - len(texts)) // 2

    def covers(top: int) -> bool:
        return any(
            canvas.has_text(start, row, len(text))
            for row, (start, text) in enumerate(zip(starts, texts, strict=True), top)
        )

    tops = sorted(range(canvas.rows - len(texts) + 1), key=lambda top: (covers(top), abs(top - middle)))
    for row, (start, text) in enumerate(zip(starts, texts, strict=True), tops[0]):
        canvas.put_text(start, row, text, ChartStyle.MESSAGE)

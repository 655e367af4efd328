"""The picture of a process's memory: VIRT and RES over time as Strips. Pure: the same picture gives the same cells."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from textual.strip import Strip

from memtop import units
from memtop.frame import Detail, Mark, Note, Series
from memtop.tui.canvas import AXES_FROM, DOTS_PER_COLUMN, LABEL_CELLS, Canvas, Curve, narrow, spread
from memtop.tui.ink import Ink, Inks, Look
from memtop.tui.scales import Axis, Scale, clock, close_up, known, linear, logarithmic, settle, time_ticks

FILL_FROM_ROWS: Final = 8
"""Height of the plot from which RES is filled by its parts."""
_ROWS_PER_TICK: Final = 3
DOTS_UP: Final = 400
"""A curve moves by half a dot, in a chart of fifty lines, when it moves by this part of its height."""
_MOST_TICKS: Final = 8
_DASHES: Final = {Ink.LIMIT: "╌", Ink.PEAK: "┈"}

Limits = tuple[tuple[str, float], ...]
"""(label, bytes) of the limits that bind."""


@dataclass(frozen=True, slots=True)
class MemoryPicture:
    """Everything that the cells of a memory chart depend on, apart from size and colours."""

    series: Series
    window_s: float
    right_edge_s: float
    by_clock: bool
    """Time labels by the clock (when looking back) instead of by distance from now."""
    cursor_s: float | None = None
    marks: tuple[Mark, ...] = ()
    peak_bytes: float | None = None
    limits: Limits = ()
    scale: Scale = Scale.ONE
    """Settled: never AUTO."""
    message: str = ""
    """Words over the middle of the chart."""

    def looks_like(self, other: MemoryPicture | None) -> bool:
        """Whether both give the same cells, as far as dots can tell.

        The time of the right edge counts only where a clock is shown; values may differ by less than a dot.
        """
        if other is None or self.by_clock or self.cursor_s is not None:
            return self == other
        same = replace(other, right_edge_s=self.right_edge_s, series=self.series, peak_bytes=self.peak_bytes)
        return self == same and _same_dots(self, other)


def _same_dots(one: MemoryPicture, other: MemoryPicture) -> bool:
    """Whether no value differs by as much as half a dot of a large chart. Each curve has a scale of its own at most."""
    if one.series is other.series:
        return one.peak_bytes == other.peak_bytes
    if one.series.times_s != other.series.times_s or (one.peak_bytes is None) != (other.peak_bytes is None):
        return False
    columns = ("virt_bytes", "rss_bytes", "anon_bytes", "file_bytes", "shmem_bytes")
    pairs = [(getattr(one.series, name), getattr(other.series, name)) for name in columns]
    least = max((value for value in known(one.series.rss_bytes) if value is not None), default=0.0) / DOTS_UP
    pairs.append(((one.peak_bytes,), (other.peak_bytes,)))
    if one.scale in (Scale.RES_ONLY, Scale.LOG):
        least = 0.0  # close up, or stretched at the bottom: any change may be seen
    return all(
        a == b or (a is not None and b is not None and abs(a - b) < least)
        for mine, theirs in pairs
        for a, b in zip(mine, theirs, strict=True)
    )


def picture_of(
    detail: Detail, scale: Scale = Scale.AUTO, limits: Limits = (), before: Scale = Scale.ONE
) -> MemoryPicture:
    """The picture of a process; ``before`` is the scale drawn last, so that AUTO does not flap."""
    virt = max((value for value in known(detail.series.virt_bytes) if value is not None), default=0.0)
    rss = max((value for value in known(detail.series.rss_bytes) if value is not None), default=0.0)
    return MemoryPicture(
        detail.series,
        detail.window_s,
        detail.right_edge_s,
        detail.cursor_s is not None or detail.gone,
        detail.cursor_s,
        detail.marks,
        detail.row.peak_rss_bytes,
        limits,
        settle(scale, virt, rss, before),
        message_of(detail),
    )


def message_of(detail: Detail) -> str:
    """What there is to say over the chart, or nothing when the curves speak for themselves."""
    row = detail.row
    if detail.gone or row.note is Note.GONE:
        return "gone" if row.gone_s is None else f"gone since {clock(row.gone_s)}"
    if row.note in (Note.KERNEL, Note.ZOMBIE):
        return str(row.note.value)
    points = sum(value is not None for value in known(detail.series.rss_bytes))
    if points >= 2:
        return ""
    if row.note is Note.DENIED:
        return detail.why_unknown.get("rss_bytes", str(row.note.value))
    return "waiting for the second sample"


def points_for(width: int) -> int:
    """How many points a chart of this width (with its frame) can show: two for each column of braille."""
    labels = LABEL_CELLS + 1 if width >= AXES_FROM[0] else 0
    return max(2, DOTS_PER_COLUMN * (width - labels - 2))


def points_to(detail: Detail, x: int, width: int, scale: Scale) -> int:
    """How many points from the cursor (or from now) to the cell ``x`` of a chart ``width`` cells wide."""
    roomy = width >= AXES_FROM[0]
    left = LABEL_CELLS + 1 if roomy else 0
    right = left if scale is Scale.OWN else 0
    last = len(detail.series.times_s) - 1
    there = (x - left) / max(1, width - left - right - 1)
    here = 1.0 if detail.cursor_s is None or detail.window_s <= 0 else 1 + detail.cursor_s / detail.window_s
    return round(min(max(there, 0.0), 1.0) * last) - round(min(max(here, 0.0), 1.0) * last)


def filled(scale: Scale, rows: int) -> bool:
    """Whether the parts of RES are drawn as areas: they need room, and a scale on which parts add up."""
    return rows >= FILL_FROM_ROWS and scale in (Scale.ONE, Scale.OWN)


def memory_strips(picture: MemoryPicture, width: int, height: int, inks: Inks, look: Look = Look.SHADED) -> list[Strip]:
    """The chart as ``height`` Strips of ``width`` cells."""
    if width < 1 or height < 1:
        return []
    series = picture.series
    across = [1 + at_s / picture.window_s if _sane(at_s, picture.window_s) else math.nan for at_s in series.times_s]
    inside = [number for number, place in enumerate(across) if 0 <= place <= 1]
    across = [across[number] for number in inside]

    def taken(values: tuple[float | None, ...]) -> list[float | None]:
        clean_values = known(values)
        return [clean_values[number] for number in inside]

    virt, rss = taken(series.virt_bytes), taken(series.rss_bytes)
    virt_axis, rss_axis = _axes(picture.scale, virt, rss, min(_MOST_TICKS, max(1, (height - 2) // _ROWS_PER_TICK)))
    own = picture.scale is Scale.OWN
    curves = [Curve(across, _placed(rss, rss_axis), Ink.RES, right=own)]
    if picture.scale is not Scale.RES_ONLY:
        curves.insert(0, Curve(across, _placed(virt, virt_axis), Ink.VIRT))
    speechless = not any(value is not None for value in (*virt, *rss)) and bool(picture.message)
    canvas = Canvas(
        width,
        height,
        () if speechless else curves,
        left=() if speechless else virt_axis.labels(),
        right=rss_axis.labels() if own and not speechless else (),
        bottom=()
        if speechless
        else time_ticks(picture.window_s, picture.right_edge_s if picture.by_clock else None, width - LABEL_CELLS - 1),
        look=look,
    )
    if own:
        canvas.tint_labels(Ink.VIRT, Ink.RES)
    if not speechless and canvas.columns >= 2 and canvas.rows >= 2:
        if filled(picture.scale, canvas.rows):
            parts = taken(series.anon_bytes), taken(series.file_bytes), taken(series.shmem_bytes)
            canvas.fill(_layers(across, rss, parts, rss_axis, canvas.columns))
        _overlay(canvas, picture, rss_axis)
    _say(canvas, picture.message)
    return canvas.strips(inks)


def message_strips(message: str, width: int, height: int, inks: Inks, look: Look = Look.SHADED) -> list[Strip]:
    """Words in the middle of an otherwise empty chart."""
    if width < 1 or height < 1:
        return []
    canvas = Canvas(width, height, look=look)
    _say(canvas, message)
    return canvas.strips(inks)


def _sane(at_s: float, window_s: float) -> bool:
    return math.isfinite(at_s) and math.isfinite(window_s) and window_s > 0


def _placed(values: Sequence[float | None], axis: Axis) -> list[float | None]:
    return [None if value is None else axis.place(value) for value in values]


def _axes(
    scale: Scale, virt: Sequence[float | None], rss: Sequence[float | None], most_ticks: int
) -> tuple[Axis, Axis]:
    """The axes of VIRT and RES: the same one, unless each is on its own scale."""
    virt_known = [value for value in virt if value is not None]
    rss_known = [value for value in rss if value is not None]
    highest_virt, highest_rss = max(virt_known, default=0.0), max(rss_known, default=0.0)
    if scale is Scale.OWN:
        virt_axis = linear(0.0, highest_virt * 1.02, most_ticks)
        rss_axis = linear(0.0, highest_rss * 1.02, most_ticks)
        if abs(virt_axis.place(highest_virt) - rss_axis.place(highest_rss)) < 0.12:
            rss_axis = linear(0.0, rss_axis.high_bytes * 1.2, most_ticks)  # two lines on one would look like one
        return virt_axis, rss_axis
    if scale is Scale.RES_ONLY:
        axis = close_up(rss_known, most_ticks)
    elif scale is Scale.LOG:
        axis = logarithmic([*virt_known, *rss_known], most_ticks)
    else:
        axis = linear(0.0, max(highest_virt, highest_rss) * 1.02, most_ticks)
    return axis, axis


def _layers(
    across: Sequence[float],
    rss: Sequence[float | None],
    parts: tuple[Sequence[float | None], Sequence[float | None], Sequence[float | None]],
    axis: Axis,
    columns: int,
) -> list[tuple[Ink, list[float | None]]]:
    """The parts of RES stacked: anon, then file, then what is left up to RES itself.

    So the areas always add up to RES, also where the parts were read at another moment than RES, and where file
    and shmem are not known apart they are drawn as one.
    """
    tops: list[tuple[float | None, float | None, float | None]] = []
    for whole, anon, file, shmem in zip(rss, *parts, strict=True):
        if whole is None:
            tops.append((None, None, None))
            continue
        low = None if anon is None else min(anon, whole)
        if file is None or shmem is None or low is None:
            tops.append((low, whole, None))
        else:
            tops.append((low, min(low + file, whole) if shmem > 0 else whole, whole if shmem > 0 else None))
    inks = (Ink.ANON, Ink.FILE, Ink.SHMEM)
    return [
        (ink, spread(across, _placed(top, axis), columns))
        for ink, top in zip(inks, zip(*tops, strict=True), strict=False)
    ]


def _overlay(canvas: Canvas, picture: MemoryPicture, axis: Axis) -> None:
    """Limits, peak, marks and cursor, in the cells that the curves leave."""
    for label, limit_bytes in picture.limits:
        _level(canvas, axis, limit_bytes, f"{label} {units.size(limit_bytes)}", Ink.LIMIT)
    if picture.peak_bytes is not None:
        _level(canvas, axis, picture.peak_bytes, f"peak {units.size(picture.peak_bytes)}", Ink.PEAK)
    for mark in picture.marks:
        _mark(canvas, picture, mark)
    if picture.cursor_s is not None and _sane(picture.cursor_s, picture.window_s):
        column = canvas.column(1 + picture.cursor_s / picture.window_s)
        for row in range(canvas.rows):
            if canvas.blank(column, row):
                canvas.put(column, row, "│", Ink.CURSOR)
            canvas.under(column, row, Ink.CURSOR)
        canvas.put_foot(column, f" {clock(picture.right_edge_s + picture.cursor_s)} ", Ink.CURSOR)


def _level(canvas: Canvas, axis: Axis, value_bytes: float, label: str, ink: Ink) -> None:
    """A dashed line with its label in it, where the value is within the scale."""
    if not (math.isfinite(value_bytes) and axis.low_bytes < value_bytes <= axis.high_bytes):
        return
    row = canvas.row(axis.place(value_bytes))
    text = f" {narrow(label)} "
    spots = (2, canvas.columns // 2 - len(text) // 2, canvas.columns - len(text) - 2)
    spot = next((spot for spot in spots if canvas.blank(spot, row, len(text))), None)
    for column in range(canvas.columns):
        if canvas.blank(column, row):
            canvas.put(column, row, _DASHES[ink], ink)
    if spot is not None:
        canvas.put_text(spot, row, text, ink)


def _mark(canvas: Canvas, picture: MemoryPicture, mark: Mark) -> None:
    """An upright line where something happened, with its label at the top, on the side where there is room."""
    if not _sane(mark.at_s, picture.window_s) or not -picture.window_s <= mark.at_s <= 0:
        return
    column = canvas.column(1 + mark.at_s / picture.window_s)
    if mark.kind == "gc":  # they come often: a tick at the top must do
        if canvas.blank(column, 0):
            canvas.put(column, 0, "╷", Ink.MARK)
        return
    for row in range(canvas.rows):
        if canvas.blank(column, row):
            canvas.put(column, row, "┊", Ink.MARK)
    text = narrow(mark.label or mark.kind)
    for row in range(min(2, canvas.rows)):
        for start in (column + 1, column - len(text)):
            if canvas.blank(start, row, len(text)):
                canvas.put_text(start, row, text, Ink.MARK)
                return


def _say(canvas: Canvas, message: str) -> None:
    """Words in the middle of the plot, as many lines as they need and fit."""
    if not message or canvas.columns < 1:
        return
    lines = textwrap.wrap(narrow(message), max(1, canvas.columns - 2))[: canvas.rows]
    top = (canvas.rows - len(lines)) // 2
    for number, line in enumerate(lines):
        text = f" {line} "[: canvas.columns]
        canvas.put_text((canvas.columns - len(text)) // 2, top + number, text, Ink.MESSAGE)

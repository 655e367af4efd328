"""The past of one process, as a chart or a cursor wants it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

from memtop.analysis.rates import per_s, slope_per_s
from memtop.frame import Series
from memtop.history import Diary, History, Point
from memtop.sample import ProcKey

SLOPE_S: Final = 60.0
WINDOWS_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0)
"""The widths of the chart's time window."""
ORDINARY_WINDOW_S: Final = 300.0
"""The widest that the window grows to by itself."""


def point_at(history: History, key: ProcKey, when_s: float) -> Point | None:
    """What was known of a process at a moment: from its diary where that reaches back so far, else from its track."""
    diary, track = history.diaries.get(key), history.tracks.get(key)
    if history.in_gap(when_s):
        return None
    if diary is not None and (index := diary.index_at(when_s)) >= 0:
        return diary.point(index)
    return track.at(when_s) if track is not None else None


def series(history: History, key: ProcKey, *, right_s: float, until_s: float, window_s: float, points: int) -> Series:
    """The window that ends at ``right_s``, one point a bucket; nothing after ``until_s`` (now, or its end).

    Of several readings in a bucket the one with the highest RES stands for it, so that a short peak is never lost.
    """
    width_s = window_s / max(1, points)
    edges_s = [right_s - window_s + index * width_s for index in range(points + 1)]
    found: list[Point | None] = []
    readings: list[Point | None] = []
    diary = history.diaries.get(key)
    for left_s, end_s in pairwise(edges_s):
        inside = left_s <= until_s
        best, last = _bucket(history, key, diary, left_s, min(end_s, until_s)) if inside else (None, None)
        found.append(best)
        readings.append(last)
    return Series(
        times_s=tuple(edge_s - right_s for edge_s in edges_s[1:]),
        virt_bytes=tuple(point and float(point.virt_bytes) for point in found),
        rss_bytes=tuple(point and float(point.rss_bytes) for point in found),
        anon_bytes=tuple(point and float(max(0, point.rss_bytes - point.shr_bytes)) for point in found),
        file_bytes=tuple(point and float(max(0, point.shr_bytes - (point.shmem_bytes or 0))) for point in found),
        shmem_bytes=tuple(point and float(point.shmem_bytes or 0) for point in found),
        minflt_per_s=_rates(readings, lambda point: point.minflt),
        majflt_per_s=_rates(readings, lambda point: point.majflt),
    )


def fitting_window_s(known_s: float) -> float:
    """The window that holds so many seconds of past: it grows with them, up to the ordinary one."""
    return next((window_s for window_s in WINDOWS_S if window_s >= min(known_s, ORDINARY_WINDOW_S)), ORDINARY_WINDOW_S)


def slope_bytes_per_min(history: History, key: ProcKey, until_s: float) -> float | None:
    """Least-squares slope of RES over the minute that ends at ``until_s``; None before there are three readings."""
    diary = history.diaries.get(key)
    if diary is None:
        return None
    first, last = diary.index_at(until_s - SLOPE_S) + 1, diary.index_at(until_s) + 1
    points = [diary.point(index) for index in range(first, last)]
    slope = slope_per_s([point.at_s - until_s for point in points], [float(point.rss_bytes) for point in points])
    return None if slope is None else slope * 60


def _bucket(
    history: History, key: ProcKey, diary: Diary | None, left_s: float, end_s: float
) -> tuple[Point | None, Point | None]:
    """(the reading with the highest RES, the last one) of a bucket; what held before it where nothing was read."""
    last = point_at(history, key, end_s)
    if last is None or last.at_s <= left_s:
        return last, last
    best = last
    if diary is not None and (index := diary.index_at(end_s)) >= 0:
        while index >= 0 and diary.times_s[index] > left_s:
            point = diary.point(index)
            best = point if point.rss_bytes > best.rss_bytes else best
            index -= 1
    elif (track := history.tracks.get(key)) is not None:
        index = track.index_at(end_s)
        while index >= 0 and (point := track.point(index)).at_s > left_s:
            best = point if point.rss_bytes > best.rss_bytes else best
            index -= 1
    return best, last


def _rates(readings: list[Point | None], counter: Callable[[Point], int | None]) -> tuple[float | None, ...]:
    """The rate in each bucket. A bucket without a reading of its own has the rate of the interval that spans it."""
    rates: list[float | None] = [None] * len(readings)
    waiting: list[int] = []
    before: Point | None = None
    rate: float | None = None
    for index, point in enumerate(readings):
        if point is None or before is None:
            waiting, rate = [], None
        elif point.at_s == before.at_s:
            waiting.append(index)
        else:
            rate = per_s(counter(point), counter(before), point.at_s - before.at_s)
            for spanned in (*waiting, index):
                rates[spanned] = rate
            waiting = []
        before = point
    for spanned in waiting:
        rates[spanned] = rate
    return tuple(rates)

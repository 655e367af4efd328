"""Series of one process for the chart and the verdict, and its values at an earlier instant."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from memtop.history.rates import per_s, slope_per_s
from memtop.history.rings import CLOSE_S, Key, Point, Track, Tracks
from memtop.model.detail import Series

MOST_FLAT_S: Final = 3600.0
_FLAT_BYTES: Final = 1 << 20
"""RES that moves by less is flat."""
SLOPE_S: Final = 60.0
WINDOWS_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0)
"""The widths of the chart's time window, which the zoom keys step through."""
_RSS: Final = Point._fields.index("rss_bytes") - 1
ORDINARY_WINDOW_S: Final = 300.0
"""The widest window that is chosen automatically."""


class _Past(NamedTuple):
    """The whole stored past of one process, oldest first, one column for each number; -1 stands for unknown."""

    times_s: array[float]
    virt: array[int]
    rss: array[int]
    shr: array[int]
    shmem: array[int]
    minflt: array[int]
    majflt: array[int]
    swap: array[int]


def _past(history: Tracks[Key], key: Key, from_s: float = -math.inf) -> _Past:
    """The past from its detailed track, and before that from its track. Readings that do not hold anymore at
    ``from_s`` may be left out."""
    detailed, track = history.detailed_tracks.get(key), history.tracks.get(key)
    if detailed is not None and (first := bisect_right(detailed.times_s, from_s + CLOSE_S) - 1) > 0:
        return _Past(detailed.times_s[first:], *detailed.columns(first))
    until = len(track) if track is not None else 0
    if track is not None and detailed is not None and len(detailed):
        until = track.index_at(detailed.times_s[0] - 0.001) + 1
    unknown = array("q", [-1]) * until
    times_ms, *sizes = track.columns(until) if track is not None else (array("q"),) * 4
    times_s = array("d", [ms / 1000 for ms in times_ms])
    older = _Past._make((times_s, *sizes, *[unknown] * 4))
    if detailed is None:
        return older
    columns = (one + other for one, other in zip(older[1:], detailed.columns(), strict=True))
    return _Past._make((older.times_s + detailed.times_s, *columns))


def point_at(history: Tracks[Key], key: Key, when_s: float) -> Point | None:
    """The numbers of a process at an earlier instant: from its detailed track, or from its track before that begins.

    None if nothing was read then.
    """
    if history.in_gap(when_s):
        return None
    detailed, track = history.detailed_tracks.get(key), history.tracks.get(key)
    if detailed is not None and (index := detailed.index_at(when_s)) >= 0:
        return detailed.point(index)
    return track.at(when_s) if track is not None else None


def series(history: Tracks[Key], key: Key, *, right_s: float, until_s: float, window_s: float, points: int) -> Series:
    """The window that ends at ``right_s``, one point per bucket; nothing after ``until_s`` (now, or its end).

    Of several readings in a bucket, the one with the highest RES is used, so that a short peak is never lost.
    """
    ends_s = _bucket_ends_s(window_s, points)
    edges_s = [right_s - window_s, *[right_s + end_s for end_s in ends_s]]
    past = _past(history, key, edges_s[0])
    times_s = past.times_s
    shown: list[int] = []
    """The readings that are shown, each once: one that holds in several buckets is converted once."""
    places = [-1] * points
    """Where in ``shown`` the reading of each bucket is: that with the highest RES. -1, the end, is none."""
    last: list[int | None] = [None] * points
    gaps, before = bool(history.gaps), bisect_right(times_s, edges_s[0] + CLOSE_S)
    for bucket in range(bisect_left(edges_s, until_s, 0, points)):  # those that begin before ``until_s``
        end_s = edges_s[bucket + 1]
        upto = bisect_right(times_s, (end_s if end_s < until_s else until_s) + CLOSE_S, before)
        held = upto == before  # nothing was read in this bucket: the last reading still holds, except in a gap
        if upto and not (held and gaps and history.in_gap(end_s)):
            at = last[bucket] = upto - 1
            if upto > before + 1:
                several = past.rss[before:upto]
                at = before + several.index(max(several))
            if not shown or shown[-1] != at:
                shown.append(at)
            places[bucket] = len(shown) - 1
        before = upto
    virt, rss, shr, shmem = ([column[at] for at in shown] for column in past[1:5])

    def points_of(values: Sequence[float | None]) -> tuple[float | None, ...]:
        """One point per bucket."""
        return tuple(map([*values, None].__getitem__, places))

    return Series(
        times_s=ends_s,
        virt_bytes=points_of([float(size) for size in virt]),
        rss_bytes=points_of([float(size) for size in rss]),
        anon_bytes=points_of(_rests(rss, shr)),
        file_bytes=points_of(_rests(shr, shmem)),
        shmem_bytes=points_of([float(size) if size >= 0 else None for size in shmem]),
        minflt_per_s=_rates(last, times_s, past.minflt),
        majflt_per_s=_rates(last, times_s, past.majflt),
    )


def _rests(wholes: Sequence[int], parts: Sequence[int]) -> list[float | None]:
    """What remains of each whole without a part of it; None where the part is unknown."""
    return [
        None if part < 0 else float(whole - part) if whole > part else 0.0
        for whole, part in zip(wholes, parts, strict=True)
    ]


@lru_cache(maxsize=8)
def _bucket_ends_s(window_s: float, points: int) -> tuple[float, ...]:
    """Ends of the buckets, in seconds from the right edge. They are cached so that charts find places by them again."""
    return tuple((index - points) * window_s / points for index in range(1, points + 1))


def joined(one: Series, other: Series) -> Series:
    """Two series of the same window in one: where the first knows nothing, the other's points."""
    columns = (
        tuple(there if here is None else here for here, there in zip(mine, theirs, strict=True))
        for mine, theirs in zip(one[1:], other[1:], strict=True)
    )
    return Series(one.times_s, *columns)


def used_memory(
    history: Tracks[Key], key: Key, *, from_s: float, now_s: float, step_s: float
) -> tuple[list[float], list[float]]:
    """Times and bytes of anonymous, shared and swapped memory, one point every ``step_s``, for the growth verdict.

    Where shared and swapped memory were not read, the next or the previous reading stands in for them, so that the
    first reading does not look like growth. A gap is not filled.
    """
    past = _past(history, key)
    shmem, swap = _filled(past.shmem), _filled(past.swap)
    first, last = math.ceil(from_s / step_s), math.floor((now_s + CLOSE_S) / step_s)
    times_s = [number * step_s for number in range(first, last + 1)]  # on a grid that every call uses
    if history.gaps:
        times_s = [at_s for at_s in times_s if not history.in_gap(at_s)]
    places = [bisect_right(past.times_s, at_s + CLOSE_S) - 1 for at_s in times_s]
    del times_s[: (unknown := places.count(-1))], places[:unknown]
    used_bytes = {at: float(max(0, past.rss[at] - past.shr[at]) + shmem[at] + swap[at]) for at in set(places)}
    return times_s, [used_bytes[at] for at in places]


def file_change_bytes(history: Tracks[Key], key: Key, span_s: float, now_s: float) -> int | None:
    """Change of the pages of files in RES over the last ``span_s``; None where it is not known.

    Where shared memory was not read, all of SHR is taken to be pages of files.
    """
    track = history.tracks.get(key)
    if key not in history.detailed_tracks and track is not None and len(track):  # of most; it needs no copy of the past
        index = track.index_at(now_s - span_s)
        return None if index < 0 else track.point(-1).shr_bytes - track.point(index).shr_bytes
    past = _past(history, key)
    first = bisect_right(past.times_s, now_s - span_s + CLOSE_S) - 1
    if not past.times_s or first < 0:
        return None
    shmem = _filled(past.shmem)
    return (past.shr[-1] - shmem[-1]) - (past.shr[first] - shmem[first])


def _filled(column: array[int]) -> array[int]:
    """Replace unknown (-1) by the value before it, or by the first known one; all zeros if none is known."""
    if not len(column) or min(column) >= 0:
        return column
    held = next((value for value in column if value >= 0), 0)
    filled = array("q")
    for value in column:
        held = value if value >= 0 else held
        filled.append(held)
    return filled


def right_edge_s(looking_s: float, now_s: float, window_s: float, points: int) -> float:
    """The instant at the chart's right edge: now, or one that puts an earlier instant in the middle.

    Buckets are aligned to the clock, two at a time, so a chart with two points per column moves by whole columns.
    """
    step_s = 2 * window_s / max(2, points)
    edge_s = now_s if looking_s >= now_s - window_s * 0.98 else looking_s + window_s * 0.5
    return math.ceil(edge_s / step_s) * step_s


def fitting_window_s(known_s: float) -> float:
    """The window that holds this many seconds of past. It grows with them, up to ORDINARY_WINDOW_S."""
    return next((window_s for window_s in WINDOWS_S if window_s >= min(known_s, ORDINARY_WINDOW_S)), ORDINARY_WINDOW_S)


def peak_bytes(history: Tracks[Key], key: Key) -> int | None:
    """The highest RES in the stored past; None where there is none."""
    track = history.tracks.get(key)
    return max(track.columns(len(track))[_RSS + 1]) if track is not None and len(track) else None


def flat_s(history: Tracks[Key], key: Key, now_s: float) -> float | None:
    """For how long RES has been within a hundredth of what it is, as far as that was seen; None where it was not.

    It is not more than about :data:`MOST_FLAT_S`, which is as far as the past is searched.
    """
    track = history.tracks.get(key)
    if track is None or not len(track):
        return None
    last, since_s = track.point(-1), now_s
    least_bytes = max(_FLAT_BYTES, last.rss_bytes // 100)
    for at in range(len(track) - 1, -1, -1):
        point = track.point(at)
        if abs(point.rss_bytes - last.rss_bytes) > least_bytes or now_s - since_s > MOST_FLAT_S:
            return now_s - since_s
        since_s = point.at_s
    return now_s - max(since_s, track.first_s)


def slope_bytes_per_min(history: Tracks[Key], key: Key, until_s: float) -> float | None:
    """Least-squares slope of RES over the minute that ends at ``until_s``; None before there are three readings."""
    detailed = history.detailed_tracks.get(key)
    if detailed is None:
        return _slope_of_track(history.tracks.get(key), until_s)
    first, last = detailed.index_at(until_s - SLOPE_S) + 1, detailed.index_at(until_s) + 1
    times_s, rss = detailed.times_s[first:last], detailed.column(_RSS, first, last)
    slope = slope_per_s([at_s - until_s for at_s in times_s], list(map(float, rss)))
    return None if slope is None else slope * 60


def _slope_of_track(track: Track | None, until_s: float) -> float | None:
    """The same from a track, which holds its values between its entries."""
    if track is None or not len(track):
        return None
    ages_s = [age_s for age_s in range(-int(SLOPE_S), 1) if until_s + age_s >= track.first_s]
    points = [(age_s, point.rss_bytes) for age_s in ages_s if (point := track.at(until_s + age_s)) is not None]
    slope = slope_per_s([float(age_s) for age_s, _ in points], [float(rss) for _, rss in points])
    return None if slope is None else slope * 60


def _rates(readings: list[int | None], times_s: array[float], counter: array[int]) -> tuple[float | None, ...]:
    """The rate in each bucket. A bucket without its own reading has the rate of the interval that spans it."""
    rates: list[float | None] = [None] * len(readings)
    waiting: list[int] = []
    before: int | None = None
    rate: float | None = None
    for index, at in enumerate(readings):
        if at is None or before is None:
            waiting.clear()
            rate = None
        elif at == before:
            waiting.append(index)
        else:
            now, then = counter[at], counter[before]
            rate = per_s(now, then, times_s[at] - times_s[before]) if then >= 0 else None
            rates[index] = rate
            for spanned in waiting:
                rates[spanned] = rate
            waiting.clear()
        before = at
    for spanned in waiting:
        rates[spanned] = rate
    return tuple(rates)

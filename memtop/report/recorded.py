"""Collects the frame of a report from a recording, which may be of days: only what precedes its instant is played.

RES and VIRT before that, for the chart, are looked up without playing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from memtop.engine.engine import Engine
from memtop.engine.recorded_processes import not_held, stat_of
from memtop.engine.recorded_timeline import timeline_events
from memtop.engine.seek import Seek
from memtop.engine.seekable import Seekable
from memtop.errors import ProcessGone
from memtop.model.detail import Detail, Series
from memtop.model.frame import Frame
from memtop.model.request import ChartWindow
from memtop.model.row import ProcessRow
from memtop.model.timeline import EventKind
from memtop.process_key import ProcessKey
from memtop.procfs.statm import Statm, parse_statm, use_page_bytes
from memtop.report.collect import LEAST_WINDOW_S, POINTS, Collected, groups_of, request_for

PAST_TICKS: Final = 600
"""Samples that are played before the instant of the report: enough for verdicts, and for those that have just ended."""
ENDED_S: Final = 300.0
"""A process that ended longer before the asked instant than this is reported as of its end ..."""
AFTER_S: Final = 10.0
"""... and so many seconds, in which the evidence comes."""


def from_recording(
    source: Seekable,
    engine_of: Callable[[Seekable], Engine],
    pid: int | None,
    *,
    from_s: float | None = None,
    to_s: float | None = None,
) -> Collected:
    """Play what precedes the wall time ``to_s``, or the end.

    Without ``pid`` the report is on the process that the worst incident names, that the OOM killer ended last, or that
    is the largest. ``from_s`` is the wall time at which the chart begins. Raises RecordingError for an empty recording
    and ProcessGone for a PID that is not in it.
    """
    first_s, last_s = source.span
    end_s = source.wall_at(-0.0)
    at_s = to_s if to_s is not None else last_s if end_s is None else end_s
    until_s = math.inf if to_s is None else to_s  # the end is not the latest time where the clock was set back
    key = None
    if pid is None:
        frame, _ = _played(source, engine_of, None, at_s)
        key, pid = _subject(frame), _killed(source, until_s)
        pid = key.pid if key is not None else pid if pid is not None else _largest(frame)
    else:
        _learn_page_size(source)
    past = _past_of(source, pid, until_s) if pid is not None else []
    if pid is not None and not past:
        raise _not_there(source, pid, at_s)
    if past and at_s - past[-1].wall_s > ENDED_S:
        at_s = past[-1].wall_s + AFTER_S
    if key is None and pid is not None:
        key = _key_at(source, pid, past[-1].wall_s)
    frame, engine = _played(source, engine_of, key, at_s)
    begin_s = max(first_s, from_s or first_s)
    window = ChartWindow(window_s=max(LEAST_WINDOW_S, frame.at_s - begin_s), points=POINTS)
    viewed = engine.view(request_for(key, window))
    assert viewed is not None
    if viewed.detail is not None:
        viewed = viewed._replace(detail=_with_whole_past(viewed.detail, past, begin_s))
    events = tuple(one for one in timeline_events(source.events()) if begin_s <= one.at_s <= frame.at_s)
    return Collected(viewed, tuple(reversed(viewed.ended)), groups_of(engine, key), events)


class _Point(NamedTuple):
    wall_s: float
    statm: Statm


def _played(
    source: Seekable, engine_of: Callable[[Seekable], Engine], key: ProcessKey | None, at_s: float
) -> tuple[Frame, Engine]:
    """The frame of an instant, and the engine that has played what precedes it."""
    engine = engine_of(source)
    request = request_for(key, ChartWindow())
    Seek(source, engine, source.position_at(at_s), PAST_TICKS).go_on(request, lambda: 0.0, math.inf)
    frame = engine.step(request)
    assert frame is not None, "a recording has a first instant"
    return frame, engine


def _learn_page_size(source: Seekable) -> None:
    """Parse what follows with the page size of the machine that recorded."""
    source.approach(0)
    source.begin()
    use_page_bytes(getattr(source, "page_bytes", None))


def _past_of(source: Seekable, pid: int, until_s: float) -> list[_Point]:
    """Sizes of a process at each instant at which it is there.

    Where the clock was set back, only the later one of two instants of the same time has its place in a chart.
    """
    points: list[_Point] = []
    for wall_s, statm in source.sweeps_of("statm", pid):
        if wall_s > until_s:
            break
        while points and points[-1].wall_s >= wall_s:
            points.pop()
        if statm is not None:
            points.append(_Point(wall_s, parse_statm(statm)))
    return points


def _not_there(source: Seekable, pid: int, at_s: float) -> ProcessGone:
    if any(statm is not None for _, statm in source.sweeps_of("statm", pid)):
        clock = time.strftime("%H:%M:%S", time.localtime(at_s))
        return ProcessGone(f"process {pid} is not in the recording before {clock}")
    return not_held(source, [pid], time.monotonic)


def _key_at(source: Seekable, pid: int, at_s: float) -> ProcessKey | None:
    """What identifies the process with a PID at an instant."""
    position = source.position_at(at_s)
    source.approach(position - 1)
    while source.position()[0] < position and source.begin() is not None:
        pass
    stat = stat_of(source, pid)
    return None if stat is None else ProcessKey(pid, stat.start_ticks)


def _subject(frame: Frame) -> ProcessKey | None:
    """The process that the worst incident names, or that ended last."""
    for incident in frame.incidents.standing if frame.incidents is not None else ():
        if incident.show is not None:
            return incident.show
    return frame.ended[0].key if frame.ended else None


def _killed(source: Seekable, at_s: float) -> int | None:
    """The process that the OOM killer ended last; None for none that is known."""
    kills = [one.pid for wall_s, one in source.events() if one.kind == EventKind.OOM and wall_s <= at_s]
    return next((pid for pid in reversed(kills) if pid is not None), None)


def _largest(frame: Frame) -> int | None:
    row: ProcessRow | None = max(frame.rows, key=lambda row: row.rss_bytes or 0, default=None)
    return None if row is None else row.pid


def _with_whole_past(detail: Detail, past: list[_Point], begin_s: float) -> Detail:
    """The chart from ``begin_s`` on, where less than that was played."""
    series = detail.series
    known = next((at for at, value in zip(series.times_s, series.rss_bytes, strict=True) if value is not None), 0.0)
    edge_s, started_s = detail.window.right_edge_s, detail.row.started_s
    born_s = begin_s if started_s is None else max(begin_s, started_s - 1.0)  # an earlier process may have had the PID
    points = [one for one in past if one.wall_s >= born_s]
    if not points or points[0].wall_s >= edge_s + known - LEAST_WINDOW_S:
        return detail
    buckets: dict[int, _Point] = {}
    span_s = max(1.0, points[-1].wall_s - points[0].wall_s)
    for one in points:
        at = int((one.wall_s - points[0].wall_s) / span_s * POINTS)
        if at not in buckets or one.statm.rss_bytes >= buckets[at].statm.rss_bytes:
            buckets[at] = one
    kept = list(buckets.values())
    unknown: tuple[float | None, ...] = (None,) * len(kept)
    whole = Series(
        times_s=tuple(one.wall_s - edge_s for one in kept),
        virt_bytes=tuple(float(one.statm.virt_bytes) for one in kept),
        rss_bytes=tuple(float(one.statm.rss_bytes) for one in kept),
        anon_bytes=tuple(float(one.statm.anon_bytes) for one in kept),
        file_bytes=unknown,
        shmem_bytes=unknown,
        minflt_per_s=unknown,
        majflt_per_s=unknown,
    )
    return detail._replace(series=whole)

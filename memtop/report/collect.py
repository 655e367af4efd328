"""Collects the frame of a report, from a recording or from some seconds of watching, with all exits until then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from memtop.engine.absent import why_absent
from memtop.engine.engine import Engine
from memtop.errors import MemtopError, ProcessGone
from memtop.model.assessment import ExitReport
from memtop.model.frame import Frame, ProcessRow
from memtop.model.group import By, GroupRow
from memtop.model.request import ChartWindow, Request, RowSelection
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need, ReadingsRequest

_NEEDS: Final = (
    Need.STAT | Need.STATUS | Need.OOM | Need.MAPPINGS | Need.LIMITS | Need.RUNTIME | Need.MACHINE | Need.LAZY_FREE
)
_ROW_NEEDS: Final = Need.STAT | Need.STATUS | Need.OOM
_GROUP_NEEDS: Final = Need.MEMBERSHIP | Need.GROUPS
_POINTS: Final = 600
_LEAST_WINDOW_S: Final = 30.0


class Collected(NamedTuple):
    """What a report is made of."""

    frame: Frame
    exits: tuple[ExitReport, ...]
    """The ends of processes that were watched, large or killed, the latest last."""
    groups: tuple[GroupRow, ...] = ()
    """The cgroups, the largest first; programs where all processes are in one cgroup."""


def from_recording(
    engine_of: Callable[[], Engine], pid: int | None, *, from_s: float | None = None, to_s: float | None = None
) -> Collected:
    """Play a recording, up to the wall time ``to_s``. ``engine_of`` opens it from its start.

    Without ``pid`` the report is on the process that the worst incident names, that the OOM killer ended, or that is
    the largest. ``from_s`` is the wall time at which the chart begins. Raises MemtopError for an empty recording and
    ProcessGone for a PID that is not in it.
    """
    key = None
    if pid is None:
        key = _subject(_played(engine_of(), None, from_s, to_s))
    return _played(engine_of(), pid if key is None else key, from_s, to_s)


def from_machine(
    engine: Engine, pid: int, for_s: float, delay_s: float, sleep: Callable[[float], None] = time.sleep
) -> Collected:
    """Watch a process for some seconds.

    Raises ProcessGone where there is none, AccessDenied where it may not be read, Unavailable where its files are
    broken.
    """
    collecting = _Collecting(engine, pid)
    while True:
        frame = collecting.step()
        assert frame is not None, "a machine has always a next sample"
        if collecting.key is None:
            raise why_absent([pid], frame.hidden, frame.problems)
        for_s -= delay_s
        if for_s < 0 or (frame.detail is not None and frame.detail.gone):
            return collecting.end(None)
        sleep(delay_s)


def _played(engine: Engine, who: int | ProcessKey | None, from_s: float | None, to_s: float | None) -> Collected:
    collecting = _Collecting(engine, who)
    while (frame := collecting.step()) is not None and (to_s is None or frame.at_s < to_s):
        pass
    if collecting.first_s is None:
        raise MemtopError("the recording has no samples")
    if who is not None and collecting.key is None:
        raise ProcessGone(f"process {who} is not in the recording")
    return collecting.end(from_s)


class _Collecting:
    """Steps an engine, with one process in focus as soon as it is there."""

    def __init__(self, engine: Engine, who: int | ProcessKey | None) -> None:
        self._engine = engine
        self._pid = who if isinstance(who, int) else None
        self.key = who if isinstance(who, ProcessKey) else None
        self.first_s: float | None = None
        """Wall time of the first sample; None before it."""
        self._last_s = 0.0

    def step(self) -> Frame | None:
        """Take the next sample; None at the end of a recording."""
        frame = self._engine.step(self._request(ChartWindow()))
        if frame is None:
            return None
        self._last_s = frame.at_s
        if self.first_s is None:
            self.first_s = frame.at_s
        if self.key is None and self._pid is not None:
            self.key = next((row.key for row in frame.rows if row.pid == self._pid), None)
        return frame

    def end(self, from_s: float | None) -> Collected:
        """The last sample, with a chart that begins at ``from_s`` or at the first sample."""
        assert self.first_s is not None
        begin_s = max(self.first_s, from_s or self.first_s)
        window = ChartWindow(window_s=max(_LEAST_WINDOW_S, self._last_s - begin_s), points=_POINTS)
        frame = self._engine.view(self._request(window))
        assert frame is not None
        return Collected(frame, tuple(reversed(frame.ended)), self._groups())

    def _groups(self) -> tuple[GroupRow, ...]:
        groups: tuple[GroupRow, ...] = ()
        for kind in (By.CGROUP, By.PROGRAM):
            request = self._request(ChartWindow())
            frame = self._engine.view(request._replace(rows=RowSelection(by=kind)))
            groups = frame.groups or () if frame is not None else ()
            if len(groups) > 1:
                return groups
        return groups

    def _request(self, window: ChartWindow) -> Request:
        readings = ReadingsRequest(
            focus=self.key, needs=_ROW_NEEDS, needs_all=_ROW_NEEDS | _GROUP_NEEDS, focus_needs=_NEEDS
        )
        return Request(readings, RowSelection(killed=True, kernel_threads=self._pid is not None), window)


def _subject(collected: Collected) -> ProcessKey | None:
    frame = collected.frame
    for incident in frame.incidents.standing if frame.incidents is not None else ():
        if incident.show is not None:
            return incident.show
    if collected.exits:
        return collected.exits[-1].key
    largest: ProcessRow | None = max(frame.rows, key=lambda row: row.rss_bytes or 0, default=None)
    return largest.key if largest is not None else None

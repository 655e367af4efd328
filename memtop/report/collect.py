"""Collects the frame of a report from some seconds of watching, with all exits until then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from memtop.engine.absent import why_absent
from memtop.engine.engine import Engine
from memtop.model.assessment import ExitReport
from memtop.model.frame import Frame
from memtop.model.group import By, GroupRow
from memtop.model.request import ChartWindow, Request, RowSelection
from memtop.model.timeline import TimelineEvent
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need, ReadingsRequest

_NEEDS: Final = (
    Need.STAT | Need.STATUS | Need.OOM | Need.MAPPINGS | Need.LIMITS | Need.RUNTIME | Need.MACHINE | Need.LAZY_FREE
)
_ROW_NEEDS: Final = Need.STAT | Need.STATUS | Need.OOM
_GROUP_NEEDS: Final = Need.MEMBERSHIP | Need.GROUPS
POINTS: Final = 600
LEAST_WINDOW_S: Final = 30.0


class Collected(NamedTuple):
    """What a report is made of."""

    frame: Frame
    exits: tuple[ExitReport, ...]
    """The ends of processes that were watched, large or killed, the latest last."""
    groups: tuple[GroupRow, ...] = ()
    """The cgroups, the largest first; programs where all processes are in one cgroup."""
    events: tuple[TimelineEvent, ...] = ()
    """What a recording notes of the time of the chart, the oldest first."""


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
        assert frame is not None, "a machine always has a next sample"
        if collecting.key is None:
            raise why_absent([pid], frame.hidden, frame.problems)
        for_s -= delay_s
        if for_s < 0 or (frame.detail is not None and frame.detail.gone):
            return collecting.end()
        sleep(delay_s)


class _Collecting:
    """Steps an engine, with one process in focus as soon as it is there."""

    def __init__(self, engine: Engine, pid: int) -> None:
        self._engine = engine
        self._pid = pid
        self.key: ProcessKey | None = None
        self._first_s: float | None = None
        """Wall time of the first sample; None before it."""
        self._last_s = 0.0

    def step(self) -> Frame | None:
        """Take the next sample; None at the end of a recording."""
        frame = self._engine.step(request_for(self.key, ChartWindow(), kernel_threads=True))
        if frame is None:
            return None
        self._last_s = frame.at_s
        if self._first_s is None:
            self._first_s = frame.at_s
        if self.key is None:
            self.key = next((row.key for row in frame.rows if row.pid == self._pid), None)
        return frame

    def end(self) -> Collected:
        """The last sample, with a chart that begins at the first one."""
        assert self._first_s is not None
        window = ChartWindow(window_s=max(LEAST_WINDOW_S, self._last_s - self._first_s), points=POINTS)
        frame = self._engine.view(request_for(self.key, window, kernel_threads=True))
        assert frame is not None
        return Collected(frame, tuple(reversed(frame.ended)), groups_of(self._engine, self.key))


def groups_of(engine: Engine, key: ProcessKey | None) -> tuple[GroupRow, ...]:
    """The cgroups, the largest first; programs where all processes are in one cgroup."""
    groups: tuple[GroupRow, ...] = ()
    for kind in (By.CGROUP, By.PROGRAM):
        frame = engine.view(request_for(key, ChartWindow(), by=kind))
        groups = frame.groups or () if frame is not None else ()
        if len(groups) > 1:
            return groups
    return groups


def request_for(
    key: ProcessKey | None, window: ChartWindow, *, by: By | None = None, kernel_threads: bool = True
) -> Request:
    """What a report needs, with a process in focus."""
    readings = ReadingsRequest(focus=key, needs=_ROW_NEEDS, needs_all=_ROW_NEEDS | _GROUP_NEEDS, focus_needs=_NEEDS)
    return Request(readings, RowSelection(killed=True, kernel_threads=kernel_threads, by=by), window)

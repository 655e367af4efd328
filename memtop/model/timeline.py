"""The timeline: all of the past that can be looked back at, or all of a recording, on one line."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

PARTS: Final = 240
"""Parts of a timeline: no terminal shows more of them on a line."""


class EventKind(StrEnum):
    """What an event is, the worst first. The values stand in recordings."""

    OOM = "oom"
    """The OOM killer has ended a process."""
    LIMIT = "limit"
    """The use of a cgroup, or of RAM, has crossed a part of the limit."""
    VERDICT = "verdict"
    """Growth was confirmed, or there is more evidence for a leak."""
    RESTART = "restart"
    """A process has taken the place of one that crashed."""
    EXIT = "exit"
    """A process that was watched, large or killed has ended."""
    MARK = "mark"
    """The user has set a mark."""
    LOST = "lost"
    """Samples are missing from the recording."""


class TimelineEvent(NamedTuple):
    """One event."""

    at_s: float
    """Wall time."""
    kind: EventKind
    label: str
    """Whom or what it is about; empty where that was not recorded."""
    pid: int | None = None
    """The process that it is about; None for none."""


class Timeline(NamedTuple):
    """A span of time, what RES of the process in focus was over it, and what happened."""

    first_s: float
    """Wall time of the first instant."""
    last_s: float
    """Wall time of the last instant."""
    at_s: float
    """Wall time of the instant on screen."""
    rss_bytes: tuple[float | None, ...] = ()
    """The highest RES in each of equal parts of the span; None where it is not known, empty before it was looked up."""
    events: tuple[TimelineEvent, ...] = ()
    """The oldest first."""

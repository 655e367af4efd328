"""Times that a user types for an instant: of day, or counted from the first or the last sample."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from memtop.errors import UsageError
from memtop.units import parse_duration

_DAY_S: Final = 86_400


def parse_instant(
    text: str, first_s: float, last_s: float, wall_at: Callable[[float], float | None] | None = None
) -> float:
    """The instant between two wall times that has this local time of day, as 12:03 or 12:03:40.

    A date before it, as 2026-11-29 12:03, chooses the day; without one it is the first on which there is such a time.
    ``-2m`` and ``-90`` (seconds) count back from the last instant, ``+30s`` counts from the first. ``wall_at`` gives
    the wall time so many seconds from an end, where the clock may have been set meanwhile; None beyond the other end.
    Raises UsageError, which says what is allowed.
    """
    found_s: float | None = None
    if text[:1] in ("-", "+") and (length_s := _length_s(text)) is not None:
        found_s = last_s - 0.999 - length_s if text[0] == "-" else first_s - 0.999 + length_s
        if wall_at is not None:
            at_s = wall_at(-length_s if text[0] == "-" else length_s)
            found_s = -math.inf if at_s is None else at_s - 0.999
    for form in ("%H:%M:%S", "%H:%M"):
        if (parsed := _parsed(text, form)) is not None:
            found_s = _of_day(parsed, first_s, last_s)
        for date in ("%Y-%m-%d ", "%Y-%m-%dT"):
            if (parsed := _parsed(text, date + form)) is not None:
                found_s = _wall_s(parsed, parsed, 0, first_s)
    if found_s is None:
        said = text or "nothing"
        raise UsageError(
            f"{said}: not a time of day; type one such as 12:03:40, or -2m (from the end) or +30s (from the start)"
        )
    if not first_s - 1 < found_s <= last_s + 1:
        raise UsageError("there are samples from {} to {}".format(*span_words(first_s, last_s)))
    return found_s + 0.999  # the last sample of this second


def span_words(first_s: float, last_s: float) -> tuple[str, str]:
    """Both ends of a span as local times that :func:`parse_instant` takes, with dates where it is not of one day."""
    first, last = time.localtime(first_s), time.localtime(last_s)
    form = "%H:%M:%S" if first[:3] == last[:3] else "%Y-%m-%d %H:%M:%S"
    return time.strftime(form, first), time.strftime(form, last)


def _parsed(text: str, form: str) -> time.struct_time | None:
    try:
        return time.strptime(text, form)
    except ValueError:
        return None


def _length_s(text: str) -> float | None:
    """The seconds after a sign; None for what is no duration."""
    try:
        return parse_duration(text[1:])
    except ValueError:
        return None


def _of_day(parsed: time.struct_time, first_s: float, last_s: float) -> float:
    """The wall time of the first day on which it is not before ``first_s``; the last day's if it always is."""
    day = time.localtime(first_s)
    at_s = first_s
    for later in range(int((last_s - first_s) // _DAY_S) + 2):
        at_s = _wall_s(day, parsed, later, first_s)
        if first_s - 1 < at_s:
            break
    return at_s


def _wall_s(day: time.struct_time, at: time.struct_time, later: int, first_s: float) -> float:
    """Wall time of a time of day, on a date and so many days later.

    Where clocks go back, there are two of some: the earlier one, unless that is before ``first_s``.
    """
    found_s = []
    for is_summer in (1, 0, -1):
        try:
            at_s = time.mktime((*day[:2], day[2] + later, at.tm_hour, at.tm_min, at.tm_sec, 0, 0, is_summer))
        except OverflowError:
            continue
        if is_summer < 0 or time.localtime(at_s)[3:6] == at[3:6]:
            found_s.append(at_s)
    return min((at_s for at_s in found_s if first_s - 1 < at_s), default=max(found_s, default=-math.inf))

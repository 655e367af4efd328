"""Times that a user types for an instant: of day, or before the last sample."""

from __future__ import annotations

import time

from memtop.errors import UsageError
from memtop.units import parse_duration


def parse_instant(text: str, first_s: float, last_s: float) -> float:
    """The instant between two wall times that has this local time of day, as 12:03 or 12:03:40.

    ``-2m`` and ``-90`` (seconds) count back from the last one. Raises UsageError, which says what is allowed.
    """
    found_s: float | None = None
    if text.startswith("-"):
        found_s = _before(text, last_s)
    for form in ("%H:%M:%S", "%H:%M"):
        try:
            parsed = time.strptime(text, form)
        except ValueError:
            continue
        found_s = _of_day(parsed, first_s, last_s)
    if found_s is None:
        raise UsageError(f"{text}: not a time of day such as 12:03:40, nor one before now such as -2m")
    if not first_s - 1 < found_s <= last_s + 1:
        first, last = (time.strftime("%H:%M:%S", time.localtime(at_s)) for at_s in (first_s, last_s))
        raise UsageError(f"the recording covers {first} to {last}")
    return found_s + 0.999  # the last sample of this second


def _before(text: str, last_s: float) -> float | None:
    try:
        return last_s - 0.999 - parse_duration(text.removeprefix("-"))
    except ValueError:
        return None


def _of_day(parsed: time.struct_time, first_s: float, last_s: float) -> float:
    """The wall time of the first day on which it is not before ``first_s``; the last day's if it always is."""
    day = time.localtime(first_s)
    at_s = first_s
    for later in range(int((last_s - first_s) // 86_400) + 2):
        at_s = time.mktime((*day[:2], day[2] + later, parsed.tm_hour, parsed.tm_min, parsed.tm_sec, 0, 0, -1))
        if first_s - 1 < at_s:
            break
    return at_s

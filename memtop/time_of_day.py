"""Times of day that a user types for an instant of a recording."""

from __future__ import annotations

import time

from memtop.errors import UsageError


def parse_time_of_day(text: str, first_s: float, last_s: float) -> float:
    """The instant between two wall times that has this local time of day, as 12:03 or 12:03:40.

    Raises UsageError, which says what is allowed.
    """
    for form in ("%H:%M:%S", "%H:%M"):
        try:
            parsed = time.strptime(text, form)
        except ValueError:
            continue
        day = time.localtime(first_s)
        days = int((last_s - first_s) // 86_400) + 2
        for later in range(days):
            at_s = time.mktime((*day[:2], day[2] + later, parsed.tm_hour, parsed.tm_min, parsed.tm_sec, 0, 0, -1))
            if first_s - 1 < at_s <= last_s + 1:
                return at_s + 0.999  # the last sample of this second
        first, last = (time.strftime("%H:%M:%S", time.localtime(at_s)) for at_s in (first_s, last_s))
        raise UsageError(f"the recording covers {first} to {last}")
    raise UsageError(f"{text}: not a time of day such as 12:03:40")

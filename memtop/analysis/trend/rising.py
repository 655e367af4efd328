"""Follows a rise from sample to sample: what is known before there is a verdict."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

_SMALL_BYTES: Final = 1 << 20
_LOST_SHARE: Final = 0.5
QUIET_S: Final = 6.0
"""A rise without a new high for this time is over, unless samples are further apart, or it comes in steps."""
REST_S: Final = 20.0
"""A rise that comes in steps may rest for so long between two of them ..."""
_USUAL_RESTS: Final = 1.5
"""... and goes on while it rests for no more than so many times the usual time between its steps."""
_RESTING_BYTES: Final = 4 << 20
"""A smaller one does not come in steps: it is over."""
_CREEP_SHARE: Final = 1 / 32
"""What grows at less than this part of its rate so far stands still."""
_STEP_SHARE: Final = 0.125
"""After a rest a new high goes on with the rise if it adds so much to it."""
HIGH_KEPT_S: Final = 300.0
"""The time for which a size that was reached before counts: what comes back to it swings."""
_TEETH: Final = 2
"""A size that was given back so many times at one height is expected to be again ..."""
_TOOTH_STEPS: Final = 3
"""... where each rise had so many steps ..."""
_SAME_HEIGHT: Final = 1.05
"""... and their heights differ by no more than this."""
SUM_GOES_ON: Final = 15.0
"""What many processes do together for seconds says nothing of hours: it is expected to go on for at most so many times
as long as it was seen ..."""
ONE_GOES_ON: Final = 60.0
"""... and the rise of one process for so many times."""


class Rise(NamedTuple):
    """A size that rises, with short interruptions and small drops. Times are on the clock of the samples."""

    since_s: float
    """The last sample before the rise began."""
    from_bytes: int
    """The size at that sample."""
    high_bytes: int
    high_s: float
    """When the highest size was first seen."""
    steps: int
    """Number of samples that were higher than all before."""

    @property
    def size_bytes(self) -> int:
        """Growth from the beginning to the highest size."""
        return self.high_bytes - self.from_bytes

    @property
    def span_s(self) -> float:
        """Time from the beginning to the highest size; never 0."""
        return self.high_s - self.since_s

    @property
    def bytes_per_s(self) -> float:
        """The rate so far. Whether it continues is unknown."""
        span_s = self.high_s - self.since_s
        return (self.high_bytes - self.from_bytes) / span_s if span_s > 0 else 0.0

    def full_s(self, room_bytes: float, goes_on: float = math.inf) -> float | None:
        """Seconds until a room is used up at this rate; None without a rate.

        ``goes_on`` is for how many times as long as it was seen it may be expected to go on: nothing is known beyond.
        """
        rate = self.bytes_per_s
        if rate <= 0:
            return None
        found_s = max(0.0, room_bytes) / rate
        return found_s if found_s <= goes_on * self.span_s else None

    def goes_on(self, now_s: float, quiet_s: float) -> bool:
        """Whether it goes on: its last high is no longer ago than ``quiet_s``, or than its steps usually are apart."""
        rests_s = now_s - self.high_s
        return rests_s <= quiet_s or rests_s <= min(REST_S, _USUAL_RESTS * self.span_s / max(1, self.steps - 1))

    def may_go_on(self, now_s: float, quiet_s: float) -> bool:
        """Whether one more step would go on with it."""
        most_s = max(quiet_s, REST_S) if self.size_bytes >= _RESTING_BYTES else quiet_s
        return now_s - self.high_s <= most_s

    def continues_with(self, now_s: float, now_bytes: int, quiet_s: float) -> bool:
        """Whether a size goes on with it: after a rest a small new high does not."""
        rested = now_s - self.high_s > quiet_s
        return (
            not rested or now_bytes <= self.high_bytes or now_bytes - self.high_bytes >= _STEP_SHARE * self.size_bytes
        )


class High(NamedTuple):
    """The highest size of a rise that has ended."""

    size_bytes: int
    at_s: float


def latest_high(before: High | None, old: Rise | None, new: Rise | None, now_s: float) -> High | None:
    """The highest size of the last minutes before a rise: ``old`` was the rise at the sample before, ``new`` is now."""
    if before is not None and now_s - before.at_s > HIGH_KEPT_S:
        before = None
    has_ended = old is not None and (new is None or new.since_s != old.since_s)
    if old is not None and has_ended and (before is None or old.high_bytes >= before.size_bytes):
        return High(old.high_bytes, old.high_s)
    return before


def beyond(rise: Rise, high_bytes: int | None) -> Rise | None:
    """The part of a rise that is beyond the highest size of the last minutes before it; None if nothing is.

    What swings comes back to where it was, which is no rise.
    """
    if high_bytes is None or high_bytes <= rise.from_bytes:
        return rise
    if high_bytes >= rise.high_bytes:
        return None
    share = (high_bytes - rise.from_bytes) / rise.size_bytes
    return rise._replace(since_s=rise.since_s + share * rise.span_s, from_bytes=high_bytes)


class Teeth(NamedTuple):
    """Rises that were given back again and again at about the same height, as a garbage collector does."""

    high_bytes: int
    """The highest of them."""
    number: int
    """How many in a row."""

    def explains(self, rise: Rise) -> bool:
        """Whether a rise is only on its way to where the last ones ended."""
        return self.number >= _TEETH and rise.high_bytes <= _SAME_HEIGHT * self.high_bytes


def teeth_after(teeth: Teeth | None, lost: Rise) -> Teeth | None:
    """The teeth after one more rise has been lost; None where it was too small to be one."""
    if lost.size_bytes < _SMALL_BYTES or lost.steps < _TOOTH_STEPS:
        return teeth
    if teeth is None or not teeth.high_bytes / _SAME_HEIGHT <= lost.high_bytes <= _SAME_HEIGHT * teeth.high_bytes:
        return Teeth(lost.high_bytes, 1)
    return Teeth(max(teeth.high_bytes, lost.high_bytes), teeth.number + 1)


def most_quiet_s(delay_s: float) -> float:
    """The time without a new high after which a rise is over; ``delay_s`` is the time between samples."""
    return max(QUIET_S, 2.5 * delay_s)


def follow_rise(rise: Rise | None, before_s: float, before_bytes: int, now_s: float, now_bytes: int) -> Rise | None:
    """The rise after one more sample; None if there is none, or if it has lost half of its growth."""
    if rise is None:
        if now_bytes <= before_bytes or now_s <= before_s:
            return None
        return Rise(before_s, before_bytes, now_bytes, now_s, 1)
    since_s, from_bytes, high_bytes, high_s, steps = rise  # hundreds may rise: to call its properties costs twice that
    if now_bytes > high_bytes:
        creep_bytes_s = _CREEP_SHARE * (high_bytes - from_bytes) * (now_s - high_s)
        if (now_bytes - high_bytes) * (high_s - since_s) < creep_bytes_s:
            return rise
        return tuple.__new__(Rise, (since_s, from_bytes, now_bytes, now_s, steps + 1))  # Rise() takes three times that
    lost_bytes = high_bytes - now_bytes
    return rise if lost_bytes <= max(_SMALL_BYTES, _LOST_SHARE * (high_bytes - from_bytes)) else None

"""From single verdicts to an alarm that neither flickers nor cries at once: a small state machine, pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from memtop.analysis.growth import Growth, Kind

LOOKS: Final = 3
"""Agreeing looks in tenths of the window that do not overlap, to raise an alarm or to contradict one."""
_TENTH: Final = 0.1
_LET_GO_Z: Final = 1.28
_POSSIBLE_S: Final = 300.0
_LIKELY_S: Final = 1800.0
_LIKELY_FLOORS: Final = 3
_OVER: Final = frozenset({Kind.FLAT, Kind.WARMUP, Kind.SAWTOOTH, Kind.SHRINK, Kind.STEP, Kind.SPIKE, Kind.NOISY})


class Evidence(Enum):
    """How much speaks for a leak; that it is one, memory alone never says."""

    GROWING = "growing"
    """Seen for less than five minutes."""
    POSSIBLE_LEAK = "possible leak"
    """Seen for five minutes."""
    LIKELY_LEAK = "likely leak"
    """Seen for half an hour, with three floors or more above the first."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a series of looks at one process adds up to. Start with ``Confirmation()``, also after an exec."""

    alarm: bool = False
    kind: Kind = Kind.INSUFFICIENT
    """While an alarm stands, the last verdict that supported it; else the last verdict."""
    evidence: Evidence | None = None
    """None without an alarm."""
    since_s: float | None = None
    """Where the growth that is alarmed about begins to be seen."""
    looks: int = 0
    """Looks in a row that speak against the present state, each in its own tenth of the window."""
    counted_s: float | None = None
    """When the last of them was."""


def agree(previous: Confirmation, growth: Growth, now_s: float) -> Confirmation:
    """The state after one more look at ``now_s``, on the clock of the series.

    An alarm is raised by three looks that find the floor rising. It ends when nothing speaks for a rise any more
    (z under 1.28), or when three looks found a shape that is no growth; a look that only doubts it ends nothing.
    """
    if not previous.alarm:
        return _quiet(previous, growth, now_s)
    if growth.kind is Kind.INSUFFICIENT or growth.z is None or growth.z < _LET_GO_Z:
        return Confirmation(kind=growth.kind)
    if growth.kind.alarming:
        return _alarm(growth.kind, previous.since_s, growth, now_s)
    looks, counted_s = _count(previous, growth, now_s) if growth.kind in _OVER else (0, None)
    if looks >= LOOKS:
        return Confirmation(kind=growth.kind)
    standing = _alarm(previous.kind, previous.since_s, growth, now_s)
    return replace(standing, looks=looks, counted_s=counted_s)


def _quiet(previous: Confirmation, growth: Growth, now_s: float) -> Confirmation:
    if not growth.kind.alarming:
        return Confirmation(kind=growth.kind)
    looks, counted_s = _count(previous, growth, now_s)
    since_s = now_s - growth.span_s if previous.since_s is None else previous.since_s
    if looks >= LOOKS:
        return _alarm(growth.kind, since_s, growth, now_s)
    return Confirmation(kind=growth.kind, since_s=since_s, looks=looks, counted_s=counted_s)


def _count(previous: Confirmation, growth: Growth, now_s: float) -> tuple[int, float | None]:
    """One look more, if the last counted one is a tenth of the window ago; a clock set back counts afresh."""
    if previous.counted_s is None or now_s < previous.counted_s:
        return 1, now_s
    if now_s - previous.counted_s < _TENTH * growth.span_s:
        return previous.looks, previous.counted_s
    return previous.looks + 1, now_s


def _alarm(kind: Kind, since_s: float | None, growth: Growth, now_s: float) -> Confirmation:
    seen_s = growth.span_s if since_s is None else now_s - since_s
    if seen_s > _LIKELY_S and growth.floors_above >= _LIKELY_FLOORS:
        evidence = Evidence.LIKELY_LEAK
    elif seen_s >= _POSSIBLE_S:
        evidence = Evidence.POSSIBLE_LEAK
    else:
        evidence = Evidence.GROWING
    return Confirmation(True, kind, evidence, since_s)

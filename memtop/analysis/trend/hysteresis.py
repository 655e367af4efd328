"""Confirms a growth verdict after several classifications agree, and grades it: growing, possible leak, likely leak."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from memtop.analysis.trend.classify import Growth, Shape

LOOKS: Final = 3
"""Classifications that must agree before a verdict changes: an alarm, its end, another shape."""
_TENTH: Final = 0.1
"""Classifications for a rise count once in this part of the window, so that they do not overlap."""
_APART_S: Final = 2.5
"""Classifications for any other shape count once in this time."""
_LET_GO_Z: Final = 1.28
_POSSIBLE_S: Final = 300.0
_LIKELY_S: Final = 1800.0
_LIKELY_FLOORS: Final = 3
_OVER: Final = frozenset({Shape.FLAT, Shape.WARMUP, Shape.SAWTOOTH, Shape.SHRINK, Shape.STEP, Shape.SPIKE, Shape.NOISY})


class Evidence(Enum):
    """How much evidence there is for a leak. Memory alone never proves one."""

    GROWING = "growing"
    """Seen for less than five minutes."""
    POSSIBLE_LEAK = "possible leak"
    """Seen for five minutes."""
    LIKELY_LEAK = "likely leak"
    """Seen for half an hour, with at least three floors above the first."""


GREW: Final = "grew before"
"""In place of the evidence, while a confirmed growth rests for longer than usual."""


class Direction(Enum):
    """What shapes have in common: the direction in which they lead."""

    UNKNOWN = "unknown"
    LEVEL = "level"
    """Memory is where it was, or returns to it, or lower."""
    RISEN = "risen"
    """It rose, and the rise is over or ending."""
    RISING = "rising"


DIRECTIONS: Final = {
    Shape.INSUFFICIENT: Direction.UNKNOWN,
    Shape.FLAT: Direction.LEVEL,
    Shape.NOISY: Direction.LEVEL,
    Shape.SAWTOOTH: Direction.LEVEL,
    Shape.SPIKE: Direction.LEVEL,
    Shape.SHRINK: Direction.LEVEL,
    Shape.STEP: Direction.RISEN,
    Shape.STAIRS: Direction.RISEN,
    Shape.WARMUP: Direction.RISEN,
    Shape.GROWTH: Direction.RISING,
    Shape.LEAK: Direction.RISING,
    Shape.LEAK_GC: Direction.RISING,
}
_COMMON: Final = {
    Direction.UNKNOWN: Shape.INSUFFICIENT,
    Direction.LEVEL: Shape.NOISY,
    Direction.RISEN: Shape.WARMUP,
    Direction.RISING: Shape.GROWTH,
}
"""The verdict if classifications agree on the direction but not on the shape."""


class Confirmation(NamedTuple):
    """The sum of a series of classifications of one process. Start with ``Confirmation()``, also after an exec."""

    alarm: bool = False
    kind: Shape = Shape.INSUFFICIENT
    """The verdict on which three classifications agree. LEAK and LEAK_GC occur only with an alarm."""
    evidence: Evidence | None = None
    """None without an alarm."""
    since_s: float | None = None
    """When the growth behind the alarm was first seen."""
    looks: int = 0
    """Classifications in a row for an alarm, or against the current one, each in its own tenth of the window."""
    counted_s: float | None = None
    """When the last of them was made."""
    leaning: Shape | None = None
    """The latest shape if it differs from :attr:`kind`; None if it is the same."""
    agreeing: int = 0
    """Classifications in a row in the direction of :attr:`leaning`."""
    leant_s: float | None = None

    @property
    def changing(self) -> bool:
        """Whether two classifications in a row differ in direction from the verdict. The next one may settle it.

        Before there is a verdict, only a beginning rise counts.
        """
        if self.leaning is None or self.agreeing < LOOKS - 1:
            return False
        direction = DIRECTIONS[self.leaning]
        if self.kind is Shape.INSUFFICIENT:
            return direction is Direction.RISING
        return direction is not DIRECTIONS[self.kind]


_SETTLED: Final = {kind: Confirmation(kind=kind) for kind in Shape}
"""By verdict the state of a process of which nothing else is to be said: one object for hundreds of them."""


def agree(previous: Confirmation, growth: Growth, now_s: float) -> Confirmation:
    """The state after one more classification at ``now_s``, on the clock of the series.

    Three classifications that find the floor rising raise an alarm, without those at which it has been level for longer
    than it usually rests. It ends when nothing indicates a rise anymore (z
    under 1.28), when the rise has stood still for far longer than it usually rests, or when three classifications find
    a shape that is no growth. One that is only doubtful ends nothing. Without an alarm a shape stays until three
    classifications agree on another one. At the beginning, one is enough for "nothing moves".
    """
    if growth.kind is Shape.INSUFFICIENT:
        return Confirmation()
    if not previous.alarm:
        return _quiet(previous, growth, now_s)
    if growth.pause is not None and growth.pause.over:
        return _SETTLED[_withoutconfirmed(growth.kind)]
    if growth.z is None or growth.z < _LET_GO_Z:
        return _SETTLED[_withoutconfirmed(growth.kind)]
    if growth.kind.alarming:
        return confirmed(growth.kind, previous.since_s, growth, now_s)
    looks, counted_s = _count(previous, growth, now_s) if growth.kind in _OVER else (0, None)
    if looks >= LOOKS:
        return _SETTLED[growth.kind]
    standing = confirmed(previous.kind, previous.since_s, growth, now_s)
    return standing._replace(looks=looks, counted_s=counted_s)


def _quiet(previous: Confirmation, growth: Growth, now_s: float) -> Confirmation:
    shaped = _shaped(previous, growth, now_s)
    if not growth.kind.alarming:
        return shaped
    if growth.pause is not None and growth.pause.doubtful:  # as it is now, nothing grows: that adds no evidence
        looks, counted_s = previous.looks, previous.counted_s
    else:
        looks, counted_s = _count(previous, growth, now_s)
    since_s = now_s - growth.span_s if previous.since_s is None else previous.since_s
    if looks >= LOOKS:
        return confirmed(growth.kind, since_s, growth, now_s)
    return shaped._replace(since_s=since_s, looks=looks, counted_s=counted_s)


def _shaped(previous: Confirmation, growth: Growth, now_s: float) -> Confirmation:
    """The verdict without an alarm, and the shape to which the classifications lean."""
    kind, leaning = growth.kind, previous.leaning
    if kind is previous.kind or (previous.kind is Shape.INSUFFICIENT and kind is Shape.FLAT):
        return _SETTLED[kind]
    direction = DIRECTIONS[kind]
    if leaning is None or previous.leant_s is None or DIRECTIONS[leaning] is not direction or now_s < previous.leant_s:
        return Confirmation(kind=previous.kind, leaning=kind, agreeing=1, leant_s=now_s)
    apart_s = _TENTH * growth.span_s if direction is Direction.RISING else _APART_S
    counts = now_s - previous.leant_s >= apart_s
    agreeing = previous.agreeing + counts
    leaning = kind if kind is leaning else _COMMON[direction]
    if agreeing >= LOOKS:
        return _SETTLED[_withoutconfirmed(leaning)]
    leant_s = now_s if counts else previous.leant_s
    return Confirmation(kind=previous.kind, leaning=leaning, agreeing=agreeing, leant_s=leant_s)


def _withoutconfirmed(kind: Shape) -> Shape:
    return Shape.GROWTH if kind.alarming else kind


def _count(previous: Confirmation, growth: Growth, now_s: float) -> tuple[int, float | None]:
    """Count one more classification, if the last counted one is a tenth of the window ago.

    A clock set back restarts the count.
    """
    if previous.counted_s is None or now_s < previous.counted_s:
        return 1, now_s
    if now_s - previous.counted_s < _TENTH * growth.span_s:
        return previous.looks, previous.counted_s
    return previous.looks + 1, now_s


def confirmed(kind: Shape, since_s: float | None, growth: Growth, now_s: float) -> Confirmation:
    """An alarm with the evidence for it. ``since_s`` is when the growth was first seen; None for its first point."""
    seen_s = growth.span_s if since_s is None else now_s - since_s
    if seen_s > _LIKELY_S and growth.floors_above >= _LIKELY_FLOORS:
        evidence = Evidence.LIKELY_LEAK
    elif seen_s >= _POSSIBLE_S:
        evidence = Evidence.POSSIBLE_LEAK
    else:
        evidence = Evidence.GROWING
    return Confirmation(True, kind, evidence, since_s)

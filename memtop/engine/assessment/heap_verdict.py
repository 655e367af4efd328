"""The verdict on the heap of a runtime that reports what is left after collections; it goes before that on RES.

RES of such a process follows the heap as the runtime has reserved it: it rises in steps, and is flat once the heap has
had its maximum, whether what is alive on it grows or not.
"""

from __future__ import annotations

from typing import Final

from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Confirmation, confirmed
from memtop.model.assessment import Limit, LimitRow
from memtop.runtimes.view import FindingFacts, RuntimeCeiling

_FILLS: Final = frozenset({"heap_leak", "heap_full"})
"""Alarms of a runtime that say that what is alive on its heap grows, or fills it."""


def heap_verdict(facts: FindingFacts | None, now_s: float) -> tuple[Confirmation, Growth] | None:
    """What its own figures say, where they say that the heap fills up, or that more survives so far; else None.

    The growth is that of the floor after collections. It has no forecast. What survives while no collection has
    examined old objects may be growth, and so may floors that vary much.
    """
    if facts is None:
        return None
    if facts.surviving_bytes_per_s and not facts.alarm:
        open_growth = Growth(Shape.GROWTH, points=0, span_s=0.0, slope_bytes_per_s=facts.surviving_bytes_per_s)
        return Confirmation(kind=Shape.GROWTH), open_growth
    if facts.floor is None:
        return None
    floor = facts.floor
    low, high = floor.interval_bytes_per_s or (None, None)
    slope = floor.slope_bytes_per_s
    if facts.may_rise_bytes_per_s and not facts.alarm:
        open_growth = Growth(
            Shape.GROWTH,
            points=floor.collections,
            span_s=floor.span_s,
            slope_bytes_per_s=slope,
            slope_low_bytes_per_s=low,
            slope_high_bytes_per_s=high,
        )
        return Confirmation(kind=Shape.GROWTH), open_growth
    if facts.alarm not in _FILLS:
        return None
    growth = Growth(
        Shape.LEAK_GC,
        points=floor.collections,
        span_s=floor.span_s,
        slope_bytes_per_s=slope,
        slope_low_bytes_per_s=low,
        slope_high_bytes_per_s=high,
        level_bytes=facts.live_bytes,
        floor_bytes=facts.live_bytes,
        rise_bytes=None if slope is None else max(0.0, slope) * floor.span_s,
        floors=floor.collections,
        drops=floor.collections,
    )
    return confirmed(Shape.LEAK_GC, now_s - floor.span_s, growth, now_s), growth


def towards(growth: Growth | None, first_met: LimitRow | None, facts: FindingFacts | None) -> Growth | None:
    """Growth of RES, with the time to a limit of the runtime by the runtime's own figures.

    RES rises with garbage too, which the next collection removes. So it says nothing of when a heap is full. It rests
    once the heap has its full size, while the heap goes on to fill.
    """
    if growth is None or first_met is None or first_met.limit is not Limit.RUNTIME:
        return growth
    growth = with_time_to_heap_limit(growth, facts, first_met)
    return growth._replace(slow_s=None, pause=growth.pause if growth.limit_s is None else None)


def with_time_to_heap_limit(growth: Growth, facts: FindingFacts | None, first_met: LimitRow | None) -> Growth:
    """Growth with the time until a limit of the runtime is reached; without one if another limit is met first."""
    end = _heap_limit(facts, first_met)
    return growth._replace(limit_s=end.span_s if end is not None else None, soon=end is not None and end.soon)


def time_to_heap_limit(facts: FindingFacts | None, first_met: LimitRow | None) -> tuple[float, float] | None:
    """Earliest and latest time until a limit of the runtime is reached; None if another one is met first."""
    end = _heap_limit(facts, first_met)
    return end.span_s if end is not None else None


def _heap_limit(facts: FindingFacts | None, first_met: LimitRow | None) -> RuntimeCeiling | None:
    if facts is None or first_met is None or first_met.limit is not Limit.RUNTIME:
        return None
    return next((one for one in facts.ceilings if one.name == first_met.name), None)

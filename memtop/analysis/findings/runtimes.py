"""Rules about language runtimes: the figures they report beside those of the kernel."""

from __future__ import annotations

import math
from collections.abc import Callable

from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import MIB, NOTE, WARNING, Found, facts, growth_severity
from memtop.analysis.limits.gomemlimit import LimitFit, goal_is_near, limit_fit
from memtop.analysis.severity import Severity


def go_limit(c: FindingInputs) -> Found:
    """A GOMEMLIMIT that is missing, too high or too low."""
    limit = math.inf if c.heap_limit == 0 else c.heap_limit
    container = c.limit if c.limit_name is not None else None
    fit = limit_fit(limit, container, held_bytes=c.heap_held, gc_per_s=c.gc_per_s, minflt_per_s=c.minflt_per_s)
    if fit is LimitFit.BELOW_NEED:
        return WARNING, facts(gc_per_s=c.gc_per_s, gc_percent=c.gc_cpu_percent, too_low_bytes=c.heap_limit)
    if fit is LimitFit.ABOVE_CONTAINER:
        return WARNING, facts(too_high_bytes=c.heap_limit, limit_bytes=c.limit, limit_name=c.limit_name)
    if goal_is_near(limit, c.next_gc, container):
        return WARNING, facts(next_bytes=c.next_gc, limit_bytes=c.limit, limit_name=c.limit_name, past_s=c.heap_past_s)
    return None


def go_held(c: FindingInputs) -> Found:
    """Memory at GOMEMLIMIT: the collector keeps it there, whatever is in use. Its own figures would say how much is."""
    if not c.at_goal or c.alarm:
        return None
    return NOTE, facts(anon_bytes=c.anon, limit_bytes=c.heap_limit)


def outside_heap(c: FindingInputs) -> Found:
    """Anonymous memory that the runtime does not account for."""
    if c.outside is None or c.outside_of is None or c.outside <= max(32 * MIB, 0.1 * c.outside_of):
        return None
    return WARNING, facts(outside_bytes=c.outside, held_bytes=c.outside_of, past_s=c.heap_past_s)


def heap_leak(c: FindingInputs) -> Found:
    """More stays alive after each collection; where the runtime limits its heap, with the time until that is full."""
    if c.heap_alarm != "heap_leak":
        return None
    early, late = c.heap_end_s or (None, None)
    found = facts(
        live_bytes=c.heap_live,
        early_s=early,
        late_s=late,
        heap_limit=c.heap_end_name,
        limit_bytes=c.heap_end_limit,
        past_s=c.heap_past_s,
    )
    return growth_severity(soon=c.heap_ends_soon), found


def heap(name: str, severity: Severity) -> Callable[[FindingInputs], Found]:
    """The finding ``name``, if the runtime's own figures indicate it."""
    return lambda c: (severity, facts(live_bytes=c.heap_live, past_s=c.heap_past_s)) if c.heap_alarm == name else None


def heap_open(c: FindingInputs) -> Found:
    """More memory survives the collections, and none of them has examined old objects yet."""
    if not c.surviving_per_s or c.heap_alarm:
        return None
    return NOTE, facts(rate_bytes_per_min=c.surviving_per_s * 60, past_s=c.heap_past_s)


def heap_varies(c: FindingInputs) -> Found:
    """What the collections have left varies too much to tell whether it grows. That is no sign of growth."""
    if not c.may_rise_per_s or c.heap_alarm:
        return None
    most = c.may_rise_per_s * 60
    return NOTE, facts(most_bytes_per_min=most, major_count=c.heap_collections, past_s=c.heap_past_s)

"""Rules about growth: memory that grows, a changing mix, RES that stays at its peak, memory that was given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import MIB, NOTE, WARNING, Facts, Found, facts, growth_severity
from memtop.analysis.memory_map.sharing import ESTIMATE_ERROR, ESTIMATED_PSS
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.forecast import HELD_PERCENT
from memtop.analysis.trend.hysteresis import DIRECTIONS, GREW, Direction, Evidence
from memtop.sanitize import clean

_OF_HEAP: Final = ("heap_leak", "heap_full")
"""What a runtime reports of its heap. Then the shape of RES, which follows the heap's size, says nothing."""


def grown_s(seen_s: float | None, growth: Growth) -> float | None:
    """For how long it has grown since that was first seen, without the rest at the end if it is unusual. Seconds."""
    if seen_s is None or growth.pause is None or not growth.pause.unusual:
        return seen_s
    return max(0.0, seen_s - growth.pause.level_s)


def growth(c: FindingInputs) -> Found:
    """Confirmed growth."""
    g = c.growth
    if g is None or not c.alarm or c.evidence is None or g.slope_bytes_per_s is None:
        return None
    early, late = g.limit_s or (None, None)
    slow_early, slow_late = (g.slow_s or (None, None)) if g.limit_s is not None else (None, None)
    level_s = g.pause.level_s if g.pause is not None else None
    unusual = g.pause is not None and g.pause.unusual
    to_limit = early is not None and not c.grows_towards_brake and not c.grows_towards_runtime
    rivals = early is not None and c.rivals_per_s > 0
    found = facts(
        evidence=GREW if unusual else c.evidence.value if c.steady_live is None else Evidence.GROWING.value,
        live_bytes=c.steady_live,
        seen_s=grown_s(c.seen_s, g),
        rate_bytes_per_min=g.slope_bytes_per_s * 60,
        rate_low_bytes_per_min=(g.slope_low_bytes_per_s or 0) * 60,
        rate_high_bytes_per_min=(g.slope_high_bytes_per_s or 0) * 60,
        early_s=early,
        late_s=late,
        held=str(HELD_PERCENT) if early is not None else None,
        slow_early_s=slow_early,
        slow_late_s=slow_late,
        limit_name=c.grows_towards if to_limit and not c.fills_swap else None,
        swapping_name=c.grows_towards if to_limit and c.fills_swap else None,
        heap_limit=c.grows_towards if early is not None and c.grows_towards_runtime else None,
        brake_name=c.grows_towards if early is not None and c.grows_towards_brake else None,
        limit_bytes=c.grows_towards_bytes if early is not None else None,
        swap_room_bytes=c.grows_towards_swap or None if early is not None else None,
        rests_s=level_s if g.pause is not None and g.pause.worth_a_word and not unusual else None,
        level_s=level_s if unusual else None,
        rivals_bytes_per_min=60 * c.rivals_per_s if rivals and not c.unnamed_per_s else None,
        falls_bytes_per_min=60 * (c.rivals_per_s + g.slope_bytes_per_s) if rivals and c.unnamed_per_s else None,
        siblings_count=c.siblings or None if not c.grows_towards_machine else None,
        machine_siblings_count=c.siblings or None if c.grows_towards_machine else None,
        drops_count=g.drops if g.kind is Shape.LEAK_GC else None,
        heap_left_bytes=c.heap_may_take if early is None and (c.grows_towards_runtime or not c.grows_towards) else None,
        lazyfree_bytes=c.lazyfree if c.lazyfree is not None and c.lazyfree > MIB else None,
        unread=c.lazyfree_unread or None,
        ends_first=(c.heap_ends_first or None) if early is None else None,
        young_s=c.age_s if c.age_s is not None and c.age_s < 600 else None,
    )
    return growth_severity(soon=g.soon, kills=not c.grows_towards_brake), found


def charge(c: FindingInputs) -> Found:
    """The charge of its cgroup grows, though its own memory is not found to."""
    g = c.charge
    if g is None or c.alarm or c.held_growth is not None or c.charge_name is None or g.slope_bytes_per_s is None:
        return None
    early, late = g.limit_s or (None, None)
    if c.limit_name is None:  # it has no limit of its own
        early = late = None
    found = facts(
        limit_name=c.limit_name or c.charge_name,
        limit_bytes=c.limit,
        rate_bytes_per_min=g.slope_bytes_per_s * 60,
        span_s=g.span_s,
        early_s=early,
        late_s=late,
    )
    return growth_severity(soon=g.soon and early is not None), found


def family(c: FindingInputs) -> Found:
    """What it and its fork relatives take together grows, though its own memory is not found to."""
    g = c.family_growth
    if g is None or c.alarm or g.slope_bytes_per_s is None:
        return None
    rate, error = g.slope_bytes_per_s * 60, ESTIMATE_ERROR if c.family_measure == ESTIMATED_PSS else 0.0
    return WARNING, facts(
        family_count=c.family_count,
        measure=c.family_measure or None,
        rate_bytes_per_min=rate,
        rate_low_bytes_per_min=rate / (1 + error),
        rate_high_bytes_per_min=rate / (1 - error),
        span_s=g.span_s,
    )


def huge(c: FindingInputs) -> Found:
    """Its huge pages grow: RES and its verdict do not have them."""
    g = c.huge_growth
    if g is None or g.slope_bytes_per_s is None:
        return None
    return WARNING, facts(
        rate_bytes_per_min=g.slope_bytes_per_s * 60,
        span_s=g.span_s,
        limit_name=c.huge_limit_name,
        limit_bytes=c.huge_limit,
        used_bytes=c.huge_used,
    )


def held(c: FindingInputs) -> Found:
    """Its memory outside RES grows: its verdict does not have it."""
    g = c.held_growth
    if g is None or c.alarm or g.slope_bytes_per_s is None:
        return None
    # The charge of the cgroup grows by what others in it take as well.
    early, late = (c.charge if c.charge is not None else g).limit_s or (None, None)
    sizes = {part.kind.value if part.kind is not None else "page_tables": part.size_bytes for part in c.held_parts}
    found = facts(
        rate_bytes_per_min=g.slope_bytes_per_s * 60,
        span_s=g.span_s,
        early_s=early,
        late_s=late,
        limit_name=c.held_towards if early is not None else None,
        limit_bytes=c.held_towards_bytes if early is not None else None,
        largest=clean(c.held_parts[0].name) if c.held_parts and c.held_parts[0].name else None,
        **{f"{name}_bytes": size_bytes for name, size_bytes in sizes.items()},
    )
    return growth_severity(soon=g.soon), found


def descriptors(c: FindingInputs) -> Found:
    """It opens more and more, and what that keeps in the kernel is in no counter."""
    if not c.opens_more:
        return None
    pipes, sockets, others = (c.opened.get(name) or None for name in ("pipe", "socket", "other"))
    return NOTE, facts(pipes_count=pipes, sockets_count=sockets, others_count=others)


def shape(kind: Shape) -> Callable[[FindingInputs], Found]:
    """The finding for one shape, while no growth is confirmed."""

    def find(c: FindingInputs) -> Found:
        g = c.growth
        if g is None or g.kind is not kind or c.alarm or c.heap_alarm in _OF_HEAP or c.heap_is_open or c.at_goal:
            return None
        return NOTE, _numbers(g) | facts(since_s=c.changed_ago_s)

    return find


def confirming(c: FindingInputs) -> Found:
    """A rise seems to begin. One more assessment may confirm it."""
    if c.changing is None or c.alarm or DIRECTIONS[c.changing.kind] is not Direction.RISING:
        return None
    found = _numbers(c.changing)
    if c.rise is not None and c.rise_s is not None and 2 * c.rise_anon > c.rise:
        found |= facts(rise_bytes=c.rise_anon, span_s=c.rise_s)  # of now, where the assessment is seconds old
    return NOTE, found


def rising(c: FindingInputs) -> Found:
    """A rise that is visible before there is a verdict on it."""
    if c.rise is None or c.rise_s is None or c.alarm or confirming(c) is not None:
        return None
    if c.growth is not None and c.growth.kind is not Shape.INSUFFICIENT:
        return None
    found = facts(rise_bytes=c.rise, rise_s=c.rise_s)
    if c.rise_full_s is not None:
        found |= facts(
            full_s=c.rise_full_s,
            limit_name=c.rise_limit_name,
            falls="yes" if c.rise_falls else None,
            beside_count=None if c.rise_falls else c.siblings or None,
        )
    if c.rise_anon < 0.05 * c.rise:
        return NOTE, found | facts(shared="yes")
    return NOTE, found | (facts(anon_bytes=c.rise_anon, mixed="yes") if c.rise_anon < 0.95 * c.rise else {})


def _numbers(g: Growth) -> Facts:
    return facts(
        low_bytes=g.low_bytes,
        high_bytes=g.high_bytes,
        period_s=g.period_s,
        span_s=g.span_s,
        rise_bytes=g.rise_bytes,
        floor_bytes=g.floor_bytes,
        peak_bytes=g.peak_bytes,
        rate_bytes_per_min=None if g.slope_bytes_per_s is None else g.slope_bytes_per_s * 60,
        drops_count=g.drops or None,
        level_s=g.pause.level_s if g.pause is not None and g.pause.unusual else None,
    )


def keeps(c: FindingInputs) -> Found:
    """RES stays at its peak."""
    if not c.peak_rss or c.rss is None or (c.flat_s or 0) < 600 or (c.minflt_per_s or 0) >= 10:
        return None
    return (NOTE, facts(rss_bytes=c.rss, peak_bytes=c.peak_rss, flat_s=c.flat_s)) if c.rss >= 0.9 * c.peak_rss else None


def gave_back(c: FindingInputs) -> Found:
    """RES was far higher once."""
    if not c.peak_rss or not c.rss or c.peak_rss <= 1.5 * c.rss or c.peak_rss - c.rss < 50 * MIB:
        return None
    return NOTE, facts(rss_bytes=c.rss, peak_bytes=c.peak_rss)


def young(c: FindingInputs) -> Found:
    """A process that is too young for a verdict."""
    return (NOTE, facts(age_s=c.age_s, verdict_s=c.verdict_s)) if c.age_s is not None and c.age_s < 60 else None

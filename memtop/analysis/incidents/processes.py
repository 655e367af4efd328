"""Rules about processes: growth that is confirmed, and a rise that is a fact before there is a verdict on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from memtop.analysis.findings.growth import SOON_S, grown_s, growth_severity
from memtop.analysis.findings.rule import DANGER, NOTE, WARNING, Severity, facts
from memtop.analysis.incidents.incident import Incident, Scope, Subject
from memtop.analysis.incidents.inputs import MIB, GroupFacts, GrowthFacts, IncidentInputs, LimitFacts
from memtop.analysis.trend.classify import Growth
from memtop.analysis.trend.rising import ONE_GOES_ON
from memtop.process_key import ProcessKey

STORY: Final = "growth"
_RISE_BYTES: Final = 8 * MIB
"""A rise is worth a line from here on, or from a part of the room that its limit leaves ..."""
_MANY_STEPS: Final = 8
"""... half of that after so many samples that were all higher ..."""
_RISE_OF_ROOM: Final = 0.05
_RISE_S: Final = 5.0
"""... and from so long on ..."""
_FAST_BYTES: Final = 64 * MIB
_FAST_S: Final = 2.0
"""... or, where it is fast, from this."""
_LOADING_S: Final = 10.0
"""A young program loads ..."""
_LONG_FOR_LOADING_S: Final = 8.0
"""... for less than this, or more slowly than this for longer: a slow leak is left to the verdict."""
_LOADING_BYTES_PER_S: Final = MIB / 2
_MINUTES_S: Final = 600.0
_AT_ONCE_S: Final = 120.0
_TOLD_FROM_S: Final = 3600.0
"""A limit that is met later than this at the pace seen is not named."""


def growth(inputs: IncidentInputs) -> Iterator[Incident]:
    """Growth that is confirmed."""
    for one in inputs.growing:
        if one.growth is not None and one.growth.slope_bytes_per_s is not None:
            yield confirmed_growth("growth", one, one.growth, subject=_subject(one), show=one.key, now_s=inputs.now_s)


def confirmed_growth(
    name: str,
    one: GrowthFacts | GroupFacts,
    growth: Growth,
    *,
    subject: Subject,
    show: ProcessKey,
    now_s: float,
    members: int | None = None,
) -> Incident:
    """The incident of a growth that is confirmed; ``members`` is the number of processes that grow as a whole."""
    early_s, late_s = growth.limit_s or (None, None)
    limit, slope = one.limit, growth.slope_bytes_per_s or 0.0
    return Incident(
        name,
        growth_severity(early_s, kills=limit is not None and limit.kills),
        subject,
        facts(
            rate_bytes_per_min=60 * slope,
            rate_low_bytes_per_min=60 * (growth.slope_low_bytes_per_s or 0),
            rate_high_bytes_per_min=60 * (growth.slope_high_bytes_per_s or 0),
            members_count=members,
            seen_s=grown_s(one.seen_s, growth),
            evidence=one.evidence.value if one.evidence is not None else None,
            level_s=growth.pause.level_s if growth.pause is not None and growth.pause.unusual else None,
            limit_of="machine" if limit is not None and limit.is_machine else None,
            early_s=early_s if limit is not None else None,
            late_s=late_s if limit is not None else None,
            **(named(limit) if early_s is not None else {}),
        ),
        weight=SOON_S / max(1.0, early_s) if early_s is not None else slope / (1 << 40),
        since_s=now_s - (one.seen_s or 0.0),
        story=STORY,
        show=show,
    )


def rising(inputs: IncidentInputs) -> Iterator[Incident]:
    """A rise that began a moment ago, and may end."""
    for one in inputs.growing:
        rise, limit = one.rise, one.limit
        if one.growth is not None or rise is None or not _is_worth_a_line(one):
            continue
        full_s = (
            rise.full_s(limit.room_bytes, ONE_GOES_ON if limit.is_machine else math.inf) if limit is not None else None
        )
        tells = full_s is not None and full_s < _TOLD_FROM_S and (limit is not None and limit.kills)
        yield Incident(
            "rising",
            severity_at_pace(full_s) if tells else NOTE,
            _subject(one),
            facts(
                rise_bytes=rise.size_bytes,
                rise_s=rise.span_s,
                anon_bytes=one.anon_bytes if one.anon_bytes < 0.95 * rise.size_bytes else None,
                full_s=full_s if tells else None,
                **(named(limit) if tells else {}),
            ),
            weight=rise.bytes_per_s / (limit.room_bytes + 1 if limit is not None else 1 << 40),
            since_s=rise.since_s,
            story=STORY,
            show=one.key,
        )


def _is_worth_a_line(one: GrowthFacts) -> bool:
    rise = one.rise
    if rise is None or rise.steps < 3 or one.anon_bytes < 0.5 * rise.size_bytes:
        return False
    room = one.limit.room_bytes if one.limit is not None else None
    began_young = one.age_s is not None and one.age_s - rise.span_s < _LOADING_S
    if began_young and (rise.span_s < _LONG_FOR_LOADING_S or rise.bytes_per_s < _LOADING_BYTES_PER_S):
        return False
    enough = _RISE_BYTES / 2 if rise.steps >= _MANY_STEPS and not began_young else _RISE_BYTES
    least = enough if room is None else max(MIB, min(enough, _RISE_OF_ROOM * room))
    fast = rise.size_bytes >= _FAST_BYTES and rise.span_s >= _FAST_S
    return fast or (rise.size_bytes >= least and rise.span_s >= _RISE_S)


def severity_at_pace(full_s: float | None) -> Severity:
    """By the time until something is full; None where that is unknown or never."""
    if full_s is None or full_s >= _MINUTES_S:
        return NOTE
    return DANGER if full_s < _AT_ONCE_S else WARNING


def named(limit: LimitFacts | None) -> dict[str, float | str | None]:
    """The facts that name a limit: one that kills, or one that slows down."""
    if limit is None:
        return {}
    return {"limit_name" if limit.kills else "brake_name": limit.name, "limit_bytes": limit.limit_bytes}


def _subject(one: GrowthFacts) -> Subject:
    return Subject(Scope.PROCESS, one.name, key=one.key)

"""Rules about programs and cgroups that grow as a whole: workers that come and go, or that all grow a little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from memtop.analysis.findings.rule import DANGER, NOTE, WARNING, facts
from memtop.analysis.incidents.incident import Incident, Scope, Subject
from memtop.analysis.incidents.inputs import MIB, GroupFacts, IncidentInputs
from memtop.analysis.incidents.processes import named, severity_at_pace

STORY: Final = "growth"
_SOON_S: Final = 3600.0
_RISE_BYTES: Final = 16 * MIB
"""A rise is worth a line from here on ..."""
_RISE_S: Final = 5.0
"""... and from so long on ..."""
_LOADING_S: Final = 10.0
"""... or, where nothing of it was there before, from this: a program that starts loads."""
_TOLD_FROM_S: Final = 3600.0


def group_growth(inputs: IncidentInputs) -> Iterator[Incident]:
    """Growth of the whole that is confirmed."""
    for one in inputs.groups:
        g = one.growth
        if g is None or g.slope_bytes_per_s is None:
            continue
        early, late = g.limit_s or (None, None)
        soon = early is not None and early < _SOON_S and one.limit is not None and one.limit.kills
        yield Incident(
            "group_growth",
            DANGER if soon else WARNING,
            _subject(one),
            facts(
                rate_bytes_per_min=60 * g.slope_bytes_per_s,
                rate_low_bytes_per_min=60 * (g.slope_low_bytes_per_s or 0),
                rate_high_bytes_per_min=60 * (g.slope_high_bytes_per_s or 0),
                members_count=one.members,
                seen_s=one.seen_s,
                evidence=one.evidence.value if one.evidence is not None else None,
                early_s=early if one.limit is not None else None,
                late_s=late if one.limit is not None else None,
                **(named(one.limit) if early is not None else {}),
            ),
            weight=_SOON_S / max(1.0, early) if early is not None else g.slope_bytes_per_s / (1 << 40),
            since_s=inputs.now_s - (one.seen_s or 0.0),
            story=STORY,
            show=one.oldest,
        )


def group_rising(inputs: IncidentInputs) -> Iterator[Incident]:
    """A rise of the whole that began a moment ago, and may end."""
    for one in inputs.groups:
        rise, limit = one.rise, one.limit
        if one.growth is not None or rise is None or rise.steps < 2 or rise.size_bytes < _RISE_BYTES:
            continue
        if rise.span_s < (_LOADING_S if rise.from_bytes < rise.size_bytes / 10 else _RISE_S):
            continue
        full_s = limit.room_bytes / rise.bytes_per_s if limit is not None and rise.bytes_per_s > 0 else None
        tells = full_s is not None and full_s < _TOLD_FROM_S and limit is not None and limit.kills
        yield Incident(
            "group_rising",
            severity_at_pace(full_s) if tells else NOTE,
            _subject(one),
            facts(
                rise_bytes=rise.size_bytes,
                rise_s=rise.span_s,
                members_count=one.members,
                full_s=full_s if tells else None,
                **(named(limit) if tells else {}),
            ),
            weight=rise.bytes_per_s / (limit.room_bytes + 1 if limit is not None else 1 << 40),
            since_s=rise.since_s,
            story=STORY,
            show=one.oldest,
        )


def _subject(one: GroupFacts) -> Subject:
    if one.is_cgroup:
        return Subject(Scope.CGROUP, one.name, path=one.identity)
    return Subject(Scope.PROGRAM, one.name, program=one.identity)

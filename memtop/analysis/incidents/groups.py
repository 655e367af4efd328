"""Rules about programs and cgroups that grow as a whole: workers that come and go, or that all grow a little."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from memtop.analysis.findings.rule import NOTE, facts
from memtop.analysis.incidents.incident import Incident, Scope, Subject
from memtop.analysis.incidents.inputs import MIB, GroupFacts, IncidentInputs
from memtop.analysis.incidents.processes import STORY, confirmed_growth, kills_in_s, rise_to_limit
from memtop.analysis.trend.rising import SUM_GOES_ON

_RISE_BYTES: Final = 16 * MIB
"""A rise is worth a line from here on ..."""
_RISE_S: Final = 5.0
"""... and from so long on ..."""
_LOADING_S: Final = 10.0
"""... or, where nothing of it was there before, from this: a program that starts loads."""


def group_growth(inputs: IncidentInputs) -> Iterator[Incident]:
    """Growth of the whole that is confirmed."""
    for one in inputs.groups:
        if one.growth is not None and one.growth.slope_bytes_per_s is not None:
            yield confirmed_growth(
                "group_growth",
                one,
                one.growth,
                subject=_subject(one),
                show=one.oldest,
                now_s=inputs.now_s,
                members=one.members,
            )


def group_rising(inputs: IncidentInputs) -> Iterator[Incident]:
    """A rise of the whole that began a moment ago, and may end."""
    for one in inputs.groups:
        rise, limit = one.rise, one.limit
        if one.growth is not None or rise is None or rise.steps < 2 or rise.size_bytes < _RISE_BYTES:
            continue
        if rise.span_s < (_LOADING_S if rise.from_bytes < rise.size_bytes / 10 else _RISE_S):
            continue
        subject = _subject(one)
        was = inputs.standing.get((subject.identity, "group_rising"))
        severity, until_full = rise_to_limit(rise, limit, inputs, goes_on=SUM_GOES_ON, was=was)
        yield Incident(
            "group_rising",
            severity,
            subject,
            facts(rise_bytes=rise.size_bytes, rise_s=rise.span_s, members_count=one.members, **until_full),
            weight=rise.bytes_per_s / (limit.room_bytes + 1 if limit is not None else 1 << 40),
            since_s=rise.since_s,
            story=STORY,
            show=one.oldest,
            kills_in_s=kills_in_s(until_full.get("full_s"), limit) if severity > NOTE else math.inf,
        )


def _subject(one: GroupFacts) -> Subject:
    if one.is_cgroup:
        return Subject(Scope.CGROUP, one.name, path=one.identity)
    return Subject(Scope.PROGRAM, one.name, program=one.identity)

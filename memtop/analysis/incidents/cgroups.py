"""Rules about cgroups with a limit: nearly full, slowed down, or filling though no process in it grows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from memtop.analysis.findings.faults import WAITS_KEPT
from memtop.analysis.findings.limits import FULL_PERCENT, NEAR_PERCENT
from memtop.analysis.findings.rule import DANGER, NOTE, WARNING, facts, graded
from memtop.analysis.incidents.incident import Incident, Scope, Subject
from memtop.analysis.incidents.inputs import MIB, CgroupFacts, GrowthFacts, IncidentInputs
from memtop.analysis.incidents.processes import AT_ONCE_S, PACE_KEPT, severity_at_pace
from memtop.procfs.statm import page_bytes

_MINUTES_S: Final = 600.0
_RISE_S: Final = 4.0
_LOADED_S: Final = 10.0
"""A program that has just started may fill a part of its limit in less than this."""
_WAITS_PERCENT: Final = 10.0
"""Share of time in which tasks wait, from which on a memory.high is more than a note."""
_FULL_SHARE: Final = 0.95
"""A cgroup that uses so much of its limit, page cache included, must evict something for each page that comes."""
_THRASH_SHARE: Final = 0.05
"""It thrashes if so much of its limit comes back each second ..."""
_THRASH_S: Final = 5.0
"""... for so long: a file that is read twice does so for a moment."""
_MOST_OF_IT: Final = 0.5
"""A process that rises at so much of the rate of its cgroup fills it."""


def near_limit(inputs: IncidentInputs) -> Iterator[Incident]:
    """Use that cannot be reclaimed of 80 % of the limit or more."""
    for one in inputs.cgroups:
        percent, subject = one.used_percent, _subject(one)
        was = inputs.standing.get((subject.identity, "near_limit"))
        level = graded(percent, NEAR_PERCENT, FULL_PERCENT, was=was)
        if level is None:
            continue
        kills = not one.swap_room_bytes
        rises = one.rise is not None and one.rise.size_bytes > 0.01 * one.limit_bytes
        full_s = one.full_s if rises else None
        soon = severity_at_pace(full_s, was=was) is DANGER
        mostly = _mostly(one)
        yield Incident(
            "near_limit",
            DANGER if (level is DANGER or soon) and kills and not one.undivided else WARNING,
            subject,
            facts(
                used_percent=percent,
                limit_bytes=one.limit_bytes,
                room_bytes=max(0, one.room_bytes),
                rise_bytes=one.rise.size_bytes if one.rise is not None and rises else None,
                rise_s=one.rise.span_s if one.rise is not None and rises else None,
                full_s=full_s if soon else None,
                swap_room_bytes=one.swap_room_bytes or None,
                swap_unknown="unknown" if one.swap_room_bytes is None else None,
                largest=(one.largest_name or None) if mostly is None else None,
                mostly=mostly,
                mostly_bytes=max(one.shared_bytes, one.kernel_bytes) if mostly is not None else None,
                undivided="yes" if one.undivided else None,
                limit_file=one.file,
            ),
            weight=percent / 100 + (1.0 if rises else 0.0),
            since_s=one.rise.since_s if one.rise is not None and rises else inputs.now_s,
            story="limit",
            show=one.largest,
            level=True,
            kills_in_s=max(1.0, full_s) if full_s is not None and kills else math.inf,
        )


def is_thrash(refault_per_s: float | None, usage_bytes: int | None, limit_bytes: int | None) -> bool:
    """Whether a cgroup evicts at its limit what it uses. Refaults are in pages; sizes are in bytes, None if unknown."""
    if not refault_per_s or not usage_bytes or not limit_bytes or usage_bytes < _FULL_SHARE * limit_bytes:
        return False
    return refault_per_s * page_bytes() >= _THRASH_SHARE * limit_bytes


def thrashing(inputs: IncidentInputs) -> Iterator[Incident]:
    """Pages that were evicted at a limit come back all the time: it is too small for what is used."""
    for one in inputs.cgroups:
        if one.thrash_s < _THRASH_S:
            continue
        reread_bytes = (one.refault_per_s or 0.0) * page_bytes()
        yield Incident(
            "thrashing",
            WARNING,
            _subject(one),
            facts(
                reread_bytes=reread_bytes,
                limit_bytes=one.limit_bytes,
                thrash_s=one.thrash_s,
                used_percent=one.used_percent,
                largest=one.largest_name or None,
                limit_file=one.file,
            ),
            weight=reread_bytes / max(1, one.limit_bytes),
            since_s=inputs.now_s - one.thrash_s,
            story="thrash",
            show=one.largest,
        )


def throttled(inputs: IncidentInputs) -> Iterator[Incident]:
    """Use over memory.high: the kernel makes each task that allocates wait."""
    for one in inputs.brakes:
        if one.room_bytes is not None:
            continue
        waits, subject = one.some_percent, Subject(Scope.CGROUP, one.name, path=one.path)
        was = inputs.standing.get((subject.identity, "throttled"))
        rests = waits is not None and graded(waits, _WAITS_PERCENT, was=was, kept=WAITS_KEPT) is None
        yield Incident(
            "throttled",
            NOTE if rests else WARNING,
            subject,
            facts(limit_bytes=one.high_bytes, some_percent=waits, largest=one.largest_name or None),
            weight=waits or 0.0,
            since_s=inputs.now_s,
            story="brake",
            show=one.largest,
            level=True,
        )


def near_high(inputs: IncidentInputs) -> Iterator[Incident]:
    """Use that cannot be reclaimed of 80 % of memory.high or more, before the kernel slows anything down."""
    for one in inputs.brakes:
        if one.room_bytes is None:
            continue
        percent = 100.0 * (one.high_bytes - one.room_bytes) / one.high_bytes if one.high_bytes > 0 else 100.0
        subject = Subject(Scope.CGROUP, one.name, path=one.path)
        if graded(percent, NEAR_PERCENT, was=inputs.standing.get((subject.identity, "near_high"))) is None:
            continue
        yield Incident(
            "near_high",
            WARNING,
            subject,
            facts(
                used_percent=percent,
                limit_bytes=one.high_bytes,
                room_bytes=max(0, one.room_bytes),
                largest=one.largest_name or None,
            ),
            weight=percent / 100,
            since_s=inputs.now_s,
            story="brake",
            show=one.largest,
            level=True,
        )


def filling(inputs: IncidentInputs) -> Iterator[Incident]:
    """One that would be full in minutes at the pace seen, by a process that is known to rise, or by none."""
    for one in inputs.cgroups:
        rise = one.rise
        if rise is None or rise.steps < 3 or rise.span_s < _RISE_S or one.used_percent >= NEAR_PERCENT:
            continue
        full_s = one.full_s
        if rise.size_bytes < MIB or full_s is None or full_s > _MINUTES_S:
            continue
        gainer = _gainer(inputs, one)
        kills, subject = not one.swap_room_bytes, _subject(one)
        was = inputs.standing.get((subject.identity, "filling"))
        soon = graded(1 / max(1.0, full_s), 1 / AT_ONCE_S, was=was, kept=PACE_KEPT) is not None
        yield Incident(
            "filling",
            DANGER if soon and kills and rise.span_s >= _LOADED_S else WARNING if soon else NOTE,
            subject,
            facts(
                rise_bytes=rise.size_bytes,
                rise_s=rise.span_s,
                limit_bytes=one.limit_bytes,
                full_s=full_s,
                gainer=gainer.name if gainer is not None else None,
                largest=(one.largest_name or None) if gainer is None else None,
            ),
            weight=1 / (1 + full_s),
            since_s=rise.since_s,
            story="limit",
            show=gainer.key if gainer is not None else one.largest,
            kills_in_s=max(1.0, full_s) if kills else math.inf,
        )


def _mostly(one: CgroupFacts) -> str | None:
    """What no process in it has for itself, where that is most of its use."""
    used_bytes = one.limit_bytes - one.room_bytes
    if one.shared_bytes >= _MOST_OF_IT * used_bytes:
        return "tmpfs and shared memory"
    return "kernel memory" if one.kernel_bytes >= _MOST_OF_IT * used_bytes else None


def _gainer(inputs: IncidentInputs, of: CgroupFacts) -> GrowthFacts | None:
    """The process that takes most of what a cgroup gains, though it is too early for a line of its own."""
    least = _MOST_OF_IT * of.rise.bytes_per_s if of.rise is not None else 0.0
    inside = [
        one for one in inputs.growing if of.path in one.chain or (one.limit is not None and one.limit.path == of.path)
    ]
    risen = [one for one in inside if one.rise is not None and one.rise.bytes_per_s >= least]
    return max(risen, key=lambda one: one.rise.bytes_per_s if one.rise is not None else 0.0, default=None)


def _subject(one: CgroupFacts) -> Subject:
    return Subject(Scope.CGROUP, one.name, path=one.path)

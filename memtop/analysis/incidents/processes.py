"""Rules about processes: growth that is confirmed, and a rise that is a fact before there is a verdict on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from memtop.analysis.findings.growth import grown_s
from memtop.analysis.findings.rule import NOTE, WARNING, Facts, facts, graded, growth_severity
from memtop.analysis.incidents.incident import Incident, Scope, Subject
from memtop.analysis.incidents.inputs import MIB, STILL_S, GroupFacts, GrowthFacts, IncidentInputs, LimitFacts, Rates
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth
from memtop.analysis.trend.hysteresis import GREW
from memtop.analysis.trend.rising import ONE_GOES_ON, SUM_GOES_ON, Rise
from memtop.analysis.trend.soon import SOON_S
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
_START_S: Final = 30.0
"""Until this age, what a process has taken since its start ..."""
_START_WEIGHT: Final = 0.25
"""... weighs so much of what others take: many programs load for seconds, and few of them go on."""
_MINUTES_S: Final = 600.0
AT_ONCE_S: Final = 120.0
PACE_KEPT: Final = 0.7
"""A time that has been below a bound stays so until the pace is less than so much of it."""
_REPORTED_FROM_S: Final = 3600.0
"""A limit that is met later than this at the pace seen is not named."""
PACE_S: Final = 5.0
"""A fall of available memory has a pace from so long on, while it goes on."""
_NOTHING: Final[Facts] = {}
_LOST_SHARE: Final = 0.5
"""What rises fills the machine only if the machine has lost so much of that meanwhile: else others have freed it."""
_CAUSE_SHARE: Final = 0.25
"""What takes less of a fall of available memory is not its cause, and is no worse than it is itself."""
_FASTER: Final = 1.2
"""A fall must be so many times as fast as what is known to grow, to count as something else."""


def growth(inputs: IncidentInputs) -> Iterator[Incident]:
    """Growth that is confirmed."""
    rates = _rates(inputs)
    for one in inputs.growing:
        if one.growth is not None and one.growth.slope_bytes_per_s is not None:
            pace = pace_at(one.limit, _rate(one), inputs, beside=_beside(one, rates))
            yield confirmed_growth(
                "growth", one, one.growth, subject=_subject(one), show=one.key, now_s=inputs.now_s, beside=pace.facts
            )


def confirmed_growth(
    name: str,
    one: GrowthFacts | GroupFacts,
    growth: Growth,
    *,
    subject: Subject,
    show: ProcessKey,
    now_s: float,
    members: int | None = None,
    beside: Facts = _NOTHING,
) -> Incident:
    """The incident of a growth that is confirmed; ``members`` is the number of processes that grow as a whole,
    ``beside`` what the time to the limit counts beside it."""
    early_s, late_s = growth.limit_s or (None, None)
    rests = growth.pause is not None and growth.pause.unusual
    limit, slope = one.limit, growth.slope_bytes_per_s or 0.0
    return Incident(
        name,
        growth_severity(soon=growth.soon, kills=limit is not None and limit.kills),
        subject,
        facts(
            rate_bytes_per_min=60 * slope,
            rate_low_bytes_per_min=60 * (growth.slope_low_bytes_per_s or 0),
            rate_high_bytes_per_min=60 * (growth.slope_high_bytes_per_s or 0),
            members_count=members,
            seen_s=grown_s(one.seen_s, growth),
            evidence=GREW if rests else one.evidence.value if one.evidence is not None else None,
            level_s=growth.pause.level_s if growth.pause is not None and rests else None,
            limit_of="machine" if limit is not None and limit.is_machine else None,
            early_s=early_s if limit is not None else None,
            late_s=late_s if limit is not None else None,
            **({**named(limit), **beside} if early_s is not None else {}),
        ),
        weight=SOON_S / max(1.0, early_s) if early_s is not None else slope / (1 << 40),
        since_s=now_s - (one.seen_s or 0.0),
        story=STORY,
        show=show,
        settled=True,
        kills_in_s=kills_in_s(early_s, limit),
    )


def rising(inputs: IncidentInputs) -> Iterator[Incident]:
    """A rise that began a moment ago, and may end."""
    rates = _rates(inputs)
    for one in inputs.growing:
        rise, limit = one.rise, one.limit
        if one.growth is not None or rise is None or not _is_worth_a_line(one):
            continue
        subject = _subject(one)
        severity, until_full = rise_to_limit(
            rise,
            limit,
            inputs,
            goes_on=_goes_on(one, rise),
            beside=_beside(one, rates),
            was=inputs.standing.get((subject.identity, "rising")),
        )
        share = _START_WEIGHT if _began_young(one, rise) and (one.age_s or 0.0) < _START_S else 1.0
        yield Incident(
            "rising",
            severity,
            subject,
            facts(
                rise_bytes=rise.size_bytes,
                rise_s=rise.span_s,
                anon_bytes=one.anon_bytes if one.anon_bytes < 0.95 * rise.size_bytes else None,
                **until_full,
            ),
            weight=share * rise.bytes_per_s / (limit.room_bytes + 1 if limit is not None else 1 << 40),
            since_s=rise.since_s,
            story=STORY,
            show=one.key,
            kills_in_s=kills_in_s(until_full.get("full_s"), limit) if severity > NOTE else math.inf,
        )


def kills_in_s(full_s: float | str | None, limit: LimitFacts | None) -> float:
    """Seconds until the kernel kills at a limit that is full in ``full_s``; infinite where none is foreseen."""
    return max(1.0, full_s) if isinstance(full_s, float | int) and limit is not None and limit.kills else math.inf


def rise_to_limit(
    rise: Rise,
    limit: LimitFacts | None,
    inputs: IncidentInputs,
    *,
    goes_on: float,
    beside: Sequence[float] = (),
    was: Severity | None = None,
) -> tuple[Severity, Facts]:
    """The severity of a rise, and what is said of the limit that it meets: nothing where that is far or does not kill.

    A rise toward the machine's memory is expected to go on for at most ``goes_on`` times as long as it was seen.
    ``beside`` is as for :func:`pace_at`, ``was`` the severity that stands.
    """
    if limit is None or not limit.kills:
        return NOTE, _NOTHING
    if limit.of_heap:
        early_s = limit.heap_full_s[0] if limit.heap_full_s is not None else _REPORTED_FROM_S
        if early_s >= _REPORTED_FROM_S:
            return NOTE, _NOTHING
        # What has survived may be garbage that a collection of old objects finds: a danger needs a verdict.
        return min(WARNING, severity_at_pace(early_s, was=was)), facts(full_s=early_s, **named(limit))
    if not rise.goes_on(inputs.now_s, STILL_S):
        return NOTE, _NOTHING  # it may go on, but what stands still fills nothing
    lost = inputs.machine.lost_since(rise.since_s) if limit.is_machine else None
    if lost is not None and lost[0] < _LOST_SHARE * rise.size_bytes * min(1.0, lost[1] / rise.span_s):
        return NOTE, _NOTHING
    pace = pace_at(limit, rise.bytes_per_s, inputs, beside=beside, lost=lost)
    full_s = rise.full_s(pace.own_share * limit.room_bytes, goes_on if limit.is_machine else math.inf)
    if full_s is None or full_s >= _REPORTED_FROM_S or (pace.fall_s is not None and full_s > SUM_GOES_ON * pace.fall_s):
        return NOTE, _NOTHING
    severity = NOTE if pace.fall_s is not None and pace.own_share < _CAUSE_SHARE else severity_at_pace(full_s, was=was)
    return severity, facts(full_s=full_s, **named(limit), **pace.facts)


class Pace(NamedTuple):
    """How fast the room of a limit is used up by all that grow toward it."""

    own_share: float = 1.0
    """The part of the room that the process itself uses up."""
    others: int = 0
    """Other processes that grow toward it, and are counted."""
    fall_s: float | None = None
    """For how long available memory has fallen, if it falls faster than all of them grow, and is counted instead."""

    @property
    def facts(self) -> Facts:
        """What is counted beside the process itself."""
        return facts(beside_count=self.others or None, falls="yes" if self.fall_s is not None else None)


def pace_at(
    limit: LimitFacts | None,
    own_per_s: float,
    inputs: IncidentInputs,
    *,
    beside: Sequence[float] = (),
    lost: tuple[int, float] | None = None,
) -> Pace:
    """The pace of all that grow toward the same limit, or of the fall of available memory if that is faster.

    ``beside`` are the rates of the other processes that do; none for a group, whose members are not counted again.
    ``lost`` is what the machine has lost meanwhile, in bytes and seconds: others do not add to the pace what yet
    others free.
    """
    if limit is None or own_per_s <= 0:
        return Pace()
    others = beside
    sum_per_s = own_per_s + sum(others)
    if lost is not None and sum_per_s > (seen_per_s := max(own_per_s, lost[0] / lost[1])):
        sum_per_s = seen_per_s
        others = others if sum_per_s > own_per_s else ()
    used = inputs.machine.used
    falls = used is not None and used.span_s >= PACE_S and inputs.now_s - used.high_s <= STILL_S
    if limit.is_machine and falls and used is not None and used.bytes_per_s > _FASTER * sum_per_s:
        return Pace(own_per_s / used.bytes_per_s, fall_s=used.span_s)
    return Pace(own_per_s / sum_per_s, len(others))


class Forecast(NamedTuple):
    """What the incidents of the machine say of one process: its other views say the same."""

    others: int
    """Other processes that grow toward its limit."""
    full_s: float | None = None
    """Seconds until that is full, while it rises and there is no verdict; None where that is far or unknown."""
    limit_name: str = ""
    falls: bool = False
    """Whether that time follows the fall of available memory, which is faster than those grow."""


def forecast_of(key: ProcessKey, inputs: IncidentInputs) -> Forecast | None:
    """What :func:`growth` or :func:`rising` says of a process; None where neither names it."""
    one = next((one for one in inputs.growing if one.key == key), None)
    if one is None or one.limit is None or (one.growth is None and not _is_worth_a_line(one)):
        return None
    beside = _beside(one, _rates(inputs))
    if one.growth is not None or one.rise is None:
        return Forecast(len(beside))
    found = rise_to_limit(one.rise, one.limit, inputs, goes_on=_goes_on(one, one.rise), beside=beside)[1]
    full_s = float(found["full_s"]) if "full_s" in found else None
    return Forecast(len(beside), full_s, one.limit.name, falls="falls" in found)


def _rates(inputs: IncidentInputs) -> Rates:
    """A heap is of one process alone: nothing else grows toward its limit."""
    found = inputs.rates
    if not found:
        for one in inputs.growing:
            if one.limit is not None and not one.limit.of_heap and (rate := _rate(one)) > 0:
                found.setdefault((one.limit.path, one.limit.is_machine), {})[one.key] = rate
    return found


def _beside(one: GrowthFacts, rates: Rates) -> Sequence[float]:
    """The rates of the others that use up the same limit."""
    if one.limit is None or one.limit.of_heap:
        return ()
    others = dict(rates.get((one.limit.path, one.limit.is_machine), {}))
    others.pop(one.key, None)
    return tuple(others.values())


def _goes_on(one: GrowthFacts, rise: Rise) -> float:
    """For how many times as long as it was seen a rise may go on."""
    return SUM_GOES_ON if _began_young(one, rise) else ONE_GOES_ON


def _rate(one: GrowthFacts) -> float:
    """Bytes per second; 0 for one that rests, or that has risen too little to be named."""
    if one.growth is not None:
        rests = one.growth.pause is not None and one.growth.pause.unusual
        return 0.0 if rests else one.growth.slope_bytes_per_s or 0.0
    return one.rise.bytes_per_s if one.rise is not None and _is_worth_a_line(one) else 0.0


def _is_worth_a_line(one: GrowthFacts) -> bool:
    rise = one.rise
    if rise is None or rise.steps < 3 or one.anon_bytes < 0.5 * rise.size_bytes:
        return False
    room = one.limit.room_bytes if one.limit is not None and not one.limit.of_heap else None
    began_young = _began_young(one, rise)
    if began_young and (rise.span_s < _LONG_FOR_LOADING_S or rise.bytes_per_s < _LOADING_BYTES_PER_S):
        return False
    enough = _RISE_BYTES / 2 if rise.steps >= _MANY_STEPS and not began_young else _RISE_BYTES
    least = enough if room is None else max(MIB, min(enough, _RISE_OF_ROOM * room))
    fast = rise.size_bytes >= _FAST_BYTES and rise.span_s >= _FAST_S
    return fast or (rise.size_bytes >= least and rise.span_s >= _RISE_S)


def _began_young(one: GrowthFacts, rise: Rise) -> bool:
    return one.age_s is not None and one.age_s - rise.span_s < _LOADING_S


def severity_at_pace(full_s: float | None, *, was: Severity | None) -> Severity:
    """By the time until something is full; None where that is unknown or never. ``was`` is the severity that stands."""
    if full_s is None:
        return NOTE
    return graded(1 / max(1.0, full_s), 1 / _MINUTES_S, 1 / AT_ONCE_S, was=was, kept=PACE_KEPT) or NOTE


def named(limit: LimitFacts | None) -> dict[str, float | str | None]:
    """The facts that name a limit: one that kills, or one that slows down."""
    if limit is None:
        return {}
    name = "limit_name" if limit.kills else "brake_name"
    return {name: limit.name, "limit_bytes": limit.limit_bytes, "limit_file": limit.file}


def _subject(one: GrowthFacts) -> Subject:
    return Subject(Scope.PROCESS, one.name, key=one.key)

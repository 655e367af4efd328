"""Keeps incidents and their order from flickering."""

from __future__ import annotations

import math
from collections.abc import Container, Hashable, Iterable
from operator import itemgetter
from typing import Final, NamedTuple

from memtop.analysis.incidents.incident import Incident, Scope
from memtop.analysis.incidents.table import ORDER
from memtop.analysis.severity import Severity
from memtop.process_key import ProcessKey

COMES_S: Final = 0.9
"""A trend must have held for so long."""
LEAVES_S: Final = 5.0
"""One that stands stays for so long after it was found last ..."""
STAYS_S: Final = 8.0
"""... and for so long at least after it came."""
MILDER_S: Final = 5.0
"""Its severity falls when it has been lower for so long."""
_CLASS: Final = 2.0
"""Of two incidents of one severity and one rule, one goes before one that was ahead where it is so many times worse, or
the time until its kill so many times shorter."""
_LASTS_S: Final = 6.0
"""Of two notes, the one that came later must have been found for so long: what a program takes while it loads ends."""
_FORECAST: Final = ("full_s", "early_s", "late_s")
_FORECAST_S: Final = 2.0
"""A forecast stands for so long after it was made last."""
_IMMINENT_S: Final = 300.0
"""A kill that is foreseen within so long goes before all else of its severity, the nearest one first."""
MOST: Final = 64
"""Incidents that are kept."""

_Identity = tuple[tuple[Scope, ProcessKey | str | None], str]


class _Entry(NamedTuple):
    incident: Incident
    """As found last, with the severity and the weight that it stands with."""
    first_s: float
    last_s: float
    identity: _Identity
    stands_from_s: float | None = None
    milder_from_s: float | None = None


class StandingIncidents(NamedTuple):
    """The incidents that stand. ``StandingIncidents()`` is the beginning."""

    entries: tuple[_Entry, ...] = ()

    @property
    def standing(self) -> tuple[Incident, ...]:
        """The worst first."""
        return tuple(entry.incident for entry in self.entries if entry.stands_from_s is not None)

    @property
    def severities(self) -> dict[tuple[Hashable, str], Severity]:
        """The severities of those that stand, by the identity of their subject and the name of their rule."""
        return {(one.subject.identity, one.name): one.severity for one in self.standing}

    def without(self, keys: Container[ProcessKey], paths: Container[str]) -> StandingIncidents:
        """What stands without the incidents about these processes, which have ended or become other programs, and
        about these cgroups, in which the OOM killer has just killed or which were removed."""

        def is_over(incident: Incident) -> bool:
            subject = incident.subject
            return not incident.certain and (subject.key in keys or (subject.key is None and subject.path in paths))

        return StandingIncidents(tuple(one for one in self.entries if not is_over(one.incident)))

    def without_rises(self, keys: Container[ProcessKey]) -> StandingIncidents:
        """What stands without the rises of these processes, which have lost most of what they had gained."""
        return StandingIncidents(
            tuple(one for one in self.entries if one.incident.name != "rising" or one.incident.subject.key not in keys)
        )

    def after(self, now_s: float, found: Iterable[Incident]) -> StandingIncidents:
        """What stands after one more sample at ``now_s`` in which ``found`` was found."""
        worst: dict[_Identity, Incident] = {}
        for incident in found:
            name = _identity(incident)
            other = worst.get(name)
            if other is None or _order(incident) < _order(other):
                worst[name] = incident
        known = {entry.identity: entry for entry in self.entries}
        entries = [_renewed(known.pop(name, None), incident, now_s, name) for name, incident in worst.items()]
        for entry in known.values():
            since_s = entry.stands_from_s
            if entry.incident.certain or since_s is None:
                continue  # another incident tells of that end now, or it is too long ago
            if now_s - entry.last_s < LEAVES_S or now_s - since_s < STAYS_S:
                entries.append(entry._replace(incident=_kept(entry.incident, now_s - entry.last_s)))
        return StandingIncidents(tuple(self._in_order(entries)))

    def _in_order(self, entries: list[_Entry]) -> list[_Entry]:
        """The worst of them, the worst first. Each keeps its place until another is clearly worse; new ones come after
        those."""
        places = {entry.identity: place for place, entry in enumerate(self.entries)}
        ranked = sorted([(_order(one.incident), one.first_s, one) for one in entries], key=itemgetter(0, 1))[:MOST]
        ranked.sort(key=lambda rank: places.get(rank[2].identity, len(places)))
        placed: list[tuple[tuple[int, float, int, float], float, _Entry]] = []
        for rank in ranked:
            # The comparison of ranks is cheap, and says no of most.
            beaten = (at for at, other in enumerate(placed) if rank[0] < other[0] and _is_worse(rank[2], other[2]))
            placed.insert(next(beaten, len(placed)), rank)
        return [one for _, _, one in placed]


def _kept(incident: Incident, missed_s: float) -> Incident:
    """An incident that was not found for so long. How many others grow changes by the moment, and those found now say
    it; and what is not found to rise anymore has no time until something is full."""
    dropped = ("beside_count", *(_FORECAST if missed_s >= _FORECAST_S else ()))
    facts = {name: value for name, value in incident.facts.items() if name not in dropped}
    return incident._replace(facts=facts, kills_in_s=math.inf if missed_s >= _FORECAST_S else incident.kills_in_s)


def _renewed(old: _Entry | None, incident: Incident, now_s: float, identity: _Identity) -> _Entry:
    at_once = incident.certain or incident.level
    if old is None:
        return _Entry(incident, now_s, now_s, identity, now_s if at_once else None)
    stands_from_s = old.stands_from_s
    if stands_from_s is None and (at_once or now_s - old.first_s >= COMES_S):
        stands_from_s = now_s
    before = old.incident
    milder_from_s = None
    if stands_from_s is not None and incident.severity < before.severity and not incident.settled:
        milder_from_s = old.milder_from_s if old.milder_from_s is not None else now_s
        if now_s - milder_from_s < MILDER_S:
            incident = incident._replace(severity=before.severity)
        else:
            milder_from_s = None
    kills_in_s, since_s = incident.kills_in_s, incident.since_s
    if 1 / _CLASS < kills_in_s / before.kills_in_s < _CLASS:
        kills_in_s = before.kills_in_s
    if incident.name == before.name and since_s == now_s:
        since_s = before.since_s
    if (kills_in_s, since_s) != (incident.kills_in_s, incident.since_s):
        incident = incident._replace(kills_in_s=kills_in_s, since_s=since_s)
    return _Entry(incident, old.first_s, now_s, identity, stands_from_s, milder_from_s)


def _identity(incident: Incident) -> _Identity:
    return incident.subject.identity, incident.story or incident.name


def _order(incident: Incident) -> tuple[int, float, int, float]:
    return -incident.severity, _soon_s(incident), ORDER[incident.name], -incident.weight


def _soon_s(incident: Incident) -> float:
    return incident.kills_in_s if incident.kills_in_s < _IMMINENT_S else math.inf


def _is_worse(entry: _Entry, other: _Entry) -> bool:
    """Whether one is so much worse than one that was ahead of it that it takes its place."""
    one, ahead = entry.incident, other.incident
    if one.severity != ahead.severity:
        return one.severity > ahead.severity
    soon_s, other_s = _soon_s(one), _soon_s(ahead)
    if soon_s < math.inf or other_s < math.inf:
        return _CLASS * soon_s <= other_s
    if ORDER[one.name] != ORDER[ahead.name]:
        return ORDER[one.name] < ORDER[ahead.name]
    is_new = entry.first_s > other.first_s and entry.last_s - entry.first_s < _LASTS_S
    return one.weight >= _CLASS * ahead.weight > 0 and not (is_new and one.severity is Severity.NOTE)

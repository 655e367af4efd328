"""The table of rules for incidents, in the order in which those of one severity are shown."""

from __future__ import annotations

from typing import Final

from memtop.analysis.incidents import cgroups, exits, groups, loops, machine, processes
from memtop.analysis.incidents.incident import Incident, Rule, Scope
from memtop.analysis.incidents.inputs import IncidentInputs
from memtop.analysis.incidents.machine import EXPLAINED
from memtop.analysis.ledger.machine import MachinePart

RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule("crash_loop", "crash_loops", loops.crash_loop),
        Rule("oom_kill", "oom_killer", exits.oom_kill),
        Rule("growth", "verdict_growing", processes.growth),
        Rule("group_growth", "groups", groups.group_growth),
        Rule("near_limit", "limits", cgroups.near_limit),
        Rule("host_low", "available", machine.host_low),
        Rule("commit", "overcommit", machine.commit),
        Rule("pressure", "psi", machine.pressure),
        Rule("throttled", "memory_high", cgroups.throttled),
        Rule("near_high", "memory_high", cgroups.near_high),
        Rule("group_rising", "groups", groups.group_rising),
        Rule("rising", "verdicts", processes.rising),
        Rule("filling", "limits", cgroups.filling),
        Rule("memory_goes", "available", machine.memory_goes),
        Rule("swap_fills", "swap", machine.swap_fills),
        Rule("died", "autopsy", exits.died),
        Rule("unseen_kill", "oom_kills", exits.unseen_kill),
    )
}
_SAME: Final = {"group_growth": "growth", "group_rising": "rising"}
"""Of a process and a program the faster comes first."""
ORDER: Final = {name: list(RULES).index(_SAME.get(name, name)) for name in RULES}


def find_incidents(inputs: IncidentInputs) -> list[Incident]:
    """All incidents whose conditions hold.

    A cgroup of which a process is said to grow towards its limit, no less severely, is that process's story. What the
    machine loses to a program that rises as a whole is that program's.
    """
    found = [incident for rule in RULES.values() for incident in rule.find(inputs)]
    taken = max((_bytes(one, "rise_bytes") for one in found if one.name == "group_rising"), default=0.0)
    found = [
        one
        for one in found
        if one.facts.get("part_id") != MachinePart.ANONYMOUS.value
        or taken < EXPLAINED * max(_bytes(one, "rise_bytes"), _bytes(one, "fall_bytes"))
    ]
    told: dict[str, int] = {}
    named = {one.key: one.limit.path for one in inputs.growing if one.limit is not None and one.limit.path is not None}
    for incident in found:
        names_limit = "limit_name" in incident.facts and incident.subject.scope is Scope.PROCESS
        if names_limit and incident.subject.key is not None and (path := named.get(incident.subject.key)) is not None:
            told[path] = max(told.get(path, -1), incident.severity)
    return [
        incident
        for incident in found
        if incident.subject.scope is not Scope.CGROUP
        or incident.name == "oom_kill"
        or told.get(incident.subject.path or "", -1) < incident.severity
    ]


def _bytes(incident: Incident, fact: str) -> float:
    return float(incident.facts.get(fact, 0.0))

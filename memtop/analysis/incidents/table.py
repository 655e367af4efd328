"""The table of rules for incidents, in the order in which those of one severity are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from memtop.analysis.crash_loop import LoopFacts
from memtop.analysis.incidents import cgroups, exits, groups, loops, machine, processes
from memtop.analysis.incidents.incident import Incident, Rule, Scope, Subject
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
        Rule("thrashing", "working_set", cgroups.thrashing),
        Rule("throttled", "memory_high", cgroups.throttled),
        Rule("near_high", "memory_high", cgroups.near_high),
        Rule("group_rising", "groups", groups.group_rising),
        Rule("rising", "verdicts", processes.rising),
        Rule("filling", "limits", cgroups.filling),
        Rule("memory_goes", "available", machine.memory_goes),
        Rule("swap_fills", "swap", machine.swap_fills),
        Rule("huge_pool", "region_huge_pages", machine.huge_pool),
        Rule("died", "autopsy", exits.died),
        Rule("unseen_kill", "oom_kills", exits.unseen_kill),
    )
}
_OF_A_LIFE: Final = ("near_limit", "filling")
_SAME: Final = {"group_growth": "growth", "group_rising": "rising"}
"""Of a process and a program the faster comes first."""
ORDER: Final = {name: list(RULES).index(_SAME.get(name, name)) for name in RULES}


def find_incidents(inputs: IncidentInputs) -> list[Incident]:
    """All incidents whose conditions hold.

    A program that is OOM-killed and comes back again and again is the story of the cgroup whose limit it is: how full
    that is says only where in its life the program is now. A cgroup of which a process is said to grow toward its
    limit, no less severely, is that process's story. What the machine loses to a program that rises as a whole is that
    program's.
    """
    found = [incident for rule in RULES.values() for incident in rule.find(inputs)]
    taken = max((_bytes(one, "rise_bytes") for one in found if one.name == "group_rising"), default=0.0)
    found = [
        one
        for one in found
        if one.facts.get("part_id") != MachinePart.ANONYMOUS.value
        or taken < EXPLAINED * max(_bytes(one, "rise_bytes"), _bytes(one, "fall_bytes"))
    ]
    found = list(_without_lives(inputs, found))
    worst: dict[str, int] = {}
    named = {one.key: one.limit.path for one in inputs.growing if one.limit is not None and one.limit.path is not None}
    for incident in found:
        names_limit = "limit_name" in incident.facts and incident.subject.scope is Scope.PROCESS
        if names_limit and incident.subject.key is not None and (path := named.get(incident.subject.key)) is not None:
            worst[path] = max(worst.get(path, -1), incident.severity)
    return [
        incident
        for incident in found
        if incident.subject.scope is not Scope.CGROUP
        or incident.name == "oom_kill"
        or worst.get(incident.subject.path or "", -1) < incident.severity
    ]


def _without_lives(inputs: IncidentInputs, found: Iterable[Incident]) -> Iterable[Incident]:
    """What was found, without what every life of a crash loop does before its end."""
    loops = [one for one in inputs.loops if one.is_oom and one.about_memory and one.is_loop(inputs.now_s)]
    keys = {one.key for one in loops}
    for incident in found:
        subject = incident.subject
        if incident.name in _OF_A_LIFE and any(_is_its_limit(subject, one) for one in loops):
            continue
        ends = incident.name != "crash_loop" and subject.key in keys
        yield incident._replace(kills_in_s=math.inf) if ends else incident


def _is_its_limit(subject: Subject, loop: LoopFacts) -> bool:
    """Whether this is the cgroup or pod of a program in a crash loop, or that above or below it whose limit it is
    killed at."""
    path, place = subject.path, loop.cgroup_path
    if not path or not place or subject.scope is not Scope.CGROUP:
        return False
    related = f"{place}/".startswith(f"{path}/") or path.startswith(f"{place}/")
    return path == place or (related and subject.name == loop.limit_name)


def _bytes(incident: Incident, fact: str) -> float:
    return float(incident.facts.get(fact, 0.0))

"""Incidents: what deserves attention on the machine, over all processes, all cgroups with a limit, and the machine.

They are made as findings are: rules over facts, without text for people, whose sentences stand under the same names in
``memtop/explain/incidents.toml``. ``inputs`` has the facts; ``processes``, ``groups``, ``cgroups``, ``machine``,
``exits`` and ``loops`` have the rules by subject, ``table`` lists them, and ``StandingIncidents`` keeps incidents and
their order from flickering.
"""

from memtop.analysis.incidents.incident import Incident, Scope, Subject
from memtop.analysis.incidents.inputs import (
    BrakeFacts,
    CgroupFacts,
    ExitFacts,
    GroupFacts,
    GrowthFacts,
    IncidentInputs,
    LimitFacts,
    MachineFacts,
)
from memtop.analysis.incidents.standing import StandingIncidents
from memtop.analysis.incidents.table import RULES, find_incidents

__all__ = [
    "RULES",
    "BrakeFacts",
    "CgroupFacts",
    "ExitFacts",
    "GroupFacts",
    "GrowthFacts",
    "Incident",
    "IncidentInputs",
    "LimitFacts",
    "MachineFacts",
    "Scope",
    "StandingIncidents",
    "Subject",
    "find_incidents",
]

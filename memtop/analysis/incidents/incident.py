"""The types of an incident and of a rule that finds some."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from memtop.analysis.severity import Severity
from memtop.process_key import ProcessKey

if TYPE_CHECKING:
    from memtop.analysis.incidents.inputs import IncidentInputs


class Scope(StrEnum):
    """What an incident is about. A program is all processes that run it."""

    PROCESS = "process"
    CGROUP = "cgroup"
    PROGRAM = "program"
    MACHINE = "machine"


class Subject(NamedTuple):
    """The process, cgroup or machine that an incident is about."""

    scope: Scope
    name: str = ""
    """For people: the program, or what the cgroup is called. Empty for the machine."""
    key: ProcessKey | None = None
    """Of a process."""
    path: str | None = None
    """Directory of a cgroup."""
    program: str | None = None
    """What identifies a program."""
    first: ProcessKey | None = None
    """The process that stands for several that are one subject, such as the lives of one program; None for one."""

    @property
    def identity(self) -> tuple[Scope, ProcessKey | str | None]:
        """The same for the same subject, whatever it is called."""
        return self.scope, self.first or self.key or self.path or self.program


MACHINE = Subject(Scope.MACHINE)


class Incident(NamedTuple):
    """Something that deserves attention on this machine."""

    name: str
    """Of its rule, and of its sentences; the id in JSON."""
    severity: Severity
    subject: Subject
    facts: Mapping[str, float | str]
    """As those of a finding: names, or numbers whose unit is the end of their name."""
    weight: float
    """Orders incidents of one severity and one rule: the larger, the worse."""
    since_s: float
    """When it began, on the clock of Instant.mono_s."""
    story: str = ""
    """Incidents of one subject with one story are one and the same, under whichever rule; the worst of them counts."""
    show: ProcessKey | None = None
    """The process to look at; None where there is none."""
    certain: bool = False
    """It has happened, so that it need not be seen twice, and goes as soon as its rule does not name it anymore."""
    level: bool = False
    """It is a level, which one sample shows, and not a trend: it need not be seen twice."""
    settled: bool = False
    """Its severity does not flicker, so that it falls at once."""
    kills_in_s: float = math.inf
    """Earliest time, in seconds, until a limit is full at which the kernel kills; infinite where none is foreseen."""


class Rule(NamedTuple):
    """One entry of the table of rules."""

    name: str
    """Also the name of its sentences in ``memtop/explain/incidents.toml``."""
    topic: str
    """The explanation that the incident opens."""
    find: Callable[[IncidentInputs], Iterable[Incident]]

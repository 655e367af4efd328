"""The types of a rule and of a finding: condition, severity, topic, facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Flag, IntEnum, auto
from typing import Final

from memtop.analysis.findings.inputs import FindingInputs

Facts = dict[str, float | str]
MIB: Final = 1 << 20


class Severity(IntEnum):
    """How bad a finding is."""

    NOTE = 0
    """Worth knowing."""
    WARNING = 1
    """Worth a closer look."""
    DANGER = 2
    """Calls for action."""


class Weight(Flag):
    """What a finding weighs in the question: does the memory grow, or is a limit near?"""

    NONE = 0
    """The finding is about something else."""
    ALARMING = auto()
    """It does."""
    SUSPECT = auto()
    """Not certain alone; a second finding that suspects it makes it a yes."""
    UNDECIDED = auto()
    """Too little has been seen to call the process fine."""
    OPEN = auto()
    """The question stays open: no sentence beside it says that nothing is wrong."""
    CHANGE = auto()
    """The level has changed. Where the answer is "not known", this finding is a reason."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a sentence."""

    name: str
    severity: Severity
    topic: str
    facts: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the table of rules."""

    name: str
    """Also the name of its sentences in ``memtop/explain/findings.toml``, and the id in JSON."""
    topic: str
    """The explanation that the finding opens."""
    find: Callable[[FindingInputs], tuple[Severity, Facts] | None]
    """Severity and facts where the condition holds, None where it does not or where too little is known."""
    steady: bool = False
    """The condition does not flicker: the finding comes and goes at once, not with the third sample."""
    weight: Weight = Weight.NONE


Found = tuple[Severity, Facts] | None
NOTE, WARNING, DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER


def facts(**values: float | str | None) -> Facts:
    """The facts that are known: those that are not None."""
    return {name: value for name, value in values.items() if value is not None}

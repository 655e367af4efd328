"""What a rule is: a condition on the case, how bad it is, the facts of its sentence, the topic that explains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from memtop.analysis.findings.inputs import FindingInputs

Facts = dict[str, float | str]
MIB: Final = 1 << 20


class Severity(IntEnum):
    """How bad it is."""

    NOTE = 0
    """To know."""
    WARNING = 1
    """To look at."""
    DANGER = 2
    """To act upon."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a sentence."""

    name: str
    severity: Severity
    topic: str
    facts: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a finding is made. ``find`` gives severity and facts, or None."""

    name: str
    topic: str
    find: Callable[[FindingInputs], tuple[Severity, Facts] | None]
    steady: bool = False
    """Its condition does not flicker: it comes and goes at once, not at the third look."""


Found = tuple[Severity, Facts] | None
NOTE, WARNING, DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER


def facts(**values: float | str | None) -> Facts:
    """Those that are known."""
    return {name: value for name, value in values.items() if value is not None}

"""The types of a rule and of a finding: condition, severity, topic, facts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Flag, auto
from typing import Final, NamedTuple

from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.severity import Severity

Facts = dict[str, float | str]
MIB: Final = 1 << 20


class Weight(Flag):
    """What a finding contributes to the question: does the memory grow, or is a limit near?"""

    NONE = 0
    """The finding is about something else."""
    ALARMING = auto()
    """Yes."""
    SUSPECT = auto()
    """Perhaps. A second finding of this weight makes it a yes."""
    UNDECIDED = auto()
    """Too little was seen to call the process fine."""
    OPEN = auto()
    """The question stays open: "nothing is wrong" must not be shown with it."""
    CHANGE = auto()
    """The level has changed. If the answer is "unknown", this finding is a reason."""
    EXPLAINS = auto()
    """It says what the memory is that an alarming finding is about."""
    LASTS = auto()
    """No longer look decides it, because no counter tells."""


class Finding(NamedTuple):
    """One finding: what was found, how bad it is, and its numbers."""

    name: str
    severity: Severity
    topic: str
    facts: Mapping[str, float | str]


class Rule(NamedTuple):
    """One entry of the table of rules."""

    name: str
    """Also the name of its sentences in ``memtop/explain/findings.toml``, and the id in JSON."""
    topic: str
    """The topic that the finding opens."""
    find: Callable[[FindingInputs], tuple[Severity, Facts] | None]
    """Severity and facts if the condition holds; None if it does not, or if too little is known."""
    steady: bool = False
    """Whether the condition does not flicker. Then the finding appears and disappears at once, not after three
    samples."""
    weight: Weight = Weight.NONE
    open_with: str = ""
    """The fact with which a finding that would be alarming leaves the question open; empty for none."""
    level: bool = False
    """Whether it is a level, which one sample shows: it appears at once, and disappears after three samples."""


Found = tuple[Severity, Facts] | None
NOTE, WARNING, DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER
KEPT: Final = 0.95
"""What has reached a bound stays beyond it until it is below so much of it."""


def facts(**values: float | str | None) -> Facts:
    """The known facts: those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def graded(
    value: float, warning: float, danger: float = math.inf, *, was: int | None, kept: float = KEPT
) -> Severity | None:
    """The severity of a value that is the worse the larger it is; None below the bound of a warning.

    ``was`` is the severity that stands, None where none does. It stays until the value is below ``kept`` times its
    bound, so that a value that moves about a bound does not change it back and forth.
    """

    def reaches(bound: float, severity: Severity) -> bool:
        return value >= (kept * bound if was is not None and was >= severity else bound)

    if reaches(danger, DANGER):
        return DANGER
    return WARNING if reaches(warning, WARNING) else None


def growth_severity(*, soon: bool, kills: bool = True) -> Severity:
    """The severity of confirmed growth, the same in table, panel, headline and report.

    ``soon`` is :attr:`Growth.soon`; ``kills`` is False for a limit that only slows down.
    """
    return DANGER if soon and kills else WARNING

"""Shows or hides a finding only after several samples agree, so that it does not flicker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.analysis.findings.rule import Finding
from memtop.analysis.findings.table import RULES
from memtop.analysis.severity import Severity

SAMPLES: Final = 3
"""Samples in a row after which a finding appears or disappears."""
_ORDER: Final = {name: number for number, name in enumerate(RULES)}


class StandingFindings(NamedTuple):
    """The findings of one process that are shown. ``StandingFindings()`` is the initial value for each process."""

    standing: tuple[Finding, ...] = ()
    """The worst first; those of one severity are in the order of the table."""
    coming: tuple[tuple[str, int], ...] = ()
    """Name of each finding that is not shown yet, and the number of samples in a row that had it."""
    leaving: tuple[tuple[str, int], ...] = ()
    """Name of each finding that is shown, and the number of samples in a row without it or with a lower severity."""

    @property
    def is_calm(self) -> bool:
        """Whether at most notes are shown, and none is about to appear or to disappear."""
        if self.coming or self.leaving:
            return False
        return all(finding.severity is Severity.NOTE for finding in self.standing)

    def after(self, found: Sequence[Finding]) -> StandingFindings:
        """The state after one more sample with the findings ``found``.

        A finding that becomes less severe keeps its severity for as many samples as one that disappears, unless its
        condition does not flicker.
        """
        if not (found or self.standing or self.coming):
            return self
        now = {finding.name: finding for finding in found}
        before = {finding.name: finding for finding in self.standing}
        seen, missed = dict(self.coming), dict(self.leaving)
        coming = {name: seen.get(name, 0) + 1 for name in now if name not in before}
        leaving: dict[str, int] = {}

        def stays(name: str) -> bool:
            """Whether a finding is kept unchanged for this sample. The sample is counted."""
            misses = missed.get(name, 0) + 1
            if misses < SAMPLES:
                leaving[name] = misses
            return misses < SAMPLES

        standing: list[Finding] = []
        for name, finding in now.items():
            at_once = RULES[name].steady or RULES[name].level
            if name not in before and not at_once and coming[name] < SAMPLES:
                continue
            old = before.get(name)
            milder = old is not None and finding.severity < old.severity and not RULES[name].steady
            standing.append(finding._replace(severity=old.severity) if old and milder and stays(name) else finding)
        for name, old in before.items():
            if name not in now and not RULES[name].steady and stays(name):
                standing.append(old)
        standing.sort(key=lambda finding: (-finding.severity, _ORDER.get(finding.name, len(_ORDER))))
        names = {finding.name for finding in standing}
        return StandingFindings(
            tuple(standing),
            tuple((name, count) for name, count in coming.items() if name not in names),
            tuple(leaving.items()),
        )

"""The findings that stand, so that none flickers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from memtop.analysis.findings.rule import Finding
from memtop.analysis.findings.table import RULES

LOOKS: Final = 3
"""Looks in a row that make a finding come, or go."""
_STEADY: Final = frozenset(rule.name for rule in RULES if rule.steady)


@dataclass(frozen=True, slots=True)
class StandingFindings:
    """The findings that stand, so that none flickers. Start with ``Board()`` for another process."""

    standing: tuple[Finding, ...] = ()
    coming: tuple[tuple[str, int], ...] = ()
    """Name -> looks in a row at which it was there, though it does not stand yet."""
    leaving: tuple[tuple[str, int], ...] = ()


def post(board: StandingFindings, found: Sequence[Finding]) -> StandingFindings:
    """The board after one more look: what has come three times in a row stands, what was away three times goes.

    A finding that stands and becomes less bad keeps its place for as long.
    """
    now = {one.name: one for one in found}
    before = {one.name: one for one in board.standing}
    coming, leaving = dict(board.coming), dict(board.leaving)
    standing: list[Finding] = []
    coming = {name: coming.get(name, 0) + 1 for name in now if name not in before}
    left: dict[str, int] = {}
    for name, one in now.items():
        if name in before or name in _STEADY or coming[name] >= LOOKS:
            old = before.get(name)
            if old is not None and one.severity < old.severity and leaving.get(name, 0) + 1 < LOOKS:
                left[name] = leaving.get(name, 0) + 1
                one = Finding(name, old.severity, one.topic, one.facts)  # noqa: PLW2901
            standing.append(one)
    for name, old in before.items():
        if name not in now and name not in _STEADY and leaving.get(name, 0) + 1 < LOOKS:
            left[name] = leaving.get(name, 0) + 1
            standing.append(old)
    order = {rule.name: number for number, rule in enumerate(RULES)}
    standing.sort(key=lambda one: (-one.severity, order[one.name]))
    names = {one.name for one in standing}
    return StandingFindings(
        tuple(standing),
        tuple((name, count) for name, count in coming.items() if name not in names),
        tuple(left.items()),
    )

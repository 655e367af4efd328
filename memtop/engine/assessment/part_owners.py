"""Finds the process that has most of a part of RAM that rises and that RES does not show."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Final

from memtop.analysis.incidents.inputs import PartOwner
from memtop.analysis.ledger.machine import MachinePart
from memtop.engine.assessment.process_names import process_name
from memtop.engine.assessment.step_input import StepInput

_FIELDS: Final = {
    MachinePart.PAGE_TABLES: attrgetter("page_tables_bytes"),
    MachinePart.HUGETLB_USED: attrgetter("hugetlb_bytes"),
    MachinePart.KERNEL_STACKS: attrgetter("threads"),
}
OWNED: Final = frozenset(part.value for part in _FIELDS)
"""The parts of which that can be known."""


def part_owners(step: StepInput, parts: Collection[MachinePart]) -> dict[MachinePart, PartOwner]:
    """The process that has most of each of these parts, where the files are read that say so."""
    found = {}
    for part in _FIELDS.keys() & parts if step.plan.holders else ():
        amounts = list(map(_FIELDS[part], step.rows.values()))
        most = max([amount or 0 for amount in amounts], default=0)
        if most:
            row = list(step.rows.values())[amounts.index(most)]
            is_threads = part is MachinePart.KERNEL_STACKS
            size_bytes, threads = (None, most) if is_threads else (most, None)
            found[part] = PartOwner(row.key, process_name(row), size_bytes, threads)
    return found

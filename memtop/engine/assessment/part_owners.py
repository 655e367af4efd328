"""Finds the process that has most of a part of RAM that rises and that RES does not show."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Final

from memtop.analysis.incidents.inputs import PartOwner
from memtop.analysis.incidents.machine import EXPLAINED
from memtop.analysis.ledger.machine import MachinePart
from memtop.analysis.trend.rising import Rise
from memtop.engine.assessment.process_names import process_name
from memtop.engine.assessment.step_input import StepInput
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey

_ABOUT_AS_MUCH: Final = 0.8
_FIELDS: Final = {
    MachinePart.PAGE_TABLES: attrgetter("page_tables_bytes"),
    MachinePart.HUGETLB_USED: attrgetter("hugetlb_bytes"),
    MachinePart.KERNEL_STACKS: attrgetter("threads"),
}
OWNED: Final = frozenset(part.value for part in (*_FIELDS, MachinePart.SHMEM))
"""The parts of which that can be known."""


def part_owners(
    step: StepInput, parts: Mapping[MachinePart, Rise], sharer: ProcessKey | None
) -> dict[MachinePart, PartOwner]:
    """The process that has most of each of these parts, where the files are read that say so.

    ``sharer`` is the one that was found for shared memory at the tick before.
    """
    found = {}
    if step.plan.holders and (rise := parts.get(MachinePart.SHMEM)) is not None:
        row = _sharer(step, sharer)
        if row is not None and _shared(row) >= EXPLAINED * rise.size_bytes:
            found[MachinePart.SHMEM] = PartOwner(row.key, process_name(row), row.shmem_bytes)
    for part in _FIELDS.keys() & parts.keys() if step.plan.holders else ():
        amounts = list(map(_FIELDS[part], step.rows.values()))
        most = max([amount or 0 for amount in amounts], default=0)
        if most:
            row = list(step.rows.values())[amounts.index(most)]
            is_threads = part is MachinePart.KERNEL_STACKS
            size_bytes, threads = (None, most) if is_threads else (most, None)
            found[part] = PartOwner(row.key, process_name(row), size_bytes, threads)
    return found


def _shared(row: ProcessRow) -> float:
    """The shared memory that a process has gained within the last minute, at most: what it had before explains no
    rise."""
    return min(row.shmem_bytes or 0, row.growth_bytes_per_min or 0.0)


def _sharer(step: StepInput, before: ProcessKey | None) -> ProcessRow | None:
    """The process that has gained most shared memory; of several that map the same it stays the same."""
    gains = [_shared(row) for row in step.rows.values()]
    most = max(gains, default=0.0)
    known = step.row(before) if before is not None else None
    if known is not None and _shared(known) >= _ABOUT_AS_MUCH * most:
        return known
    return list(step.rows.values())[gains.index(most)] if most > 0 else None

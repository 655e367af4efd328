"""Finds the process that copies memory which it shares since a fork: that takes RAM, and its RES stays the same."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest
from operator import attrgetter, itemgetter
from typing import Final

from memtop.analysis.incidents.machine import EXPLAINED
from memtop.analysis.trend.rising import Rise
from memtop.model.row import ProcessRow
from memtop.procfs.statm import page_bytes

CANDIDATES: Final = 4
"""Processes with the most minor faults that are looked at."""
_SHARED: Final = 0.5
"""Parent and child have so much of the larger one's anonymous memory each, if they share it."""


_FAULTS: Final = attrgetter("minflt_per_s")


def find_copier(rows: Iterable[ProcessRow], rise: Rise) -> ProcessRow | None:
    """The process whose minor faults explain a ``rise`` of the machine's anonymous memory, while its own size does not.

    Its parent or a child must hold about as much memory: a program that only allocates and frees has as many faults.
    None if there is none.
    """
    rows = list(rows)
    faulting = [(row.minflt_per_s, row) for row in filter(_FAULTS, rows) if row.minflt_per_s]  # most rest
    for minflt_per_s, row in nlargest(CANDIDATES, faulting, key=itemgetter(0)):
        copied_per_s = minflt_per_s * page_bytes()
        grows = (row.growth_bytes_per_min or 0.0) >= EXPLAINED * rise.size_bytes
        if copied_per_s < EXPLAINED * rise.bytes_per_s or grows or (row.anon_bytes or 0) < rise.size_bytes:
            continue
        if any(_share(row, other) for other in rows):
            return row
    return None


def _share(one: ProcessRow, other: ProcessRow) -> bool:
    if (
        other.gone_s is not None
        or other.same_memory_as is not None
        or (one.pid != other.ppid and one.ppid != other.pid)
    ):
        return False
    sizes = one.anon_bytes or 0, other.anon_bytes or 0
    return min(sizes) >= _SHARED * max(sizes)

"""The headline of the machine at the first sample, before it is known what grows."""

from __future__ import annotations

from memtop.model.row import SystemRow
from memtop.units import long_size


def first_clauses(system: SystemRow) -> tuple[str, str]:
    """What is said before the second sample, the most important first."""
    return available_clause(system), "growth needs a second sample"


def available_clause(system: SystemRow) -> str:
    """How much memory is available."""
    available = system.mem_available_bytes
    return f"{long_size(available)} available" if available is not None else "available memory unknown"

"""A ledger of memory: a whole, its parts and the remainder that no part names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

REMAINDER: Final = "unaccounted"
"""Default name of the part that nothing else names."""


class Part(NamedTuple):
    """One part of a whole. Sizes in bytes."""

    name: str
    """Key in JSON and in tables."""
    size_bytes: int
    """From 0 to the whole."""
    at_most_bytes: int | None = None
    """Upper bound if the kernel does not separate it from the part after it; None if the size is exact."""


class Ledger(NamedTuple):
    """Parts of a whole, the remainder last. The sizes always add up to the whole."""

    whole_bytes: int
    parts: tuple[Part, ...]
    excess_bytes: int = 0
    """The amount by which the counters exceeded the whole, and by which the last parts were cut; 0 if they fit."""

    def size_of(self, *names: str) -> int | None:
        """Sum of the parts with these names; None if this ledger has none of them."""
        found = [part.size_bytes for part in self.parts if part.name in names]
        return sum(found) if found else None


def make_ledger(whole_bytes: int, named: Iterable[Part | None], remainder: str = REMAINDER) -> Ledger:
    """Build the ledger of a whole from its parts, the most reliable first.

    A part that is None is unknown and stays in the remainder. Counters are read at different instants and updated late,
    so together they may exceed the whole. Then the last ones are cut.
    """
    left = whole = max(0, whole_bytes)
    parts, excess = [], 0
    for part in named:
        if part is None:
            continue
        size = min(max(0, part.size_bytes), left)
        excess += max(0, part.size_bytes) - size
        most = part.at_most_bytes
        parts.append(Part(part.name, size, None if most is None else max(size, min(most, left))))
        left -= size
    return Ledger(whole, (*parts, Part(remainder, left)), excess)

"""The memory of a process that RES does not have, or has only as far as it is mapped, by its parts."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.procfs.held_report import HeldKind, HeldReport

SOME_BYTES: Final = 1 << 20
"""Smaller parts are left out."""


class OutsidePart(NamedTuple):
    """One part."""

    kind: HeldKind | None
    """None for the page tables."""
    size_bytes: int
    name: bytes = b""
    """That of the largest file; empty where it has none."""


def outside_parts(page_tables_bytes: int | None, held: HeldReport | None) -> tuple[OutsidePart, ...]:
    """The parts that are known, the largest first, without small ones."""
    parts = [OutsidePart(one.kind, one.size_bytes or 0, one.name) for one in (held.parts if held is not None else ())]
    parts.append(OutsidePart(None, page_tables_bytes or 0))
    found = [part for part in parts if part.size_bytes >= SOME_BYTES]
    return tuple(sorted(found, key=lambda part: part.size_bytes, reverse=True))

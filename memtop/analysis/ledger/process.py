"""A process's ledger: its address space by what is behind it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from memtop.analysis.ledger.ledger import Ledger, Part, make_ledger


class ProcessPart(StrEnum):
    """What a part of a process's memory is; the value is its key in JSON."""

    HUGETLB = "hugetlb"
    """Huge pages of a pool (hugetlb), which RES leaves out."""
    RESIDENT = "resident"
    SWAP = "swap"
    NO_RAM = "no_ram"
    """Neither RAM nor swap behind it: never written, given back, or only read."""


class ProcessSizes(NamedTuple):
    """The kernel's figures of one process, in bytes; None where unknown."""

    virt_bytes: int | None = None
    rss_bytes: int | None = None
    swap_bytes: int | None = None
    hugetlb_bytes: int | None = None


def address_ledger(sizes: ProcessSizes) -> Ledger | None:
    """VIRT by what is behind it; None where VIRT or RES is unknown."""
    if sizes.virt_bytes is None or sizes.rss_bytes is None:
        return None
    named = (
        _part(ProcessPart.RESIDENT, sizes.rss_bytes),
        _part(ProcessPart.HUGETLB, sizes.hugetlb_bytes),
        _part(ProcessPart.SWAP, sizes.swap_bytes),
    )
    return make_ledger(sizes.virt_bytes, named, ProcessPart.NO_RAM)


def _part(name: ProcessPart, size_bytes: int | None) -> Part | None:
    return None if size_bytes is None else Part(name, size_bytes)

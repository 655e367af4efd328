"""The page size of the machine whose kernel reported what is parsed: this one, or the one of a recording."""

from __future__ import annotations

import os
from typing import Final

OWN_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
"""Of this machine."""


class _Machine:
    __slots__ = ("page_bytes",)

    def __init__(self) -> None:
        self.page_bytes = OWN_PAGE_BYTES


_machine: Final = _Machine()


def page_bytes() -> int:
    """Bytes of a page. Counts of pages and of faults are converted with it."""
    return _machine.page_bytes


def use_page_bytes(size_bytes: int | None) -> None:
    """Set it, as the source of the samples says; None for this machine's."""
    _machine.page_bytes = size_bytes or OWN_PAGE_BYTES

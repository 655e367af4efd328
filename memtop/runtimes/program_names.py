"""Runtimes by the name of their program alone: for processes whose runtime is not detected, because none is in focus.

A runtime that ends a program when its heap is full has its programs here, besides its line in the registry.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

WITH_HEAP_LIMIT: Final = MappingProxyType(
    {"java": "jvm", "node": "node", "nodejs": "node", "php": "php", "dotnet": "dotnet"}
)
"""Programs that end when their heap is full, whether a size was given or not, and the name of their runtime."""
WITH_COUNTERS: Final = frozenset({"java"})
"""Programs that keep the figures of their heap in a file."""


def has_heap_limit(program: str) -> bool:
    """Whether a program ends when its heap is full, by its name, which may have a version: ``php8.2``."""
    return program.rstrip("0123456789.") in WITH_HEAP_LIMIT


def counts_its_heap(programs: Iterable[str]) -> bool:
    """Whether a process may have a heap that can be read at any time, by the names of its program."""
    return not WITH_COUNTERS.isdisjoint(programs)

"""Heap figures that a Go program reports (runtime.MemStats), whatever their format."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Final

from memtop.errors import ParseError

LARGEST_BYTES: Final = 1 << 57
"""No process has more address space than this (five levels of page tables)."""
LARGEST_COUNT: Final = 1 << 63
UNLIMITED: Final = math.inf
"""GOGC=off, and no memory limit."""
_NO_GOAL: Final = 1 << 62
"""Go says 2**64 - 1 for "no next GC" and 2**63 - 1 for "no limit"."""


class MetricsFormat(Enum):
    """Where the figures were read from."""

    EXPVAR = "expvar"
    PROMETHEUS = "prometheus"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class GoHeap:
    """One reading of MemStats and its neighbors. Sizes in bytes; None for what this program does not tell."""

    format: MetricsFormat
    heap_alloc_bytes: int | None = None
    """Live objects and garbage that no GC has swept yet."""
    heap_sys_bytes: int | None = None
    heap_idle_bytes: int | None = None
    """Spans without objects: kept for reuse or returned."""
    heap_inuse_bytes: int | None = None
    heap_released_bytes: int | None = None
    """Of the idle: given back to the kernel."""
    heap_objects: int | None = None
    stack_inuse_bytes: int | None = None
    stack_sys_bytes: int | None = None
    mspan_inuse_bytes: int | None = None
    mspan_sys_bytes: int | None = None
    mcache_inuse_bytes: int | None = None
    mcache_sys_bytes: int | None = None
    buck_hash_sys_bytes: int | None = None
    gc_sys_bytes: int | None = None
    other_sys_bytes: int | None = None
    sys_bytes: int | None = None
    """All that the runtime has mapped for itself, returned pages included."""
    total_alloc_bytes: int | None = None
    """Ever allocated: a counter."""
    mallocs: int | None = None
    frees: int | None = None
    next_gc_bytes: float | None = None
    """HeapAlloc at which the next GC will have ended; infinite when there is no such goal (GOGC=off)."""
    last_gc_s: float | None = None
    """Seconds since the epoch; 0 before the first."""
    num_gc: int | None = None
    num_forced_gc: int | None = None
    pause_total_ns: int | None = None
    pause_last_ns: int | None = None
    """The latest pause (expvar only)."""
    pause_max_ns: int | None = None
    """The longest known: of the last 256 in expvar, since the start in Prometheus."""
    gc_cpu_fraction: float | None = None
    """Share of all CPU time since the start that went to the GC, 0 to 1."""
    goroutines: int | None = None
    threads: int | None = None
    version: str | None = None
    """Such as ``go1.22.3``, clean."""
    gogc_percent: float | None = None
    """In force now, as client_golang tells for Go 1.21 and later; infinite for off."""
    gomemlimit_bytes: float | None = None
    """In force now, likewise; infinite for none."""
    resident_bytes: int | None = None
    """RES as the program reads it from its own /proc."""
    start_time_s: float | None = None
    """When the program says that it started, seconds since the epoch."""
    rounding_bytes: int = 0
    """The largest error by which a size may be off because it was written with few digits."""


_COUNTS: Final = frozenset(
    (
        "heap_objects",
        "mallocs",
        "frees",
        "total_alloc_bytes",
        "num_gc",
        "num_forced_gc",
        "pause_total_ns",
        "pause_last_ns",
        "pause_max_ns",
        "goroutines",
        "threads",
    )
)
_INFINITE: Final = frozenset(("next_gc_bytes", "gogc_percent", "gomemlimit_bytes"))
_REAL: Final = frozenset(("last_gc_s", "start_time_s"))
FIGURES: Final = frozenset(f.name for f in fields(GoHeap)) - {"format", "version", "rounding_bytes"}
"""Fields that are numbers of the program."""
_ENOUGH: Final = frozenset(("heap_alloc_bytes", "heap_sys_bytes", "heap_inuse_bytes", "sys_bytes"))


def go_heap(
    found: Mapping[str, float], form: MetricsFormat, version: str | None = None, rounding_bytes: int = 0
) -> GoHeap:
    """A GoHeap of the numbers found, by names of its fields.

    Raises ParseError that names the figure which no Go program can have (not a number, negative, beyond any
    address space), or says that none of the heap's sizes was there.
    """
    if not found.keys() & _ENOUGH:
        raise ParseError("metrics", "it has no figures of a Go heap")
    figures = {name: checked(name, value) for name, value in found.items()}
    return GoHeap(form, version=version, rounding_bytes=rounding_bytes, **figures)  # type: ignore[arg-type]


def checked(name: str, value: float) -> float | None:
    """One figure as the field ``name`` holds it. Raises ParseError for what cannot be true."""
    if math.isnan(value):
        raise ParseError("metrics", f"{name} is not a number")
    if name in _INFINITE and (value >= _NO_GOAL or (name == "gogc_percent" and value < 0)):
        return UNLIMITED
    if name == "gc_cpu_fraction":
        return float(value) if 0 <= value <= 1 else None  # some versions of Go have been seen a little outside
    if value < 0:
        raise ParseError("metrics", f"{name} is negative")
    if value > (LARGEST_COUNT if name in _COUNTS | _REAL else LARGEST_BYTES):
        raise ParseError("metrics", f"{name} is larger than can be")
    return float(value) if name in _REAL | _INFINITE else int(value)

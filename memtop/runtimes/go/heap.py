"""Heap figures that a Go program reports (runtime.MemStats), in any format."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from memtop.errors import ParseError

LARGEST_BYTES: Final = 1 << 57
"""No process has a larger address space (five levels of page tables)."""
LARGEST_COUNT: Final = 1 << 63
UNLIMITED: Final = math.inf
"""Value for GOGC=off and for no memory limit."""
_NO_GOAL: Final = 1 << 62
"""Go reports 2**64 - 1 for "no next GC" and 2**63 - 1 for "no limit"."""


class MetricsFormat(Enum):
    """The format from which the figures were read."""

    EXPVAR = "expvar"
    PROMETHEUS = "prometheus"
    TEXT = "text"


class GoHeap(NamedTuple):
    """One reading of MemStats and related figures. Sizes in bytes; None for what this program does not report."""

    format: MetricsFormat
    heap_alloc_bytes: int | None = None
    """Live objects, and garbage that no GC has swept yet."""
    heap_sys_bytes: int | None = None
    heap_idle_bytes: int | None = None
    """Spans without objects, kept for reuse or returned."""
    heap_inuse_bytes: int | None = None
    heap_released_bytes: int | None = None
    """The part of the idle spans that was given back to the kernel."""
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
    """Everything that the runtime has mapped, returned pages included."""
    total_alloc_bytes: int | None = None
    """All allocations so far: a counter."""
    mallocs: int | None = None
    frees: int | None = None
    next_gc_bytes: float | None = None
    """HeapAlloc at which the next GC will end; infinite if there is no such goal (GOGC=off)."""
    last_gc_s: float | None = None
    """Seconds since the epoch; 0 before the first."""
    num_gc: int | None = None
    num_forced_gc: int | None = None
    pause_total_ns: int | None = None
    pause_last_ns: int | None = None
    """The latest pause (expvar only)."""
    pause_max_ns: int | None = None
    """The longest known pause: of the last 256 in expvar, since the start in Prometheus."""
    gc_cpu_fraction: float | None = None
    """Share of all CPU time since the start that the GC used, 0 to 1."""
    goroutines: int | None = None
    threads: int | None = None
    version: str | None = None
    """For example ``go1.22.3``; clean."""
    gogc_percent: float | None = None
    """GOGC in force now, which client_golang reports for Go 1.21 and later; infinite for off."""
    gomemlimit_bytes: float | None = None
    """GOMEMLIMIT in force now, likewise; infinite for none."""
    resident_bytes: int | None = None
    """RES as the program reads it from its own /proc."""
    start_time_s: float | None = None
    """The start time that the program reports, seconds since the epoch."""
    rounding_bytes: int = 0
    """The largest rounding error of a size, because it was written with few digits."""


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
FIGURES: Final = frozenset(GoHeap._fields) - {"format", "version", "rounding_bytes"}
"""Fields that are numbers reported by the program."""
_ENOUGH: Final = frozenset(("heap_alloc_bytes", "heap_sys_bytes", "heap_inuse_bytes", "sys_bytes"))


def go_heap(
    found: Mapping[str, float], form: MetricsFormat, version: str | None = None, rounding_bytes: int = 0
) -> GoHeap:
    """Build a GoHeap from numbers by field name.

    Raises ParseError. It names a figure that no Go program can have (not a number, negative, beyond any address space),
    or says that none of the heap's sizes was found.
    """
    if not found.keys() & _ENOUGH:
        raise ParseError("metrics", "it has no Go heap figures")
    figures = {name: checked(name, value) for name, value in found.items()}
    return GoHeap(form, version=version, rounding_bytes=rounding_bytes, **figures)  # type: ignore[arg-type]


def checked(name: str, value: float) -> float | None:
    """One figure converted for the field ``name``. Raises ParseError for impossible values."""
    if math.isnan(value):
        raise ParseError("metrics", f"{name} is not a number")
    if name in _INFINITE and (value >= _NO_GOAL or (name == "gogc_percent" and value < 0)):
        return UNLIMITED
    if name == "gc_cpu_fraction":
        return float(value) if 0 <= value <= 1 else None  # some versions of Go report values a little outside
    if value < 0:
        raise ParseError("metrics", f"{name} is negative")
    if value > (LARGEST_COUNT if name in _COUNTS | _REAL else LARGEST_BYTES):
        raise ParseError("metrics", f"{name} is impossibly large")
    return float(value) if name in _REAL | _INFINITE else int(value)

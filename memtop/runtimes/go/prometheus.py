"""Parses metrics in the Prometheus text format, as client_golang's Go and process collectors write them."""

from __future__ import annotations

import re
from typing import Final

from memtop.errors import ParseError
from memtop.runtimes.go.heap import GoHeap, MetricsFormat, go_heap
from memtop.sanitize import clean

_MEMSTATS: Final = {
    "alloc_bytes_total": "total_alloc_bytes",
    "buck_hash_sys_bytes": "buck_hash_sys_bytes",
    "frees_total": "frees",
    "gc_cpu_fraction": "gc_cpu_fraction",
    "gc_sys_bytes": "gc_sys_bytes",
    "heap_alloc_bytes": "heap_alloc_bytes",
    "heap_idle_bytes": "heap_idle_bytes",
    "heap_inuse_bytes": "heap_inuse_bytes",
    "heap_objects": "heap_objects",
    "heap_released_bytes": "heap_released_bytes",
    "heap_sys_bytes": "heap_sys_bytes",
    "last_gc_time_seconds": "last_gc_s",
    "mallocs_total": "mallocs",
    "mcache_inuse_bytes": "mcache_inuse_bytes",
    "mcache_sys_bytes": "mcache_sys_bytes",
    "mspan_inuse_bytes": "mspan_inuse_bytes",
    "mspan_sys_bytes": "mspan_sys_bytes",
    "next_gc_bytes": "next_gc_bytes",
    "other_sys_bytes": "other_sys_bytes",
    "stack_inuse_bytes": "stack_inuse_bytes",
    "stack_sys_bytes": "stack_sys_bytes",
    "sys_bytes": "sys_bytes",
}
_CLASSES: Final = {
    "heap_free_bytes": ("heap_idle_bytes", "heap_sys_bytes"),
    "heap_objects_bytes": ("heap_alloc_bytes", "heap_inuse_bytes", "heap_sys_bytes"),
    "heap_released_bytes": ("heap_idle_bytes", "heap_released_bytes", "heap_sys_bytes"),
    "heap_stacks_bytes": ("stack_inuse_bytes", "stack_sys_bytes"),
    "heap_unused_bytes": ("heap_inuse_bytes", "heap_sys_bytes"),
    "metadata_mcache_free_bytes": ("mcache_sys_bytes",),
    "metadata_mcache_inuse_bytes": ("mcache_inuse_bytes", "mcache_sys_bytes"),
    "metadata_mspan_free_bytes": ("mspan_sys_bytes",),
    "metadata_mspan_inuse_bytes": ("mspan_inuse_bytes", "mspan_sys_bytes"),
    "metadata_other_bytes": ("gc_sys_bytes",),
    "os_stacks_bytes": ("stack_sys_bytes",),
    "other_bytes": ("other_sys_bytes",),
    "profiling_buckets_bytes": ("buck_hash_sys_bytes",),
    "total_bytes": ("sys_bytes",),
}
"""Names of go_memory_classes_*, each with the fields that it is a part of, as runtime/metrics maps them to MemStats."""
_PARTS: Final = {f"go_memory_classes_{key}": fields for key, fields in _CLASSES.items()}
_OTEL: Final = "process_runtime_go_mem_"
"""How OpenTelemetry's instrumentation of the runtime begins its names of MemStats."""
_FIELDS: Final = (
    {f"go_memstats_{key}": name for key, name in _MEMSTATS.items()}
    | {
        "go_goroutines": "goroutines",
        "go_threads": "threads",
        "go_gc_gogc_percent": "gogc_percent",
        "go_gc_gomemlimit_bytes": "gomemlimit_bytes",
        "process_resident_memory_bytes": "resident_bytes",
        "process_start_time_seconds": "start_time_s",
        "go_gc_cycles_total_gc_cycles_total": "num_gc",
        "go_gc_heap_allocs_bytes_total": "total_alloc_bytes",
        "go_gc_heap_goal_bytes": "next_gc_bytes",
        "go_gc_heap_objects_objects": "heap_objects",
        "go_sched_goroutines_goroutines": "goroutines",
        "process_runtime_go_gc_count": "num_gc",
        "process_runtime_go_gc_count_total": "num_gc",
        "process_runtime_go_goroutines": "goroutines",
    }
    | {f"{_OTEL}{key}": name for key, name in _MEMSTATS.items() if key.startswith("heap_")}
)
_LINE = re.compile(
    r"^([a-zA-Z_:][a-zA-Z0-9_:]{0,60}_)??((?:go|process)_[a-z0-9_]{1,80})"
    r"(?:\{([^}\n]{0,400})\})?[ \t]+([+-]?(?:[0-9.eE+-]{1,40}|Inf|NaN))(?:[ \t]|\r?$)",
    re.M,
)
_VERSION = re.compile(r'(?:^|,)\s*version="([^"\\]{1,80})"')
_LONGEST_PAUSE: Final = re.compile(r'quantile="1(?:\.0)?"')
_NS: Final = 1e9


def parse_prometheus(body: bytes) -> GoHeap:
    """Parse the figures of Go among any others, by the names of client_golang's collectors and of OpenTelemetry's.

    All names may have one prefix (a namespace), and all lines the same labels. Raises ParseError if no figure of a
    heap is there, if one is impossible, and if there are figures of several processes.
    """
    by_prefix: dict[str, _Figures] = {}
    for match in _LINE.finditer(body.decode("utf-8", "replace")):
        by_prefix.setdefault(match[1] or "", _Figures()).take(match[2], match[3] or "", match[4])
    known = [prefix for prefix, figures in by_prefix.items() if figures.has_heap]
    if len(known) > 1 and "" not in known:
        raise ParseError("metrics", f"figures of several Go programs: {', '.join(sorted(known))}")
    chosen = "" if "" in known or not known else known[0]
    figures = by_prefix.get(chosen, _Figures())
    if not (found := figures.by_field()):
        raise ParseError("metrics", "Prometheus text without go_memstats or go_memory_classes figures")
    return go_heap(found, MetricsFormat.PROMETHEUS, figures.version)


class _Figures:
    """What the lines with one prefix say."""

    def __init__(self) -> None:
        self.version: str | None = None
        self._found: dict[str, float] = {}
        self._values: dict[str, dict[str, float]] = {}
        """Of each name the values by their labels."""

    @property
    def has_heap(self) -> bool:
        """Whether a size of the heap is among them."""
        return any(f"{start}heap_alloc_bytes" in self._values for start in ("go_memstats_", _OTEL)) or any(
            name in self._values for name in ("go_memstats_sys_bytes", *_PARTS)
        )

    def take(self, name: str, labels: str, written: str) -> None:
        """Take one line. Raises ParseError."""
        if name == "go_info" and (said := _VERSION.search(labels)):
            self.version = clean(said[1])
        elif name == "go_gc_duration_seconds_count":
            self._found.setdefault("num_gc", _value(name, written))
        elif name == "go_gc_duration_seconds_sum":
            self._found.setdefault("pause_total_ns", _value(name, written) * _NS)
        elif name == "go_gc_duration_seconds" and _LONGEST_PAUSE.search(labels):
            if written != "NaN":  # a quantile of no pauses
                self._found.setdefault("pause_max_ns", _value(name, written) * _NS)
        elif name in _FIELDS or name in _PARTS:
            self._values.setdefault(name, {}).setdefault(labels, _value(name, written))

    def by_field(self) -> dict[str, float]:
        """The figures by field name; what MemStats has itself counts before a sum. Raises ParseError."""
        found, sums = dict(self._found), dict[str, float]()
        for name, values in self._values.items():
            if "" not in values and len(values) > 1:
                raise ParseError("metrics", f"{name} has several values, by labels: figures of several processes")
            value = values.get("", next(iter(values.values())))
            if name in _FIELDS:
                found.setdefault(_FIELDS[name], value)
            for field in _PARTS.get(name, ()):
                sums[field] = sums.get(field, 0.0) + value
        return sums | found


def _value(name: str, written: str) -> float:
    try:
        value = float(written)
    except ValueError as error:
        raise ParseError("metrics", f"{name} is not a number") from error
    return value

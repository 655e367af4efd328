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
_FIELDS: Final = {f"go_memstats_{key}": name for key, name in _MEMSTATS.items()} | {
    "go_goroutines": "goroutines",
    "go_threads": "threads",
    "go_gc_gogc_percent": "gogc_percent",
    "go_gc_gomemlimit_bytes": "gomemlimit_bytes",
    "process_resident_memory_bytes": "resident_bytes",
    "process_start_time_seconds": "start_time_s",
}
_LINE = re.compile(
    r"^((?:go|process)_[a-z0-9_]{1,80})(?:\{([^}\n]{0,400})\})?[ \t]+([+-]?(?:[0-9.eE+-]{1,40}|Inf|NaN))(?:[ \t]|\r?$)",
    re.M,
)
_VERSION = re.compile(r'(?:^|,)\s*version="([^"\\]{1,80})"')
_LONGEST_PAUSE: Final = re.compile(r'quantile="1(?:\.0)?"')
_NS: Final = 1e9


def parse_prometheus(body: bytes) -> GoHeap:
    """Parse the go_* and process_* figures among any others. Raises ParseError if they are absent or impossible."""
    found: dict[str, float] = {}
    version = None
    for match in _LINE.finditer(body.decode("utf-8", "replace")):
        name, labels, written = match[1], match[2], match[3]
        if name == "go_info" and labels and (said := _VERSION.search(labels)):
            version = clean(said[1])
        elif name == "go_gc_duration_seconds_count":
            found.setdefault("num_gc", _value(name, written))
        elif name == "go_gc_duration_seconds_sum":
            found.setdefault("pause_total_ns", _value(name, written) * _NS)
        elif name == "go_gc_duration_seconds" and labels and _LONGEST_PAUSE.search(labels):
            if written != "NaN":  # a quantile of no pauses
                found.setdefault("pause_max_ns", _value(name, written) * _NS)
        elif name in _FIELDS and not labels:
            found.setdefault(_FIELDS[name], _value(name, written))
    if not found:
        raise ParseError("metrics", "Prometheus text without go_memstats figures")
    return go_heap(found, MetricsFormat.PROMETHEUS, version)


def _value(name: str, written: str) -> float:
    try:
        value = float(written)
    except ValueError as error:
        raise ParseError("metrics", f"{name} is not a number") from error
    return value

"""The ``runtime`` object of a process in memtop's JSON: null, or what its runtime says of itself."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Final

from memtop.runtimes.buildinfo import GoBuild
from memtop.runtimes.environ import GoSettings
from memtop.runtimes.goheap import GoHeap
from memtop.runtimes.jvm import JvmHeap
from memtop.runtimes.jvmflags import JvmFlags

GO_KEYS: Final = (
    "heap_alloc_bytes",
    "heap_sys_bytes",
    "heap_idle_bytes",
    "heap_inuse_bytes",
    "heap_released_bytes",
    "heap_objects",
    "stack_inuse_bytes",
    "sys_bytes",
    "next_gc_bytes",
    "num_gc",
    "pause_total_ns",
    "goroutines",
    "total_alloc_bytes",
    "gc_cpu_fraction",
    "threads",
    "gogc_percent",
    "gomemlimit_bytes",
)
JVM_KEYS: Final = (
    "heap_used_bytes",
    "heap_capacity_bytes",
    "heap_max_bytes",
    "eden_used_bytes",
    "survivor_used_bytes",
    "old_used_bytes",
    "metaspace_used_bytes",
    "metaspace_capacity_bytes",
    "young_gcs",
    "major_gcs",
    "full_gcs",
    "gc_time_s",
    "last_cause",
    "threads",
)


def go_object(build: GoBuild | None, settings: GoSettings | None, heap: GoHeap | None) -> dict[str, Any]:
    """A Go program: {name, version, settings, heap}; ``settings`` null where environ could not be read.

    An absent variable is null in it. ``heap`` is null where no metrics are read; a figure that the program does not
    tell is null, as is a goal or a limit that is infinite (GOGC=off, no memory limit).
    """
    version = build.version if build is not None and build.version is not None else None
    return {
        "name": "go",
        "version": version if version is not None or heap is None else heap.version,
        "settings": None
        if settings is None
        else {"GOGC": settings.gogc, "GOMEMLIMIT": settings.gomemlimit, "GODEBUG": settings.godebug},
        "heap": None if heap is None else {key: _number(getattr(heap, key)) for key in GO_KEYS},
    }


def jvm_object(flags: JvmFlags | None, heap: JvmHeap | None) -> dict[str, Any]:
    """A JVM: {name, version, settings, heap}; the settings are the memory flags that were given, and no others."""
    if flags is None and heap is not None:
        flags = heap.flags
    given = None if flags is None else {name: value for name, value in asdict(flags).items() if value is not None}
    return {
        "name": "jvm",
        "version": None if heap is None else heap.version,
        "settings": given,
        "heap": None if heap is None else {key: _number(getattr(heap, key)) for key in JVM_KEYS},
    }


def other_object(name: str, version: str | None) -> dict[str, Any]:
    """A runtime of which only name and version are known: python, node, ruby, php, dotnet."""
    return {"name": name, "version": version, "settings": None, "heap": None}


def _number(value: float | str | None) -> float | str | None:
    if isinstance(value, float):
        return None if math.isinf(value) else int(value) if value == int(value) else round(value, 6)
    return value

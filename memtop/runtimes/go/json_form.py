"""The ``runtime`` object of a Go program in memtop's JSON."""

from __future__ import annotations

from typing import Any, Final

from memtop.runtimes.go.buildinfo import GoBuild
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.heap import GoHeap
from memtop.runtimes.small_json import json_number

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


def go_object(build: GoBuild | None, settings: GoSettings | None, heap: GoHeap | None) -> dict[str, Any]:
    """{name, version, settings, heap} of a Go program.

    ``settings`` is null if they could not be read; a variable that is not set is null in it. ``heap`` is null if no
    figures are read. A figure that the program does not report is null, as is an infinite goal or limit (GOGC=off, no
    memory limit).
    """
    version = build.version if build is not None else None
    return {
        "name": "go",
        "version": heap.version if version is None and heap is not None else version,
        "settings": settings
        and {"GOGC": settings.gogc, "GOMEMLIMIT": settings.gomemlimit, "GODEBUG": settings.godebug},
        "heap": heap and {key: json_number(getattr(heap, key)) for key in GO_KEYS},
    }

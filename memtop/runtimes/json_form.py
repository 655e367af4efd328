"""The ``runtime`` object of a process in memtop's JSON: null, or what its runtime says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from memtop.runtimes.go.buildinfo import GoBuild
    from memtop.runtimes.go.environ import GoSettings
    from memtop.runtimes.go.heap import GoHeap
    from memtop.runtimes.jvm.flags import JvmFlags
    from memtop.runtimes.jvm.heap import JvmHeap
    from memtop.runtimes.native.recognition import Native

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


def runtime_object(
    *,
    build: GoBuild | None = None,
    settings: GoSettings | JvmFlags | None = None,
    heap: GoHeap | JvmHeap | None = None,
    native: Native | None = None,
) -> dict[str, Any] | None:
    """{name, version, settings, heap} of a process; None for one without a runtime that memtop knows.

    ``settings`` is null where they could not be read, and a variable or flag that is not set is null or absent in it.
    ``heap`` is null where no figures are read; a figure that the program does not tell is null, as is a goal or a
    limit that is infinite (GOGC=off, no memory limit).
    """
    if _is(settings, "GoSettings") or _is(heap, "GoHeap") or build is not None:
        return _go_object(build, settings, heap)
    if settings is not None or heap is not None:
        return _jvm_object(settings, heap)
    if native is None or native.runtime is None:
        return None
    return {"name": native.runtime.value, "version": native.version, "settings": None, "heap": None}


def _is(value: object, kind: str) -> bool:
    """By its name: importing every runtime's types to tell them apart costs a one-shot run more than its sample."""
    return type(value).__name__ == kind


def _go_object(build: GoBuild | None, settings: Any, heap: Any) -> dict[str, Any]:
    version = build.version if build is not None else None
    told = heap if _is(heap, "GoHeap") else None
    given = settings if _is(settings, "GoSettings") else None
    return {
        "name": "go",
        "version": told.version if version is None and told is not None else version,
        "settings": given and {"GOGC": given.gogc, "GOMEMLIMIT": given.gomemlimit, "GODEBUG": given.godebug},
        "heap": told and {key: _number(getattr(told, key)) for key in GO_KEYS},
    }


def _jvm_object(settings: Any, heap: Any) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415

    flags = settings if settings is not None else heap.flags
    return {
        "name": "jvm",
        "version": heap and heap.version,
        "settings": {name: value for name, value in asdict(flags).items() if value is not None},
        "heap": heap and {key: _number(getattr(heap, key)) for key in JVM_KEYS},
    }


def _number(value: float | str | None) -> float | str | None:
    if isinstance(value, float):
        return None if abs(value) == float("inf") else int(value) if value == int(value) else round(value, 6)
    return value

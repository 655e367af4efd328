"""Values of the ``go_*`` placeholders in topics: the numbers of a Go program as text.

A number that is unknown has no fact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from memtop.runtimes.go.advice import FreedMemory, GogcChoice, LimitAdvice, freed_memory
from memtop.runtimes.go.breakdown import Breakdown, held_bytes
from memtop.runtimes.go.buildinfo import GoBuild
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.growth import GoGrowth, GoVerdict
from memtop.runtimes.go.heap import GoHeap
from memtop.runtimes.wording import Facts, known, signed_count_fact, signed_size_fact, size_fact, whole_fact
from memtop.units import long_size

GO_VERDICTS: Final = {
    GoVerdict.WAITING: "waiting for collections",
    GoVerdict.STEADY: "steady",
    GoVerdict.PRESSURE: "allocation pressure, no leak",
    GoVerdict.LEAK_OBJECTS: "probable leak: more and more objects",
    GoVerdict.BIGGER_OBJECTS: "objects get bigger",
    GoVerdict.GOROUTINE_LEAK: "probable goroutine leak",
    GoVerdict.OUTSIDE: "memory outside of the heap grows",
}
_FREED: Final = {FreedMemory.DONTNEED: "MADV_DONTNEED", FreedMemory.FREE: "MADV_FREE"}


def go_facts(
    *,
    build: GoBuild | None = None,
    settings: GoSettings | None = None,
    heap: GoHeap | None = None,
    parts: Breakdown | None = None,
    growth: GoGrowth | None = None,
    limit: LimitAdvice | None = None,
    choices: Sequence[GogcChoice] = (),
) -> dict[str, str]:
    """All known figures of a Go program, under the names that the topics use."""
    facts: Facts = {"go_version": build.version if build is not None else None}
    if settings is not None:
        facts |= _go_settings(build, settings)
    if heap is not None:
        facts |= _go_heap(heap)
    if parts is not None:
        facts |= _go_parts(parts)
    if growth is not None:
        facts |= _go_growth(growth)
    if limit is not None:
        facts["go_container"] = size_fact(limit.container_bytes)
        facts["go_advised"] = size_fact(limit.advised_bytes)
        facts["go_need"] = size_fact(limit.need_bytes)
    for choice in choices:
        facts[f"go_rss_gogc_{choice.gogc_percent:.0f}"] = long_size(choice.rss_bytes)
    return known(facts)


def _go_settings(build: GoBuild | None, settings: GoSettings) -> Facts:
    built_in = build.setting("DefaultGODEBUG") if build is not None else None
    release = build.release if build is not None else None
    return {
        "go_gogc": settings.gogc or "not set, which means 100",
        "go_gomemlimit": settings.gomemlimit or "not set",
        "go_freed_by": _FREED.get(freed_memory(release, settings.debug("madvdontneed", built_in))),
    }


def _go_heap(heap: GoHeap) -> Facts:
    objects, mean = heap.heap_objects, None
    if objects and heap.heap_alloc_bytes is not None:
        mean = heap.heap_alloc_bytes / objects
    goal = heap.next_gc_bytes
    facts: Facts = {
        "go_heap_alloc": size_fact(heap.heap_alloc_bytes),
        "go_heap_inuse": size_fact(heap.heap_inuse_bytes),
        "go_heap_idle": size_fact(heap.heap_idle_bytes),
        "go_heap_released": size_fact(heap.heap_released_bytes),
        "go_heap_sys": size_fact(heap.heap_sys_bytes),
        "go_heap_objects": whole_fact(objects),
        "go_object_size": size_fact(mean),
        "go_num_gc": whole_fact(heap.num_gc),
        "go_next_gc": None if goal is None or math.isinf(goal) else long_size(goal),
        "go_goroutines": whole_fact(heap.goroutines),
        "go_held": size_fact(held_bytes(heap)),
        "go_pause_max": _pause(heap.pause_max_ns),
        "go_gc_cpu": None if heap.gc_cpu_fraction is None else f"{100 * heap.gc_cpu_fraction:.2f}",
    }
    if heap.num_gc and heap.pause_total_ns is not None:
        facts["go_pause_mean"] = _pause(heap.pause_total_ns / heap.num_gc)
    if heap.gogc_percent is not None:
        facts["go_gogc"] = "off" if math.isinf(heap.gogc_percent) else f"{heap.gogc_percent:.0f}"
    if heap.gomemlimit_bytes is not None:
        facts["go_gomemlimit"] = "not set" if math.isinf(heap.gomemlimit_bytes) else long_size(heap.gomemlimit_bytes)
    if heap.version is not None:
        facts["go_version"] = heap.version
    return facts


def _go_parts(parts: Breakdown) -> Facts:
    lazy = parts.freed_bytes
    return {
        "go_rss": long_size(parts.rss_bytes),
        "go_live": size_fact(parts.live_bytes),
        "go_garbage": size_fact(parts.garbage_bytes),
        "go_idle": size_fact(parts.idle_bytes),
        "go_stacks": size_fact(parts.stacks_bytes),
        "go_runtime": size_fact(parts.runtime_bytes),
        "go_outside": size_fact(parts.outside_bytes),
        "go_files": size_fact(parts.files_bytes),
        "go_residual": signed_size_fact(parts.residual_bytes, 1),
        "go_lazy": long_size(lazy) if lazy else None,
        "go_rss_without_lazy": long_size(parts.rss_bytes - lazy) if lazy else None,
    }


def _go_growth(growth: GoGrowth) -> Facts:
    return {
        "go_verdict": GO_VERDICTS[growth.verdict],
        "go_cycles": f"{len(growth.cycles):,}",
        "go_live_rate": signed_size_fact(growth.live_bytes_per_s, 60),
        "go_objects_rate": signed_count_fact(growth.objects_per_s),
        "go_goroutines_rate": signed_count_fact(growth.goroutines_per_s),
        "go_outside_rate": signed_size_fact(growth.outside_bytes_per_s, 1),
        "go_gc_rate": None if growth.gc_per_s is None else f"{growth.gc_per_s:.2g}",
        "go_alloc_rate": size_fact(growth.alloc_bytes_per_s),
    }


def _pause(time_ns: float | None) -> str | None:
    if time_ns is None:
        return None
    for scale, unit in ((1e9, "s"), (1e6, "ms")):
        if time_ns >= scale:
            return f"{time_ns / scale:.3g} {unit}"
    return f"{time_ns / 1e3:.3g} µs"

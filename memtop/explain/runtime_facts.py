"""The numbers of a Go program and of a JVM as text, to stand in the topics: facts named ``go_*`` and ``jvm_*``.

As in :mod:`memtop.explain.placeholders`, a number that is unknown has no fact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from memtop.runtimes.go.breakdown import Breakdown, held_bytes
from memtop.runtimes.go.buildinfo import GoBuild
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.growth import GoGrowth, GoVerdict
from memtop.runtimes.go.heap import GoHeap
from memtop.runtimes.go.limits import FreedMemory, GogcChoice, LimitAdvice, freed_memory
from memtop.runtimes.jvm.growth import JvmBreakdown, JvmGrowth, JvmVerdict
from memtop.runtimes.jvm.heap import JvmHeap
from memtop.units import count, duration, long_size, percent

GO_VERDICTS: Final = {
    GoVerdict.WAITING: "waiting for collections",
    GoVerdict.STEADY: "steady",
    GoVerdict.PRESSURE: "allocation pressure, no leak",
    GoVerdict.LEAK_OBJECTS: "it looks like a leak by objects",
    GoVerdict.BIGGER_OBJECTS: "objects grow bigger",
    GoVerdict.GOROUTINE_LEAK: "it looks like a goroutine leak",
    GoVerdict.OUTSIDE: "memory outside of the heap grows",
}
JVM_VERDICTS: Final = {
    JvmVerdict.WAITING: "waiting for major collections",
    JvmVerdict.STEADY: "steady",
    JvmVerdict.PRESSURE: "allocation pressure, no leak",
    JvmVerdict.LEAK: "it looks like a leak on the heap",
    JvmVerdict.HEAP_FULL: "what is alive nearly fills the heap",
    JvmVerdict.METASPACE: "metaspace grows",
    JvmVerdict.THREAD_LEAK: "it looks like a leak of threads",
    JvmVerdict.OUTSIDE: "memory outside of the heap grows",
}
_FREED: Final = {FreedMemory.DONTNEED: "MADV_DONTNEED", FreedMemory.FREE: "MADV_FREE"}

Facts = dict[str, str | None]


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
    """All that is known of a Go program, under the names that the topics use."""
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
        facts["go_container"] = _size(limit.container_bytes)
        facts["go_advised"] = _size(limit.advised_bytes)
        facts["go_need"] = _size(limit.need_bytes)
    for choice in choices:
        facts[f"go_rss_gogc_{choice.gogc_percent:.0f}"] = long_size(choice.rss_bytes)
    return _known(facts)


def jvm_facts(
    heap: JvmHeap | None = None, parts: JvmBreakdown | None = None, growth: JvmGrowth | None = None
) -> dict[str, str]:
    """All that is known of a JVM, under the names that the topics use."""
    facts: Facts = {}
    if heap is not None:
        facts |= _jvm_heap(heap)
    if parts is not None:
        facts |= {
            "jvm_rss": long_size(parts.rss_bytes),
            "jvm_live": long_size(parts.live_bytes),
            "jvm_garbage": long_size(parts.garbage_bytes),
            "jvm_unused": long_size(parts.unused_bytes),
            "jvm_metaspace": long_size(parts.metaspace_bytes),
            "jvm_native": long_size(parts.native_bytes),
            "jvm_files": long_size(parts.files_bytes),
        }
    if growth is not None:
        facts |= {
            "jvm_verdict": JVM_VERDICTS[growth.verdict],
            "jvm_cycles": f"{len(growth.cycles):,}",
            "jvm_live_rate": _signed_size(growth.live_bytes_per_s, 60),
            "jvm_metaspace_rate": _signed_size(growth.metaspace_bytes_per_s, 60),
            "jvm_gc_share": None if growth.gc_share is None else percent(100 * growth.gc_share),
        }
    return _known(facts)


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
        "go_heap_alloc": _size(heap.heap_alloc_bytes),
        "go_heap_inuse": _size(heap.heap_inuse_bytes),
        "go_heap_idle": _size(heap.heap_idle_bytes),
        "go_heap_released": _size(heap.heap_released_bytes),
        "go_heap_sys": _size(heap.heap_sys_bytes),
        "go_heap_objects": _whole(objects),
        "go_object_size": _size(mean),
        "go_num_gc": _whole(heap.num_gc),
        "go_next_gc": None if goal is None or math.isinf(goal) else long_size(goal),
        "go_goroutines": _whole(heap.goroutines),
        "go_held": _size(held_bytes(heap)),
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
        "go_live": _size(parts.live_bytes),
        "go_garbage": _size(parts.garbage_bytes),
        "go_idle": _size(parts.idle_bytes),
        "go_stacks": _size(parts.stacks_bytes),
        "go_runtime": _size(parts.runtime_bytes),
        "go_outside": _size(parts.outside_bytes),
        "go_files": _size(parts.files_bytes),
        "go_residual": _signed_size(parts.residual_bytes, 1),
        "go_lazy": long_size(lazy) if lazy else None,
        "go_rss_without_lazy": long_size(parts.rss_bytes - lazy) if lazy else None,
    }


def _go_growth(growth: GoGrowth) -> Facts:
    return {
        "go_verdict": GO_VERDICTS[growth.verdict],
        "go_cycles": f"{len(growth.cycles):,}",
        "go_live_rate": _signed_size(growth.live_bytes_per_s, 60),
        "go_objects_rate": _signed_count(growth.objects_per_s),
        "go_goroutines_rate": _signed_count(growth.goroutines_per_s),
        "go_outside_rate": _signed_size(growth.outside_bytes_per_s, 1),
        "go_gc_rate": None if growth.gc_per_s is None else f"{growth.gc_per_s:.2g}",
        "go_alloc_rate": _size(growth.alloc_bytes_per_s),
    }


def _jvm_heap(heap: JvmHeap) -> Facts:
    given = heap.flags.max_heap_bytes
    part = heap.flags.max_ram_percentage
    said = f"-Xmx of {long_size(given)}" if given is not None else None
    if said is None and part is not None:
        said = f"{percent(part)} % of the RAM"
    return {
        "jvm_version": heap.version,
        "jvm_policy": heap.policy,
        "jvm_eden_used": _size(heap.eden_used_bytes),
        "jvm_old_used": _size(heap.old_used_bytes),
        "jvm_heap_used": long_size(heap.heap_used_bytes),
        "jvm_heap_capacity": long_size(heap.heap_capacity_bytes),
        "jvm_heap_max": _size(heap.heap_max_bytes),
        "jvm_metaspace_used": _size(heap.metaspace_used_bytes),
        "jvm_classes": _whole(heap.loaded_classes),
        "jvm_young_gcs": _whole(heap.young_gcs),
        "jvm_major_gcs": _whole(heap.major_gcs),
        "jvm_gc_time": duration(heap.gc_time_s),
        "jvm_last_cause": heap.last_cause,
        "jvm_threads": _whole(heap.threads),
        "jvm_xmx": said,
    }


def _known(facts: Facts) -> dict[str, str]:
    return {name: text for name, text in facts.items() if text is not None}


def _size(size_bytes: float | None) -> str | None:
    return None if size_bytes is None else long_size(size_bytes)


def _signed_size(size_bytes: float | None, times: float) -> str | None:
    if size_bytes is None:
        return None
    text = long_size(size_bytes * times)
    return text if text.startswith(("-", "0 ")) else f"+{text}"


def _signed_count(number: float | None) -> str | None:
    if number is None:
        return None
    rounded = round(number, 1)
    return f"{'-' if rounded < 0 else '+' if rounded > 0 else ''}{count(abs(rounded))}"


def _whole(number: int | None) -> str | None:
    return None if number is None else f"{number:,}"


def _pause(time_ns: float | None) -> str | None:
    if time_ns is None:
        return None
    for scale, unit in ((1e9, "s"), (1e6, "ms")):
        if time_ns >= scale:
            return f"{time_ns / scale:.3g} {unit}"
    return f"{time_ns / 1e3:.3g} µs"

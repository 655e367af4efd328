"""Values of the ``jvm_*`` placeholders in topics: the numbers of a JVM as text.

A number that is unknown has no fact.
"""

from __future__ import annotations

from typing import Final

from memtop.runtimes.jvm.growth import JvmBreakdown, JvmGrowth, JvmVerdict
from memtop.runtimes.jvm.heap import JvmHeap
from memtop.runtimes.wording import Facts, known, signed_size_fact, size_fact, whole_fact
from memtop.units import duration, long_size, percent

JVM_VERDICTS: Final = {
    JvmVerdict.WAITING: "waiting for major collections",
    JvmVerdict.STEADY: "steady",
    JvmVerdict.PRESSURE: "allocation pressure, no leak",
    JvmVerdict.LEAK: "probable heap leak",
    JvmVerdict.HEAP_FULL: "live objects nearly fill the heap",
    JvmVerdict.METASPACE: "metaspace grows",
    JvmVerdict.THREAD_LEAK: "probable thread leak",
    JvmVerdict.OUTSIDE: "memory outside of the heap grows",
}


def jvm_facts(
    heap: JvmHeap | None = None, parts: JvmBreakdown | None = None, growth: JvmGrowth | None = None
) -> dict[str, str]:
    """All known figures of a JVM, under the names that the topics use."""
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
            "jvm_verdict": "may be rising" if growth.may_rise else JVM_VERDICTS[growth.verdict],
            "jvm_cycles": f"{len(growth.cycles):,}",
            "jvm_live_rate": signed_size_fact(growth.live_bytes_per_s, 60),
            "jvm_metaspace_rate": signed_size_fact(growth.metaspace_bytes_per_s, 60),
            "jvm_gc_share": None if growth.gc_share is None else percent(100 * growth.gc_share),
        }
    return known(facts)


def _jvm_heap(heap: JvmHeap) -> Facts:
    given = heap.flags.max_heap_bytes
    part = heap.flags.max_ram_percentage
    said = f"-Xmx of {long_size(given)}" if given is not None else None
    if said is None and part is not None:
        said = f"{percent(part)} % of the RAM"
    return {
        "jvm_version": heap.version,
        "jvm_policy": heap.policy,
        "jvm_eden_used": size_fact(heap.eden_used_bytes),
        "jvm_old_used": size_fact(heap.old_used_bytes),
        "jvm_heap_used": long_size(heap.heap_used_bytes),
        "jvm_heap_capacity": long_size(heap.heap_capacity_bytes),
        "jvm_heap_max": size_fact(heap.heap_max_bytes),
        "jvm_metaspace_used": size_fact(heap.metaspace_used_bytes),
        "jvm_classes": whole_fact(heap.loaded_classes),
        "jvm_young_gcs": whole_fact(heap.young_gcs),
        "jvm_major_gcs": whole_fact(heap.major_gcs),
        "jvm_gc_time": None if heap.gc_time_s is None else duration(heap.gc_time_s),
        "jvm_last_cause": heap.last_cause,
        "jvm_threads": whole_fact(heap.threads),
        "jvm_xmx": said,
    }

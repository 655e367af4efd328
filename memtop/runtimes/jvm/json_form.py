"""The ``runtime`` object of a JVM in memtop's JSON."""

from __future__ import annotations

from typing import Any, Final

from memtop.runtimes.jvm.flags import JvmFlags
from memtop.runtimes.jvm.heap import JvmHeap
from memtop.runtimes.jvm.sentences import all_flags
from memtop.runtimes.small_json import json_number

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


def jvm_object(flags: JvmFlags | None, heap: JvmHeap | None) -> dict[str, Any]:
    """{name, version, settings, heap} of a JVM. A flag that is not given is absent in ``settings``.

    ``settings`` is null if neither command line nor counters have been read. ``heap`` is null without counters. A
    figure that this JVM does not report is null.
    """
    given = all_flags(flags, heap)
    return {
        "name": "jvm",
        "version": heap and heap.version,
        "settings": given and {name: value for name, value in given._asdict().items() if value is not None},
        "heap": heap and {key: json_number(getattr(heap, key)) for key in JVM_KEYS},
    }

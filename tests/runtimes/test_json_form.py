"""The runtime object of the JSON contract."""

from __future__ import annotations

import json
import math

from memtop.runtimes.go.buildinfo import GoBuild
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.heap import GoHeap, MetricsFormat
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.runtimes.json_form import GO_KEYS, JVM_KEYS, runtime_object
from memtop.runtimes.jvm.flags import JvmFlags
from memtop.runtimes.jvm.heap import parse_jvm_heap
from memtop.runtimes.native.recognition import Native, Runtime
from tests.lab.points import lines

BUILD = GoBuild("go1.22.3", "x", None, None)
NAMED = {
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
}


def test_a_process_without_a_known_runtime_has_none() -> None:
    assert runtime_object() is None
    assert runtime_object(native=Native(None, None, None)) is None


def test_a_go_program_seen_from_outside_has_settings_and_no_heap() -> None:
    assert runtime_object(build=BUILD, settings=GoSettings(gogc="50")) == {
        "name": "go",
        "version": "go1.22.3",
        "settings": {"GOGC": "50", "GOMEMLIMIT": None, "GODEBUG": None},
        "heap": None,
    }


def test_settings_that_cannot_be_read_are_null() -> None:
    found = runtime_object(build=BUILD)
    assert found is not None
    assert found["settings"] is None


def test_the_heap_of_a_go_program_has_the_promised_keys() -> None:
    heap = parse_go_metrics(lines("leak")[-1]["body"].encode())
    found = runtime_object(build=BUILD, settings=GoSettings(), heap=heap)
    assert found is not None
    assert set(found["heap"]) == set(GO_KEYS) >= NAMED
    assert found["heap"]["heap_alloc_bytes"] == heap.heap_alloc_bytes
    assert isinstance(found["heap"]["next_gc_bytes"], int)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_is_infinite_is_null_because_json_has_no_infinity() -> None:
    heap = GoHeap(MetricsFormat.EXPVAR, heap_alloc_bytes=1, next_gc_bytes=math.inf, gogc_percent=math.inf)
    found = runtime_object(heap=heap)
    assert found is not None
    assert found["heap"]["next_gc_bytes"] is None
    json.dumps(found, allow_nan=False)


def test_the_version_of_the_metrics_stands_in_where_the_file_cannot_be_read() -> None:
    found = runtime_object(heap=parse_go_metrics(lines("client")[-1]["body"].encode()))
    assert found is not None
    assert found["version"] == "go1.19.8"


def test_a_jvm_has_the_flags_that_were_given_and_its_figures() -> None:
    heap = parse_jvm_heap(lines("jvm_leak")[-1]["hsperf"])
    found = runtime_object(heap=heap)
    assert found is not None
    assert found["name"] == "jvm"
    assert found["settings"] == {"max_heap_bytes": 256 << 20, "collector": "UseG1GC"}
    assert set(found["heap"]) == set(JVM_KEYS)
    assert runtime_object(settings=JvmFlags(max_heap_bytes=1)) == {
        "name": "jvm",
        "version": None,
        "settings": {"max_heap_bytes": 1},
        "heap": None,
    }


def test_others_have_a_name_and_a_version() -> None:
    assert runtime_object(native=Native(Runtime.CPYTHON, "3.11", None)) == {
        "name": "python",
        "version": "3.11",
        "settings": None,
        "heap": None,
    }

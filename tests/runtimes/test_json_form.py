"""The runtime object of the JSON contract."""

from __future__ import annotations

import json
import math

from memtop.runtimes.go.buildinfo import GoBuild
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.heap import GoHeap, MetricsFormat
from memtop.runtimes.go.json_form import GO_KEYS, go_object
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.runtimes.jvm.flags import JvmFlags
from memtop.runtimes.jvm.json_form import JVM_KEYS, jvm_object
from memtop.runtimes.native.languages import CPYTHON
from memtop.runtimes.native.runtime import UNKNOWN
from memtop.runtimes.protocol import Identity
from tests.lab.points import jvm_heap_of, lines

BUILD = GoBuild("go1.22.3", "x", None)
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
    assert UNKNOWN.track().to_json(fresh=True) is None


def test_a_go_program_seen_from_outside_has_settings_and_no_heap() -> None:
    assert go_object(BUILD, GoSettings(gogc="50"), None) == {
        "name": "go",
        "version": "go1.22.3",
        "settings": {"GOGC": "50", "GOMEMLIMIT": None, "GODEBUG": None},
        "heap": None,
    }


def test_settings_that_cannot_be_read_are_null() -> None:
    found = go_object(BUILD, None, None)
    assert found["settings"] is None


def test_the_heap_of_a_go_program_has_the_promised_keys() -> None:
    heap = parse_go_metrics(lines("leak")[-1]["body"].encode())
    found = go_object(BUILD, GoSettings(), heap)
    assert set(found["heap"]) == set(GO_KEYS) >= NAMED
    assert found["heap"]["heap_alloc_bytes"] == heap.heap_alloc_bytes
    assert isinstance(found["heap"]["next_gc_bytes"], int)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_is_infinite_is_null_because_json_has_no_infinity() -> None:
    heap = GoHeap(MetricsFormat.EXPVAR, heap_alloc_bytes=1, next_gc_bytes=math.inf, gogc_percent=math.inf)
    found = go_object(None, None, heap)
    assert found["heap"]["next_gc_bytes"] is None
    json.dumps(found, allow_nan=False)


def test_the_version_of_the_metrics_stands_in_where_the_file_cannot_be_read() -> None:
    found = go_object(None, None, parse_go_metrics(lines("client")[-1]["body"].encode()))
    assert found["version"] == "go1.19.8"


def test_a_jvm_has_the_flags_that_were_given_and_its_figures() -> None:
    found = jvm_object(None, jvm_heap_of(lines("jvm_leak")[-1]["hsperf"]))
    assert found["name"] == "jvm"
    assert found["settings"] == {"max_heap_bytes": 256 << 20, "collector": "UseG1GC"}
    assert set(found["heap"]) == set(JVM_KEYS)
    assert jvm_object(JvmFlags(max_heap_bytes=1), None) == {
        "name": "jvm",
        "version": None,
        "settings": {"max_heap_bytes": 1},
        "heap": None,
    }


def test_others_have_a_name_and_a_version() -> None:
    tracker = CPYTHON.track()
    tracker.identified(Identity("python", "3.11"))
    assert tracker.to_json(fresh=True) == {"name": "python", "version": "3.11", "settings": None, "heap": None}

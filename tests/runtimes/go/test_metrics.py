"""Three formats of metrics, recognized by their content; recorded answers of real programs, and hostile answers."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtop.errors import ParseError
from memtop.runtimes.go.expvar import MOST_VALUES
from memtop.runtimes.go.heap import FIGURES, GoHeap, MetricsFormat
from memtop.runtimes.go.metrics import MOST_BYTES, parse_go_metrics
from tests.lab.points import DATA, lines

MIB = 1 << 20
ANSWERS = {name: lines(name)[-1]["body"].encode() for name in ("leak", "client", "text", "goroutines")}
GO_RUNS = sorted(path.name.partition(".")[0] for path in DATA.glob("[!j]*.ndjson.gz"))


@pytest.mark.parametrize("name", GO_RUNS)
def test_every_recorded_answer_is_read_and_makes_sense(name: str) -> None:
    for line in lines(name):
        heap = parse_go_metrics(line["body"].encode())
        assert heap.heap_alloc_bytes is not None
        assert heap.heap_sys_bytes is not None
        assert 0 < heap.heap_alloc_bytes <= heap.heap_sys_bytes + heap.rounding_bytes
        assert heap.heap_objects
        assert heap.num_gc is not None


def test_expvar_tells_all_of_memstats() -> None:
    heap = parse_go_metrics(ANSWERS["leak"])
    known = {name for name in FIGURES if getattr(heap, name) is not None}
    assert heap.format is MetricsFormat.EXPVAR
    told_by_others = {"goroutines", "threads", "gogc_percent", "gomemlimit_bytes", "resident_bytes", "start_time_s"}
    assert known == FIGURES - told_by_others
    stats = json.loads(ANSWERS["leak"])["memstats"]
    assert heap.heap_alloc_bytes == stats["HeapAlloc"]
    assert heap.pause_last_ns == stats["PauseNs"][(stats["NumGC"] + 255) % 256]
    assert heap.pause_max_ns == max(stats["PauseNs"])


def test_goroutines_that_a_program_publishes_beside_memstats_are_found() -> None:
    heap = parse_go_metrics(ANSWERS["goroutines"])
    assert heap.goroutines == json.loads(ANSWERS["goroutines"])["goroutines"] > 1000


def test_client_golang_tells_version_threads_and_its_own_res() -> None:
    heap = parse_go_metrics(ANSWERS["client"])
    assert heap.format is MetricsFormat.PROMETHEUS
    assert heap.version == "go1.19.8"
    assert heap.threads
    assert heap.goroutines
    assert heap.resident_bytes
    assert heap.start_time_s
    assert heap.num_gc
    assert heap.pause_total_ns
    assert heap.pause_max_ns
    assert heap.rounding_bytes == 0


def test_the_handler_of_the_tutorials_is_read_with_its_units() -> None:
    text = b"""HeapAlloc: 12.34 MB
HeapSys: 20.00 MB
HeapIdle: 5.50 MB
HeapInuse: 14.50 MB
HeapObjects: 123
StackInuse: 0.34 MB
Goroutine12
NumGC: 4
PauseTotalNs:1.23 ms
"""
    assert parse_go_metrics(text) == GoHeap(
        MetricsFormat.TEXT,
        heap_alloc_bytes=int(12.34 * MIB),
        heap_sys_bytes=20 * MIB,
        heap_idle_bytes=int(5.5 * MIB),
        heap_inuse_bytes=int(14.5 * MIB),
        heap_objects=123,
        stack_inuse_bytes=int(0.34 * MIB),
        goroutines=12,
        num_gc=4,
        pause_total_ns=1_230_000,
        rounding_bytes=int(0.01 * MIB),
    )


@pytest.mark.parametrize(
    ("text", "figure", "value"),
    [
        ("Alloc = 5 MiB\tTotalAlloc = 10 MiB\tSys = 8 MiB\tNumGC = 3", "heap_alloc_bytes", 5 * MIB),
        ("Alloc = 5 MiB\tTotalAlloc = 10 MiB\tSys = 8 MiB\tNumGC = 3", "num_gc", 3),
        ("# HeapAlloc = 123456\n# NextGC = 4194304", "heap_alloc_bytes", 123456),
        ("heap_alloc=1024 heap_sys=4096", "heap_sys_bytes", 4096),
        ("HeapAlloc: 1,234 KB", "heap_alloc_bytes", 1234 * 1024),
        ("HeapAlloc:2GB", "heap_alloc_bytes", 2 << 30),
        ('"HeapAlloc": 77 B', "heap_alloc_bytes", 77),
        ("HeapAlloc 1.5e6", "heap_alloc_bytes", None),
        ("HeapAlloc: 5 B\nGoroutines: 12", "goroutines", 12),
        ("HeapAlloc: 5 B\nGoroutineN: 9", "goroutines", 9),
        ("HeapAlloc: 5 B\nNumGoroutine = 7", "goroutines", 7),
        ("HeapAlloc: 5 B\nPauseTotalNs: 5000", "pause_total_ns", 5000),
        ("HeapAlloc: 5 B\nPauseTotalNs: 2.5µs", "pause_total_ns", 2500),
        ("HeapAlloc: 1 B\nHeapAlloc: 2 B", "heap_alloc_bytes", 1),
    ],
)
def test_plain_text_in_the_ways_people_write_it(text: str, figure: str, value: int | None) -> None:
    if value is None:
        with pytest.raises(ParseError):
            parse_go_metrics(text.encode())
        return
    assert getattr(parse_go_metrics(text.encode()), figure) == value


def expvar(**figures: object) -> bytes:
    return json.dumps({"cmdline": ["x", "--token=secret"], "memstats": {"HeapAlloc": 1, **figures}}).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "an empty answer"),
        (b" \n", "an empty answer"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\n<html>", "a web page"),
        (b"\x0a\x00profile", "binary data"),
        (b"404 page not found\n", "without any of Go's figures"),
        (b"{}", "without memstats"),
        (b"[1]", "without memstats"),
        (b'{"memstats": 1}', "without memstats"),
        (b'{"memstats": {}}', "no Go heap figures"),
        (b'{"memstats": {"HeapAlloc": 1', "broken"),
        (b'{"memstats": {"HeapAlloc": "1"}}', "HeapAlloc is not a number"),
        (b'{"memstats": {"HeapAlloc": true}}', "HeapAlloc is not a number"),
        (b'{"memstats": {"HeapAlloc": null}}', "HeapAlloc is not a number"),
        (b'{"memstats": {"HeapAlloc": NaN}}', "NaN"),
        (b'{"memstats": {"HeapAlloc": Infinity}}', "Infinity"),
        (b'{"memstats": {"HeapAlloc": 1e999}}', "impossibly large"),
        (b'{"memstats": {"HeapAlloc": ' + b"9" * 21 + b"}}", "20 digits"),
        (expvar(HeapSys=-1), "heap_sys_bytes is negative"),
        (expvar(HeapSys=1 << 60), "impossibly large"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"\xff\xfe{", "without any of Go's figures"),
        (b"go_memstats_heap_alloc_bytes NaN\n", "not a number"),
        (b"go_memstats_heap_alloc_bytes -5\n", "negative"),
        (b"go_memstats_heap_alloc_bytes +Inf\n", "impossibly large"),
        (b"go_memstats_heap_alloc_bytes 1e400\n", "impossibly large"),
        (b"go_memstats_heap_alloc_bytes 1e1e1\n", "not a number"),
        (b"go_goroutines 5\n", "no Go heap figures"),
        (b"# HELP go_memstats_x\n", "without go_memstats"),
        (b"HeapAlloc: NaN MB\n", "not a number"),
        (b"HeapAlloc: -5 MB\n", "negative"),
        (b"HeapAlloc: Inf MB\n", "infinite"),
        (b"HeapAlloc: 99999999999 GB\n", "impossibly large"),
        (b"HeapAlloc: 12.5\n", "no Go heap figures|without any of Go's figures"),
        (b"x" * (MOST_BYTES + 1), "more than 4 MiB"),
    ],
)
def test_an_answer_that_cannot_be_true_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        parse_go_metrics(body)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 120


def test_gogc_off_has_no_goal_and_no_limit_is_infinite() -> None:
    assert parse_go_metrics(expvar(NextGC=2**64 - 1)).next_gc_bytes == math.inf
    heap = parse_go_metrics(
        b"go_memstats_heap_alloc_bytes 1\ngo_memstats_next_gc_bytes 1.8446744073709552e+19\n"
        b"go_gc_gomemlimit_bytes 9.223372036854775807e+18\ngo_gc_gogc_percent 50\n"
    )
    assert (heap.next_gc_bytes, heap.gomemlimit_bytes, heap.gogc_percent) == (math.inf, math.inf, 50)


def test_a_cpu_fraction_a_little_outside_is_unknown_and_nothing_else_suffers() -> None:
    heap = parse_go_metrics(expvar(GCCPUFraction=-1e-9))
    assert heap.gc_cpu_fraction is None
    assert heap.heap_alloc_bytes == 1


def test_command_lines_in_the_answer_leave_no_trace() -> None:
    assert "secret" not in repr(parse_go_metrics(expvar()))


def test_a_hostile_version_is_made_visible() -> None:
    body = b'go_info{version="go1\x1b[2J"} 1\ngo_memstats_heap_alloc_bytes 1\n'
    assert parse_go_metrics(body).version == "go1^[[2J"


def test_metrics_of_others_with_labels_are_passed_over() -> None:
    body = b'go_memstats_heap_alloc_bytes{instance="b"} 7\ngo_memstats_heap_alloc_bytes 5 1700000000000\r\n'
    assert parse_go_metrics(body).heap_alloc_bytes == 5


CLASSES = b"""go_memory_classes_heap_free_bytes 1000
go_memory_classes_heap_objects_bytes 5000
go_memory_classes_heap_released_bytes 2000
go_memory_classes_heap_stacks_bytes 300
go_memory_classes_heap_unused_bytes 700
go_memory_classes_metadata_mspan_free_bytes 10
go_memory_classes_metadata_mspan_inuse_bytes 20
go_memory_classes_os_stacks_bytes 40
go_memory_classes_total_bytes 9100
go_gc_heap_goal_bytes 12000
go_gc_cycles_total_gc_cycles_total 17
go_sched_goroutines_goroutines 8
"""


def test_the_figures_of_runtime_metrics_become_those_of_memstats() -> None:
    heap = parse_go_metrics(CLASSES)
    assert (heap.heap_alloc_bytes, heap.heap_inuse_bytes, heap.heap_idle_bytes) == (5000, 5700, 3000)
    assert (heap.heap_sys_bytes, heap.heap_released_bytes, heap.sys_bytes) == (8700, 2000, 9100)
    assert (heap.stack_inuse_bytes, heap.stack_sys_bytes, heap.mspan_sys_bytes) == (300, 340, 30)
    assert (heap.next_gc_bytes, heap.num_gc, heap.goroutines) == (12_000, 17, 8)


def test_memstats_count_before_sums_of_classes() -> None:
    assert parse_go_metrics(CLASSES + b"go_memstats_heap_alloc_bytes 5001\n").heap_alloc_bytes == 5001


@pytest.mark.parametrize(
    ("body", "alloc"),
    [
        (b'go_memstats_heap_alloc_bytes{app="a",pod="b"} 5\n', 5),
        (b"myapp_go_memstats_heap_alloc_bytes 5\n", 5),
        (b"myapp_go_memstats_heap_alloc_bytes 7\ngo_memstats_heap_alloc_bytes 5\n", 5),
        (b'process_runtime_go_mem_heap_alloc_bytes{otel_scope_name="x"} 5\n', 5),
        (CLASSES.replace(b"_bytes ", b'_bytes{pod="b"} '), 5000),
        (CLASSES.replace(b"go_", b"ns_go_"), 5000),
    ],
    ids=[
        "constant labels",
        "a prefix",
        "a prefix beside its own",
        "OpenTelemetry",
        "classes, labels",
        "classes, prefix",
    ],
)
def test_other_names_of_the_same_figures_are_read(body: bytes, alloc: int) -> None:
    assert parse_go_metrics(body).heap_alloc_bytes == alloc


@pytest.mark.parametrize(
    "body",
    [
        b'go_memstats_heap_alloc_bytes{pod="a"} 5\ngo_memstats_heap_alloc_bytes{pod="b"} 6\n',
        b"a_go_memstats_heap_alloc_bytes 5\nb_go_memstats_heap_alloc_bytes 6\n",
    ],
)
def test_figures_of_several_processes_are_refused_with_that_reason(body: bytes) -> None:
    with pytest.raises(ParseError, match="several"):
        parse_go_metrics(body)


def consistent(heap: GoHeap) -> bool:
    """Nothing in it is negative or not a number."""
    found: list[Any] = [getattr(heap, name) for name in FIGURES]
    return all(value is None or value >= 0 for value in found)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.sampled_from(sorted(ANSWERS.values())).map(lambda body: body[:700]))
def test_any_bytes_are_figures_or_a_parse_error(body: bytes) -> None:
    try:
        assert consistent(parse_go_metrics(body))
    except ParseError as error:
        assert str(error).isprintable()


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(ANSWERS)),
    st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damaged_answers_are_figures_or_a_parse_error(name: str, changes: list[tuple[int, int]]) -> None:
    body = bytearray(ANSWERS[name])
    for at, byte in changes:
        body[at % len(body)] = byte
    try:
        assert consistent(parse_go_metrics(bytes(body)))
    except ParseError as error:
        assert str(error).isprintable()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="HeapAllocSysNGMB :=.,0123456789-+\n", max_size=300))
def test_text_that_looks_like_a_tutorial_never_crashes(text: str) -> None:
    with suppress(ParseError):
        assert consistent(parse_go_metrics(text.encode()))


def test_a_megabyte_of_anything_is_parsed_within_a_second() -> None:
    for piece in (b"HeapAlloc" * 120_000, b"1,111" * 200_000, b"a_a_a_a_" * 130_000, b"go_memstats_x " * 80_000):
        started_s = time.process_time()
        with suppress(ParseError):
            parse_go_metrics(piece)
        assert time.process_time() - started_s < 1.0


def test_the_fixtures_hold_no_command_line() -> None:
    assert GO_RUNS
    assert all(b'"cmdline": []' in body for name, body in ANSWERS.items() if name in ("leak", "goroutines"))


@pytest.mark.parametrize(
    "body",
    [
        (b"HeapAlloc" + b" " * 19) * 40_000,
        (b"abc_" * 3 + b" ") * 80_000,
        b"HeapAlloc" + b"_A" * 500_000,
        b"HeapAlloc: " + b"1,000" * 200_000,
        b"go_memstats_heap_alloc_bytes" + b" " * 1_000_000,
        b'{"memstats": {}' + b', "x": 1' * 130_000 + b"}",
    ],
    ids=["spaces", "words", "parts", "commas", "Prometheus", "JSON"],
)
def test_no_body_takes_more_than_its_bytes(body: bytes) -> None:
    started_s = time.process_time()
    with suppress(ParseError):
        parse_go_metrics(body)
    assert time.process_time() - started_s < 1.0


def test_json_with_more_values_than_metrics_have_is_refused() -> None:
    with pytest.raises(ParseError, match="more values"):
        parse_go_metrics(b'{"memstats": {"HeapAlloc": 5}, "x": [' + b"1," * (MOST_VALUES + 1) + b"1]}")


@pytest.mark.parametrize("value", [1 << 58, 1 << 63])
def test_a_size_that_no_process_has_is_refused(value: int) -> None:
    with pytest.raises(ParseError, match="impossibly large"):
        parse_go_metrics(b'{"memstats": {"HeapAlloc": %d}}' % value)

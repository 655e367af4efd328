"""What is kept of a JVM's counters, and taken of those that a recording has."""

from __future__ import annotations

import gc

import pytest

from memtop.errors import ParseError
from memtop.runtimes.jvm import tracker as jvm_tracker
from memtop.runtimes.jvm.growth import JvmPoint
from memtop.runtimes.jvm.hsperf import parse_hsperf
from memtop.runtimes.jvm.reading import decode_counters, encode_counters
from memtop.runtimes.jvm.tracker import JvmTracker
from memtop.runtimes.protocol import ProcessContext, ReadingMoment
from memtop.runtimes.small_json import dumps, loads
from memtop.runtimes.view import KernelFigures
from tests.lab.points import lines


def fed(run: str) -> JvmTracker:
    """The tracker of a recorded program at its end."""
    tracker = JvmTracker()
    for line in lines(run):
        data = encode_counters(parse_hsperf(line["hsperf"]))
        begun = ReadingMoment(line["t"], line["rss"], line["anon"], None)
        try:
            tracker.take("jvm", data, begun, ProcessContext(None, None, None))
        except ParseError:
            assert line["t"] < 3, "only a JVM that starts may have no counters"
    return tracker


def test_figures_and_collections_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jvm_tracker, "POINTS", 5)
    monkeypatch.setattr(jvm_tracker, "MOST_COLLECTIONS", 3)
    gc.collect()
    before = sum(type(one) is JvmPoint for one in gc.get_objects())
    tracker = fed("jvm_leak")
    assert len(tracker.collections_s) == 3
    gc.collect()
    assert sum(type(one) is JvmPoint for one in gc.get_objects()) - before <= 5


def test_of_very_many_counters_of_a_recording_the_first_are_taken() -> None:
    true = loads(encode_counters(parse_hsperf(lines("jvm_leak")[-1]["hsperf"])))
    few = {f"no.such.{number}": number for number in range(500 - len(true))}
    many = few | {f"nor.such.{number}": number for number in range(len(true))}
    assert decode_counters(dumps(few | true)).heap_used_bytes
    with pytest.raises(ParseError, match="no heap sizes"):
        decode_counters(dumps(many | true))


@pytest.mark.parametrize(("name", "again"), [("Z concurrent cycle pauses", True), ("Copy", False)])
def test_what_res_has_of_a_heap_that_is_mapped_three_times_is_told(name: str, again: bool) -> None:
    """Its shared memory beyond what is committed can only be pages of the heap, counted again."""
    tracker, line = JvmTracker(), lines("jvm_leak")[-1]
    counters = dict(parse_hsperf(line["hsperf"])) | {"sun.gc.collector.0.name": name}
    begun = ReadingMoment(line["t"], line["rss"], line["anon"], None)
    tracker.take("jvm", encode_counters(counters), begun, ProcessContext(None, None, None))
    kernel = KernelFigures(pid=42, rss_bytes=3 << 30, anon_bytes=1 << 20, shmem_bytes=2 << 30)
    facts = tracker.finding_facts(kernel, line["t"], fresh=True)
    assert facts is not None
    assert (facts.counted_again_bytes > 1 << 30) is again


@pytest.mark.parametrize("outside", [False, True])
def test_where_other_memory_than_the_heap_rises_a_limit_whose_use_is_unknown_may_end_it_first(outside: bool) -> None:
    """Direct memory, at whose MaxDirectMemorySize it throws OutOfMemoryError, is in no counter."""
    tracker, line = JvmTracker(), lines("jvm_leak")[-1]
    tracker.started_with(["java", "-XX:MaxDirectMemorySize=150m", "Main"])
    data = encode_counters(parse_hsperf(line["hsperf"]))
    for second in range(60):
        anon = line["anon"] + (second << 24 if outside else 0)
        tracker.take("jvm", data, ReadingMoment(float(second), anon, anon, None), ProcessContext(None, None, None))
    kernel = KernelFigures(pid=42, rss_bytes=anon, anon_bytes=anon, shmem_bytes=0)
    facts = tracker.finding_facts(kernel, 59.0, fresh=True)
    assert facts is not None
    assert facts.may_end_first is outside
    assert facts.not_looked_at == ("how full its direct memory is (MaxDirectMemorySize of 150 MiB)",)

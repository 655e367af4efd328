"""Recorded runs as what the verdicts take."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from memtop.errors import ParseError
from memtop.runtimes.go.growth import GoPoint
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.runtimes.jvm.growth import JvmPoint
from memtop.runtimes.jvm.heap import JvmHeap, jvm_heap
from memtop.runtimes.jvm.hsperf import parse_hsperf
from tests.lab.record import replay

DATA = Path(__file__).parents[1] / "data" / "runtimes"


def lines(name: str) -> list[dict[str, Any]]:
    """The seconds of one run."""
    return list(replay(DATA / f"{name}.ndjson.gz"))


def jvm_heap_of(data: bytes) -> JvmHeap:
    """The memory counters of an hsperfdata file. Raises ParseError."""
    return jvm_heap(parse_hsperf(data))


@cache
def go_points(name: str) -> tuple[GoPoint, ...]:
    """The readings of one run of a Go program."""
    return tuple(
        GoPoint(line["t"], parse_go_metrics(line["body"].encode()), line["anon"], line["lazy_free"], line["minflt"])
        for line in lines(name)
    )


@cache
def jvm_points(name: str) -> tuple[JvmPoint, ...]:
    """The readings of one run of a JVM; seconds in which it was just starting are left out."""
    found = []
    for line in lines(name):
        try:
            found.append(JvmPoint(line["t"], jvm_heap_of(line["hsperf"]), line["anon"]))
        except ParseError:
            assert line["t"] < 3, "only a JVM that starts may have no counters"
    return tuple(found)

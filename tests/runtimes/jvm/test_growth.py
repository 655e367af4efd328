"""Verdicts on recorded runs of real JVMs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.runtimes.jvm.growth import JvmPoint, JvmVerdict, MappedHeap, break_down_jvm, judge_jvm
from memtop.runtimes.jvm.heap import JvmHeap
from tests.lab.points import jvm_points, lines

MIB = 1 << 20
TRUTH = {
    "jvm_leak": JvmVerdict.LEAK,
    "jvm_leak_serial": JvmVerdict.LEAK,
    "jvm_steady": JvmVerdict.PRESSURE,
    "jvm_steady_serial": JvmVerdict.STEADY,
    "jvm_small": JvmVerdict.HEAP_FULL,
}
BASE = jvm_points("jvm_steady_serial")[-1].heap


@pytest.mark.parametrize("name", TRUTH)
def test_each_real_jvm_gets_the_verdict_it_deserves(name: str) -> None:
    growth = judge_jvm(jvm_points(name))
    assert growth.verdict is TRUTH[name]
    assert growth.live_bytes is not None


@pytest.mark.parametrize("name", ["jvm_steady", "jvm_steady_serial", "jvm_small"])
def test_a_jvm_that_does_not_leak_is_never_said_to_on_the_way(name: str) -> None:
    points = jvm_points(name)
    verdicts = {judge_jvm(points[:seconds]).verdict for seconds in range(1, len(points) + 1)}
    assert verdicts == {JvmVerdict.WAITING, TRUTH[name]}


def test_the_slope_of_a_leak_is_that_of_its_source() -> None:
    """10 arrays of 1 KiB each 5 ms, less what a pause of 5 ms takes longer."""
    for name in ("jvm_leak", "jvm_leak_serial"):
        slope = judge_jvm(jvm_points(name)).live_bytes_per_s
        assert slope is not None
        assert 1.2 * MIB < slope < 2.6 * MIB


def test_what_a_steady_jvm_keeps_is_its_cache() -> None:
    live = judge_jvm(jvm_points("jvm_steady_serial")).live_bytes
    assert live == pytest.approx(2000 * 16 * 1024, rel=0.1)


def curve(seconds: int, **figures: Any) -> list[JvmPoint]:
    """A JVM once a second; figures are numbers, or functions of the second."""
    found = []
    for second in range(seconds):
        now = {name: value(second) if callable(value) else value for name, value in figures.items()}
        anon = now.pop("anon_bytes", 300 * MIB)
        found.append(JvmPoint(float(second), BASE._replace(**now), anon))
    return found


def test_an_old_generation_that_only_rises_is_no_leak_before_it_was_collected() -> None:
    points = curve(
        100, major_gcs=0, young_gcs=lambda t: 2 * t, heap_used_bytes=lambda t: (20 + t) * MIB, eden_used_bytes=0
    )
    assert judge_jvm(points).verdict is JvmVerdict.WAITING


def test_classes_that_are_loaded_for_ever_are_named() -> None:
    points = curve(60, metaspace_used_bytes=lambda t: (50 + t) * MIB)
    assert judge_jvm(points).verdict is JvmVerdict.METASPACE


def test_what_is_committed_for_classes_has_ram_behind_it_whatever_is_used_of_it() -> None:
    """A JDK 17 with 40,000 class loaders: metaspace 68 MiB used, 236 committed, RES of the mappings 244."""
    heap = BASE._replace(metaspace_used_bytes=68 * MIB, metaspace_capacity_bytes=236 * MIB)
    parts = break_down_jvm(heap, 480 * MIB, 460 * MIB)
    assert parts.metaspace_bytes == 236 * MIB
    assert parts.native_bytes == 460 * MIB - 236 * MIB - heap.heap_used_bytes


def test_threads_that_are_started_for_ever_are_named() -> None:
    assert judge_jvm(curve(60, threads=lambda t: 30 + 3 * t)).verdict is JvmVerdict.THREAD_LEAK


def test_native_memory_that_grows_beside_a_steady_heap_is_named() -> None:
    points = curve(
        60, young_gcs=lambda t: 100 + 2 * t, major_gcs=lambda t: 10 + t, anon_bytes=lambda t: (350 + 3 * t) * MIB
    )
    assert judge_jvm(points).verdict is JvmVerdict.OUTSIDE


def test_another_jvm_under_the_same_pid_begins_anew() -> None:
    points = curve(40, started_s=lambda t: 1.0 if t < 35 else 2.0)
    assert judge_jvm(points).span_s == 4


def test_no_points_are_waited_for() -> None:
    assert judge_jvm([]).verdict is JvmVerdict.WAITING


def test_parts_of_recorded_jvms_add_up_to_res() -> None:
    for name in TRUTH:
        for line, point in zip(lines(name)[-20:], jvm_points(name)[-20:], strict=True):
            parts = break_down_jvm(point.heap, line["rss"], line["anon"])
            assert sum(getattr(parts, each) for each in PARTS) == line["rss"]
            assert not parts.notable_native


PARTS = ("live_bytes", "garbage_bytes", "unused_bytes", "metaspace_bytes", "native_bytes", "files_bytes", "again_bytes")
ANY = st.integers(0, 1 << 40)


def test_res_far_beyond_the_heap_is_notable() -> None:
    assert break_down_jvm(BASE, 900 * MIB, 880 * MIB).notable_native


@given(
    ANY,
    ANY,
    st.none() | ANY,
    st.none() | ANY,
    st.none() | st.builds(MappedHeap, ANY, ANY),
    st.sampled_from(("UseZGC", "UseG1GC", None)),
)
def test_parts_add_up_whatever_the_kernel_says(  # noqa: PLR0917 (one strategy each)
    rss: int, anon: int, live: int | None, shmem: int | None, mapped: MappedHeap | None, collector: str | None
) -> None:
    heap: JvmHeap = BASE._replace(collector=collector)
    parts = break_down_jvm(heap, rss, anon, live, shmem_bytes=shmem, mapped=mapped)
    assert sum(getattr(parts, each) for each in PARTS) == rss
    assert min(getattr(parts, each) for each in PARTS) >= 0
    assert (parts.not_resident_bytes or 0) >= 0


def test_a_heap_that_is_mapped_three_times_is_in_ram_once() -> None:
    """ZGC of JDK 17: "RES 520 MiB = live heap 21 + binary and files 498"."""
    heap = BASE._replace(collector="UseZGC", heap_used_bytes=150 * MIB, heap_capacity_bytes=378 * MIB)
    mapped = MappedHeap(rss_bytes=470 * MIB, own_bytes=170 * MIB)
    parts = break_down_jvm(heap, 520 * MIB, 20 * MIB, 100 * MIB, shmem_bytes=470 * MIB, mapped=mapped)
    assert (parts.live_bytes, parts.garbage_bytes, parts.unused_bytes) == (100 * MIB, 50 * MIB, 20 * MIB)
    assert (parts.again_bytes, parts.files_bytes) == (300 * MIB, 30 * MIB)
    assert parts.not_resident_bytes == 208 * MIB
    unread = break_down_jvm(heap, 520 * MIB, 20 * MIB, 100 * MIB, shmem_bytes=470 * MIB)
    assert (unread.again_bytes, unread.not_resident_bytes) == (92 * MIB, None)
    assert not unread.notable_native


def test_committed_memory_of_an_idle_heap_is_not_resident() -> None:
    heap = BASE._replace(heap_used_bytes=3 * MIB, heap_capacity_bytes=20 * MIB, collector="UseSerialGC")
    parts = break_down_jvm(heap, 40 * MIB, 25 * MIB, 2 * MIB, mapped=MappedHeap(3 * MIB + 4096, 3 * MIB + 4096))
    assert parts.unused_bytes == 4096 and parts.split
    unread = break_down_jvm(heap, 40 * MIB, 25 * MIB, 2 * MIB)
    assert (unread.unused_bytes, unread.split) == (0, False), "free heap and native memory are not told apart"


@pytest.mark.parametrize(("name", "seconds", "may_rise"), [("jvm_steady_serial", 60, True), ("jvm_steady", 60, False)])
def test_floors_that_scatter_are_not_called_level(name: str, seconds: int, *, may_rise: bool) -> None:
    """Those of the first may rise by as much as they hold, for all that they show."""
    growth = judge_jvm(jvm_points(name)[:seconds])
    assert growth.may_rise is may_rise
    assert growth.verdict in (JvmVerdict.STEADY, JvmVerdict.PRESSURE)


LEAKS_MIB = (54, 106, 140, 112, 108, 110)
"""Use after each collection of ZGC, 17 s apart, of a program that leaks 0.6 MiB/s: pages that are partly garbage
count."""


@pytest.mark.parametrize(
    ("used_mib", "may_rise"),
    [
        (LEAKS_MIB, True),
        (tuple(reversed(LEAKS_MIB)), True),
        ((100, 104, 98, 101, 103, 99), False),
        ((5, 7, 4, 6, 5, 7) * 2, False),
    ],
)
def test_few_floors_that_scatter_leave_it_open_whichever_way_they_seem_to_go(
    used_mib: tuple[int, ...], *, may_rise: bool
) -> None:
    points = [
        JvmPoint(17.0 * n, BASE._replace(major_gcs=3 * n, heap_used_bytes=used * MIB, eden_used_bytes=None))
        for n, used in enumerate(used_mib, 1)
    ]
    growth = judge_jvm(points)
    assert (growth.verdict, growth.may_rise) == (JvmVerdict.STEADY, may_rise)

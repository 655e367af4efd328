"""The limits that a JVM sets itself, and the time until its heap is full, on recorded runs of real JVMs."""

from __future__ import annotations

import pytest

from memtop.runtimes.jvm.ceilings import jvm_ceilings
from memtop.runtimes.jvm.flags import JvmFlags, parse_jvm_flags
from memtop.runtimes.jvm.growth import JvmPoint, JvmVerdict, judge_jvm
from memtop.runtimes.jvm.tracker import JvmTracker
from memtop.runtimes.view import KernelFigures, Shown
from tests.lab.points import jvm_points

MIB = 1 << 20
GIVEN = JvmFlags(max_heap_bytes=256 * MIB)


@pytest.mark.parametrize("name", ["jvm_leak", "jvm_leak_serial"])
def test_a_leak_is_forecast_to_the_maximum_of_its_heap(name: str) -> None:
    points = jvm_points(name)
    heap, growth = points[-1].heap._replace(flags=GIVEN, heap_max_bytes=256 * MIB), judge_jvm(points)
    ceiling = jvm_ceilings(heap, None, growth)[0]
    assert (ceiling.name, ceiling.limit_bytes, ceiling.may_be_met) == ("-Xmx heap", 256 * MIB, True)
    assert ceiling.span_s is not None and growth.live_bytes is not None and growth.live_bytes_per_s is not None
    early, late = ceiling.span_s
    assert early < (256 * MIB - growth.live_bytes) / growth.live_bytes_per_s < late


def test_a_jvm_whose_heap_is_level_is_not_said_to_rise_to_its_maximum() -> None:
    points = jvm_points("jvm_steady_serial")
    ceiling = jvm_ceilings(points[-1].heap, GIVEN, judge_jvm(points))[0]
    assert (ceiling.span_s, ceiling.may_be_met) == (None, False)


def test_the_metaspace_is_a_ceiling_where_it_has_a_limit() -> None:
    points = jvm_points("jvm_steady_serial")
    flags = JvmFlags(max_metaspace_bytes=64 * MIB)
    names = [one.name for one in jvm_ceilings(points[-1].heap._replace(flags=flags), None, judge_jvm(points))]
    assert names[1:] == ["MaxMetaspaceSize", "CompressedClassSpaceSize"]


def many_loaders(second: int) -> JvmPoint:
    """A real JDK 17 whose class loaders have one class each: 29 % of what it commits for classes is in use."""
    heap = jvm_points("jvm_steady_serial")[-1].heap._replace(
        metaspace_used_bytes=round((10 + 0.29 * second) * MIB),
        metaspace_capacity_bytes=(30 + second) * MIB,
        class_space_capacity_bytes=round((10 + second / 3) * MIB),
        class_space_max_bytes=128 * MIB,
    )
    return JvmPoint(float(second), heap, (100 + 2 * second) * MIB)


def test_what_is_committed_for_classes_is_what_their_limits_are_about() -> None:
    points = [many_loaders(second) for second in range(60)]
    growth = judge_jvm(points)
    assert growth.verdict is JvmVerdict.METASPACE
    flags = JvmFlags(max_metaspace_bytes=150 * MIB)
    metaspace, class_space = jvm_ceilings(points[-1].heap, flags, growth)[1:]
    assert (metaspace.used_bytes, metaspace.may_be_met) == (89 * MIB, True)
    assert metaspace.span_s is not None and class_space.span_s is not None
    assert metaspace.span_s[0] < 61 < metaspace.span_s[1]
    assert (class_space.limit_bytes, class_space.used_bytes) == (128 * MIB, points[-1].heap.class_space_capacity_bytes)
    assert class_space.span_s[0] < 295 < class_space.span_s[1]
    assert [metaspace.of_rise, class_space.of_rise] == pytest.approx([1 / 2, 1 / 6], rel=0.05)


def test_a_permanent_generation_has_a_maximum_too() -> None:
    heap = jvm_points("jvm_steady_serial")[-1].heap._replace(
        metaspace_used_bytes=60 * MIB,
        metaspace_capacity_bytes=64 * MIB,
        class_space_max_bytes=None,
        permanent_max_bytes=82 * MIB,
    )
    ceiling = jvm_ceilings(heap, None, judge_jvm([]))[-1]
    assert (ceiling.name, ceiling.limit_bytes, ceiling.used_bytes) == ("MaxPermSize", 82 * MIB, 64 * MIB)


def test_without_counters_the_limits_are_named_as_not_looked_at_and_the_flag_that_hides_them_is_said() -> None:
    tracker = JvmTracker()
    tracker.started_with(["java", "-Xmx512m", "-XX:MaxDirectMemorySize=64m", "-XX:+PerfDisableSharedMem", "-jar", "a"])
    kernel = KernelFigures(pid=42, rss_bytes=MIB, anon_bytes=MIB)
    facts = tracker.finding_facts(kernel, 0.0, fresh=False)
    assert facts is not None
    assert facts.not_looked_at == (
        "how full its heap is (-Xmx 512 MiB)",
        "how full its direct memory is (MaxDirectMemorySize of 64.0 MiB)",
    )
    shown = tracker.view(Shown(at_s=0.0, kernel=kernel, trouble="it has no counters"))
    assert shown.trouble == "it writes no counters to a file: -XX:+PerfDisableSharedMem is in its command line"


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["-XX:-UsePerfData"], "-XX:-UsePerfData"),
        (["-XX:+PerfDisableSharedMem"], "-XX:+PerfDisableSharedMem"),
        (["-XX:-UsePerfData", "-XX:+UsePerfData"], None),
        (["-Xmx1g"], None),
    ],
)
def test_the_flag_that_switches_the_counters_off_is_known(arguments: list[str], flag: str | None) -> None:
    assert parse_jvm_flags(arguments).counters_off_by == flag


def test_before_old_objects_were_examined_the_time_follows_from_what_survives() -> None:
    points = jvm_points("jvm_steady_serial")[:5]
    heap, growth = points[-1].heap._replace(heap_max_bytes=256 * MIB), judge_jvm(points)
    assert growth.verdict is JvmVerdict.WAITING
    unknown = jvm_ceilings(heap, GIVEN, growth)[0]
    assert (unknown.span_s, unknown.may_be_met) == (None, True)
    known = jvm_ceilings(heap, GIVEN, growth, MIB)[0].span_s
    assert known is not None
    assert known[0] < (256 * MIB - heap.tenured_bytes) / MIB < known[1]


def test_a_heap_without_eden_is_as_full_as_after_its_latest_collections() -> None:
    points = jvm_points("jvm_steady_serial")
    heap = points[-1].heap._replace(heap_used_bytes=200 * MIB, eden_used_bytes=None, heap_max_bytes=256 * MIB)
    growth = judge_jvm(points)._replace(live_bytes=40 * MIB)
    assert jvm_ceilings(heap, GIVEN, growth)[0].used_bytes == 40 * MIB
    assert jvm_ceilings(heap, GIVEN, growth._replace(live_bytes=None))[0].used_bytes == 200 * MIB

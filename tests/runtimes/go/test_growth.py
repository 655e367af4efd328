"""Verdicts on recorded runs of real Go programs, and on curves that were made up to mislead."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.growth import GoGrowth, GoPoint, GoVerdict, go_cycles, judge_go, limit_governs
from memtop.runtimes.go.heap import GoHeap, MetricsFormat
from tests.lab.points import go_points
from tests.lab.record import RUNS

MIB = 1 << 20
TRUTH = {
    "leak": GoVerdict.LEAK_OBJECTS,
    "bigger": GoVerdict.BIGGER_OBJECTS,
    "churn": GoVerdict.PRESSURE,
    "churn_low_limit": GoVerdict.PRESSURE,
    "steady": GoVerdict.STEADY,
    "goroutines": GoVerdict.GOROUTINE_LEAK,
    "goroutines_text": GoVerdict.GOROUTINE_LEAK,
    "outside": GoVerdict.OUTSIDE,
    "returned": GoVerdict.PRESSURE,
    "returned_free": GoVerdict.PRESSURE,
    "text": GoVerdict.LEAK_OBJECTS,
    "client": GoVerdict.PRESSURE,
}
"""What the program does, as its source says."""


def go_settings(name: str) -> GoSettings:
    environ = RUNS[name].environ
    return GoSettings(environ.get("GOGC"), environ.get("GOMEMLIMIT"), environ.get("GODEBUG"))


def judged(name: str, seconds: int | None = None) -> GoGrowth:
    return judge_go(go_points(name)[:seconds], go_settings(name))


@pytest.mark.parametrize("name", TRUTH)
def test_each_real_program_gets_the_verdict_it_deserves_and_no_other_on_the_way(name: str) -> None:
    points = go_points(name)
    verdicts = [judge_go(points[:seconds], go_settings(name)).verdict for seconds in range(1, len(points) + 1)]
    first = next(place for place, verdict in enumerate(verdicts) if verdict is not GoVerdict.WAITING)
    assert first <= 25
    assert set(verdicts[first:]) == {TRUTH[name]}


def test_the_numbers_of_a_leak_are_those_of_its_source() -> None:
    growth = judged("leak")
    assert growth.live_bytes_per_s == pytest.approx(160 * 50 * 540, rel=0.15)
    assert growth.objects_per_s == pytest.approx(160 * 50 * 3, rel=0.15)
    assert judged("goroutines").goroutines_per_s == pytest.approx(100, rel=0.1)
    assert judged("outside").outside_bytes_per_s == pytest.approx(2.5 * MIB, rel=0.1)
    assert judged("churn").alloc_bytes_per_s == pytest.approx(200 * MIB, rel=0.1)


def test_a_limit_that_is_too_low_shows_as_a_storm() -> None:
    growth = judged("churn_low_limit")
    assert growth.gc_per_s is not None
    assert growth.gc_per_s > 50
    assert growth.minflt_per_s is not None
    assert growth.minflt_per_s > 10_000


def heap(alloc: float, gc: int | None, **more: float) -> GoHeap:
    figures: dict[str, float] = {"heap_sys_bytes": 400 * MIB, "heap_objects": 1000} | more
    return GoHeap(MetricsFormat.EXPVAR, heap_alloc_bytes=int(alloc), num_gc=gc, **figures)  # type: ignore[arg-type]


def saw(seconds: int, gc_per_s: float, live: float, goal: bool, **more: float) -> list[GoPoint]:
    """A constant live heap under a saw, sampled once a second."""
    found = []
    for second in range(seconds):
        phase = second * gc_per_s
        told = more | ({"next_gc_bytes": 2 * live} if goal else {})
        found.append(GoPoint(second, heap(live * (1 + phase % 1), int(phase) + 1, **told)))
    return found


@pytest.mark.parametrize("gc_per_s", [0.2, 0.21, 0.33, 0.49, 0.51, 0.97, 1.02, 2.97, 3.01, 7.99, 50.03])
@pytest.mark.parametrize("goal", [True, False])
def test_the_beat_of_samples_on_a_fast_saw_is_no_leak(gc_per_s: float, goal: bool) -> None:
    points = saw(90, gc_per_s, 64.0 * MIB, goal)
    for seconds in range(20, 91, 5):
        assert not judge_go(points[:seconds]).verdict.growing


def test_the_same_beat_would_be_taken_for_a_leak_by_its_lowest_points_alone() -> None:
    lowest = [cycle.live_bytes for cycle in go_cycles(saw(90, 3.01, 64.0 * MIB, goal=False))]
    assert lowest == sorted(lowest)
    assert lowest[-1] > 1.5 * lowest[0]


def test_fewer_than_five_collections_are_waited_for_however_steep_the_rise() -> None:
    points = [GoPoint(second, heap(second * 10.0 * MIB, second // 15)) for second in range(60)]
    assert judge_go(points).verdict is GoVerdict.WAITING


def test_a_start_that_fills_its_tables_is_no_leak() -> None:
    points = [
        GoPoint(
            second,
            heap(min(second, 15) * 20.0 * MIB + MIB, second + 1, next_gc_bytes=(min(second, 15) * 40 + 8.0) * MIB),
        )
        for second in range(60)
    ]
    assert not any(judge_go(points[:seconds]).verdict.growing for seconds in range(1, 61))


def test_a_restart_begins_anew() -> None:
    points = [GoPoint(second, heap((50 + second) * MIB, second % 40 + 1, mallocs=second % 40)) for second in range(45)]
    growth = judge_go(points)
    assert growth.span_s == 4
    assert growth.verdict is GoVerdict.WAITING


def test_without_numgc_the_drops_of_heap_alloc_are_the_collections() -> None:
    points = [GoPoint(float(second), heap((30 + second % 4) * MIB, None)) for second in range(60)]
    growth = judge_go(points)
    assert len(growth.cycles) == 14
    assert growth.verdict is GoVerdict.STEADY


def test_no_points_and_one_point_are_waited_for() -> None:
    assert judge_go([]).verdict is GoVerdict.WAITING
    assert judge_go([GoPoint(0.0, heap(MIB, 3))]).verdict is GoVerdict.WAITING
    assert judge_go([GoPoint(0.0, GoHeap(MetricsFormat.TEXT, sys_bytes=5))]).cycles == ()


def test_the_live_heap_comes_from_the_goal_unless_a_limit_governs_it() -> None:
    point = GoPoint(0.0, heap(100 * MIB, 3, next_gc_bytes=150 * MIB))
    assert go_cycles([point])[0].live_bytes == 75 * MIB
    assert go_cycles([point], GoSettings(gogc="50"))[0].live_bytes == 100 * MIB
    assert go_cycles([point], GoSettings(gogc="off"))[0].live_bytes == 100 * MIB
    limited = heap(100 * MIB, 3, next_gc_bytes=110 * MIB, sys_bytes=120 * MIB, heap_released_bytes=0)
    assert limit_governs(limited, GoSettings(gomemlimit="125MiB"))
    assert go_cycles([GoPoint(0.0, limited)], GoSettings(gomemlimit="125MiB"))[0].live_bytes == 100 * MIB
    assert not limit_governs(limited, GoSettings(gomemlimit="1GiB"))


def test_a_leak_under_a_governing_limit_is_seen_though_the_goal_stands_still() -> None:
    told = {"next_gc_bytes": 300.0 * MIB, "sys_bytes": 310 * MIB, "heap_released_bytes": 0}
    points = [
        GoPoint(
            t,
            heap(
                (100 + 2 * t) * MIB,
                t + 1,
                heap_objects=10_000 + 200 * t,
                **{k: v for k, v in told.items() if k != "heap_objects"},
            ),
        )
        for t in range(60)
    ]
    assert judge_go(points, GoSettings(gomemlimit="310MiB")).verdict is GoVerdict.LEAK_OBJECTS


def test_noise_on_a_flat_floor_is_hardly_ever_a_leak() -> None:
    chance = random.Random(7)
    wrong = 0
    for _ in range(200):
        points = [GoPoint(t, heap(64 * MIB * (1 + 0.3 * chance.random()), t + 1)) for t in range(60)]
        wrong += judge_go(points).verdict.growing
    assert wrong <= 2


figure = st.none() | st.integers(0, 1 << 40)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            GoHeap,
            st.just(MetricsFormat.EXPVAR),
            heap_alloc_bytes=figure,
            heap_sys_bytes=figure,
            heap_released_bytes=figure,
            sys_bytes=figure,
            heap_objects=figure,
            num_gc=figure,
            goroutines=figure,
            next_gc_bytes=st.none() | st.just(math.inf) | st.floats(0, 1e12),
        ),
        max_size=40,
    ),
    figure,
)
def test_any_figures_get_a_verdict_with_finite_numbers(heaps: list[GoHeap], anon: int | None) -> None:
    growth = judge_go([GoPoint(float(second), each, anon) for second, each in enumerate(heaps)])
    for name in ("live_bytes_per_s", "objects_per_s", "goroutines_per_s", "outside_bytes_per_s", "gc_per_s"):
        value = getattr(growth, name)
        assert value is None or math.isfinite(value)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["leak", "churn", "steady", "bigger"]), st.floats(0.5, 20))
def test_a_verdict_does_not_change_with_the_clocks_origin(name: str, shift: float) -> None:
    points = go_points(name)
    moved = [GoPoint(p.time_s + 1000 * shift, p.heap, p.anon_bytes, p.lazy_free_bytes, p.minflt) for p in points]
    assert judge_go(moved).verdict is judge_go(points).verdict

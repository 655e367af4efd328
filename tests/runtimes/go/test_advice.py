"""GOGC and GOMEMLIMIT: the formula against runs with other settings, and advice only where it is due."""

from __future__ import annotations

import math

import pytest

from memtop.analysis.limits.gomemlimit import LimitFit
from memtop.runtimes.go.advice import (
    FreedMemory,
    freed_memory,
    gogc_choices,
    heap_goal_bytes,
    judge_limit,
    knows_memory_limit,
)
from memtop.runtimes.go.breakdown import Breakdown, break_down
from memtop.runtimes.go.growth import judge_go
from memtop.runtimes.go.heap import GoHeap
from tests.lab.points import go_points, lines
from tests.runtimes.go.test_growth import go_settings

MIB = 1 << 20


def last(name: str) -> tuple[GoHeap, Breakdown]:
    line, points = lines(name)[-1], go_points(name)
    heap = points[-1].heap
    live = judge_go(points, go_settings(name)).live_bytes
    return heap, break_down(heap, line["rss"], line["anon"], line["lazy_free"], live)


@pytest.mark.parametrize("gogc", [50, 100, 200, 400])
def test_res_under_another_gogc_is_foretold_within_a_tenth(gogc: int) -> None:
    """From the run with 100, what the runs with the others then measured."""
    growth = judge_go(go_points("churn"))
    foretold = {choice.gogc_percent: choice for choice in gogc_choices(last("churn")[1], growth.alloc_bytes_per_s)}
    name = "churn" if gogc == 100 else f"churn_gogc{gogc}"
    measured = judge_go(go_points(name), go_settings(name))
    assert foretold[gogc].rss_bytes == pytest.approx(max(line["rss"] for line in lines(name)), rel=0.1)
    assert measured.gc_per_s is not None
    assert foretold[gogc].gc_per_s == pytest.approx(measured.gc_per_s, rel=0.2)


def test_the_goal_is_gos_formula() -> None:
    assert heap_goal_bytes(100 * MIB, 10 * MIB, 100) == 210 * MIB
    assert heap_goal_bytes(100 * MIB, 0, 50) == 150 * MIB
    assert heap_goal_bytes(0, 0, 200) == 8 * MIB
    assert heap_goal_bytes(1, 0, math.inf) == math.inf


def test_a_memory_limit_lowers_the_goal_but_never_below_what_is_alive() -> None:
    _, parts = last("churn")
    tight = gogc_choices(parts, gomemlimit_bytes=80.0 * MIB)
    assert max(choice.goal_bytes for choice in tight) < 80 * MIB
    assert min(choice.goal_bytes for choice in gogc_choices(parts, gomemlimit_bytes=1.0)) == parts.live_bytes


def test_memory_that_is_freed_already_is_not_part_of_what_is_foretold() -> None:
    _, parts = last("returned_free")
    assert parts.freed_bytes > 180 * MIB
    assert max(choice.rss_bytes for choice in gogc_choices(parts)) < 160 * MIB


def test_nothing_is_foretold_where_the_live_heap_is_unknown() -> None:
    assert gogc_choices(last("churn")[1]._replace(live_bytes=None)) == ()


def test_a_limit_below_the_need_is_found_by_its_storm() -> None:
    growth = judge_go(go_points("churn_low_limit"), go_settings("churn_low_limit"))
    heap, parts = last("churn_low_limit")
    advice = judge_limit(heap, parts, 70.0 * MIB, 200 * MIB, gc_per_s=growth.gc_per_s, minflt_per_s=growth.minflt_per_s)
    assert advice.fit is LimitFit.BELOW_NEED
    assert advice.need_bytes is not None
    assert advice.need_bytes > 64 * MIB
    assert advice.advised_bytes == pytest.approx(180 * MIB, rel=0.01)
    assert advice.enough


@pytest.mark.parametrize(
    ("set_bytes", "container", "fit"),
    [
        (None, 200 * MIB, LimitFit.UNKNOWN),
        (math.inf, None, LimitFit.NOT_NEEDED),
        (math.inf, 200 * MIB, LimitFit.UNSET),
        (300.0 * MIB, 200 * MIB, LimitFit.ABOVE_CONTAINER),
        (200.0 * MIB, 200 * MIB, LimitFit.ABOVE_CONTAINER),
        (180.0 * MIB, 200 * MIB, LimitFit.FITS),
        (180.0 * MIB, None, LimitFit.FITS),
    ],
)
def test_how_a_limit_suits_its_container(set_bytes: float | None, container: int | None, fit: LimitFit) -> None:
    heap, parts = last("churn")
    assert judge_limit(heap, parts, set_bytes, container, gc_per_s=3.0).fit is fit


def test_a_limit_of_the_metrics_comes_before_that_of_the_environment() -> None:
    heap, parts = last("churn")
    known = heap._replace(gomemlimit_bytes=180.0 * MIB)
    assert judge_limit(known, parts, math.inf, 200 * MIB).fit is LimitFit.FITS


def test_without_a_limit_a_goal_near_the_containers_is_told_apart_from_one_that_is_far() -> None:
    heap, parts = last("churn")
    assert judge_limit(heap, parts, math.inf, 150 * MIB).near
    assert not judge_limit(heap, parts, math.inf, 500 * MIB).near
    assert not judge_limit(heap, parts, 100.0 * MIB, 150 * MIB).near


def test_what_is_outside_of_go_and_of_others_is_taken_off_the_advice() -> None:
    heap, parts = last("churn")
    more = parts._replace(outside_bytes=50 * MIB)
    assert judge_limit(heap, more, math.inf, 200 * MIB, others_bytes=20 * MIB).advised_bytes == 110 * MIB
    small = judge_limit(heap, parts, math.inf, 40 * MIB)
    assert small.enough is False


@pytest.mark.parametrize(
    ("release", "setting", "freed"),
    [
        ((1, 11), None, FreedMemory.DONTNEED),
        ((1, 11), "0", FreedMemory.DONTNEED),
        ((1, 12), None, FreedMemory.FREE),
        ((1, 15), None, FreedMemory.FREE),
        ((1, 15), "1", FreedMemory.DONTNEED),
        ((1, 16), None, FreedMemory.DONTNEED),
        ((1, 25), "0", FreedMemory.FREE),
        ((1, 25), "x", FreedMemory.DONTNEED),
        (None, None, FreedMemory.UNKNOWN),
        (None, "0", FreedMemory.FREE),
    ],
)
def test_what_becomes_of_freed_memory(release: tuple[int, int] | None, setting: str | None, freed: FreedMemory) -> None:
    assert freed_memory(release, setting) is freed


def test_gomemlimit_came_with_1_19() -> None:
    assert [knows_memory_limit(release) for release in ((1, 18), (1, 19), None)] == [False, True, None]

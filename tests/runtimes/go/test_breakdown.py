"""Parts of RES, identities of MemStats, and whose metrics these are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.runtimes.go.breakdown import Breakdown, Identity, Whose, break_down, held_bytes, identities, whose
from memtop.runtimes.go.growth import judge_go
from memtop.runtimes.go.heap import GoHeap, MetricsFormat
from memtop.runtimes.go.metrics import parse_go_metrics
from tests.lab.points import DATA, go_points, lines

MIB = 1 << 20
GO_RUNS = sorted(path.name.partition(".")[0] for path in DATA.glob("[!j]*.ndjson.gz"))


def parts(found: Breakdown) -> int:
    named = (found.live_bytes, found.garbage_bytes, found.idle_bytes, found.stacks_bytes, found.runtime_bytes)
    rest = found.freed_bytes + found.files_bytes + (found.outside_bytes or 0) + found.unaccounted_bytes
    return sum(part or 0 for part in named) + rest


def last(name: str) -> Breakdown:
    line, points = lines(name)[-1], go_points(name)
    return break_down(points[-1].heap, line["rss"], line["anon"], line["lazy_free"], judge_go(points).live_bytes)


@pytest.mark.parametrize("name", GO_RUNS)
def test_the_identities_hold_in_every_recorded_reading(name: str) -> None:
    for line in lines(name):
        checks = identities(parse_go_metrics(line["body"].encode()))
        assert len(checks) >= 2
        assert all(check.holds for check in checks)


@pytest.mark.parametrize("name", GO_RUNS)
def test_the_parts_of_every_recorded_second_add_up_to_res(name: str) -> None:
    for line in lines(name):
        found = break_down(parse_go_metrics(line["body"].encode()), line["rss"], line["anon"], line["lazy_free"])
        assert parts(found) == line["rss"]


def test_memory_mapped_beside_the_heap_is_found_to_the_mebibyte() -> None:
    found = last("outside")
    assert found.outside_bytes == pytest.approx(44 * 10 * 256 * 1024 - 8 * MIB, rel=0.05)
    assert found.notable_outside


@pytest.mark.parametrize("name", ["leak", "churn", "steady", "client", "returned_free"])
def test_programs_without_such_memory_have_none_and_miss_only_the_untouched_tables(name: str) -> None:
    found = last(name)
    assert not found.notable_outside
    assert found.residual_bytes is not None
    assert -12 * MIB < found.residual_bytes < MIB


def test_memory_given_back_leaves_res_at_once_or_stays_as_lazy_free() -> None:
    gone, waiting = last("returned"), last("returned_free")
    assert gone.returned_bytes is not None
    assert gone.returned_bytes > 200 * MIB
    assert gone.rss_bytes < 120 * MIB
    assert gone.freed_bytes == 0
    assert waiting.rss_bytes > 280 * MIB
    assert waiting.freed_bytes > 180 * MIB
    assert waiting.rss_bytes - waiting.freed_bytes < 120 * MIB


def test_a_program_that_tells_little_leaves_a_part_unaccounted_and_says_nothing_of_the_outside() -> None:
    found = last("text")
    assert (found.idle_bytes, found.runtime_bytes, found.outside_bytes, found.residual_bytes) == (None,) * 4
    assert found.unaccounted_bytes > 0


FULL = parse_go_metrics(lines("steady")[-1]["body"].encode())


def test_a_figure_that_is_changed_breaks_its_identity_and_no_other() -> None:
    assert FULL.gc_sys_bytes is not None
    broken = [check for check in identities(FULL._replace(gc_sys_bytes=FULL.gc_sys_bytes + 5)) if not check.holds]
    assert [(check.identity, check.residual) for check in broken] == [(Identity.SYS_IS_THE_SUM, -5)]


def test_numbers_that_were_written_with_two_decimals_may_be_off_by_as_much() -> None:
    heap = GoHeap(MetricsFormat.TEXT, heap_sys_bytes=30_000, heap_inuse_bytes=10_000, heap_idle_bytes=10_000)
    assert not identities(heap)[0].holds
    assert identities(heap._replace(rounding_bytes=10_486))[0].holds


def test_large_slices_that_were_never_written_are_not_in_ram() -> None:
    heap = FULL._replace(heap_alloc_bytes=800 * MIB, heap_inuse_bytes=800 * MIB, heap_sys_bytes=803 * MIB)
    found = break_down(heap, 328 * MIB, 323 * MIB)
    assert found.not_resident_bytes > 450 * MIB
    assert found.outside_bytes == 0
    assert parts(found) == 328 * MIB


def test_whose_metrics_they_are() -> None:
    heap = GoHeap(MetricsFormat.PROMETHEUS, sys_bytes=80 * MIB, resident_bytes=100 * MIB, start_time_s=1000.0)
    assert whose(heap, 105 * MIB, 800 * MIB, 1001.0) is Whose.SAME
    assert whose(heap, 105 * MIB, 800 * MIB, 2000.0) is Whose.OTHER_START
    assert whose(heap, 500 * MIB, 800 * MIB, 1000.0) is Whose.OTHER_SIZE
    assert whose(heap, 105 * MIB, 70 * MIB, 1000.0) is Whose.TOO_LARGE
    assert whose(heap, None, None, None) is Whose.SAME


def test_each_recorded_programs_metrics_are_its_own() -> None:
    for name in GO_RUNS:
        for line in lines(name):
            assert whose(parse_go_metrics(line["body"].encode()), line["rss"], line["virt"]) is Whose.SAME


size = st.none() | st.integers(0, 1 << 40)


@given(
    st.builds(
        GoHeap,
        st.just(MetricsFormat.EXPVAR),
        heap_alloc_bytes=size,
        heap_sys_bytes=size,
        heap_idle_bytes=size,
        heap_inuse_bytes=size,
        heap_released_bytes=size,
        stack_inuse_bytes=size,
        stack_sys_bytes=size,
        sys_bytes=size,
    ),
    st.integers(0, 1 << 40),
    st.integers(0, 1 << 40),
    st.integers(0, 1 << 40),
    size,
)
def test_the_parts_of_any_figures_add_up_and_none_is_negative(
    heap: GoHeap, rss: int, anon: int, lazy: int, live: int | None
) -> None:
    found = break_down(heap, rss, anon, lazy, live)
    assert parts(found) == rss
    assert min(getattr(found, name) or 0 for name in found._fields if name != "residual_bytes") >= 0
    assert (held_bytes(heap) is None) == (found.residual_bytes is None)

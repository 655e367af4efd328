"""Rows as a tree: totals, folding, and parents that make no sense."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from memtop.engine.process_tree import descendants, grow
from memtop.process_key import ProcessKey
from tests.rows import MIB, proc_row

NONE = frozenset[ProcessKey]()


def test_children_stand_below_their_parent_in_the_order_given() -> None:
    rows = [proc_row(30, ppid=10), proc_row(10, ppid=1), proc_row(20, ppid=10), proc_row(40, ppid=20)]
    shown, places = grow(rows, NONE)
    assert [row.pid for row in shown] == [10, 30, 20, 40]
    assert [place.depth for place in places] == [0, 1, 1, 2]
    assert [place.prefix for place in places] == ["", "├─ ", "└─ ", "   └─ "]
    assert [place.has_children for place in places] == [True, False, True, False]


def test_the_sum_of_res_is_never_less_than_that_of_pss_and_pss_is_known_only_as_a_whole() -> None:
    """Relatives that map different files: the sum of ANON and the largest SHR was too low, and called a lower bound."""
    rows = [
        proc_row(10, ppid=1, rss_bytes=15 * MIB, virt_bytes=100 * MIB, pss_bytes=12 * MIB),
        proc_row(20, ppid=10, rss_bytes=28 * MIB, virt_bytes=200 * MIB, pss_bytes=28 * MIB),
        proc_row(30, ppid=20, rss_bytes=32 * MIB, virt_bytes=300 * MIB, pss_bytes=30 * MIB),
    ]
    _, places = grow(rows, NONE)
    assert [place.rss_bytes for place in places] == [75 * MIB, 60 * MIB, 32 * MIB]
    assert [place.pss_bytes for place in places] == [70 * MIB, 58 * MIB, 30 * MIB]
    assert [place.virt_bytes for place in places] == [600 * MIB, 500 * MIB, 300 * MIB]
    _, places = grow([rows[0], rows[1]._replace(pss_bytes=None), rows[2]], NONE)
    assert [place.pss_bytes for place in places] == [None, None, 30 * MIB]


def test_unknown_is_left_out_of_totals_and_a_subtree_of_which_nothing_is_known_is_unknown() -> None:
    unknown = {"anon_bytes": None, "shr_bytes": None, "virt_bytes": None, "rss_bytes": None}
    _, places = grow([proc_row(10, **unknown), proc_row(20, ppid=10, rss_bytes=8, virt_bytes=9)], NONE)
    assert [(place.rss_bytes, place.virt_bytes) for place in places] == [(8, 9), (8, 9)]
    _, places = grow([proc_row(10, **unknown)], NONE)
    assert (places[0].rss_bytes, places[0].virt_bytes) == (None, None)


def test_a_folded_row_hides_what_is_below_and_keeps_its_total() -> None:
    rows = [proc_row(10, rss_bytes=1), proc_row(20, ppid=10, rss_bytes=2), proc_row(30, ppid=20)]
    shown, places = grow(rows, frozenset({rows[0].key}))
    assert [row.pid for row in shown] == [10]
    assert places[0].folded
    assert (places[0].rss_bytes or 0) > 2


def test_a_leaf_is_not_folded() -> None:
    row = proc_row(10)
    _, places = grow([row], frozenset({row.key}))
    assert not places[0].folded


def test_two_rows_that_are_each_other_s_parents_are_shown_once_each() -> None:
    shown, places = grow([proc_row(10, ppid=20), proc_row(20, ppid=10), proc_row(30, ppid=20)], NONE)
    assert [row.pid for row in shown] == [10, 20, 30]
    assert [place.depth for place in places] == [0, 1, 2]


def test_a_row_that_is_its_own_parent_is_a_root() -> None:
    shown, _ = grow([proc_row(10, ppid=10)], NONE)
    assert [row.pid for row in shown] == [10]


def test_a_process_that_has_gone_is_nobody_s_parent_though_its_pid_lives_on() -> None:
    gone = proc_row(10, ppid=20)._replace(gone_s=5.0)
    heir = proc_row(10, ppid=1, key=ProcessKey(10, 99_999))
    child = proc_row(20, ppid=10)
    shown, places = grow([gone, heir, child], NONE)
    assert [(row.key, place.depth) for row, place in zip(shown, places, strict=True)] == [
        (heir.key, 0),
        (child.key, 1),
        (gone.key, 2),
    ]
    assert descendants([gone], [gone, heir, child]) == {gone.key}


def test_descendants_are_found_at_any_depth() -> None:
    rows = [proc_row(pid, ppid=pid - 1) for pid in range(2, 3000)]
    assert descendants([rows[1000]], rows) == {row.key for row in rows[1000:]}
    shown, places = grow(rows, NONE)
    assert len(shown) == len(rows)
    assert places[-1].depth == len(rows) - 1


@given(st.dictionaries(st.integers(1, 12), st.none() | st.integers(0, 13), max_size=12), st.sets(st.integers(1, 12)))
def test_whatever_the_parents_every_row_is_shown_once_unless_it_is_below_a_folded_one(
    parents: dict[int, int | None], folded: set[int]
) -> None:
    rows = [proc_row(pid, ppid=ppid) for pid, ppid in parents.items()]
    shown, places = grow(rows, NONE)
    assert sorted(row.pid for row in shown) == sorted(parents)
    assert all(later.depth <= place.depth + 1 for place, later in pairwise(places))
    some, _ = grow(rows, frozenset(row.key for row in rows if row.pid in folded))
    assert len({row.key for row in some}) == len(some)
    assert {row.key for row in some} <= {row.key for row in shown}


def test_a_branch_stands_where_its_first_row_does() -> None:
    rows = [proc_row(50, ppid=40), proc_row(20, ppid=10), proc_row(10, ppid=1), proc_row(30, ppid=10)]
    rows += [proc_row(40, ppid=10), proc_row(60, ppid=1)]
    assert [row.pid for row in grow(rows, NONE, by_branch=True)[0]] == [10, 40, 50, 20, 30, 60]
    assert [row.pid for row in grow(rows, NONE)[0]] == [10, 20, 30, 40, 50, 60]

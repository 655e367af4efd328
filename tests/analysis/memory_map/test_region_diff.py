"""What grew since a mark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.region_diff import since
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import NOTHING, Sizes, total
from tests.analysis.memory_map.smaps_files import real_regions, written

KIB, MIB = 1 << 10, 1 << 20


@pytest.mark.parametrize(
    ("before", "now", "counts"),
    [
        (["1000-5000 rw-p 0 [heap] | rss=8"], ["1000-9000 rw-p 0 [heap] | rss=20"], (1, 1)),
        (["5000-9000 rw-p 0 [stack] | rss=8"], ["1000-9000 rw-p 0 [stack] | rss=20"], (1, 1)),
        (["1000-3000 rw-p 0 | rss=4", "5000-6000 rw-p 0 | rss=4"], ["1000-6000 rw-p 0 | rss=20"], (2, 1)),
        (["1000-9000 rw-p 0 | rss=8"], ["1000-3000 rw-p 0 | rss=4", "5000-9000 rw-p 0 | rss=16"], (1, 2)),
    ],
    ids=["heap extended upwards", "stack extended downwards", "merged", "cut in two"],
)
def test_a_mapping_is_known_again_when_it_was(before: list[str], now: list[str], counts: tuple[int, int]) -> None:
    growth = since(classify(written(*before)), classify(written(*now)))
    (change,) = growth.changes
    assert (change.count_before, change.count_now) == counts
    assert not change.is_new
    assert not change.is_gone
    assert change.delta.rss_bytes == growth.delta.rss_bytes == 12 * KIB
    assert (growth.kinds[0].new, growth.kinds[0].gone) == (0, 0)


def test_another_file_at_the_same_place_is_another_mapping() -> None:
    growth = since(
        classify(written("1000-5000 r--p 7 /var/a | rss=8")), classify(written("1000-5000 r--p 8 /var/b | rss=8"))
    )
    assert [(one.name, one.is_new, one.is_gone) for one in growth.changes] == [
        (b"/var/b", True, False),
        (b"/var/a", False, True),
    ]
    assert growth.delta == NOTHING
    assert (growth.kinds[0].new, growth.kinds[0].gone) == (1, 1)


def test_the_sentence_of_the_mark_can_be_made() -> None:
    go = "c000000000-c010000000 rw-p 0"
    stacks = [f"7f00{n:02x}000000-7f00{n:02x}800000 rw-p 0 | rss=512 | rd wr nh" for n in range(28)]
    growth = since(classify(written(f"{go} | rss=1024")), classify(written(f"{go} | rss=203776", *stacks)))
    assert growth.delta.rss_bytes == 212 * MIB
    heap, stack = growth.leading()
    assert (heap.kind, heap.delta.rss_bytes, heap.new) == (RegionKind.GO_HEAP, 198 * MIB, 0)
    assert (stack.kind, stack.delta.rss_bytes, stack.new) == (RegionKind.THREAD_STACK, 14 * MIB, 28)


def test_nothing_changed_is_nothing() -> None:
    growth = since(real_regions("jvm"), real_regions("jvm"))
    assert growth.changes == ()
    assert growth.delta == NOTHING
    assert growth.leading() == []


def test_unknown_stays_unknown() -> None:
    assert Sizes(2, 2, None, 2, 2) - Sizes(1, 1, 1, 1, 1) == Sizes(1, 1, None, 1, 1)


@st.composite
def mappings(draw: st.DrawFn) -> list[str]:
    edges = sorted(draw(st.sets(st.integers(1, 40), max_size=20)))
    name = st.sampled_from(("0", "0 [heap]", "7 /var/file"))
    perms = st.sampled_from(("rw-p", "r--p", "---p"))
    return [
        f"{start << 16:x}-{end << 16:x} {draw(perms)} {draw(name)} | rss={draw(st.integers(0, 64))}"
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]


@given(mappings(), mappings())
def test_kinds_and_mappings_add_up_to_the_whole_change(before: list[str], now: list[str]) -> None:
    if not before or not now:
        return
    mark, then = classify(written(*before)), classify(written(*now))
    growth = since(mark, then)
    assert growth.delta == then.total() - mark.total()
    assert total([one.delta for one in growth.kinds]) == growth.delta
    assert total([one.delta for one in growth.changes]) == growth.delta
    back = since(then, mark)
    assert {one.kind: (one.new, one.gone) for one in growth.kinds} == {
        one.kind: (one.gone, one.new) for one in back.kinds
    }
    for change in growth.changes:
        assert change.before != change.now

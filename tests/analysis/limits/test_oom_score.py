"""The OOM killer's arithmetic against figures measured on real kernels, and against the kernel under this test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.limits.oom_score import Candidate, badness_pages, ranking, share_permille
from memtop.procfs.meminfo import parse_meminfo
from memtop.procfs.statm import page_bytes, use_page_bytes
from memtop.procfs.status import parse_status

MIB = 1 << 20
GIB = 1 << 30
PAGE = 4096
USED = 3 * GIB + 12 * MIB
"""What the measured process held: 3 GiB and an interpreter."""


@pytest.fixture
def pages_of_4_kib() -> Iterator[None]:
    """The page size of the machine on which the figures were measured."""
    use_page_bytes(PAGE)
    yield
    use_page_bytes(None)


def oom_score(rss_bytes: int, swap_bytes: int, page_tables_bytes: int, adj: int, total_bytes: int) -> int:
    """The value of /proc/PID/oom_score for that badness, as proc_oom_score() of fs/proc/base.c computes it."""
    pages = badness_pages(rss_bytes, swap_bytes, page_tables_bytes, adj, total_bytes)
    if pages is None:
        return 0
    quotient = abs(pages * 1000) // max(1, total_bytes // page_bytes())  # C rounds towards zero
    return (1000 + (quotient if pages >= 0 else -quotient)) * 2 // 3


@pytest.mark.usefixtures("pages_of_4_kib")
@pytest.mark.parametrize(
    ("rss_bytes", "adj", "score"),
    [
        (0, 0, 666),
        (USED, 0, 750),
        (USED, 100, 816),
        (USED, 500, 1083),
        (USED, 1000, 1416),
        (0, 1000, 1332),
        (24 * GIB, 1000, 1999),
        (USED, -1000, 0),
        (USED, -500, 417),
        (0, -999, 1),
    ],
)
def test_the_score_is_the_kernels(rss_bytes: int, adj: int, score: int) -> None:
    assert oom_score(rss_bytes, 0, 0, adj, 24 * GIB) == score


def test_the_score_of_this_very_process_is_what_the_kernel_says() -> None:
    """Its memory may move between two readings, so that two equal readings of its size must enclose the score."""
    total = parse_meminfo(Path("/proc/meminfo").read_bytes())
    assert total.total_bytes is not None and total.swap_total_bytes is not None
    adj = int(Path("/proc/self/oom_score_adj").read_text())

    def size() -> tuple[int, int, int]:
        """Resident, swapped and page tables' bytes."""
        status = parse_status(Path("/proc/self/status").read_bytes())
        assert status.rss_bytes is not None and status.page_tables_bytes is not None
        return status.rss_bytes, status.swap_bytes or 0, status.page_tables_bytes

    before, score, after = size(), -1, None
    while before != after:
        before, score, after = size(), int(Path("/proc/self/oom_score").read_text()), size()
    held_bytes = total.total_bytes + total.swap_total_bytes
    # status adds up the counters of all processors (since Linux 6.2), the score takes what they have passed on: each of
    # three counters keeps up to 32 pages, or two for each processor.
    kept_bytes = 3 * page_bytes() * (os.cpu_count() or 1) * max(32, 2 * (os.cpu_count() or 1))
    resident_bytes, swap_bytes, table_bytes = before
    least, most = (
        oom_score(max(0, size_bytes), swap_bytes, table_bytes, adj, held_bytes)
        for size_bytes in (resident_bytes - kept_bytes, resident_bytes + kept_bytes)
    )
    assert least <= score <= most


def test_swap_and_page_tables_count_like_resident_memory() -> None:
    plain = badness_pages(30 * MIB, 0, 0, 0, GIB)
    assert badness_pages(10 * MIB, 10 * MIB, 10 * MIB, 0, GIB) == plain


@pytest.mark.usefixtures("pages_of_4_kib")
def test_adj_is_scaled_by_whole_thousands_of_pages() -> None:
    assert badness_pages(0, 0, 0, 7, 1999 * PAGE) == 7


@pytest.mark.parametrize(("score", "adj", "share"), [(666, 0, 0), (750, 0, 125), (1416, 1000, 125), (0, -500, 0)])
def test_the_share_takes_the_formula_apart_again(score: int, adj: int, share: int) -> None:
    assert share_permille(score, adj) == pytest.approx(share, abs=1)


def test_a_score_of_a_process_that_is_never_taken_says_nothing() -> None:
    assert share_permille(0, -1000) is None


@given(
    rss_bytes=st.integers(0, 2**45),
    swap_bytes=st.integers(0, 2**40),
    adj=st.integers(-999, 1000),
    total_bytes=st.integers(2**24, 2**45),
)
def test_the_share_is_right_to_two_per_mille(rss_bytes: int, swap_bytes: int, adj: int, total_bytes: int) -> None:
    rss_bytes = min(rss_bytes, total_bytes)
    swap_bytes = min(swap_bytes, total_bytes - rss_bytes)
    score = oom_score(rss_bytes, swap_bytes, 0, adj, total_bytes)
    share = share_permille(score, adj)
    pages = total_bytes // os.sysconf("SC_PAGE_SIZE")
    lost = abs(adj) * (pages % 1000) / pages  # adj counts whole thousands of pages
    assert share is not None
    assert abs(share - 1000 * (rss_bytes + swap_bytes) / total_bytes) <= 2.5 + lost


@pytest.mark.parametrize(("adj", "first"), [(200, 2), (500, 1)])
def test_in_a_cgroup_adj_is_scaled_to_its_limit(adj: int, first: int) -> None:
    small, large = Candidate(1, 0, 20 * MIB, 0, 0, adj), Candidate(2, 0, 50 * MIB, 0, 0, 0)
    assert oom_score(20 * MIB, 0, 0, adj, 24 * GIB) > oom_score(50 * MIB, 0, 0, 0, 24 * GIB)
    assert ranking([small, large], 100 * MIB)[0] == first


def test_the_ranking_leaves_out_who_never_dies() -> None:
    victims = ranking(
        [
            Candidate(1, 0, 900 * MIB, 0, 0, 0, exempt=True),
            Candidate(2, 0, 10 * MIB, 0, 0, 0),
            Candidate(3, 0, 800 * MIB, 0, 0, -1000),
            Candidate(4, 0, 40 * MIB, 0, 0, 0),
            Candidate(5, 0, 20 * MIB, 0, 0, -900),
        ],
        1000 * MIB,
    )
    assert victims == [4, 2, 5]


def test_of_two_equals_the_last_is_taken() -> None:
    equals = [Candidate(pid, start, 10 * MIB, 0, 0, 0) for pid, start in ((7, 50), (8, 50), (9, 40))]
    assert ranking(equals, GIB) == [8, 7, 9]


def test_nobody_to_take_is_an_empty_ranking() -> None:
    assert ranking([], GIB) == []

"""Fork relatives of a process, found through lists of children, and how much is read to find them."""

from __future__ import annotations

import pytest

from memtop.sampling.fork_relatives import ForkRelatives
from tests.fakes import FakeProcess, FakeSource

NO_PIDS = frozenset[int]()


def relatives(source: FakeSource, *pids: int) -> frozenset[int]:
    """Those that are found at once."""
    return ForkRelatives(source).of(frozenset(pids), NO_PIDS, 0.0)


def with_children(parent: FakeProcess, *children: FakeProcess) -> FakeSource:
    """They are those of the parent's first thread."""
    source = FakeSource(parent, *children)
    pids = b" ".join(b"%d" % child.pid for child in children)
    source.files[f"proc/{parent.pid}/task/{parent.pid}/children"] = pids
    return source


def test_parent_children_and_their_children_are_relatives_and_another_program_is_none() -> None:
    shell, server = FakeProcess(9, start_code=7), FakeProcess(10, ppid=9)
    worker, helper = FakeProcess(11, ppid=10), FakeProcess(12, ppid=10, start_code=7)
    source = with_children(server, worker, helper)
    source.add(shell)
    source.add(FakeProcess(13, ppid=11))
    source.files["proc/11/task/11/children"] = b"13"
    assert relatives(source, 11) == {10, 11, 13}
    assert relatives(source, 10) == {10, 11, 13}


def test_what_is_another_program_than_one_may_be_that_of_another() -> None:
    server, cache = FakeProcess(10), FakeProcess(20, ppid=10, start_code=7)
    source = with_children(server, cache)
    source.add(FakeProcess(21, ppid=20, start_code=7))
    assert relatives(source, 10, 21) == {10, 20, 21}


def test_of_a_parent_of_thousands_the_stat_of_some_hundred_is_read() -> None:
    for code in (FakeProcess(1).start_code, 7):
        workers = [FakeProcess(pid, ppid=10, start_code=code) for pid in range(11, 3000)]
        source = with_children(FakeProcess(10), *workers)
        found = relatives(source, 10)
        assert 300 < sum(path.endswith("/stat") for path in source.read_paths) < 1000
        assert (len(found) > 300) is (code != 7)


@pytest.mark.parametrize(("threads", "forks"), [(1000, 990), (1000, 2), (40, 39)])
def test_a_child_is_found_whichever_thread_forked_it_and_few_files_are_read(threads: int, forks: int) -> None:
    source = FakeSource(FakeProcess(10, threads=threads), FakeProcess(2000, ppid=10))
    source.threads[10] = list(range(10, 10 + threads))
    source.files |= {
        f"proc/10/task/{tid}/children": b"2000" if tid == 10 + forks else b"" for tid in source.threads[10]
    }
    assert relatives(source, 10) == {10, 2000}
    assert sum(path.endswith("/children") for path in source.read_paths) < 100


def test_a_thread_that_ends_while_children_are_looked_for_hides_none_of_the_others() -> None:
    source = FakeSource(FakeProcess(10, threads=3), FakeProcess(2000, ppid=10))
    source.threads[10] = [10, 11, 12]
    source.files |= {"proc/10/task/10/children": b"", "proc/10/task/12/children": b"2000"}
    assert relatives(source, 10) == {10, 2000}


def test_where_the_kernel_lists_no_children_they_are_found_by_their_parent() -> None:
    assert relatives(FakeSource(FakeProcess(10), FakeProcess(11, ppid=10)), 10) == {10, 11}

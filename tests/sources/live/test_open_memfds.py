"""The memfds that a process has open: real ones, with names that a program may give them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from memtop.errors import ProcessGone
from memtop.procfs.memfds_report import MemfdsReport, parse_memfds_report
from memtop.sources.live import LiveSource, open_memfds
from tests.children import python

KIB = 1024


@contextmanager
def memfd(name: str, size_bytes: int) -> Iterator[int]:
    descriptor = os.memfd_create(name)
    try:
        os.write(descriptor, bytes(size_bytes))
        yield descriptor
    finally:
        os.close(descriptor)


def report(pid: int) -> MemfdsReport:
    with closing(LiveSource()) as source:
        assert source.ask(f"proc/{pid}/memfds") is None
        source.settle(10.0)
        answer = source.ask(f"proc/{pid}/memfds")
    assert answer is not None
    return parse_memfds_report(answer.data)


def test_each_memfd_is_there_once_with_what_is_allocated_and_the_name_that_it_was_given(tmp_path: Path) -> None:
    with memfd("ring\n\\ \x1b[31m", 200 * KIB) as written, memfd("none", 0) as large, (tmp_path / "memfd:x").open("w"):
        os.ftruncate(large, 1 << 30)  # a size, and no memory
        again = os.dup(written)
        found = [one for one in report(os.getpid()).memfds if one.inode == os.fstat(written).st_ino]
        inodes = {one.inode for one in report(os.getpid()).memfds}
        os.close(again)
        assert [(one.size_bytes, one.name) for one in found] == [(200 * KIB, b"ring\n\\ \x1b[31m")]
        assert os.fstat(large).st_ino not in inodes


def test_what_another_process_has_written_and_never_mapped_is_found() -> None:
    with python("import os; os.write(os.memfd_create('frames'), bytes(96 << 10)); print(flush=True); input()") as child:
        found = report(child.pid)
        assert [(one.size_bytes, one.name) for one in found.memfds] == [(96 * KIB, b"frames")]
        assert not found.is_cut


def test_of_very_many_descriptors_and_memfds_some_are_looked_at_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with memfd("small", 4 * KIB), memfd("large", 64 * KIB) as large:
        monkeypatch.setattr(open_memfds, "MOST_MEMFDS", 1)
        found = report(os.getpid())
        assert found.is_cut and [one.inode for one in found.memfds] == [os.fstat(large).st_ino]
        monkeypatch.setattr(open_memfds, "MOST_DESCRIPTORS", 1)
        found = report(os.getpid())
        assert found.memfds == () and found.is_cut


def test_a_process_that_has_ended_is_gone() -> None:
    with python() as child:
        pass
    with closing(LiveSource()) as source:
        source.ask(f"proc/{child.pid}/memfds")
        source.settle(10.0)
        with pytest.raises(ProcessGone):
            source.ask(f"proc/{child.pid}/memfds")

"""Processes are listed again only when one may have come or gone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from memtop.sources.live import LiveSource
from memtop.sources.live.listed_pids import HOLDS_S, ListedPids, parse_last_pid


@pytest.fixture
def begin(tmp_path: Path) -> Callable[[int], None]:
    """Makes a process in a made-up /proc whose PIDs count as those of the machine."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/self").symlink_to(str(os.getpid()))

    def make(pid: int) -> None:
        (tmp_path / f"proc/{pid}").mkdir()
        (tmp_path / f"proc/{pid}/statm").write_bytes(b"3 2 1 0 0 0 0\n")

    make(7)
    make(42)
    return make


@pytest.fixture
def source(begin: Callable[[int], None], tmp_path: Path) -> Iterator[LiveSource]:
    source = LiveSource(str(tmp_path))
    yield source
    source.close()


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was listed."""
    listed: list[object] = []
    listdir = os.listdir

    def noted(path: int | str) -> list[str]:
        listed.append(path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", noted)
    return listed


def look(source: LiveSource) -> list[int]:
    """One instant: the list, and those of it that live."""
    source.begin()
    pids = source.pids()
    return [pid for pid, statm in zip(pids, source.sweep("statm", pids), strict=True) if statm is not None]


def test_while_no_pid_is_given_processes_are_not_listed_again(
    source: LiveSource, begin: Callable[[int], None], tmp_path: Path, lists: list[object]
) -> None:
    loadavg = tmp_path / "proc/loadavg"
    loadavg.write_bytes(b"0.1 0.1 0.1 1/80 42\n")
    assert look(source) == look(source) == [7, 42]
    loadavg.write_bytes(b"0.1 0.1 0.1 1/80 43\n")  # a thread: until one is seen, the number may be a constant
    assert look(source) == [7, 42]
    assert len(lists) == 3
    assert look(source) == look(source) == [7, 42]
    assert len(lists) == 3
    begin(44)
    loadavg.write_bytes(b"0.1 0.1 0.1 1/80 44\n")
    assert look(source) == [7, 42, 44]
    rmtree(tmp_path / "proc/7")
    assert look(source) == [42, 44], "it is found to have ended, whether it is listed or not"
    assert source.pids() == [42, 44]
    assert len(lists) == 5


def test_without_a_number_of_the_kernel_they_are_always_listed(
    source: LiveSource, begin: Callable[[int], None], tmp_path: Path
) -> None:
    for pid, text in enumerate((None, b"", b"0.00 0.00 0.00 0/0 0\n", b"1 2 3 4 5 6\n", b"0 0 0 1/1 9\n"), 100):
        if text is not None:
            (tmp_path / "proc/loadavg").write_bytes(text)
        begin(pid)
        assert pid in look(source)


def test_a_new_process_of_the_machine_is_in_the_next_list_and_an_ended_one_in_none_after_it_was_read() -> None:
    source = LiveSource()
    try:
        for _ in range(3):
            look(source)
            with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
                assert child.pid in look(source)
                assert child.pid in look(source)
            assert child.pid not in look(source)
            assert child.pid not in source.pids()
    finally:
        source.close()


def loadavg(last_pid: int) -> bytes:
    return b"0.20 0.18 0.12 1/80 %d\n" % last_pid


def test_own_threads_are_no_processes_but_more_pids_than_those_are() -> None:
    known = ListedPids()
    known.listed(loadavg(100), 0, 0.0)
    known.read(all_live=True)
    assert not known.holds(loadavg(100), 0, 0.5), "it may be a constant"
    assert known.holds(loadavg(102), 2, 1.0)
    assert known.holds(loadavg(100), 0, 1.0)
    assert not known.holds(loadavg(103), 2, 1.0)
    assert not known.holds(loadavg(101), 2, 1.0)
    assert not known.holds(loadavg(5), 0, 1.0), "PIDs have begun again"
    assert not known.holds(b"", 0, 1.0)


def test_a_list_holds_for_some_seconds_and_until_one_has_ended_or_none_was_read() -> None:
    known = ListedPids()
    known.listed(loadavg(100), 0, 10.0)
    assert not known.holds(loadavg(101), 1, 10.5), "not read since"
    known.read(all_live=True)
    assert known.holds(loadavg(101), 1, 10.5)
    assert not known.holds(loadavg(101), 1, 10.0 + HOLDS_S)
    assert not known.holds(loadavg(101), 1, 9.0), "a clock that was set back"
    known.read(all_live=False)
    assert not known.holds(loadavg(101), 1, 10.5)


def test_the_last_pid_is_the_fifth_word() -> None:
    assert parse_last_pid(b"0.20 0.18 0.12 1/80 11206\n") == 11206
    assert parse_last_pid(b"0.20 0.18 0.12 1/80 -1\n") is None

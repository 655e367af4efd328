"""Processes with one address space (vfork, CLONE_VM): found, and counted once in sums."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, MemtopError
from memtop.model.frame import Frame
from memtop.model.group import By
from memtop.sampling import same_memory
from memtop.sources.live import LiveSource
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import request

RSS = 60 * MIB_PAGES * 4096
ANSWER = "proc/43/same_memory/42"


def pair(answer: bytes | MemtopError, **child: object) -> FakeSource:
    source = FakeSource(
        FakeProcess(42, rss_pages=60 * MIB_PAGES, state="D"),
        FakeProcess(43, **{"ppid": 42, "rss_pages": 60 * MIB_PAGES} | child),  # type: ignore[arg-type]
    )
    source.files[ANSWER] = answer
    return source


def seen(source: FakeSource, by: By = By.PROGRAM, steps: int = 2) -> Frame:
    engine = Engine(source)
    for _ in range(steps):
        frame = engine.step(request(by=by))
    assert frame is not None and frame.groups is not None
    return frame


@pytest.mark.parametrize("by", [By.PROGRAM, By.USER])
@pytest.mark.parametrize(
    ("answer", "times"),
    [(b"1\n", 1), (b"0\n", 2), (AccessDenied("no"), 1)],
    ids=["shared", "forked", "looks like vfork"],
)
def test_a_group_counts_one_address_space_once(by: By, answer: bytes | MemtopError, times: int) -> None:
    (group,) = seen(pair(answer), by).groups or ()
    assert (group.members, group.rss_bytes) == (2, times * RSS)


def test_where_it_may_not_be_asked_a_parent_that_does_not_wait_is_counted_beside_its_child() -> None:
    source = pair(AccessDenied("no"))
    source.processes[42].state = "S"
    (group,) = seen(source).groups or ()
    assert group.rss_bytes == 2 * RSS


def test_a_child_that_has_executed_its_own_program_counts_for_itself() -> None:
    source = pair(b"1\n")
    engine = Engine(source)
    for _ in range(2):
        engine.step(request(by=By.PROGRAM))
    child = source.processes[43]
    child.start_code, child.virt_pages, child.rss_pages = 0x4000_0000, 9 * MIB_PAGES, 2 * MIB_PAGES
    source.processes[42].rss_pages += 1
    for _ in range(3):
        frame = engine.step(request(by=By.PROGRAM))
    assert frame is not None and frame.groups is not None
    (group,) = frame.groups
    assert group.rss_bytes == RSS + 4096 + 2 * MIB_PAGES * 4096


def test_a_child_with_memory_of_its_own_is_asked_for_once() -> None:
    source = pair(b"0\n")
    engine, asked = Engine(source), 0
    for _ in range(5):
        source.processes[43].rss_pages += 1
        engine.step(request(by=By.PROGRAM))
        asked += source.read_paths.count(ANSWER)
    assert asked == 1


def test_of_very_many_children_all_are_asked_for_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_memory, "MOST_A_TICK", 3)
    source = FakeSource(FakeProcess(42), *(FakeProcess(pid, ppid=42) for pid in range(50, 58)))
    source.files |= {f"proc/{pid}/same_memory/42": b"0\n" for pid in range(50, 58)}
    engine, asked = Engine(source), []
    for _ in range(4):
        engine.step(request(by=By.PROGRAM))
        asked.append(sum("/same_memory/" in path for path in source.read_paths))
    assert asked == [3, 3, 2, 0]


def test_the_live_source_asks_the_kernel() -> None:
    source = LiveSource()
    try:
        me, parent = os.getpid(), os.getppid()
        assert source.read(f"proc/{me}/same_memory/{me}").strip() == b"1"
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            assert source.read(f"proc/{child.pid}/same_memory/{me}").strip() == b"0"
            child.communicate(b"\n")
        with pytest.raises(MemtopError):
            source.read(f"proc/{me}/same_memory/x{parent}")
    finally:
        source.close()

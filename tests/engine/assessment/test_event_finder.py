"""Events that a recording is gone through by."""

from __future__ import annotations

import pytest

from memtop.engine.assessment import event_finder
from memtop.engine.assessment.event_finder import SOON_S
from memtop.engine.engine import Engine
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.sampling.commands import ToggleMark
from memtop.sampling.request import Need, ReadingsRequest
from memtop.sources.protocol import Exit, NotedEvent
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import request

TOTAL_KIB = 1_024_000


class Watched:
    """An engine whose events are kept, each with the number of its tick."""

    def __init__(self, source: FakeSource) -> None:
        self.source, self.tick = source, 0
        self.events: list[tuple[int, NotedEvent]] = []
        self.engine = Engine(source, note=lambda event: self.events.append((self.tick, event)))
        self.request = Request()

    def step(self, *commands: ToggleMark) -> None:
        self.tick += 1
        assert self.engine.step(self.request, commands) is not None

    @property
    def found(self) -> list[tuple[int, str, str]]:
        return [(tick, event.kind, event.label) for tick, event in self.events]


def available(source: FakeSource, percent: float) -> None:
    kib = int(TOTAL_KIB * percent / 100)
    source.files["proc/meminfo"] = b"MemTotal: %d kB\nMemAvailable: %d kB\nMemFree: %d kB\n" % (TOTAL_KIB, kib, kib)


def test_a_level_is_crossed_once_and_again_only_after_it_was_left() -> None:
    it = Watched(FakeSource(FakeProcess(10)))
    for percent in (15, 21, 18, 22, 19, 9, 12, 40, 15):
        available(it.source, percent)
        it.step()
    assert it.found == [(3, "limit", "RAM: 80 %"), (6, "limit", "RAM: 90 %"), (9, "limit", "RAM: 80 %")]


def test_confirmed_growth_and_an_end_are_events_and_what_held_before_is_none() -> None:
    source = FakeSource(FakeProcess(10, comm=b"orders"), FakeProcess(11))
    it = Watched(source)
    it.request = Request(ReadingsRequest(focus=ProcessKey(10, 500), focus_needs=Need.LIMITS))
    for _ in range(90):
        source.processes[10].rss_pages += MIB_PAGES
        it.step()
    assert [(kind, label) for _, kind, label in it.found] == [("verdict", "app (10): growing")]
    del source.processes[10]
    source.ended.append(Exit(10, source.wall_s, 9))
    it.step()
    it.step()
    assert [(kind, label) for _, kind, label in it.found[1:]] == [("exit", "app (10)")]


def test_a_mark_is_an_event_when_it_is_set() -> None:
    it = Watched(FakeSource(FakeProcess(10)))
    key = ProcessKey(10, 500)
    it.request = Request(ReadingsRequest(focus=key, focus_needs=Need.MAPPINGS))
    it.step()
    it.step(ToggleMark(key))
    it.step()
    it.step(ToggleMark(key))
    it.step()
    assert it.found == [(2, "mark", "app (10)")]


def crashing(times: int, every_s: float) -> list[tuple[str, str]]:
    """The events of a program that is killed and comes back so many times."""
    source = FakeSource(FakeProcess(9, cmdline=b"other\0"), step_s=every_s / 4)
    it = Watched(source)
    it.request = request()
    for pid in range(10, 10 + times):
        source.add(FakeProcess(pid, cmdline=b"api\0", start_ticks=1000 * pid))
        it.step()
        it.step()
        del source.processes[pid]
        source.ended = [Exit(pid, source.wall_s, 9)]
        it.step()
        it.step()
    return [(kind, label) for _, kind, label in it.found]


def test_of_a_program_that_comes_back_again_and_again_ever_fewer_events_are_found() -> None:
    found = crashing(12, 4.0)
    assert [label for kind, label in found if kind == "exit"] == [
        "api (10)",
        "api (11), 2 ends so far",
        "api (13), 4 ends so far",
        "api (17), 8 ends so far",
    ]
    assert [label for kind, label in found if kind == "restart"] == [
        "api (11)",
        "api (12), 2 restarts so far",
        "api (14), 4 restarts so far",
        "api (18), 8 restarts so far",
    ]


def test_the_end_of_a_small_process_that_nobody_watches_is_no_event_unless_a_signal_ended_it() -> None:
    source = FakeSource(*(FakeProcess(pid, rss_pages=MIB_PAGES) for pid in range(9, 13)))
    source.add(FakeProcess(20, comm=b"big", rss_pages=100 * MIB_PAGES))
    it = Watched(source)
    it.request = request(focus=ProcessKey(12, 500))
    for _ in range(3):
        it.step()
    for pid, status in ((9, 0), (10, 256), (11, 15), (12, 0), (20, 0)):
        del source.processes[pid]
        source.ended.append(Exit(pid, source.wall_s, status))
    it.step()
    it.step()
    assert {event.pid for _, event in it.events if event.kind == "exit"} == {11, 12, 20}


def test_of_one_that_comes_back_now_and_then_each_end_and_each_restart_is_an_event() -> None:
    found = crashing(4, 2 * SOON_S)
    assert [kind for kind, _ in found] == ["exit", *["restart", "exit"] * 3]


def test_only_so_many_programs_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_finder, "MOST_LOOPS", 0)
    assert [kind for kind, _ in crashing(3, 4.0)] == ["exit", "restart", "exit", "restart", "exit"]

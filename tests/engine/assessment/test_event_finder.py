"""Events that a recording is gone through by."""

from __future__ import annotations

from memtop.engine.engine import Engine
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.sampling.commands import ToggleMark
from memtop.sampling.request import Need, ReadingsRequest
from memtop.sources.protocol import Exit, NotedEvent
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource

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

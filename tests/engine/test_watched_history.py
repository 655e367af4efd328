"""Detailed tracks beside those of the watched processes, in a replay that judges all: bounded in total."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from memtop.engine import watched_history
from memtop.engine.engine import Engine
from memtop.history.rings import DETAILED_ENTRY_BYTES, DetailedTrack
from memtop.model.detail import Detail
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import request

LEAST = 8


def asked(focus: ProcessKey | None = None) -> Request:
    wanted = request(focus=focus, needs_all=Need.STAT | Need.STATUS)
    return wanted._replace(readings=wanted.readings._replace(outlooks=True))


def entries() -> list[int]:
    """The lengths of all detailed tracks in memory but for those of other tests, which are frozen."""
    gc.collect()
    return sorted(len(one) for one in gc.get_objects() if isinstance(one, DetailedTrack))


def replay(processes: int, ticks: int, focus: ProcessKey | None = None) -> tuple[Engine, FakeSource, list[Detail]]:
    """Processes with ever more shared memory, the last the most; the first 100 is in focus."""
    source = FakeSource(*(FakeProcess(100 + number) for number in range(processes)))
    engine, shown = Engine(source, position=lambda: (1, 2)), []
    for _ in range(ticks):
        for process in source.processes.values():
            process.rss_pages += MIB_PAGES
            process.shr_pages += MIB_PAGES
            process.shmem_kib += 10 * process.pid
        frame = engine.step(asked(focus))
        assert frame is not None
        if frame.detail is not None:
            shown.append(frame.detail)
    return engine, source, shown


@pytest.fixture
def entries_in_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A small limit for all of them."""
    monkeypatch.setattr(watched_history, "OTHERS_BUDGET_BYTES", 80 * DETAILED_ENTRY_BYTES)
    monkeypatch.setattr(watched_history, "OTHERS_LEAST", LEAST)
    gc.freeze()
    yield 80
    gc.unfreeze()


@pytest.mark.parametrize("processes", [2, 10, 30])
def test_they_are_thinned_out_and_of_too_many_the_least_have_none(entries_in_all: int, processes: int) -> None:
    kept = replay(processes, ticks=60)
    lengths = entries()
    assert sum(lengths) <= entries_in_all
    assert len(lengths) == min(processes, entries_in_all // LEAST)
    assert lengths[0] >= LEAST // 2
    assert kept


def test_one_that_has_none_any_more_shows_what_its_track_has(entries_in_all: int) -> None:
    engine, source, _ = replay(processes=5, ticks=20)
    for pid in range(200, 240):
        source.add(FakeProcess(pid, shmem_kib=1 << 20))
    for _ in range(5):
        source.processes[100].rss_pages += MIB_PAGES
        assert engine.step(asked()) is not None
    frame = engine.step(asked(source.processes[100].key))
    assert frame is not None and frame.detail is not None
    known = [value for value in frame.detail.series.rss_bytes if value is not None]
    assert known[-1] == frame.detail.row.rss_bytes
    assert sum(entries()) <= entries_in_all + 1, "beside that in focus"


def test_what_is_in_focus_shows_the_same_however_many_there_are_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    focus = FakeProcess(100).key
    wide = replay(processes=30, ticks=20, focus=focus)[2]
    monkeypatch.setattr(watched_history, "OTHERS_BUDGET_BYTES", 80 * DETAILED_ENTRY_BYTES)
    monkeypatch.setattr(watched_history, "OTHERS_LEAST", LEAST)
    narrow = replay(processes=30, ticks=20, focus=focus)[2]
    assert len(wide) == 20
    assert [(one.series, one.slope_bytes_per_min, one.row) for one in narrow] == [
        (one.series, one.slope_bytes_per_min, one.row) for one in wide
    ]

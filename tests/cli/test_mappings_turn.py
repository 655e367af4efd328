"""When a recording reads the mappings of its process."""

from __future__ import annotations

from memtop.cli.mappings_turn import AT_LEAST_S, EVERY_S, MappingsTurn
from memtop.engine.engine import Engine
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need, ReadingsRequest
from tests.fakes import FakeProcess, FakeSource

KEY = ProcessKey(7, 100)


def frame(at_s: float, rss_bytes: int, age_s: float | None) -> Frame:
    """Of a process with so much RES, whose mappings were read so long ago; None for not."""
    engine = Engine(FakeSource(FakeProcess(7, start_ticks=100)))
    request = Request(ReadingsRequest(focus=KEY, focus_needs=Need.MAPPINGS))
    found = [engine.step(request) for _ in range(2)][-1]
    assert found is not None
    detail = found.detail
    assert detail is not None
    regions = detail.regions
    assert regions is not None
    reading = regions.reading if age_s is None else object()
    row = detail.row._replace(rss_bytes=rss_bytes)
    shown = regions._replace(reading=reading, age_s=age_s)  # type: ignore[arg-type]
    return found._replace(at_s=at_s, detail=detail._replace(row=row, regions=shown))


def test_they_are_read_at_once_then_now_and_then_and_sooner_where_much_has_changed() -> None:
    turn = MappingsTurn()
    assert turn.is_due(frame(1000.0, 1000, None))
    assert not turn.is_due(frame(1002.0, 1000, 1.0))
    assert not turn.is_due(frame(1000.0 + AT_LEAST_S + 2, 1010, None))
    assert turn.is_due(frame(1000.0 + AT_LEAST_S + 2, 1100, None))
    assert turn.is_due(frame(1000.0 + EVERY_S + 2, 1000, EVERY_S + 1))
    assert not turn.is_due(frame(1000.0 + EVERY_S + 4, 1000, 0.0))


def test_a_clock_that_was_set_back_stops_no_reading() -> None:
    turn = MappingsTurn()
    assert not turn.is_due(frame(1000.0, 1000, 0.0))
    assert turn.is_due(frame(500.0, 1000, None))

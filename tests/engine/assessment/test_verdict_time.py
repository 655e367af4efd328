"""How long a verdict takes is said, and is right, with any time between samples."""

from __future__ import annotations

import pytest

from memtop.engine.assessment.verdict_time import verdict_s
from memtop.engine.engine import Engine
from memtop.explain.answers import answers
from memtop.explain.incident_text import headline
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, outlook
from tests.requests import request


@pytest.mark.parametrize(("delay_s", "takes"), [(1.0, "90 s"), (2.0, "96 s"), (10.0, "8 min"), (60.0, "41 min")])
def test_growth_is_confirmed_about_when_it_was_said_to_be(delay_s: float, takes: str) -> None:
    process = FakeProcess(42, rss_pages=20 * MIB_PAGES)
    source = FakeSource(process)
    engine, ask, took_s = Engine(source), request(focus=process.key, delay_s=delay_s), 0.0
    for number in range(160):
        began_s = source.mono_s
        frame = engine.step(ask)
        assert frame is not None and frame.detail is not None
        if outlook(frame).growth is None and number:
            said = answers(frame.detail, frame.system)[0].says
            assert said == f"Growing? Unknown yet: a verdict takes about {takes}" or "too early to say" in said
        state = outlook(frame).state
        if state is not None and state.alarm:
            break
        if took_s < 0.9 * verdict_s(delay_s):
            assert "nothing grows, " not in headline(frame.incidents, frame.system).says
        source.mono_s += delay_s - (source.mono_s - began_s)
        process.rss_pages += int(0.3 * delay_s * MIB_PAGES)
        took_s += delay_s
    assert 0.7 * verdict_s(delay_s) <= took_s <= 1.2 * verdict_s(delay_s)

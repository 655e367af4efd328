"""A recording with seconds or a minute between its samples is judged as the live machine was with that delay."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, outlook
from tests.requests import request

SAMPLES = 130
STOPPED_AT = 100
"""memtop does not run for a while."""


@pytest.mark.parametrize("delay_s", [10.0, 60.0])
def test_a_replay_has_the_verdicts_of_that_time(tmp_path: Path, delay_s: float) -> None:
    process = FakeProcess(42, rss_pages=20 * MIB_PAGES)
    source = FakeSource(process)
    recorder = Recorder(source, str(tmp_path / "r"))
    live, ask = Engine(recorder, note=recorder.note), request(focus=process.key, delay_s=delay_s)
    seen = []
    for number in range(SAMPLES):
        began_s = source.mono_s
        frame = live.step(ask)
        assert frame is not None
        seen.append((outlook(frame).state, outlook(frame).growth))
        source.mono_s += (20 if number == STOPPED_AT else 1) * delay_s - (source.mono_s - began_s)
        process.rss_pages += int(0.3 * delay_s * MIB_PAGES)
    recorder.close()
    asked = request(focus=process.key)
    with closing(Replay(str(tmp_path / "r"))) as replay:
        again = Engine(replay, position=replay.position)
        for found in seen:
            frame = again.step(asked)
            assert frame is not None and (outlook(frame).state, outlook(frame).growth) == found
    state = seen[STOPPED_AT][0]
    assert state is not None and state.alarm

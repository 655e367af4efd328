"""RES of one process over a whole recording is found without learning what else is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.procfs.statm import parse_statm
from memtop.sampling.request import Need
from memtop.sources.recording import encoder
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.fakes import FakeProcess, FakeSource
from tests.requests import request

TICKS = 30
NEEDS = Need.STAT | Need.STATUS | Need.OOM


@pytest.mark.parametrize("largest_bundle", [200, 32_768])
@pytest.mark.parametrize("key_ticks", [1, 7, 300])
@pytest.mark.parametrize("many", [1, 1000])
def test_every_instant_has_what_was_read_then(
    largest_bundle: int, key_ticks: int, many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "MANY", many)
    monkeypatch.setattr(encoder, "LARGEST_BUNDLE", largest_bundle)
    monkeypatch.setattr(encoder, "KEY_TICKS_MOST", key_ticks)
    source = FakeSource(*(FakeProcess(pid) for pid in range(10, 18)))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine, seen = Engine(recorder), list[int | None]()
    for tick in range(TICKS):
        for process in source.processes.values():
            process.rss_pages += 16 * tick
            process.minflt += 3
        if tick == 20:
            del source.processes[11]
        frame = engine.step(request(needs=NEEDS, needs_all=NEEDS))
        assert frame is not None
        seen.append(next((row.rss_bytes for row in frame.rows if row.pid == 11), None))
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    found = [statm and parse_statm(statm).rss_bytes for _, statm in replay.sweeps_of("statm", 11)]
    assert found == seen and seen[19] and seen[20] is None
    replay.close()

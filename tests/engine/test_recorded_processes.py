"""Processes of a recording that are asked for and are not in its first instant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.engine.recorded_processes import LOOK_S, first_seen_s, not_held
from memtop.errors import ProcessGone
from memtop.settings import Settings
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.view_state import View
from tests.fakes import FakeProcess, FakeSource

REQUEST = View.of(Settings()).request()
LATE = 6


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[Replay]:
    """Seven processes from the start, and a large one that comes later and ends."""
    source = FakeSource(*(FakeProcess(10 + number, comm=b"small") for number in range(7)))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for tick in range(10):
        if tick == LATE:
            source.add(FakeProcess(42, comm=b"la\x1brge", rss_pages=99_000))
        if tick == LATE + 2:
            del source.processes[42]
        engine.step(REQUEST)
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    yield replay
    replay.close()


def test_the_first_instant_of_a_process_is_found(replay: Replay) -> None:
    first_s, last_s = replay.span
    assert first_seen_s(replay, 10) == first_s
    assert first_seen_s(replay, 42) == pytest.approx(first_s + LATE * (last_s - first_s) / 9)
    assert first_seen_s(replay, 43) is None


def test_the_error_says_which_processes_there_are_the_largest_first(replay: Replay) -> None:
    error = not_held(replay, [43], lambda: 0.0)
    assert isinstance(error, ProcessGone)
    assert str(error).startswith("the recording does not hold process 43; it holds 42 (la"), str(error)
    assert str(error).endswith("10 (small), 11 (small), 12 (small), 13 (small) and 3 more")
    assert "\x1b" not in str(error)
    assert "any of the processes 43, 44;" in str(not_held(replay, [43, 44], lambda: 0.0))


def test_it_is_said_in_time_however_long_the_recording_is(replay: Replay) -> None:
    times = iter(LOOK_S * number / 2 for number in range(100))
    assert "42" not in str(not_held(replay, [43], lambda: next(times)))

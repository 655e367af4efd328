"""On the way to an instant most is left undone, and what is known there is what playing would have known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.sources.recording import encoder
from memtop.sources.recording.number_changes import decode_changes_of, decode_several_changes, encode_changes_of
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.view_state import View
from tests.fakes import FakeProcess, FakeSource
from tests.requests import request as asked

TICKS = 40
NEEDS = Need.STAT | Need.STATUS | Need.OOM
FILES = ("proc/10/status", "proc/11/status", "proc/meminfo", "proc/vmstat")


@pytest.fixture(params=[1, 30, 1000], ids=["bits", "both", "numbers"])
def recording(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Processes that move, and of which one ends and another one takes its PID."""
    monkeypatch.setattr(encoder, "MANY", request.param)
    source = FakeSource(*(FakeProcess(pid) for pid in range(10, 20)))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for tick in range(TICKS):
        for process in source.processes.values():
            process.rss_pages += 16 + tick
            process.minflt += 7
        if tick == 12:
            del source.processes[11]
        if tick == 20:
            source.add(FakeProcess(11, comm=b"later", start_ticks=9_000))
        engine.step(asked(needs=NEEDS, needs_all=NEEDS))
    recorder.close()
    return tmp_path / "r"


def read(replay: Replay, path: str) -> bytes | str:
    try:
        return replay.read(path)
    except Exception as error:  # noqa: BLE001 (what cannot be read is an answer too)
        return type(error).__name__


@pytest.mark.parametrize("at", [1, 11, 13, 21, 39])
def test_what_is_known_at_an_instant_is_what_playing_knows(recording: Path, at: int) -> None:
    played, sought = Replay(str(recording)), Replay(str(recording))
    for _ in range(at + 1):
        played.begin()
    sought.seek(at)
    assert sought.begin() is not None
    expected = [read(played, path) for path in FILES]
    assert [read(sought, path) for path in FILES] == expected
    assert expected[0] != "NotRecorded"
    played.close()
    sought.close()


def test_rates_of_all_processes_are_known_at_once_after_a_seek(recording: Path) -> None:
    replay = Replay(str(recording))
    replay.approach(30)
    engine = Engine(replay, position=replay.position)
    wanted = View.of(Settings()).request()
    while replay.position()[0] < 30:
        replay.begin()
    engine.take(wanted)
    frame = engine.step(wanted)
    assert frame is not None
    assert {row.minflt_per_s for row in frame.rows} == {7.0}
    replay.close()


def test_several_changes_are_those_of_one_after_the_other() -> None:
    texts = [b"Vm:\t  %4d kB\nA:\t%d 7\n" % (990 + 7 * number, number) for number in range(6)]
    coded = [encode_changes_of(new, old) for old, new in pairwise(texts)]
    changes = [one for one in coded if one is not None]
    assert len(changes) == len(coded)
    data = texts[0]
    for one in changes:
        data = decode_changes_of(one, data)
    assert decode_several_changes(changes, texts[0]) == data == texts[-1]

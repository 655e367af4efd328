"""Whatever stands in a recording of the right form: frames, or one sentence, and never another exception."""

from __future__ import annotations

import io
import os
import random
import sqlite3
from pathlib import Path

import pytest

from memtop.cli.composition import engine_on
from memtop.columns import COLUMNS
from memtop.errors import RecordingError
from memtop.headless.formats import json_writer
from memtop.headless.text_format import text_writer
from memtop.model.request import Request
from memtop.settings import Settings
from memtop.sources.live import LiveSource
from memtop.sources.recording import encoder
from memtop.sources.recording.packing import pack, unpack
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.view_state import View

TICKS = 4


def everything() -> Request:
    """All that JSON shows."""
    request = View.of(Settings(pids=(os.getpid(),))).request()
    return request._replace(readings=request.readings._replace(runtimes=True, outlooks=True))


@pytest.fixture(scope="module", params=[encoder.FEWEST_BUNDLED, 1_000_000], ids=["bundled", "single"])
def good(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> bytes:
    path = tmp_path_factory.mktemp("good") / "r"
    recorder = Recorder(LiveSource(), str(path))
    engine = engine_on(recorder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encoder, "FEWEST_BUNDLED", request.param)
        for _ in range(TICKS):
            engine.step(everything())
        recorder.close()
    return path.read_bytes()


def spoil(path: Path, chance: random.Random) -> None:
    """Change a few facts and one time, and leave the form of the file as it is."""
    connection = sqlite3.connect(path, isolation_level=None)
    rows = connection.execute("SELECT rowid, data FROM fact WHERE kind < 8 OR kind > 13").fetchall()
    for _ in range(chance.randrange(1, 8)):
        row, data = chance.choice(rows)
        try:
            raw = bytearray(unpack(data))
        except Exception:  # noqa: BLE001 (packed with the help of another value)
            raw = bytearray()
        match chance.randrange(6):
            case 0:
                connection.execute("DELETE FROM fact WHERE rowid = ?", (row,))
            case 1:
                for _ in range(chance.randrange(1, 30) if raw else 0):
                    raw[chance.randrange(len(raw))] = chance.choice(b"0123456789 -:\n()\xff\x00aZ")
            case 2:
                connection.execute("UPDATE fact SET status = ? WHERE rowid = ?", (chance.choice([0, 1, 4, None]), row))
            case 3:
                connection.execute("UPDATE fact SET tick = ? WHERE rowid = ?", (chance.randrange(TICKS), row))
            case 4:
                del raw[chance.randrange(len(raw) + 1) :]
            case _:
                raw = raw.replace(b"1", b"9" * 25)
        connection.execute("UPDATE fact SET data = ? WHERE rowid = ?", (pack(bytes(raw)), row))
    times = chance.choice([0.0, 5.0, 1e11]), chance.choice([0.0, 1e9, 253_370_764_799.0]), chance.randrange(TICKS)
    connection.execute("UPDATE tick SET mono_s = ?, wall_s = ? WHERE n = ?", times)
    connection.close()


@pytest.mark.parametrize("seed", range(30))
def test_hostile_values_are_frames_or_one_sentence(tmp_path: Path, good: bytes, seed: int) -> None:
    path = tmp_path / "r"
    path.write_bytes(good)
    spoil(path, random.Random(seed))
    source = Replay(str(path))
    try:
        engine, write, table = engine_on(source), json_writer(io.StringIO()), text_writer(io.StringIO(), COLUMNS, None)
        while (frame := engine.step(everything())) is not None:
            write(frame)
            table(frame)
    except RecordingError as error:
        assert str(error).startswith(f"{path} cannot be played: ")
    finally:
        source.close()

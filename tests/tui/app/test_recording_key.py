"""The key w: a recording that begins with what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from memtop.cli.kept_past import looking_back_on
from memtop.engine.engine import Engine
from memtop.engine.looking_back import LookingBack
from memtop.engine.player import Player
from memtop.errors import RecordingError
from memtop.model.timeline import EventKind, TimelineEvent
from memtop.settings import Settings
from memtop.sources.recording import recorder as recorder_module
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.tui.app.actions_replay import event_text
from memtop.tui.app.app import MemtopApp
from memtop.tui.bars.header import HeaderBar
from memtop.view_state import View
from tests.tui.app.test_app import LONG_S, SIZE, Board, board, world


async def test_w_records_what_was_seen_and_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = world()
    recorder = Recorder(source, looks_back=True)
    settings = Settings(delay_s=LONG_S)
    app = MemtopApp(Engine(recorder), settings, View.of(settings), recording=recorder)
    async with app.run_test(size=SIZE) as pilot:
        it = Board(app, pilot, source)
        await it.until(lambda: app.frame is not None, "there is a first frame")
        await it.tick()
        await it.tick()
        await pilot.press("w")
        await it.until(lambda: any("recording to" in text for text in it.said), "it says so")
        header = app.query_one(HeaderBar)
        assert "● REC" in " ".join(part.text for part in header.parts(200)[0])
        await it.tick()
        await pilot.press("w")
        await it.until(lambda: any("recorded:" in text for text in it.said), "it says that it stopped")
        assert "REC" not in " ".join(part.text for part in header.parts(200)[0])
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    replay = Replay(str(path))
    assert replay.position()[1] >= 3
    replay.close()
    recorder.close()


async def test_a_directory_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    recorder = Recorder(world(), looks_back=True)
    settings = Settings(delay_s=LONG_S)
    app = MemtopApp(Engine(recorder), settings, View.of(settings), recording=recorder)
    async with app.run_test(size=SIZE) as pilot:
        it = Board(app, pilot, world())
        await it.until(lambda: app.frame is not None, "there is a first frame")
        (tmp_path / "gone").rmdir()
        await pilot.press("w")
        await it.until(lambda: any("the current directory is gone" in text for text in it.said), "it says why")
    recorder.close()


async def test_of_many_processes_it_is_said_how_much_of_the_past_memory_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder_module, "MOST_WHOLE", 1)
    source = world()
    recorder = Recorder(source, looks_back=True)
    settings = Settings(delay_s=LONG_S)
    app = MemtopApp(looking_back_on(recorder, Engine(recorder)), settings, View.of(settings), recording=recorder)
    async with app.run_test(size=SIZE) as pilot:
        it = Board(app, pilot, source)
        await it.until(lambda: app.frame is not None, "there is a first frame")
        for _ in range(9):
            await it.tick()
        every = f"every {recorder.sparse_s:.0f} s"
        await pilot.press("left")
        assert it.said[-1].endswith(f"of so many processes, memory keeps a sample {every}")
        said = len(it.said)
        await pilot.press("left")
        assert len(it.said) == said, "once is enough"
        await pilot.press("w")
        await it.until(lambda: any("recording to" in text for text in it.said), "it says so")
        assert f"all that is in memory, of so many processes {every})" in it.said[-1]
    recorder.close()


class _Unreadable:
    """A past whose file has gone."""

    def first_s(self) -> float | None:
        return None

    @property
    def sparse_s(self) -> float | None:
        return None

    def keep(self) -> None: ...

    def player_at(self, wall_s: float) -> Player | None:
        raise RecordingError("its file has gone")

    def events(self) -> Sequence[TimelineEvent]:
        raise RecordingError("its file has gone")

    def rest(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("key", ["{", "}"])
async def test_events_that_cannot_be_read_are_said_and_end_nothing(key: str) -> None:
    settings = Settings(delay_s=LONG_S)
    app = MemtopApp(LookingBack(Engine(world()), _Unreadable()), settings, View.of(settings))
    async with app.run_test(size=SIZE) as pilot:
        it = Board(app, pilot, world())
        await it.until(lambda: app.frame is not None, "there is a first frame")
        await pilot.press(key)
        assert any("its file has gone" in text for text in it.said)


async def test_a_recording_is_not_recorded() -> None:
    async with board() as it:
        await it.pilot.press("w")
        assert it.said == ["! already playing a recording"]


def test_a_limit_with_a_long_path_leaves_room_for_its_percentage() -> None:
    path = "/kubepods.slice/kubepods-burstable.slice/" + "a1b2c3d4" * 8
    said = event_text(TimelineEvent(0.0, EventKind.LIMIT, f"{path}: 90 %"))
    assert said.startswith("limit crossed: ") and said.endswith("c3d4: 90 %")
    assert len(said) < 60
    assert event_text(TimelineEvent(0.0, EventKind.LIMIT, "shop.slice: 80 %")) == "limit crossed: shop.slice: 80 %"
    assert event_text(TimelineEvent(0.0, EventKind.MARK, "")) == "mark"

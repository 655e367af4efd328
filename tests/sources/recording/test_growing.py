"""A recording that is played while it is being written."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.engine.player import Player
from memtop.errors import RecordingError
from memtop.sources.protocol import Growth, Instant
from memtop.sources.recording import encoder
from memtop.sources.recording.encoder import Encoder
from memtop.sources.recording.file import RecordingFile
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.tables import Bounds
from memtop.sources.recording.tick import Tick
from memtop.sources.recording.ticks import Extent, Ticks
from tests.engine.test_player import REQUEST, engine_of
from tests.fakes import FakeProcess, FakeSource

PATIENCE_S = 20.0


class Growing:
    """A recording of one process that is written instant by instant, and its replay."""

    def __init__(self, path: Path, bounds: Bounds | None = None) -> None:
        self.path = path
        self._source = FakeSource(FakeProcess(10))
        self._recorder = Recorder(self._source, str(path), bounds=bounds)
        self._engine = Engine(self._recorder)
        self.write(2)
        until_s = time.monotonic() + PATIENCE_S
        while True:  # the writer is another thread
            try:
                self.replay = Replay(str(path))
                break
            except RecordingError:
                assert time.monotonic() < until_s
        self.player = Player(self.replay, engine_of, time.monotonic)

    def write(self, instants: int) -> None:
        """Take so many samples. All but the last one are written soon."""
        for _ in range(instants):
            self._source.processes[10].rss_pages += 256
            self._engine.step(REQUEST)

    def finish(self) -> None:
        """Write the last one, and the end."""
        self._recorder.close()
        assert self._recorder.problem is None

    @property
    def growth(self) -> Growth:
        """What is known of its end."""
        growth = self.replay.growth
        assert growth is not None
        return growth

    def played(self) -> int:
        """Play up to the end of what is there; how many instants that were."""
        count = 0
        while self.replay.begin() is not None:
            count += 1
        return count


def test_what_is_written_later_is_played_and_the_end_is_known(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "r")
    count = growing.played()
    assert count >= 1 and growing.replay.begin() is None
    assert growing.growth.is_open
    growing.write(3)
    growing.finish()
    while growing.replay.wait(PATIENCE_S):
        pass
    assert count + growing.played() == 5
    assert growing.replay.position() == (5, 5)
    growth = growing.growth
    assert not growth.is_open and not growth.is_broken and "no longer being written" in growth.ended
    growing.replay.close()
    assert [one.name for one in tmp_path.iterdir()] == ["r"], "the reader did not keep the writer from finishing it"


def test_a_finished_recording_does_not_grow(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "r")
    growing.finish()
    growing.replay.close()
    replay = Replay(str(tmp_path / "r"))
    assert replay.growth is None and not replay.wait(PATIENCE_S)
    replay.close()


def test_the_timeline_grows_with_the_recording_wherever_its_player_was(tmp_path: Path) -> None:
    made = Growing(tmp_path / "r")
    made.player.follow()
    assert made.player.step(REQUEST) is not None
    made.player.go_to(made.replay.span[0])  # which another replay of the same file plays
    assert made.player.step(REQUEST) is not None
    made.write(10)
    made.finish()
    made.player.follow()
    frame = made.player.step(REQUEST)
    assert frame is not None and frame.timeline is not None
    assert frame.replay_position == (12, 12)
    assert (frame.timeline.at_s, frame.timeline.last_s) == (frame.at_s, frame.at_s)


def test_the_player_follows_the_end_from_where_it_met_it(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "r")
    player = growing.player
    while player.step(REQUEST) is not None:
        pass
    growing.write(6)
    growing.finish()
    while growing.replay.wait(PATIENCE_S):
        pass
    frame = player.step(REQUEST)
    assert frame is not None and frame.replay_position == (8, 8), "all that came makes one frame"
    assert player.step(REQUEST) is None
    player.go_to(player.span.first_s)
    frame = player.step(REQUEST)
    assert frame is not None and frame.replay_position == (1, 8), "it no longer follows"
    player.follow()
    frame = player.step(REQUEST)
    assert frame is not None and frame.replay_position == (8, 8) and player.is_following
    growing.replay.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_removed_or_replaced_ends_its_replay_with_a_sentence(tmp_path: Path, replaced: bool) -> None:
    growing = Growing(tmp_path / "r")
    growing.played()
    os.rename(tmp_path / "r", tmp_path / "elsewhere")
    if replaced:
        (tmp_path / "r").write_bytes((tmp_path / "elsewhere").read_bytes())
    while growing.replay.wait(PATIENCE_S):
        pass
    growth = growing.growth
    assert growth.is_broken
    assert ("replaced" if replaced else "removed") in growth.ended
    with pytest.raises(RecordingError, match=r"removed|replaced"):
        growing.played()
    growing.replay.close()


def test_instants_that_were_dropped_before_they_were_played_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "KEY_TICKS_MOST", 2)
    growing = Growing(tmp_path / "r", Bounds(keep_s=4))
    growing.write(20)
    growing.finish()
    while growing.replay.wait(PATIENCE_S):
        pass
    assert 2 <= growing.played() < 10
    assert growing.replay.position()[0] == growing.replay.position()[1]
    growing.replay.close()


def test_what_is_dropped_between_two_queries_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the file is at one state of it, though its writer drops the oldest samples all the time."""
    codes, written = Encoder(), RecordingFile(str(tmp_path / "r"), Bounds(keep_s=2.0))
    monkeypatch.setattr(encoder, "KEY_TICKS_MOST", 1)
    numbers = itertools.count()

    def write() -> None:
        number = next(numbers)
        written.write([codes.block(Tick(Instant(1000.0 + number, float(number)), pids=[1, 2 + number]))])

    def extent_and_then(ticks: Ticks) -> Extent | None:
        found = extent(ticks)
        for _ in range(5):
            write()
        return found

    for _ in range(3):
        write()
    extent = Ticks.extent
    monkeypatch.setattr(Ticks, "extent", extent_and_then)
    replay = Replay(str(tmp_path / "r"))
    assert replay.span == (1000.0, 1002.0)
    seen = [replay.wall_at(-0.0), replay.position_at(1e9)]
    assert seen[0] == 1007.0 and replay.begin() is not None
    written.finish(complete=True)
    replay.close()

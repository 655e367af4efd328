"""Seeking in a recording: each instant is as if it had been played from the start."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memtop.engine import past_length, player
from memtop.engine.engine import Engine
from memtop.engine.player import Player
from memtop.engine.seekable import Seekable
from memtop.errors import UsageError
from memtop.model.frame import Frame
from memtop.process_key import ProcessKey
from memtop.settings import Settings
from memtop.sources.protocol import NotedEvent
from memtop.sources.recording import encoder
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.time_of_day import parse_instant
from memtop.view_state import View
from tests.fakes import FakeProcess, FakeSource

REQUEST = View.of(Settings()).request()
TICKS = 40
LONG = 60


@pytest.fixture(params=[1, 7, 300])
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Processes that come and go; the first one grows. Keyframes are rare or often."""
    monkeypatch.setattr(encoder, "KEY_TICKS_MOST", request.param)
    source = FakeSource(FakeProcess(10), FakeProcess(11))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for tick in range(TICKS):
        if tick % 5 == 3:
            source.add(FakeProcess(100 + tick))
        if tick % 5 == 0 and tick > 5:
            source.processes.pop(100 + tick - 7, None)
        source.processes[10].rss_pages += 256
        engine.step(REQUEST)
    recorder.close()
    return tmp_path / "r"


def facts(frame: Frame | None) -> object:
    assert frame is not None
    rows = [
        (row.key, row.name, row.command, row.user, row.rss_bytes, row.virt_bytes, row.shmem_bytes) for row in frame.rows
    ]
    return frame.at_s, frame.replay_position, sorted(rows)


def engine_of(source: Seekable, note: Callable[[NotedEvent], None]) -> Engine:
    return Engine(source, position=source.position, note=note)


def player_of(path: Path) -> tuple[Replay, Player]:
    source = Replay(str(path))
    return source, Player(source, engine_of, time.monotonic)


def test_any_instant_shows_what_playing_to_it_shows(recording: Path) -> None:
    source, playing = player_of(recording)
    played = [playing.step(REQUEST) for _ in range(TICKS)]
    assert playing.step(REQUEST) is None
    for at in (30, 3, 39, 0, 17, 16):
        frame = played[at]
        assert frame is not None
        playing.go_to(frame.at_s)
        assert facts(playing.step(REQUEST)) == facts(frame)
        if at + 1 < TICKS:
            assert facts(playing.step(REQUEST)) == facts(played[at + 1])
    source.close()


def test_an_instant_of_a_recording_of_one_process_shows_it(tmp_path: Path) -> None:
    request = View.of(Settings(pids=(10,))).request()
    source = FakeSource(FakeProcess(10), FakeProcess(11))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for _ in range(TICKS):
        engine.step(request)
    recorder.close()
    replay, playing = player_of(tmp_path / "r")
    for at in (0, 5, TICKS - 1):
        playing.go_to(playing.span.first_s + at + 0.1)
        frame = playing.step(REQUEST)
        assert frame is not None and [row.pid for row in frame.rows if row.gone_s is None] == [10]
    replay.close()


@pytest.mark.parametrize("at", [5, 17, 38])
def test_the_first_sample_after_a_seek_is_of_its_instant(recording: Path, at: int) -> None:
    source, playing = player_of(recording)
    played = [playing.step(REQUEST) for _ in range(at + 1)][-1]
    other = source.again()
    other.approach(at)
    while other.position()[0] < at:
        other.begin()
    seen = engine_of(other, lambda event: None).step(REQUEST)
    assert played is not None and seen is not None
    sizes = [{row.key: (row.rss_bytes, row.virt_bytes) for row in frame.rows} for frame in (played, seen)]
    assert sizes[0] == sizes[1]
    source.close()


def test_several_samples_make_a_frame_and_the_last_one_is_shown(recording: Path) -> None:
    source, playing = player_of(recording)
    playing.samples_per_frame = 16
    positions: list[object] = []
    while (frame := playing.step(REQUEST)) is not None and len(positions) < 4:
        positions.append(frame.replay_position)
    assert positions[:3] == [(16, TICKS), (32, TICKS), (TICKS, TICKS)]
    source.close()


def test_times_of_day_are_those_of_the_recording() -> None:
    first_s = time.mktime((2024, 5, 6, 23, 59, 0, 0, 0, -1))
    assert parse_instant("23:59:30", first_s, first_s + 120) == pytest.approx(first_s + 30.999)
    assert parse_instant("00:00", first_s, first_s + 120) == pytest.approx(first_s + 60.999)
    with pytest.raises(UsageError, match="2024-05-06 23:59:00 to 2024-05-07 00:01:00"):
        parse_instant("12:00", first_s, first_s + 120)
    for wrong in ("noon", "-", "-x", "--1", "-2x", "+", "+x", "+-1", "25:00", "", "2024-05-06"):
        with pytest.raises(UsageError, match="not a time of day"):
            parse_instant(wrong, first_s, first_s + 120)


def test_a_date_chooses_the_day_of_a_recording_of_several() -> None:
    first_s = time.mktime((2024, 5, 6, 12, 0, 0, 0, 0, -1))
    last_s = first_s + 3 * 86_400
    assert parse_instant("13:00", first_s, last_s) == pytest.approx(first_s + 3600.999)
    assert parse_instant("2024-05-08 13:00", first_s, last_s) == pytest.approx(first_s + 2 * 86_400 + 3600.999)
    assert parse_instant("2024-05-08T13:00:01", first_s, last_s) == pytest.approx(first_s + 2 * 86_400 + 3601.999)
    for beyond in ("2024-05-10 13:00", "9999-12-31 00:00", "0001-01-01 00:00"):
        with pytest.raises(UsageError, match="2024-05-06 12:00:00 to 2024-05-09 12:00:00"):
            parse_instant(beyond, first_s, last_s)


def test_a_signed_time_counts_from_the_last_sample_or_the_first() -> None:
    assert parse_instant("+30s", 1000.0, 1120.0) == pytest.approx(1030.0)
    assert parse_instant("+0", 1000.0, 1120.0) == pytest.approx(1000.0)
    with pytest.raises(UsageError, match="there are samples from"):
        parse_instant("+3m", 1000.0, 1120.0)
    assert parse_instant("-90", 0.0, 120.0) == pytest.approx(30.0)
    assert parse_instant("-1.5m", 0.0, 120.0) == pytest.approx(30.0)
    assert parse_instant("-0", 0.0, 120.0) == pytest.approx(120.0)
    with pytest.raises(UsageError, match="there are samples from"):
        parse_instant("-3m", 0.0, 120.0)


def test_the_timeline_holds_res_between_samples_and_knows_nothing_before_the_process(recording: Path) -> None:
    source, playing = player_of(recording)
    frame = playing.step(REQUEST)
    assert frame is not None
    request = REQUEST._replace(readings=REQUEST.readings._replace(focus=ProcessKey(10, 500)))
    playing.step(request)
    while playing.has_work:
        frame = playing.work(request) or frame
    assert frame.timeline is not None
    parts = frame.timeline.rss_bytes
    assert None not in parts and list(parts) == sorted(size for size in parts if size is not None)
    assert parts[0] != parts[-1]
    source.close()


def long_recording(path: Path) -> Path:
    """Instants of a process that grows."""
    source = FakeSource(FakeProcess(10), FakeProcess(11))
    recorder = Recorder(source, str(path))
    engine = Engine(recorder)
    for _ in range(LONG):
        source.processes[10].rss_pages += 256
        engine.step(REQUEST)
    recorder.close()
    return path


@pytest.fixture
def little_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts rest on 30 samples, an instant is shown with 2."""
    for name, value in (("LONG_TICKS", 30), ("LONG_TICKS_MOST", 30), ("SHORT_PAST_S", 0.0)):
        monkeypatch.setattr(past_length, name, value)
    monkeypatch.setattr(player, "SAID_EVERY_S", 0.0)


def test_an_instant_is_shown_at_once_and_says_how_much_of_its_past_was_played(
    tmp_path: Path, little_past: None
) -> None:
    source, playing = player_of(long_recording(tmp_path / "r"))
    played = [playing.step(REQUEST) for _ in range(LONG)]
    wanted = played[50]
    assert wanted is not None
    playing.go_to(wanted.at_s)
    frames = []
    while playing.has_work:
        if (frame := playing.work(REQUEST, until_s=0.0)) is not None:
            frames.append(frame)
    assert [facts(frame) for frame in frames] == [facts(wanted)] * len(frames)
    percents = [frame.past_percent for frame in frames if frame.past_percent is not None]
    assert percents[0] == 0 and percents[-1] > 80 and percents == sorted(percents)
    assert frames[-1].is_settled
    known = [sum(level is not None for row in frame.rows for level in row.trend) for frame in frames]
    assert known[0] < known[-1]
    source.close()


def test_steps_wait_for_no_past_and_the_past_catches_up_with_them(tmp_path: Path, little_past: None) -> None:
    source, playing = player_of(long_recording(tmp_path / "r"))
    played = [playing.step(REQUEST) for _ in range(LONG)]
    wanted = played[40]
    assert wanted is not None
    playing.go_to(wanted.at_s)
    for frame in played[40:46]:
        shown = playing.step(REQUEST)
        assert facts(shown) == facts(frame)
        assert shown is not None and not shown.is_settled
        playing.work(REQUEST, until_s=0.0)
    last = None
    while playing.has_work:
        last = playing.work(REQUEST, until_s=0.0) or last
    assert last is not None and last.is_settled and facts(last) == facts(played[45])
    source.close()


def test_an_instant_that_was_played_to_for_long_needs_no_other_past(tmp_path: Path, little_past: None) -> None:
    source, playing = player_of(long_recording(tmp_path / "r"))
    playing.go_to(playing.span.first_s + 10)
    shown = [playing.step(REQUEST) for _ in range(40)][-1]
    assert shown is not None and shown.is_settled
    source.close()


def test_output_without_a_screen_has_the_whole_past_at_once(tmp_path: Path, little_past: None) -> None:
    source = Replay(str(long_recording(tmp_path / "r")))
    playing = Player(source, engine_of, time.monotonic, whole=True)
    playing.go_to(playing.span.first_s + 50)
    frame = playing.step(REQUEST)
    assert frame is not None and frame.is_settled
    source.close()


def test_samples_that_are_not_shown_leave_the_next_frame_as_it_would_be(tmp_path: Path) -> None:
    path = long_recording(tmp_path / "r")
    frames = []
    for shows_each in (True, False):
        source = Replay(str(path))
        engine = engine_of(source, lambda event: None)
        for _ in range(50):
            engine.step(REQUEST) if shows_each else engine.take(REQUEST)
        frames.append(engine.view(REQUEST))
        source.close()
    assert frames[0] == frames[1]

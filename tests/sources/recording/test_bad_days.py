"""What happens to a recording, and to its replay, on bad days."""

from __future__ import annotations

import calendar
import os
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from memtop.cli.composition import engine_on
from memtop.engine.engine import Engine
from memtop.errors import DamagedError, RecordingError, UsageError
from memtop.process_key import ProcessKey
from memtop.procfs.statm import OWN_PAGE_BYTES, use_page_bytes
from memtop.report.recorded import from_recording
from memtop.sources.protocol import Instant
from memtop.sources.recording import file, writer
from memtop.sources.recording.about import page_bytes_of
from memtop.sources.recording.encoder import Encoder
from memtop.sources.recording.file import RecordingFile
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.tables import Bounds
from memtop.sources.recording.tick import Block, Tick
from memtop.time_of_day import parse_instant
from tests.engine.test_player import REQUEST, player_of
from tests.fakes import FakeProcess, FakeSource
from tests.sources.recording.test_recording import World, until


class HangingDisk:
    """A sink that answers nothing until it is let go."""

    path, gone, silent, removed, waiting_bytes = "disk", "it is gone", "the disk does not answer", False, 16 << 20

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.hangs = threading.Event()
        self.blocks: list[Block] = []
        self.writes: list[int] = []
        """Blocks of each write."""

    def write(self, blocks: Sequence[Block]) -> None:
        self.hangs.set()
        self.let_go.wait()
        self.blocks += blocks
        self.writes.append(len(blocks))

    def keep_house(self) -> None:
        pass

    def look(self) -> bool:
        return True

    def size_bytes(self) -> int:
        return 0

    def finish(self, *, complete: bool) -> None:
        pass


def test_a_disk_that_hangs_stops_no_sample_and_loses_none_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FROZEN_S", 0.0)
    disk = HangingDisk()
    recorder = Recorder(World(), sink=disk)
    slowest_s = 0.0
    for _ in range(50):
        began_s = time.monotonic()
        recorder.begin()
        slowest_s = max(slowest_s, time.monotonic() - began_s)
    assert slowest_s < 1.0
    assert disk.hangs.wait(20.0)
    problem = recorder.problem
    assert problem is not None and problem.startswith("recording paused: the disk does not answer (")
    assert recorder.state is not None and recorder.state.halted == "paused"
    disk.let_go.set()
    until(lambda: recorder.state is not None and not recorder.state.halted)
    recorder.close()
    assert recorder.problem is None and len(disk.blocks) == 50


def test_more_than_the_newest_sample_waits_for_no_disk_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BEHIND_S", 0.0)
    disk = HangingDisk()
    recorder = Recorder(World(), sink=disk)
    said: list[tuple[str | None, str | None]] = []
    for _ in range(3):
        recorder.begin()
        under_way = recorder.behind
        recorder.pass_on()
        said.append((under_way, recorder.behind))
    one = "the disk is slow: 1 sample is not in the recording yet"
    two = "the disk is slow: 2 samples are not in the recording yet"
    assert said == [(None, None), (one, one), (two, two)]
    monkeypatch.setattr(writer, "BEHIND_S", 60.0)
    assert recorder.behind is None, "one that has just come is no trouble"
    monkeypatch.setattr(writer, "BEHIND_S", 0.0)
    assert disk.hangs.wait(20.0)
    disk.let_go.set()
    until(lambda: recorder.behind is None)
    recorder.pass_on(20.0)
    assert len(disk.blocks) == 3, "with a disk that answers it waits until all is written"
    recorder.close()


def test_a_disk_that_hangs_is_waited_for_once_and_gets_what_waits_in_one_piece() -> None:
    disk = HangingDisk()
    recorder = Recorder(World(), sink=disk)
    recorder.begin()
    recorder.pass_on(0.01)
    began_s = time.monotonic()
    for _ in range(10):
        recorder.begin()
        recorder.pass_on(20.0)
    assert time.monotonic() - began_s < 10.0
    disk.let_go.set()
    until(lambda: len(disk.blocks) == 11)
    assert disk.writes == [1, 10]
    recorder.begin()
    recorder.pass_on(20.0)
    assert len(disk.blocks) == 12, "once it has taken all it is waited for again"
    recorder.close()
    assert recorder.problem is None


class FullDisk(HangingDisk):
    """A sink with room for so many blocks."""

    room = 0

    def write(self, blocks: Sequence[Block]) -> None:
        if len(blocks) > self.room:
            raise RecordingError("the disk is full")
        self.room -= len(blocks)
        super().write(blocks)


def test_a_full_disk_that_has_room_for_some_of_what_waits_gets_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY_S", 0.01)
    disk = FullDisk()
    disk.let_go.set()
    recorder = Recorder(World(), sink=disk)
    for number in range(1, 11):
        recorder.begin()
        recorder.pass_on()
        until(lambda: recorder.write_error == "the disk is full")
        assert recorder.problem is not None and f"({number} sample" in recorder.problem
    disk.room = 4
    until(lambda: len(disk.blocks) == 4)
    recorder.close()
    assert recorder.problem == "the recording is incomplete: 6 samples are missing: the disk is full"


def test_what_a_disk_refused_last_is_written_at_the_end_and_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = HangingDisk()
    recorder = Recorder(World(), sink=disk)
    for _ in range(2):
        recorder.begin()
        recorder.pass_on()
    monkeypatch.setattr(writer, "QUEUE_BYTES", 0)
    recorder.begin()
    recorder.pass_on()
    missing = recorder.problem
    disk.let_go.set()
    recorder.close()
    assert (missing, recorder.problem) == ("1 sample is missing from the recording", None)
    assert len(disk.blocks) == 3


def test_a_file_that_is_renamed_has_all_until_then_and_leaves_nothing_for_the_next_of_its_name(tmp_path: Path) -> None:
    encoder, recording = Encoder(), RecordingFile(str(tmp_path / "r"), Bounds())
    for number in range(3):
        recording.write([encoder.block(Tick(Instant(1000.0 + number, float(number)), pids=[1, 2 + number]))])
    (tmp_path / "r").rename(tmp_path / "old")
    assert not recording.look()
    recording.finish(complete=False)
    assert [one.name for one in tmp_path.iterdir()] == ["old"], "a log would be taken for that of the next file"
    replay = Replay(str(tmp_path / "old"))
    assert sum(1 for _ in iter(replay.begin, None)) == 3
    replay.close()


def test_a_file_that_is_replaced_while_recording_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LOOK_S", 0.0)
    recorder = Recorder(World(), str(tmp_path / "r"))
    recorder.begin()
    (tmp_path / "other").write_text("mine")
    os.replace(tmp_path / "other", tmp_path / "r")

    def noticed() -> bool:
        recorder.begin()
        return recorder.is_lost

    until(noticed)
    recorder.close()
    assert recorder.problem == "recording stopped: its file was removed or replaced"
    assert (tmp_path / "r").read_text() == "mine"


def test_a_second_recorder_leaves_the_file_of_the_first_alone(tmp_path: Path) -> None:
    first, second = Recorder(World(), str(tmp_path / "r")), Recorder(World(), looks_back=True)
    first.begin()
    with pytest.raises(RecordingError, match="the file already exists"):
        second.start(str(tmp_path / "r"))
    assert second.state is None
    first.begin()
    first.close()
    second.close()
    assert first.problem is None
    replay = Replay(str(tmp_path / "r"))
    assert replay.position()[1] == 2
    replay.close()


def test_a_reader_of_a_growing_file_does_not_keep_its_writer_from_finishing_it(tmp_path: Path) -> None:
    recorder = Recorder(World(), str(tmp_path / "r"))
    recorder.begin()
    recorder.pass_on()
    opened: list[Replay] = []

    def opens() -> bool:
        try:
            opened.append(Replay(str(tmp_path / "r")))
        except RecordingError:
            return False
        return True

    until(opens)
    recorder.close()
    assert recorder.problem is None
    assert [one.name for one in tmp_path.iterdir()] == ["r"]
    opened[0].close()


@pytest.mark.parametrize("by_s", [-3600.0, -5.0, 7200.0])
def test_every_sample_is_reached_where_the_clock_was_set_while_recording(tmp_path: Path, by_s: float) -> None:
    source = FakeSource(FakeProcess(10))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    written = []
    for number in range(13):
        if number == 6:
            source.wall_s += by_s
        frame = engine.step(REQUEST)
        assert frame is not None
        written.append(frame.at_s)
    recorder.close()
    replay, player = player_of(tmp_path / "r")
    assert player.span == (min(written), max(written))

    def shown_at(text: str) -> float:
        player.go_to(player.instant(text))
        frame = player.step(REQUEST)
        assert frame is not None
        return frame.at_s

    for number, at_s in enumerate(written):
        assert shown_at(f"+{number}s") == shown_at(f"-{12 - number}s") == at_s
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_s))
        assert shown_at(clock) == at_s
    for beyond in ("+14s", "-13s"):
        with pytest.raises(UsageError, match="there are samples from"):
            player.instant(beyond)
    replay.close()


def test_a_clock_that_was_set_back_while_recording_plays_on_and_is_sought_in(tmp_path: Path) -> None:
    source = FakeSource(FakeProcess(10))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for number in range(13):
        if number == 6:
            source.wall_s -= 3600
        engine.step(REQUEST)
    recorder.close()
    replay, player = player_of(tmp_path / "r")
    played = []
    while (shown := player.step(REQUEST)) is not None:
        played.append(shown.at_s)
    assert len(played) == 13 and min(played) < played[0] - 3000
    player.go_to(played[-1])
    shown = player.step(REQUEST)
    assert shown is not None and shown.at_s == played[-1]
    replay.close()


@pytest.fixture
def zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def test_a_recording_from_another_time_zone_plays_in_the_one_of_its_reader(tmp_path: Path, zone: None) -> None:
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    recorder = Recorder(FakeSource(FakeProcess(10)), str(tmp_path / "r"))
    engine = Engine(recorder)
    written = [frame.at_s for _ in range(4) if (frame := engine.step(REQUEST)) is not None]
    recorder.close()
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    replay, player = player_of(tmp_path / "r")
    assert player.span == (written[0], written[-1])
    replay.close()


@pytest.mark.parametrize("text", ["02:30", "02:30:00", "2026-10-25 02:30", "2026-10-25T02:30:00"])
@pytest.mark.parametrize("hour", [0, 1])
def test_a_time_of_day_that_comes_twice_as_clocks_go_back_is_found_in_either_hour(
    zone: None, text: str, hour: int
) -> None:
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    first_s = float(calendar.timegm((2026, 10, 25, hour, 5, 0)))
    assert parse_instant(text, first_s, first_s + 3_000) == first_s + 1_500.999
    assert parse_instant("02:10", first_s - 3_900, first_s + 3_900) <= first_s + 301, "the earlier one of two"


@pytest.fixture
def own_pages() -> Iterator[None]:
    """Ends with the page size of this machine, whatever was played."""
    yield
    use_page_bytes(None)


@pytest.mark.usefixtures("own_pages")
def test_a_recording_of_a_machine_with_other_pages_has_the_sizes_that_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, pages = str(tmp_path / "r"), 1000
    source = FakeSource(FakeProcess(10, rss_pages=pages), FakeProcess(11))
    with monkeypatch.context() as other:
        other.setattr(resource, "getpagesize", lambda: 65_536)
        recorder = Recorder(source, path)
        engine = Engine(recorder)
        for _ in range(3):
            engine.step(REQUEST)
        recorder.close()
    replay = Replay(path)
    frame = engine_on(replay).step(REQUEST)
    replay.close()
    assert frame is not None
    assert {row.pid: row.rss_bytes for row in frame.rows}[10] == pages * 65_536
    played, player = player_of(Path(path))
    focused = REQUEST._replace(readings=REQUEST.readings._replace(focus=ProcessKey(10, 500)))
    shown = player.step(focused)
    while player.has_work:
        shown = player.work(focused) or shown
    assert shown is not None and shown.timeline is not None
    assert {size for size in shown.timeline.rss_bytes if size} == {pages * 65_536}
    played.close()
    with closing(Replay(path)) as recording:
        collected = from_recording(recording, engine_on, 10)
    detail = collected.frame.detail
    assert detail is not None and detail.row.rss_bytes == pages * 65_536
    assert {size for size in detail.series.rss_bytes if size} == {pages * 65_536}
    live = Engine(source).step(REQUEST)
    assert live is not None, "and what is sampled here is counted in the pages of this machine"
    assert {row.pid: row.rss_bytes for row in live.rows}[10] == pages * OWN_PAGE_BYTES


@pytest.mark.parametrize("size", [b"0", b"4095", b"x" * 50, b"9" * 11, b"2048"])
def test_a_page_size_that_no_machine_has_is_said_in_one_sentence(size: bytes) -> None:
    with pytest.raises(DamagedError, match=r"^its machine has pages of \w+ bytes, which no machine has$"):
        page_bytes_of({"page_bytes": size})


def test_a_recording_of_another_architecture_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.uname()
    with monkeypatch.context() as other:
        other.setattr(os, "uname", lambda: os.uname_result((*here[:4], "s390x")))
        recorder = Recorder(FakeSource(FakeProcess(10)), str(tmp_path / "r"))
        Engine(recorder).step(REQUEST)
        recorder.close()
    replay, player = player_of(tmp_path / "r")
    frame = player.step(REQUEST)
    assert frame is not None and [row.pid for row in frame.rows] == [10]
    replay.close()

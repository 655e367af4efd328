"""A recording that begins with what was already sampled."""

from __future__ import annotations

import os
import random
import tracemalloc
from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.errors import MemtopError, RecordingError
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.model.row import ProcessRow
from memtop.sources.protocol import Instant, NotedEvent
from memtop.sources.recording import encoder
from memtop.sources.recording import recorder as recorder_module
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.ring import LEAST_S, PIECE_BYTES, RING_BYTES, Ring
from memtop.sources.recording.tick import Block
from tests.fakes import FakeProcess, FakeSource
from tests.sources.recording.test_recording import World


def take(recorder: Recorder, world: World, ticks: int) -> list[tuple[object, ...]]:
    """Sample some ticks. Each has another size, and a process that lives for three."""
    seen: list[tuple[object, ...]] = []
    for _ in range(ticks):
        instant = recorder.begin()
        young = 100 + world.now // 3
        world.listing = [1, young]
        world.files = {"proc/1/statm": b"%d 1 1" % world.now, f"proc/{young}/statm": b"5 5 5", "proc/meminfo": b"M"}
        pids = recorder.pids()
        seen.append((instant, list(pids), recorder.sweep("statm", pids), recorder.read("proc/meminfo")))
    return seen


def played(path: Path) -> list[tuple[object, ...]]:
    replay = Replay(str(path))
    seen: list[tuple[object, ...]] = []
    while (instant := replay.begin()) is not None:
        pids = replay.pids()
        seen.append((instant, list(pids), replay.sweep("statm", pids), replay.read("proc/meminfo")))
    replay.close()
    return seen


def path_of(recorder: Recorder) -> str | None:
    state = recorder.state
    return None if state is None else state.path


@pytest.mark.parametrize("key_ticks", [1, 4, 300])
def test_it_holds_what_was_seen_before_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key_ticks: int
) -> None:
    monkeypatch.setattr(encoder, "KEY_TICKS_MOST", key_ticks)
    world = World()
    recorder = Recorder(world, looks_back=True)
    seen = take(recorder, world, 10)
    assert path_of(recorder) is None
    recorder.start(str(tmp_path / "r"))
    seen += take(recorder, world, 5)
    assert path_of(recorder) == str(tmp_path / "r")
    assert recorder.stop() is None
    assert path_of(recorder) is None
    assert played(tmp_path / "r") == seen[: len(played(tmp_path / "r"))]
    assert len(played(tmp_path / "r")) >= 14, "the instant under way is in the next recording"
    seen += take(recorder, world, 3)
    recorder.start(str(tmp_path / "s"))
    recorder.close()
    assert played(tmp_path / "s") == seen


def test_instants_of_one_second_wait_for_each_other_and_none_is_missing_when_it_is_asked_for(tmp_path: Path) -> None:
    source = FakeSource(FakeProcess(10), step_s=0.125)
    recorder = Recorder(source, looks_back=True)
    for number in range(1, 20):
        source.processes[10].rss_pages += 1
        recorder.begin()
        recorder.sweep("statm", [10])
        if number % 5 == 0:
            assert len(recorder.recent()) == number - 1
    recorder.start(str(tmp_path / "r"))
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    instants = [instant.mono_s for instant in iter(replay.begin, None)]
    replay.close()
    assert len(instants) == 19 and instants == sorted(set(instants))


def test_a_file_that_cannot_be_created_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "r").touch()
    world = World()
    recorder = Recorder(world, looks_back=True)
    take(recorder, world, 2)
    with pytest.raises(RecordingError, match="does not overwrite"):
        recorder.start(str(tmp_path / "r"))
    with pytest.raises(MemtopError, match="No such file"):
        recorder.start(str(tmp_path / "none" / "r"))
    assert recorder.state is None and recorder.problem is None
    recorder.close()


def test_the_memory_for_it_is_bounded_and_begins_with_a_keyframe() -> None:
    blocks = ring_of(1000, block_bytes=200, limit_bytes=10_000, most_bytes=10_000)
    assert blocks[0].key and blocks[-1].instant.wall_s == 999
    assert 5 <= len(blocks) <= 30


def ring_of(seconds: int, *, block_bytes: int, limit_bytes: int, most_bytes: int) -> list[Block]:
    ring = Ring(limit_bytes, most_bytes)
    for number in range(seconds):
        ring.append(Block(Instant(number, number), number % 10 == 0, bytes(block_bytes)))
    return list(ring)


def test_some_minutes_are_kept_where_each_instant_is_large_up_to_a_bound() -> None:
    kept = ring_of(1000, block_bytes=200, limit_bytes=10_000, most_bytes=1_000_000)
    assert LEAST_S <= len(kept) <= LEAST_S + 20 and kept[0].key
    assert 30 <= len(ring_of(1000, block_bytes=700, limit_bytes=10_000, most_bytes=50_000)) <= 60


def test_a_keyframe_that_is_larger_than_the_memory_for_it_is_kept_alone() -> None:
    ring = Ring(limit_bytes=100, most_bytes=100)
    for number in range(3):
        ring.append(Block(Instant(number, number), True, bytes(200)))
    assert [block.instant.wall_s for block in ring] == [2]


def test_small_blocks_take_little_more_than_their_rows() -> None:
    tracemalloc.start()
    ring = Ring(limit_bytes=PIECE_BYTES)  # of which nothing is taken at the start
    for number in range(400):
        ring.append(Block(Instant(1e9 + number, number / 7), number == 0, bytes(100)))
    size_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size_bytes < 400 * 150, "also before the next keyframe comes; as objects they would be 300 bytes each"
    assert len(list(ring)) == 400


def test_the_memory_for_the_past_is_there_from_the_start_and_used_again() -> None:
    tracemalloc.start()
    ring = Ring()
    at_first, _ = tracemalloc.get_traced_memory()
    sizes = []
    for number in range(3000):
        ring.append(Block(Instant(number, number), number % 130 == 0, bytes(1100)))
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert RING_BYTES / 2 < at_first < RING_BYTES
    assert max(sizes) < at_first + RING_BYTES / 2, "without it, all of the past would come on top"
    assert len(ring) > 400


@pytest.mark.parametrize("size_bytes", [3, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_what_is_kept_in_memory_comes_back_as_it_was(size_bytes: int) -> None:
    rows = [random.Random(at).randbytes(size_bytes * (at % 3)) for at in range(11)]
    blocks = [Block(Instant(1e9 + at, at / 7), at % 4 == 0, rows[at]) for at in range(11)]
    ring = Ring()
    for number, block in enumerate(blocks, start=1):
        ring.append(block)
        assert (list(ring), len(ring)) == (blocks[:number], number)


@pytest.mark.parametrize("key_ticks", [1, 4, 300])
def test_events_are_found_by_their_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key_ticks: int) -> None:
    monkeypatch.setattr(encoder, "KEY_TICKS_MOST", key_ticks)
    world = World()
    recorder = Recorder(world, looks_back=True)
    take(recorder, world, 3)
    recorder.note(NotedEvent("oom", 7, "a\x1bb (7)"))
    take(recorder, world, 4)
    recorder.note(NotedEvent("mark", None, "x" * 1000))
    recorder.start(str(tmp_path / "r"))
    take(recorder, world, 2)
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    (first_s, first), (second_s, second) = replay.events()
    assert (first.kind, first.pid, first.label) == ("oom", 7, "a^[b (7)")
    assert second.kind == "mark" and second.pid is None and 100 < len(second.label) <= 200
    assert (replay.position_at(first_s), replay.position_at(second_s)) == (3, 7)
    assert [replay.event_before(at) for at in (3, 4, 7, 8)] == [None, 3, 3, 7]
    assert [replay.event_after(at) for at in (1, 3, 6, 7)] == [3, 7, 7, None]
    replay.close()


def test_a_label_that_is_longer_when_it_is_cleaned_is_cut_again(tmp_path: Path) -> None:
    world = World()
    recorder = Recorder(world, str(tmp_path / "r"))
    take(recorder, world, 1)
    recorder.note(NotedEvent("mark", None, "\x1b" * 200))
    take(recorder, world, 1)
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    assert [event.label for _, event in replay.events()] == ["^[" * 100]
    replay.close()


def test_a_storm_of_events_at_one_instant_is_cut(tmp_path: Path) -> None:
    world = World()
    recorder = Recorder(world, str(tmp_path / "r"))
    take(recorder, world, 1)
    for number in range(2000):
        recorder.note(NotedEvent("mark", number, "x"))
    take(recorder, world, 1)
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    assert 100 < len(replay.events()) < 500
    replay.close()


def test_of_many_processes_an_instant_is_kept_now_and_then_and_where_something_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MOST_WHOLE", 1)
    world = World()
    recorder = Recorder(world, looks_back=True)
    seen = take(recorder, world, 6)
    recorder.note(NotedEvent("mark", 1, "x"))
    seen += take(recorder, world, 6)
    recorder.start(str(tmp_path / "r"))
    assert recorder.state is not None and recorder.state.sparse_s == 4.0
    seen += take(recorder, world, 4)
    recorder.close()
    assert played(tmp_path / "r") == [seen[number] for number in (0, 4, 5, 9, 11, 12, 13, 14, 15)]


def test_what_was_read_at_an_instant_that_is_not_kept_comes_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MOST_WHOLE", 1)
    world = World()
    world.listing = [1, 2]
    recorder = Recorder(world, looks_back=True)

    def instant(listing: list[int], swept: list[int]) -> None:
        recorder.begin()
        world.listing = listing
        world.files = {f"proc/{pid}/stat": b"%d at %d" % (pid, world.now) for pid in listing}
        world.files["proc/1/oom_score"] = b"%d" % world.now
        recorder.pids()
        recorder.sweep("stat", swept)

    instant([1, 2], [1, 2])
    instant([1, 2, 3], [1, 3])
    recorder.read("proc/1/oom_score")
    told = world.now
    for _ in range(3):
        instant([1, 2, 3], [2])
    recorder.start(str(tmp_path / "r"))
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    replay.begin()
    replay.begin()
    assert replay.read("proc/1/oom_score") == b"%d" % told
    assert replay.sweep("stat", [1, 2, 3]) == [b"1 at %d" % told, b"2 at %d" % world.now, b"3 at %d" % told]
    replay.close()


def test_files_of_many_processes_that_are_swept_and_read_again_come_back_as_they_were(tmp_path: Path) -> None:
    world = World()
    world.listing = list(range(1, 60))
    recorder = Recorder(world, str(tmp_path / "r"))
    paths = [f"proc/{pid}/stat" for pid in world.listing]
    for swept in (False, True, False, True, False):
        recorder.begin()
        world.files = {path: b"%s %05d" % (path.encode(), 7919 * world.now) for path in paths}
        recorder.pids()
        for path in () if swept else paths:
            recorder.read(path)
        recorder.sweep("stat", world.listing if swept else [])
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    for number in range(1, 6):
        replay.begin()
        expected = [b"%s %05d" % (path.encode(), 7919 * number) for path in paths]
        got = replay.sweep("stat", world.listing) if number % 2 == 0 else [replay.read(path) for path in paths]
        assert got == expected
    replay.close()


def test_a_recording_with_the_whole_past_says_of_no_gaps(tmp_path: Path) -> None:
    world = World()
    recorder = Recorder(world, looks_back=True)
    take(recorder, world, 5)
    recorder.start(str(tmp_path / "r"))
    assert recorder.state is not None and recorder.state.sparse_s is None
    recorder.close()


def step(engine: Engine, request: Request, recorder: Recorder) -> Frame:
    frame = engine.step(request)
    recorder.settle(5.0)
    assert frame is not None
    return frame


def row_of(frame: Frame) -> ProcessRow:
    return next(row for row in frame.rows if row.key.pid == os.getpid())


def test_a_label_is_cut_before_it_is_written(tmp_path: Path) -> None:
    world = World()
    recorder = Recorder(world, str(tmp_path / "r"))
    take(recorder, world, 1)
    recorder.note(NotedEvent("mark", None, random.Random(1).randbytes(1 << 19).hex()))
    take(recorder, world, 1)
    recorder.close()
    assert (tmp_path / "r").stat().st_size < 1 << 18

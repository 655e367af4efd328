"""A stream: what a pipe gives back, and what it takes without harm."""

from __future__ import annotations

import os
import random
import re
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.errors import RecordingError
from memtop.sources.protocol import Growth, Instant
from memtop.sources.recording import received, stream_format, writer
from memtop.sources.recording.format import VERSION, RecordKind, encode_rows
from memtop.sources.recording.received import Received
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.stream_format import HEADER, StreamDecoder, encode_block, encode_end
from memtop.sources.recording.stream_sink import StreamSink
from memtop.sources.recording.tick import Block
from tests.sources.recording.test_recording import World, there

PATIENCE_S = 20.0
KEY_EVERY = 4


def block(number: int, text: bytes = b"") -> Block:
    """An instant that says its number in a sweep; a keyframe now and then."""
    rows = encode_rows([(RecordKind.READ, b"proc/meminfo", 0, b"\0" + (text or b"%d" % number))])
    if number % KEY_EVERY == 0:
        rows = encode_rows([(RecordKind.KEY, b"", None, b"\0" + encode_rows([]))]) + rows
    return Block(Instant(1000.0 + number, 50.0 + number), number % KEY_EVERY == 0, rows)


def stream(count: int, *, end: bool = True) -> bytes:
    return HEADER + b"".join(encode_block(n, block(n)) for n in range(count)) + (encode_end(count) if end else b"")


def played(data: bytes) -> tuple[list[float], Growth, str | None]:
    """The instants of a stream that comes at once, how it ended, and what it lacks."""
    reader, writing = os.pipe()

    def send() -> None:
        with suppress(BrokenPipeError), open(writing, "wb") as pipe:  # a stream that is refused is not read to its end
            pipe.write(data)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        with closing(Replay("s", Received(reader).open())) as replay:
            while replay.wait(PATIENCE_S):
                pass
            instants = [instant.mono_s - 50.0 for instant in iter(replay.begin, None)]
            growth, incomplete = replay.growth, replay.incomplete
            assert growth is not None
    finally:
        os.close(reader)
        sender.join(PATIENCE_S)
    return instants, growth, incomplete


def test_a_stream_gives_what_the_live_source_gave() -> None:
    reader, writing = os.pipe()
    world = World()
    there([1, 2], statm=b"%d 1 1 0", status=b"Name: %d")(world)
    recorder = Recorder(world, sink=StreamSink(writing))
    live = []
    for number in range(5):
        world.files["proc/2/statm"] = b"%d 2" % number
        instant = recorder.begin()
        live.append((instant, list(recorder.pids()), recorder.sweep("statm", [1, 2]), recorder.read("proc/1/status")))
        recorder.pass_on()
    recorder.close()
    replay = Replay("s", Received(reader).open())
    while replay.wait(PATIENCE_S):
        pass
    for expected in live:
        assert (
            replay.begin(),
            list(replay.pids()),
            replay.sweep("statm", [1, 2]),
            replay.read("proc/1/status"),
        ) == expected
    assert replay.begin() is None and replay.incomplete is None
    assert replay.growth is not None and "its sender has ended" in replay.growth.ended
    replay.close()
    os.close(reader)
    os.close(writing)


@given(st.lists(st.integers(1, 200), min_size=1))
def test_a_stream_may_come_in_any_pieces(sizes: list[int]) -> None:
    data, decoder, at = stream(9), StreamDecoder(), 0
    blocks: list[Block] = []
    while at < len(data):
        size = sizes[len(blocks) % len(sizes)]
        blocks += decoder.feed(data[at : at + size])
        at += size
    assert blocks == [block(n) for n in range(9)] and decoder.has_ended


@pytest.mark.parametrize("flipped", range(0, 40, 3))
def test_after_a_damaged_record_it_goes_on_with_the_next_keyframe(flipped: int) -> None:
    data = bytearray(stream(12))
    data[len(stream(5, end=False)) + flipped] ^= 0x41  # in the record of instant 5
    instants, growth, incomplete = played(bytes(data))
    assert instants == [0, 1, 2, 3, 4, 8, 9, 10, 11]
    assert incomplete is not None and "3 samples" in incomplete
    assert not growth.is_open and not growth.is_broken


def test_damage_after_the_last_keyframe_is_said_at_the_end() -> None:
    data = bytearray(stream(12))
    data[len(stream(9, end=False)) + 60] ^= 0x41  # in the rows of instant 9
    instants, growth, _ = played(bytes(data))
    assert instants == list(range(9))
    assert growth.ended == "the end of the stream: its sender has ended; 3 samples before that arrived damaged"
    assert not growth.is_broken


@pytest.mark.parametrize("cut", [1, 60, 200])
def test_a_stream_that_breaks_off_plays_up_to_there_and_says_so(cut: int) -> None:
    instants, growth, _ = played(stream(6)[:-cut])
    assert instants == list(range(len(instants))) and len(instants) >= 3
    assert growth.is_broken and "broke off" in growth.ended


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "ended before its first sample"),
        (HEADER, "ended before its first sample"),
        (HEADER[:5], "ended before its first sample"),
        (b"hello, world\n" * 9, "not a stream from memtop"),
        (b"memtop-stream" + b"x" * 200, "not a stream from memtop"),
        (b"memtop-stream " + b"1" * 200, "not a stream from memtop"),
        (b"memtop-stream one two\n", "not a stream from memtop"),
        (b"memtop-stream 7 2\n", "it has format 7"),
        (b"memtop-stream 1 %d\n" % (VERSION + 1), f"rows of format {VERSION + 1}"),
        (b"SQLite format 3\0" + bytes(4000), "memtop replay FILE"),
        (HEADER + os.urandom(5000), "no sample of it can be read"),
        (HEADER + encode_block(1, block(1)) + encode_end(2), "ended before its first sample"),
        (HEADER + encode_block(0, Block(Instant(1.0, 1.0), True, b"\1\2\3")), "it is damaged"),
    ],
    ids=range(13),
)
def test_what_cannot_be_played_is_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(RecordingError, match=says) as raised:
        played(data)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 200


@pytest.mark.parametrize("seed", range(40))
def test_hostile_bytes_are_samples_or_one_sentence(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(stream(10))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(HEADER), len(data))
        kind = chance.randrange(3)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randint(1, 90)]
        else:
            data[at:at] = chance.randbytes(chance.randint(1, 90))
    try:
        instants, _, _ = played(bytes(data))
    except RecordingError as error:
        assert "\n" not in str(error)
    else:
        assert set(instants) <= set(range(10)) and instants == sorted(instants)


def test_a_length_that_is_too_large_is_damage() -> None:
    head = struct.Struct("<4sBBxxQddII").pack(b"\xf1mt\n", 1, 1, 0, 1.0, 1.0, stream_format.RECORD_LIMIT + 1, 0)
    decoder = StreamDecoder()
    assert list(decoder.feed(HEADER + head + struct.pack("<I", zlib.crc32(head)) + stream(2)[len(HEADER) :])) == [
        block(0),
        block(1),
    ]


def test_what_is_kept_of_the_past_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "KEPT_BYTES", 2 << 20)
    data = HEADER + b"".join(encode_block(n, block(n, os.urandom(50_000))) for n in range(120)) + encode_end(120)
    instants, growth, _ = played(data)
    assert 10 < len(instants) < 60 and instants[-1] == 119 and not growth.is_broken


def test_a_stream_without_keyframes_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "KEPT_BYTES", 1 << 20)
    rows = encode_rows([(RecordKind.READ, b"proc/meminfo", 0, b"\0" + bytes(50_000))])
    blocks = [block(0), *(Block(Instant(1000.0 + n, 50.0 + n), False, rows) for n in range(1, 60))]
    _, growth, _ = played(HEADER + b"".join(encode_block(n, one) for n, one in enumerate(blocks)))
    assert growth.is_broken and "no keyframes" in growth.ended


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writing = os.pipe()
    yield reader, writing
    for descriptor in (reader, writing):
        with suppress(OSError):  # the test has closed it
            os.close(descriptor)


@pytest.mark.parametrize(("whose", "bound"), [(writer, "QUEUE_BYTES"), (StreamSink, "waiting_bytes")])
def test_a_reader_that_does_not_read_costs_instants_but_no_time(
    pipe: tuple[int, int], whose: object, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whose, bound, 200_000)
    world = World()
    recorder = Recorder(world, sink=StreamSink(pipe[1]))
    slowest_s = 0.0
    for _ in range(60):
        began_s = time.monotonic()
        recorder.begin()
        world.files["proc/meminfo"] = os.urandom(20_000)
        recorder.read("proc/meminfo")
        slowest_s = max(slowest_s, time.monotonic() - began_s)
    assert slowest_s < 1.0
    problem = recorder.problem
    assert problem is not None and "missing" in problem
    opened: list[Replay] = []
    taking = threading.Thread(target=lambda: opened.append(Replay("s", Received(pipe[0]).open())))
    taking.start()
    recorder.close()
    taking.join(PATIENCE_S)
    replay = opened[0]
    while replay.wait(PATIENCE_S):
        pass
    *_, last = iter(replay.begin, None)
    lacks = replay.incomplete
    assert last.mono_s == 110.0, "the newest instant has come"
    assert lacks is not None and replay.read("proc/meminfo") == world.files["proc/meminfo"]
    assert replay.position()[1] + int(re.findall(r"\d+", lacks)[0]) == 60, "what is missing was counted"
    replay.close()


def test_a_reader_that_goes_away_is_noticed(pipe: tuple[int, int]) -> None:
    recorder = Recorder(World(), sink=StreamSink(pipe[1]))
    os.close(pipe[0])
    until_s = time.monotonic() + PATIENCE_S
    while not recorder.is_lost:
        assert time.monotonic() < until_s
        recorder.begin()
    recorder.close()
    assert recorder.problem == "recording stopped: the reader of the stream has gone"


def test_a_stream_into_a_full_disk_says_so_in_words() -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        recorder = Recorder(World(), sink=StreamSink(full.fileno()))
        recorder.begin()
        recorder.begin()
        recorder.close()
    assert recorder.problem == "the recording is incomplete: 2 samples are missing: the disk is full"


def test_records_within_records_cost_no_more_than_their_bytes() -> None:
    """Each head is whole, and promises a mebibyte of rows with another checksum than those that come."""
    length = 1 << 20
    head = struct.pack("<4sBBxxQddII", b"\xf1mt\n", 1, 1, 0, 1.0, 1.0, length, 0)
    record = head + struct.pack("<I", zlib.crc32(head))
    decoder, started_s = StreamDecoder(), time.process_time()
    assert list(decoder.feed(HEADER + record * (3 * length // len(record)))) == []
    assert time.process_time() - started_s < 1.0

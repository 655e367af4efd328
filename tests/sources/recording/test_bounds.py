"""How much of a recording is read, kept and written at most."""

from __future__ import annotations

import gc
import random
import sqlite3
import tracemalloc
from pathlib import Path

import pytest

from memtop.errors import DamagedError, RecordingError
from memtop.sources.protocol import Instant
from memtop.sources.recording import encoder, opening, recorder, undone_changes
from memtop.sources.recording.about import about_this_machine, page_bytes_of
from memtop.sources.recording.answer_bases import AnswerBases
from memtop.sources.recording.checked_values import mono_time_s, path_set, wall_time_s
from memtop.sources.recording.encoder import Encoder
from memtop.sources.recording.events import decode_event, event_queries
from memtop.sources.recording.format import SCHEMAS, VERSION, Outcome, RecordKind, decode_rows, encode_rows
from memtop.sources.recording.known import Known
from memtop.sources.recording.known_answers import KnownAnswers
from memtop.sources.recording.number_changes import decode_changes_of, decode_several_changes, encode_changes_of
from memtop.sources.recording.packing import decode_took, encode_took, pack, squeeze, unpack
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.ring import Ring
from memtop.sources.recording.stream_format import HEADER, StreamDecoder, encode_block
from memtop.sources.recording.tick import Block, Tick
from tests.fakes import FakeProcess, FakeSource

MIB = 1 << 20
NOTHING = encode_rows([(RecordKind.KEY, b"", None, b"\0" + encode_rows([]))])


# -- values


def test_a_time_that_no_calendar_and_no_machine_has_is_damage() -> None:
    assert (wall_time_s(2.5e11), mono_time_s(9e11)) == (2.5e11, 9e11)
    for check, time_s in ((wall_time_s, 2.6e11), (mono_time_s, 1e12)):
        with pytest.raises(DamagedError):
            check(time_s)
    assert decode_took(encode_took(9e8))[0] == 9e8
    with pytest.raises(DamagedError):
        decode_took(encode_took(1e9))


def test_a_set_of_very_many_paths_is_damage() -> None:
    with pytest.raises(DamagedError):
        path_set(b"\0" * (1 << 18))


@pytest.mark.parametrize("digits", [40, 41])
def test_only_numbers_of_few_digits_are_coded_by_their_change(digits: int) -> None:
    before, after = b"Rss: " + b"1" * digits, b"Rss: " + b"1" * (digits - 1) + b"2"
    coded = encode_changes_of(b"Rss: 2", b"Rss: 1")
    assert coded is not None
    if digits <= 40:
        assert encode_changes_of(after, before) == coded
        assert decode_changes_of(coded, before) == decode_several_changes([coded], before) == after
        return
    assert encode_changes_of(after, before) is None
    with pytest.raises(DamagedError):
        decode_changes_of(coded, before)
    with pytest.raises(DamagedError):
        decode_several_changes([coded], before)


def test_only_changes_of_few_bits_are_coded() -> None:
    assert encode_changes_of(b"%d" % (1 << 69), b"0") is not None
    assert encode_changes_of(b"%d" % (1 << 70), b"0") is None
    with pytest.raises(DamagedError):
        decode_changes_of(b"\x80" * 40 + b"\1", b"7")


@pytest.mark.parametrize(("size", "window"), [(1500, 12), (3000, 13), (6000, 14), (24_000, 15)])
def test_a_value_is_compressed_in_a_window_of_its_size_in_which_its_dictionary_is_found(size: int, window: int) -> None:
    data = random.Random(size).randbytes(size)
    squeezed = squeeze(data, data)
    assert 8 + (squeezed[1] >> 4) == window  # CINFO of RFC 1950
    assert len(squeezed) < size // 8
    assert unpack(squeezed, data) == data


def test_of_a_long_basis_the_beginning_is_the_dictionary() -> None:
    basis = random.Random(1).randbytes(100_000)
    first, last = (squeeze(data, basis) for data in (basis[1000:3000], basis[-2000:]))
    assert len(first) < 100 and len(last) > 1900
    assert unpack(first, basis) == basis[1000:3000]


@pytest.mark.parametrize("limit", ["format.VALUE_LIMIT", "encoder.PACKED_LIMIT"])
def test_an_answer_that_is_too_large_is_recorded_as_that(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"memtop.sources.recording.{limit}", 300)
    answer = Outcome.OK, random.Random(1).randbytes(1000)
    block = Encoder().block(Tick(Instant(1.0, 1.0), pids=[7], asks=[("proc/7/smaps", answer, 0.0)]))
    (status,) = [status for kind, _, status, _ in decode_rows(block.rows) if kind == RecordKind.ASK]
    assert status == Outcome.UNAVAILABLE


# -- events


def test_the_words_of_an_event_are_few() -> None:
    event = decode_event(RecordKind.EVENT, b"k" * 1000, 7, b"\0" + b"\x1b" * 200)
    assert (len(event.kind), len(event.label)) == (200, 200)
    with pytest.raises(DamagedError):
        decode_event(RecordKind.EVENT, b"k", 7, b"\0" + b"x" * 201)


@pytest.mark.parametrize("has_events", [True, False])
def test_of_very_many_events_the_latest_are_listed(has_events: bool) -> None:
    file = sqlite3.connect(":memory:")
    for sql in SCHEMAS[VERSION]:
        file.execute(sql)
    kind = RecordKind.EVENT if has_events else RecordKind.EXIT
    file.executemany("INSERT INTO tick VALUES(?, ?, ?, 0)", [(n, float(n), float(n)) for n in range(5000)])
    file.executemany("INSERT INTO fact(tick, kind, path) VALUES(?, ?, ?)", [(n, kind, b"1") for n in range(5000)])
    found = file.execute(event_queries(has_events=has_events).latest).fetchall()
    assert [wall_s for wall_s, *_ in found] == [float(n) for n in range(4999, 4999 - 4096, -1)]
    file.close()


# -- what is kept


def test_answers_of_few_files_of_processes_are_kept_as_bases() -> None:
    bases = AnswerBases()
    for pid in range(100):
        bases.put(f"proc/{pid}/smaps", b"x")
    assert len(list(bases.sizes_bytes())) == 8
    assert (bases.get("proc/99/smaps"), bases.get("proc/91/smaps")) == (b"x", b"")


def test_so_much_of_the_past_is_kept_in_memory() -> None:
    ring = Ring()
    for number in range(20):
        ring.append(Block(Instant(0.0, 400.0 * number), True, bytes(MIB // 4)))
    assert len(ring) == 2, "768 KiB, which three of them exceed"


def test_changes_that_are_left_undone_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undone_changes, "UNDONE_LIMIT", 500)
    held, before, rows = Known(), b"MemFree: 1000 kB\n", []
    for number in range(1, 5):
        now = b"MemFree: 100%d kB\n" % number
        rows.append((RecordKind.READ, b"proc/meminfo", int(Outcome.OK), pack(now, before)))
        before = now
    held.take([(RecordKind.READ, b"proc/meminfo", int(Outcome.OK), pack(b"MemFree: 1000 kB\n"))])
    settled = []
    for row in rows:
        held.take([row], on_the_way=True)
        settled.append(held.is_settled)
    assert settled == [False, False, False, True]
    assert held.reads[None]["proc/meminfo"] == (Outcome.OK, before)


def test_from_a_number_of_processes_on_not_every_instant_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_WHOLE", 10)
    source = FakeSource()
    recording = Recorder(source, looks_back=True)

    def kept(processes: int) -> int:
        source.processes = {pid: FakeProcess(pid) for pid in range(1, processes + 1)}
        before = len(recording.recent())
        for _ in range(12):
            recording.begin()
            recording.pids()
        recording.pass_on()
        return len(recording.recent()) - before

    assert [kept(10), kept(20), kept(30), kept(10)] == [12, 3, 2, 12]
    recording.close()


# -- files and streams


def test_a_file_with_very_many_tables_is_not_compared_with_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "r")
    recording = Recorder(FakeSource(FakeProcess(7)), path)
    recording.begin()
    recording.close()
    opening.open_recording(path).close()
    monkeypatch.setattr(opening, "MOST_OBJECTS", 2)
    with pytest.raises(RecordingError):
        opening.open_recording(path)


def test_what_a_recording_says_of_itself_is_short() -> None:
    assert len(about_this_machine("x" * 5000, None)["asked"]) == 1000
    with pytest.raises(DamagedError) as raised:
        page_bytes_of({"page_bytes": b"9" * 5000})
    assert len(str(raised.value)) < 200


def test_a_stream_whose_first_line_does_not_end_is_none() -> None:
    decoder = StreamDecoder()
    with pytest.raises(RecordingError):
        list(decoder.feed(HEADER.rstrip(b"\n") + b"0" * 200))


def test_a_stream_cannot_have_lost_more_instants_than_anybody_can_count() -> None:
    decoder = StreamDecoder()
    block = Block(Instant(1.0, 1.0), True, NOTHING)
    (found,) = decoder.feed(HEADER + encode_block(1 << 60, block))
    assert [status for kind, _, status, _ in decode_rows(found.rows) if kind == RecordKind.LOST] == [1 << 40]


def test_numbers_that_stand_far_to_the_right_are_read_back_on_the_way_to_an_instant() -> None:
    before, after = b"x" + b" " * 60 + b"1", b"x" + b" " * 60 + b"2"
    coded = encode_changes_of(after, before)
    assert coded is not None
    assert decode_changes_of(coded, before) == decode_several_changes([coded], before) == after


def test_where_many_processes_come_and_go_minutes_are_kept_in_twice_as_much_memory() -> None:
    ring = Ring()
    for number in range(40):
        ring.append(Block(Instant(0.0, float(number)), True, bytes(MIB // 2)))
    assert len(ring) == 7, "4 MiB, which eight of them and what they cost beside exceed"


def test_only_texts_of_a_moderate_length_are_coded_by_changes() -> None:
    before, after = (b"x" * (32_768 - 1) + digit for digit in (b"1", b"2"))
    coded = encode_changes_of(after, before)
    assert coded is not None and decode_several_changes([coded], before) == after
    assert encode_changes_of(b"x" + after, b"x" + before) is None
    with pytest.raises(DamagedError):
        decode_changes_of(coded, b"x" + before)
    with pytest.raises(DamagedError):
        decode_several_changes([coded], b"x" + before)


def test_one_copy_of_small_answers_is_kept_of_few_of_them_after_their_processes_have_left() -> None:
    known, pids = KnownAnswers(), range(1, 1501)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        known.take({f"proc/{pid}/cgroup": b"%0180d" % pid for pid in pids}, many=1 << 20)
        for _ in range(40):
            known.take({}, many=1 << 20)
        known.forget(pids)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 1500 * 180


def test_a_keyframe_of_many_processes_is_written_piece_by_piece() -> None:
    known, pids = KnownAnswers(), range(1, 1501)
    shown = {f"proc/{pid}/status": random.Random(pid).randbytes(1000) for pid in pids}
    known.take(shown, many=1)
    tracemalloc.start()
    longest_bytes = max(len(data or b"") for _, _, _, data in known.rows())
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert longest_bytes < 100_000 and peak_bytes < MIB, "the answers themselves are 1.5 MB, and in one row twice that"

    replayed = Known()
    replayed.take(known.rows())
    assert {path: told for pid in pids for path, told in replayed.reads[pid].items()} == {
        path: (Outcome.OK, data) for path, data in shown.items()
    }


def test_so_are_the_answers_of_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "KEY_TICKS_MOST", 1)
    stat: dict[int, bytes | None] = {pid: b"%04d" % pid * 250 for pid in range(1, 1501)}
    encoding = Encoder()
    tick = Tick(Instant(0.0, 0.0), [*stat], sweeps={"stat": stat})
    encoding.block(tick)
    tracemalloc.start()
    block = encoding.block(tick)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < MIB, "in one row 3 MB"

    replayed = Known()
    replayed.take(decode_rows(block.rows))
    assert block.key and replayed.values["stat"] == stat

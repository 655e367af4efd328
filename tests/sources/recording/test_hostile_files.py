"""Each guard of a recording from an untrusted sender: what it refuses, and that nothing else would."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from memtop.errors import RecordingError
from memtop.sources.protocol import Instant
from memtop.sources.recording import file, known, opening
from memtop.sources.recording.checked_values import path_set
from memtop.sources.recording.format import (
    LISTING_LIMIT,
    PROCESS_LIMIT,
    READ_FILE_LIMIT,
    VALUE_LIMIT,
    RecordKind,
    Row,
    decode_changes,
    decode_pids,
    encode_changes,
    encode_pids,
)
from memtop.sources.recording.known import COUNT_LIMIT, Known
from memtop.sources.recording.opening import FILE_LIMIT, LENGTH_LIMIT, open_recording
from memtop.sources.recording.packing import encode_took, pack, pack_answer, pack_rows, unpack
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.tables import Bounds, Tables
from memtop.sources.recording.tick import Block
from memtop.sources.recording.undone_changes import ENTRY_BYTES
from tests.fakes import FakeProcess, FakeSource


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A recording that is as it should be."""
    path = tmp_path / "good"
    recorder = Recorder(FakeSource(FakeProcess(42)), str(path))
    for _ in range(3):
        recorder.begin()
        recorder.read("proc/meminfo")
    recorder.close()
    return path


def play_all(path: Path) -> None:
    with closing(Replay(str(path))) as replay:
        while replay.begin() is not None:
            pass


# -- the file, before SQLite opens it


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("fifo", "not a regular file"),
        ("directory", "not a regular file"),
        ("link", "a symbolic link"),
        ("text", "not a recording made by memtop"),
        ("huge", "larger than 2 GiB"),
        ("huge field", "too large"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, good: Path, kind: str, why: str) -> None:
    path = tmp_path / "r"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "link":
            path.symlink_to(good)
        case "text":
            path.write_text("hello " * 50)
        case "huge":
            good.rename(path)
            os.truncate(path, FILE_LIMIT + 1)
        case _:
            good.rename(path)
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("UPDATE fact SET data = zeroblob(?)", (LENGTH_LIMIT + 1,))
    with pytest.raises(RecordingError, match=why):
        play_all(path)


# -- how SQLite opens it


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, sqlite3.Connection, list[str]]]]:
    """What is opened by SQLite meanwhile: its address, the connection, and the statements that it executes."""
    found: list[tuple[str, sqlite3.Connection, list[str]]] = []
    connect = sqlite3.connect

    def traced(name: str, **how: Any) -> sqlite3.Connection:
        statements: list[str] = []
        connection: sqlite3.Connection = connect(name, **how)
        connection.set_trace_callback(statements.append)
        found.append((name, connection, statements))
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    yield found
    for _, connection, _ in found:
        with suppress(sqlite3.Error):
            connection.close()


def test_it_is_opened_so_that_nothing_of_it_runs_and_nothing_changes(
    good: Path, opened: list[tuple[str, sqlite3.Connection, list[str]]]
) -> None:
    connection = open_recording(str(good))
    (address, _, statements) = opened[0]
    assert address.endswith("?mode=ro&immutable=1")
    assert {f"PRAGMA {said}" for said in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON")} < {*statements}
    assert {"PRAGMA mmap_size=0", "PRAGMA temp_store=MEMORY"} < {*statements}
    for statement in ("SELECT sql FROM sqlite_master", "PRAGMA user_version", "SELECT load_extension('x')"):
        with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited"):
            connection.execute(statement)
    (descriptor,) = (fd for fd in os.listdir("/proc/self/fd") if _is_at(int(fd), good))
    assert fcntl.fcntl(int(descriptor), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def _is_at(descriptor: int, path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def test_a_schema_is_read_for_a_while_only(tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(good, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "INSERT INTO sqlite_master WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 3000)"
            " SELECT 'table', 'z' || i, 'z' || i, 0, 'CREATE TABLE z' || i || '(a)' FROM c"
        )
    monkeypatch.setattr(opening, "SCHEMA_S", -1.0)
    with pytest.raises(RecordingError) as caught:
        open_recording(str(good))
    assert "interrupted" in str(caught.value.__cause__)


# -- what is written survives


def test_a_file_is_known_as_a_recording_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "r"
    heads = []

    class Connection(sqlite3.Connection):
        def execute(self, *words: Any) -> sqlite3.Cursor:
            done = super().execute(*words)
            heads.append(path.read_bytes()[:100])
            return done

    with closing(sqlite3.connect(path, isolation_level=None, factory=Connection)) as connection:
        Tables(connection, Bounds())
        (mode,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    assert mode == 2, "incremental: the oldest samples are dropped from the file too"
    written = [head for head in heads if head]
    assert written
    for head in written:  # memtop may be killed after any of them
        opening.check_foreign(head)


def test_a_commit_reaches_the_disk(tmp_path: Path, opened: list[tuple[str, sqlite3.Connection, list[str]]]) -> None:
    recording = file.RecordingFile(str(tmp_path / "r"), Bounds())
    (_, connection, _) = opened[0]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
    recording.finish(complete=True)


def test_blocks_are_written_all_or_none() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables = Tables(connection, Bounds())
    rows = pack_rows([])[:0]
    good, cut = (Block(Instant(float(number), float(number)), number == 0, rows) for number in range(2))
    with pytest.raises(RecordingError):
        tables.write([good, cut._replace(rows=b"\1\2\3" * 10)])
    assert connection.execute("SELECT count(*) FROM tick").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM fact").fetchone() == (0,)
    tables.write([good])
    assert connection.execute("SELECT n FROM tick").fetchall() == [(0,)]
    connection.close()


# -- values


def taken(*ticks: Iterable[Row]) -> Known:
    found = Known()
    for rows in ticks:
        found.take(rows)
    return found


def read_row(path: str, data: bytes) -> Row:
    return RecordKind.READ, path.encode(), 0, pack(data)


def test_one_instant_holds_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [read_row(f"sys/{number}", bytes(1000)) for number in range(20)]
    taken(rows)
    monkeypatch.setattr(known, "TICK_LIMIT", 20_000)
    with pytest.raises(RecordingError, match="one instant holds too much"):
        taken(rows)


def test_a_file_is_no_larger_than_what_memtop_reads_of_it() -> None:
    taken([read_row("proc/self/mountinfo", b"x" * READ_FILE_LIMIT)])
    with pytest.raises(RecordingError, match="too large"):
        taken([read_row("proc/self/mountinfo", b"x" * (READ_FILE_LIMIT + 1))])
    for name, limit in (("maps", LISTING_LIMIT), ("smaps", VALUE_LIMIT)):
        rows = [(RecordKind.ASK, b"proc/1/" + name.encode(), 0, pack_answer(0.1, bytes(limit)))]
        with pytest.raises(RecordingError, match="too large"):
            taken(rows)


def test_the_way_to_an_instant_holds_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "WAY_LIMIT", 50_000)
    rows = [read_row(f"sys/{number}", bytes(1000)) for number in range(20)]
    taken(rows, rows, rows)
    found = Known()
    found.take(rows, on_the_way=True)
    found.take(rows, on_the_way=True)
    with pytest.raises(RecordingError, match="or those before it"):
        found.take(rows, on_the_way=True)


def test_long_answers_on_the_way_are_not_unpacked_and_do_not_change_what_follows() -> None:
    long, short, later = bytes(1 << 20), b"1 2 3 " * 100, b"1 2 4 " * 100
    path = b"proc/1/smaps"

    def answer(data: bytes, basis: bytes = b"") -> list[Row]:
        return [(RecordKind.ASK, path, 0, pack_answer(0.1, data, basis and encode_took(0.1) + basis))]

    ticks = [answer(short), answer(long), answer(short), answer(later, short)]
    found = Known()
    for rows in ticks[:-1]:
        found.take(rows, on_the_way=True)
        assert sum(len(told[1]) for told, _ in found.asks.get("proc/1/smaps", ())) <= len(short)
    found.take(ticks[-1])
    assert found.asks == taken(*ticks).asks


def test_a_keyframe_holds_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    key = RecordKind.KEY, b"", None, pack_rows([read_row("sys/a", os.urandom(1000))])
    taken([key])
    monkeypatch.setattr(known, "KEY_LIMIT", 900)
    with pytest.raises(RecordingError, match="too large"):
        taken([key])


@pytest.mark.parametrize("kind", [RecordKind.KEY, RecordKind.EXIT])
def test_a_keyframe_holds_neither_keyframes_nor_ends(kind: RecordKind) -> None:
    inner = kind, b"1", 0, pack_rows([]) if kind is RecordKind.KEY else struct.pack("<d", 1.0)
    taken([inner])
    with pytest.raises(RecordingError, match="a keyframe has rows of a wrong kind"):
        taken([(RecordKind.KEY, b"", None, pack_rows([inner]))])


@pytest.mark.parametrize("kind", [RecordKind.KEY, RecordKind.LOST, RecordKind.ROWS])
def test_a_bundle_holds_no_bundle_and_nothing_that_is_looked_for(kind: RecordKind) -> None:
    inner = kind, b"", 0, pack_rows([])
    taken([inner])
    with pytest.raises(RecordingError, match="wrong kind"):
        taken([(RecordKind.ROWS, b"", 0, pack_rows([inner]))])


def test_times_within_times_are_refused() -> None:
    with pytest.raises(RecordingError, match="unknown encoding"):
        unpack((b"\3" + bytes(8)) * 5000 + b"\0")


def test_a_list_has_so_many_processes() -> None:
    with pytest.raises(RecordingError, match="more processes"):
        decode_pids(bytes(4 * (2 * PROCESS_LIMIT + 2)))


def test_a_sweep_has_so_many_processes() -> None:
    many = PROCESS_LIMIT + 1
    with pytest.raises(RecordingError, match="more processes"):
        decode_changes(struct.pack("<I", many) + bytes(8 * many))


def test_a_list_that_grows_has_so_many_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = RecordKind.PIDS, b"", 1, pack(encode_pids([1, 2]))
    more = RecordKind.PIDS, b"", 3, pack(encode_pids([0, 3]))
    assert taken([first], [more]).pids == (1, 2, 3)
    monkeypatch.setattr(known, "PROCESS_LIMIT", 2)
    with pytest.raises(RecordingError, match="more processes"):
        taken([first], [more])


@pytest.mark.parametrize("kind", [RecordKind.READ_SET, RecordKind.WAITING])
def test_a_set_of_paths_that_grows_has_so_many(kind: RecordKind, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(kind, b"", 1, pack(path)) for path in (b"a", b"b", b"c")]
    taken(rows)
    monkeypatch.setattr(known, "PROCESS_LIMIT", 2)
    with pytest.raises(RecordingError, match="set of paths is too large"):
        taken(rows)


def test_a_set_of_paths_has_so_many() -> None:
    with pytest.raises(RecordingError, match="set of paths is too large"):
        path_set(b"a\0" * PROCESS_LIMIT)


@pytest.mark.parametrize(
    ("kind", "status", "data"),
    [
        (RecordKind.PIDS, 1, encode_pids(range(2000))),
        (RecordKind.SWEPT, 0, encode_pids(range(2000))),
        (RecordKind.SWEEP, 0, encode_changes(dict.fromkeys(range(2000)))),
        (RecordKind.READ_SET, 1, b"\0".join(b"%d" % number for number in range(2000))),
        (RecordKind.WAITING, 1, b"\0".join(b"%d" % number for number in range(2000))),
    ],
)
def test_small_things_count_for_what_each_takes_in_memory(
    kind: RecordKind, status: int, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "TICK_LIMIT", 2000 * ENTRY_BYTES)
    with pytest.raises(RecordingError, match="one instant holds too much"):
        taken([(kind, b"", status, pack(data))])


def test_missing_samples_are_counted_up_to_a_bound() -> None:
    assert taken([(RecordKind.LOST, b"", 1 << 62, b"")]).lost == COUNT_LIMIT
    assert taken([(RecordKind.LOST, b"", -5, b"")]).lost == 0


# -- memory: whatever stays is counted


def kept_read(number: int, data: bytes) -> Row:
    return read_row(f"sys/{number}", data)


def kept_answer(number: int, data: bytes) -> Row:
    return RecordKind.ASK, b"sys/%d" % number, 0, pack(bytes(8) + data)


def kept_once(number: int, data: bytes) -> Row:
    return RecordKind.KEPT, b"proc/%d/cmdline" % number, 0, pack(bytes(8) + data)


def kept_about(number: int, data: bytes) -> Row:
    return RecordKind.ABOUT, b"about %d" % number, 0, pack(data)


def kept_swept(number: int, data: bytes) -> Row:
    return RecordKind.SWEPT, b"file %d" % number, 0, pack(encode_pids(range(len(data) // 40)))


def kept_sweep(number: int, data: bytes) -> Row:
    return RecordKind.SWEEP, b"file %d" % number, 0, pack(struct.pack("<III", 1, 1, len(data)) + data)


def kept_path(number: int, data: bytes) -> Row:
    return RecordKind.READ_SET, b"", 1, pack(b"%d" % number + b"x" * len(data))


@pytest.mark.parametrize(
    "row",
    [kept_read, kept_answer, kept_once, kept_about, kept_swept, kept_sweep, kept_path],
    ids=lambda row: row.__name__,
)
def test_what_stays_from_tick_to_tick_is_counted_whatever_it_is(row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MEMORY_LIMIT", 200_000)
    few, many = 10, 200
    assert few * (ENTRY_BYTES + 4000) < 200_000
    taken(*([row(number, bytes(2000))] for number in range(few)))
    with pytest.raises(RecordingError, match="more than memtop keeps in memory"):
        taken(*([row(number, bytes(2000))] for number in range(many)))


def test_all_who_play_a_recording_at_the_same_time_share_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MEMORY_LIMIT", 200_000)
    half = [kept_read(number, bytes(2000)) for number in range(50)]
    first, second = taken(half), Known()
    second.take(half)  # of another recording
    third = first.another()
    with pytest.raises(RecordingError, match="more than memtop keeps in memory"):
        third.take(half)
    del first, third
    taken(half).another().forget()


def test_what_is_no_longer_played_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MEMORY_LIMIT", 200_000)
    half = [kept_read(number, bytes(2000)) for number in range(50)]
    played = Known()
    for _ in range(3):
        played = played.another()
        played.asks["itself"] = [((0, played), 0.0)]  # type: ignore[list-item] # a circle, as engines have them
        played.take(half)

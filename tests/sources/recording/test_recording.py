"""What a recording gives back, and what it takes without harm."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memtop.errors import AccessDenied, Blocked, DamagedError, MemtopError, ProcessGone, RecordingError, Unavailable
from memtop.sources.live import LiveSource
from memtop.sources.protocol import READ_LIMIT, Answer, Exit, Instant, NotedEvent, Source
from memtop.sources.recording import encoder, file, known, opening, ticks, writer
from memtop.sources.recording.format import (
    VERSION,
    RecordKind,
    decode_changes,
    decode_pids,
    encode_changes,
    encode_pids,
)
from memtop.sources.recording.packing import pack, pack_bits, unpack
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay


class World:
    """A Source that says what it is told to, tick by tick."""

    def __init__(self, ticks: int = 1_000_000) -> None:
        self.ticks = ticks
        self.now = 0
        self.listing: list[int] = []
        self.files: dict[str, bytes | MemtopError] = {}
        self.answers: dict[str, bytes | MemtopError] = {}
        self.ended: list[Exit] = []
        self.closed = False

    def begin(self) -> Instant | None:
        self.now += 1
        return Instant(1000.0 + self.now, 50.0 + self.now) if self.now <= self.ticks else None

    def pids(self) -> Sequence[int]:
        return self.listing

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        found = self.files.get(path, Unavailable(f"{path}: none"))
        if isinstance(found, MemtopError):
            raise found
        return found[:size]

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        found = [self.files.get(f"proc/{pid}/{name}") for pid in pids]
        return [data if isinstance(data, bytes) else None for data in found]

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        found = self.answers.pop(path, None)
        if isinstance(found, MemtopError):
            raise found
        return None if found is None else Answer(found, 0.125)

    def abandon(self, path: str) -> None:
        pass

    def settle(self, seconds: float) -> None:
        pass

    def tids(self, pid: int) -> Sequence[int]:
        return [int(tid) for tid in self.read(f"tids/{pid}").split()]

    def watch(self, pids: Sequence[int]) -> None:
        pass

    def exits(self) -> list[Exit]:
        return self.ended

    def close(self) -> None:
        self.closed = True


Step = Callable[[World], None]
Question = Callable[[Source], object]


def told(question: Question, source: Source) -> object:
    """The answer, or the kind and text of the error."""
    try:
        return question(source)
    except MemtopError as error:
        return type(error), str(error)


def record(path: Path, steps: Sequence[tuple[Step, Sequence[Question]]]) -> list[list[object]]:
    world = World()
    recorder = Recorder(world, str(path))
    answers: list[list[object]] = []
    for step, questions in steps:
        step(world)
        answers.append([recorder.begin(), *(told(question, recorder) for question in questions)])
    recorder.close()
    assert recorder.problem is None
    return answers


def play(path: Path, steps: Sequence[tuple[Step, Sequence[Question]]]) -> list[list[object]]:
    replay = Replay(str(path))
    try:
        answers = [[replay.begin(), *(told(question, replay) for question in questions)] for _, questions in steps]
        assert replay.begin() is None
    finally:
        replay.close()
    return answers


def listing(source: Source) -> object:
    return list(source.pids())


def swept(name: str, *pids: int) -> Question:
    return lambda source: source.sweep(name, pids)


def reading(path: str) -> Question:
    return lambda source: source.read(path)


def asking(path: str) -> Question:
    return lambda source: source.ask(path)


def there(pids: Sequence[int], **files: bytes) -> Step:
    def step(world: World) -> None:
        world.listing = list(pids)
        for pid in pids:
            for name, data in files.items():
                world.files[f"proc/{pid}/{name}"] = data % pid

    return step


def put(**changes: object) -> Step:
    def step(world: World) -> None:
        for name, value in changes.items():
            current = getattr(world, name)
            if isinstance(current, dict) and isinstance(value, dict):
                current.update(value)
            else:
                setattr(world, name, value)

    return step


def nothing(world: World) -> None:
    pass


# -- equality


def test_a_replay_gives_what_the_live_source_gave(tmp_path: Path) -> None:
    everything: list[Question] = [
        listing,
        swept("statm", 1, 2, 3),
        reading("proc/meminfo"),
        reading("proc/1/status"),
        asking("proc/2/cmdline"),
        lambda source: list(source.tids(1)),
        lambda source: source.exits(),
    ]
    steps: list[tuple[Step, Sequence[Question]]] = [
        (there([1, 2, 3], statm=b"%d 1 1 0", status=b"Name: %d"), everything),
        (put(files={"proc/meminfo": b"MemTotal: 1 kB", "proc/2/statm": b"9 9 9"}), everything),
        (put(files={"proc/1/status": AccessDenied("proc/1/status: no")}), everything),
        (put(answers={"proc/2/cmdline": b"sleep\x0060\x00"}, files={"tids/1": b"1 7"}), everything),
        (put(listing=[1, 3], ended=[Exit(2, 1004.5, 9), Exit(3, 1004.5, None)]), everything),
        (put(ended=[], answers={"proc/2/cmdline": ProcessGone("proc/2/cmdline: gone")}), everything),
        (put(listing=[1, 2, 3], files={"proc/2/statm": b"9 9 9"}), everything),
        (put(answers={"proc/2/cmdline": Blocked("proc/2/cmdline: waits")}), everything),
        (put(files={"proc/1/status": b"Name: again"}), everything),
    ]
    live = record(tmp_path / "r", steps)
    assert play(tmp_path / "r", steps) == live


def test_unchanged_is_not_the_same_as_not_asked(tmp_path: Path) -> None:
    path = tmp_path / "r"
    questions = [swept("stat", 1, 2), reading("proc/1/status"), asking("proc/1/maps")]
    record(path, [(there([1, 2], stat=b"%d s", status=b"%d"), questions), (nothing, [swept("stat", 1)]), (nothing, [])])
    replay = Replay(str(path))
    replay.begin()
    assert [told(question, replay) for question in questions] == [[b"1 s", b"2 s"], b"1", None]
    replay.begin()
    assert replay.sweep("stat", [1, 2]) == [b"1 s", None]
    for question in (reading("proc/1/status"), asking("proc/1/maps")):
        with pytest.raises(Unavailable, match="not in the recording"):
            question(replay)
    replay.begin()
    assert replay.sweep("stat", [1, 2]) == [None, None]
    replay.close()


def test_an_answer_that_was_awaited_comes_at_the_same_tick_and_once(tmp_path: Path) -> None:
    path = tmp_path / "r"
    twice = [asking("proc/1/cmdline"), asking("proc/1/cmdline")]
    steps = [(there([1]), twice), (put(answers={"proc/1/cmdline": b"x"}), twice), (nothing, twice)]
    assert record(path, steps) == play(path, steps)


def test_what_was_answered_after_an_instant_was_written_is_in_the_next_one(tmp_path: Path) -> None:
    path, world = tmp_path / "r", World()
    recorder = Recorder(world, str(path))
    for _ in range(2):
        recorder.begin()
        recorder.pass_on()
        world.answers["proc/1/smaps"] = b"%d" % world.now
        recorder.ask("proc/1/smaps")
        recorder.note(NotedEvent("mark", 1, f"after {world.now}"))
    recorder.begin()
    recorder.close()
    replay = Replay(str(path))
    answers = [told(asking("proc/1/smaps"), replay) for _ in iter(replay.begin, None)]
    assert isinstance(answers[0], tuple) and answers[1:] == [Answer(b"1", 0.125), Answer(b"2", 0.125)]
    assert [(at_s, event.label) for at_s, event in replay.events()] == [(1002.0, "after 1"), (1003.0, "after 2")]
    replay.close()


def test_a_command_line_that_stays_the_same_is_written_once_and_given_at_each_request(tmp_path: Path) -> None:
    path = tmp_path / "r"
    name = "proc/1/cmdline"
    texts = [b"sh\0", b"sh\0", b"sleep\0", b"sleep\0", b"sh\0"]
    steps = [(put(listing=[1], answers={name: text}), [listing, asking(name)]) for text in texts]
    record(path, steps)
    played = play(path, steps)
    assert [answers[2].data for answers in played if isinstance(answers[2], Answer)] == texts
    with closing(sqlite3.connect(path)) as connection:
        written = connection.execute("SELECT tick FROM fact WHERE kind=? ORDER BY tick", (RecordKind.ONCE,)).fetchall()
    assert [tick for (tick,) in written] == [0, 2, 4]


def test_sweeps_of_the_live_machine_are_given_back(tmp_path: Path) -> None:
    path = tmp_path / "r"
    recorder = Recorder(LiveSource(), str(path))
    live: list[object] = []
    for _ in range(5):
        instant = recorder.begin()
        pids = list(recorder.pids())
        live.append((instant, pids, recorder.sweep("statm", pids), recorder.sweep("stat", pids[::2])))
        live.append((recorder.read("proc/meminfo"), recorder.read("proc/vmstat"), list(recorder.tids(os.getpid()))))
    recorder.close()
    replay = Replay(str(path))
    played: list[object] = []
    for _ in range(5):
        instant = replay.begin()
        pids = list(replay.pids())
        played.append((instant, pids, replay.sweep("statm", pids), replay.sweep("stat", pids[::2])))
        played.append((replay.read("proc/meminfo"), replay.read("proc/vmstat"), list(replay.tids(os.getpid()))))
    assert played == live
    assert replay.position() == (5, 5)
    assert replay.begin() is None
    replay.close()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(1, 6)),
            st.dictionaries(st.integers(1, 6), st.none() | st.binary(max_size=8)),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 5),
)
def test_any_history_of_processes_is_given_back(
    history: list[tuple[set[int], dict[int, bytes | None], bool]], key_ticks: int
) -> None:
    def live(pids: set[int], data: dict[int, bytes | None], whole: bool) -> tuple[Step, list[Question]]:
        def step(world: World) -> None:
            world.listing = sorted(pids)
            for pid, value in data.items():
                world.files[f"proc/{pid}/statm"] = Unavailable("") if value is None else value

        asked = sorted(pids) if whole else list(data)
        return step, [listing, swept("statm", *asked), *(reading(f"proc/{pid}/statm") for pid in asked)]

    with TemporaryDirectory() as directory, patch.object(encoder, "KEY_TICKS_MOST", key_ticks):
        path = Path(directory, "r")
        steps = [live(*tick) for tick in history]
        assert record(path, steps) == play(path, steps)


REFUSALS = (ProcessGone("it has ended"), AccessDenied("no"), Blocked("waits"))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(1, 5)),
            st.dictionaries(st.integers(1, 5), st.sampled_from([b"sh\0", b"sh\0-c\0", bytes(5000), *REFUSALS])),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 4),
    st.integers(1, 4),
)
@example([({1}, {1: b"sh\0"}), (set(), {}), ({1}, {1: b"sh\0"})], 4, 1)
def test_any_history_of_answers_and_files_is_given_back(
    history: list[tuple[set[int], dict[int, bytes | MemtopError]]], key_ticks: int, many: int
) -> None:
    """Command lines that change, are refused or are long; files of many processes, at one depth or below."""

    def live(pids: set[int], told_of: dict[int, bytes | MemtopError]) -> tuple[Step, list[Question]]:
        def step(world: World) -> None:
            world.listing = sorted(pids)
            for pid in pids:
                world.files[f"proc/{pid}/status"] = b"Name: %d\nswitches: %d\n" % (pid, world.now * pid)
                world.files[f"proc/{pid}/same_memory/2"] = b"%d\n" % (world.now % 2)
            world.files["proc/meminfo"] = b"MemFree: %d kB\n" % (world.now * 7) + bytes(300)

        def answering(pid: int, answer: bytes | MemtopError) -> Question:
            def ask(source: Source) -> object:
                if isinstance(source, Recorder):
                    put(answers={f"proc/{pid}/cmdline": answer})(worlds[-1])
                given = source.ask(f"proc/{pid}/cmdline")
                return given and given.data  # a replay that answers with what it has kept took no time

            return ask

        here = [(pid, answer) for pid, answer in told_of.items() if pid in pids]
        names = [f"proc/{pid}/{name}" for pid in sorted(pids) for name in ("status", "same_memory/2")]
        reads = [reading(path) for path in (*names, "proc/meminfo")]
        return step, [listing, *reads, *(answering(pid, answer) for pid, answer in here)]

    worlds: list[World] = []
    with (
        TemporaryDirectory() as directory,
        patch.object(encoder, "KEY_TICKS_MOST", key_ticks),
        patch.object(encoder, "MANY", many),
    ):
        path = Path(directory, "r")
        steps = [live(*tick) for tick in history]
        assert record(path, [(_noting(step, worlds), questions) for step, questions in steps]) == play(path, steps)


def _noting(step: Step, worlds: list[World]) -> Step:
    def noting(world: World) -> None:
        worlds.append(world)
        step(world)

    return noting


# -- the format


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_packing_loses_nothing(data: bytes, basis: bytes) -> None:
    assert unpack(pack(data, basis), basis) == unpack(pack_bits(data, basis), basis) == data


def test_a_value_of_another_length_than_what_it_is_coded_by_is_damaged() -> None:
    with pytest.raises(DamagedError, match="length"):
        unpack(pack_bits(b"ab", b"cd"), b"cde")


@given(st.lists(st.integers(0, 2**32 - 1)), st.dictionaries(st.integers(0, 2**32 - 1), st.none() | st.binary()))
def test_the_codecs_lose_nothing(pids: list[int], changes: dict[int, bytes | None]) -> None:
    assert list(decode_pids(encode_pids(pids))) == pids
    assert decode_changes(encode_changes(changes)) == changes


def test_a_large_answer_is_stored_small(tmp_path: Path) -> None:
    path = tmp_path / "r"
    smaps = b"7f0000000000-7f0000001000 r--p 00000000 00:00 0\nSize: 4 kB\n" * 100_000
    steps = [(put(answers={"proc/1/smaps": smaps}), [lambda source: source.ask("proc/1/smaps", len(smaps))])]
    assert record(path, steps) == play(path, steps) == [[Instant(1001.0, 51.0), Answer(smaps, 0.125)]]
    assert path.stat().st_size < len(smaps) / 50


def test_a_value_that_swells_beyond_every_measure_is_refused() -> None:
    with pytest.raises(RecordingError, match="too large"):
        unpack(b"\1" + zlib.compress(bytes(65 << 20), 9))


# -- what is kept from a recording


def test_secrets_of_command_lines_and_whole_environments_stay_out_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r"
    argv, environ = b"app\0--password=hunter2\0", b"API_KEY=hunter2\0"
    answers = {"proc/1/cmdline": argv, "proc/1/environ": environ}
    questions = [asking("proc/1/cmdline"), asking("proc/1/environ")]
    steps = [(put(answers=dict(answers)), questions)]
    assert record(path, steps)[0][1:] == [Answer(argv, 0.125), Answer(environ, 0.125)]
    played = play(path, steps)[0]
    assert played[1] == Answer(b"app\0--password=***\0", 0.125)
    assert played[2] == (Unavailable, "environments are never recorded")
    assert b"hunter2" not in path.read_bytes()


def test_a_recording_is_for_its_owner_only_and_is_one_file_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "r"
    before = os.umask(0)
    try:
        recorder = Recorder(World(), str(path))
        recorder.begin()
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
        recorder.close()
    finally:
        os.umask(before)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "fifo", "directory"])
def test_nothing_that_exists_is_overwritten(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "r", tmp_path / "other"
    match kind:
        case "file":
            path.write_bytes(b"mine")
        case "link":
            other.write_bytes(b"mine")
            path.symlink_to(other)
        case "dangling":
            path.symlink_to(other)
        case "fifo":
            os.mkfifo(path)
        case _:
            path.mkdir()
    with pytest.raises(RecordingError, match="does not overwrite"):
        Recorder(World(), str(path))
    assert not other.exists() or other.read_bytes() == b"mine"


# -- bad days while recording


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


CHILD = textwrap.dedent(
    """
    import sys
    from memtop.sources.live import LiveSource
    from memtop.sources.recording.recorder import Recorder
    recorder = Recorder(LiveSource(), sys.argv[1])
    while True:
        recorder.begin()
        pids = recorder.pids()
        recorder.sweep("statm", pids)
        recorder.sweep("stat", pids)
        recorder.read("proc/meminfo")
    """
)


def instants_in(path: Path) -> int:
    try:
        replay = Replay(str(path))
    except RecordingError:
        return 0  # not created yet, or only half
    replay.close()
    return replay.position()[1]


@pytest.mark.parametrize("seed", range(4))
def test_what_was_written_survives_kill_9(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "r"
    least = random.Random(seed).randrange(1, 60)
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)])
    try:
        until(lambda: instants_in(path) >= least)
        committed = instants_in(path)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    replay = Replay(str(path))
    ticks = replay.position()[1]
    assert ticks >= committed
    for _ in range(ticks):
        assert replay.begin() is not None
        assert child.pid in replay.pids()
        assert replay.sweep("statm", [child.pid])[0] is not None
    replay.close()


def test_a_disk_that_stalls_costs_instants_but_no_knowledge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUEUE_BYTES", 1)
    path = tmp_path / "r"
    world = World()
    recorder = Recorder(world, str(path))
    recorder.begin()
    stall = sqlite3.connect(path, isolation_level=None)
    stall.execute("BEGIN IMMEDIATE")
    for step in [
        there([1], statm=b"%d 1 1"),
        put(answers={"proc/1/cmdline": b"once"}),
        put(files={"proc/1/statm": b"2 2 2"}),
        nothing,
    ]:
        step(world)
        started_s = time.monotonic()
        recorder.begin()
        assert time.monotonic() - started_s < 1.0
        recorder.pids()
        recorder.sweep("statm", [1])
        told(asking("proc/1/cmdline"), recorder)
    assert recorder.problem is not None
    assert "3 samples" in recorder.problem
    stall.execute("ROLLBACK")
    stall.close()
    until(lambda: instants_in(path) > 0)
    recorder.begin()
    recorder.close()
    replay = Replay(str(path))
    commands = []
    while replay.begin() is not None:
        commands.append(told(asking("proc/1/cmdline"), replay))
    assert commands.count(Answer(b"once", 0.125)) == 1
    assert replay.sweep("statm", [1]) in ([b"2 2 2"], [None])
    replay.close()


FULL = textwrap.dedent(
    """
    import os, resource, signal, sys, time
    from memtop.sources.live import LiveSource
    from memtop.sources.recording.recorder import Recorder
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    recorder = Recorder(LiveSource(), sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    def until(condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            recorder.begin()
            recorder.sweep("stat", recorder.pids()[:50])  # of more, the queue would be full before the next try
            time.sleep(0.01)
    until(lambda: recorder.problem is not None)
    print(recorder.problem)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: recorder.problem is None)
    recorder.close()
    """
)


def test_a_full_disk_pauses_the_recording_which_goes_on_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "r"
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("recording paused: ")
    replay = Replay(str(path))
    ticks = replay.position()[1]
    assert ticks > 2
    assert sum(replay.begin() is not None for _ in range(ticks)) == ticks
    replay.close()


def test_a_file_that_is_removed_while_recording_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LOOK_S", 0.0)
    path = tmp_path / "r"
    recorder = Recorder(World(), str(path))
    recorder.begin()
    path.unlink()

    def noticed() -> bool:
        recorder.begin()
        return recorder.problem is not None

    until(noticed)
    assert recorder.problem == "recording stopped: its file was removed or replaced"
    assert recorder.state is not None and recorder.state.halted == "stopped"
    recorder.close()


# -- files that others made


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "r"
    with patch.object(encoder, "FEWEST_BUNDLED", 1_000_000):  # so that each fact is a row
        recorder = Recorder(LiveSource(), str(path))
        for _ in range(6):
            recorder.begin()
            pids = recorder.pids()
            recorder.sweep("statm", pids)
            recorder.sweep("stat", pids)
            recorder.read("proc/meminfo")
            recorder.read("proc/sys/kernel/random/uuid")  # another at each reading
        recorder.close()
    return path.read_bytes()


def mutated(good: bytes, chance: random.Random) -> bytes:
    data = bytearray(good)
    at = chance.randrange(len(data))
    match chance.randrange(5):
        case 0:
            return bytes(data[:at])
        case 1:
            for _ in range(chance.randrange(1, 20)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 2:
            page = at // 4096 * 4096
            data[page : page + 4096] = bytes(4096)
        case 3:
            page = at // 4096 * 4096
            data[page : page + 4096] = chance.randbytes(4096)
        case _:
            data[100 + chance.randrange(4000)] = chance.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(0, 400, 50)], ids=str)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, good: bytes, seeds: range) -> None:
    for seed in seeds:
        path = tmp_path / f"seed {seed}"
        path.write_bytes(mutated(good, random.Random(seed)))
        try:
            with closing(Replay(str(path))) as replay:
                while replay.begin() is not None:
                    pids = replay.pids()
                    replay.sweep("statm", pids)
                    told(reading("proc/meminfo"), replay)
        except RecordingError as error:
            text = str(error)
            assert text.startswith(f"{path} cannot be played: ")
            assert text.isprintable()


def spoilt(path: Path, good: bytes, *statements: str) -> str:
    path.write_bytes(good)
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return str(path)


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (["CREATE VIEW evil AS SELECT 1"], "not have the tables"),
        (["CREATE TABLE more(x)"], "not have the tables"),
        (["CREATE TRIGGER t AFTER INSERT ON tick BEGIN SELECT 1; END"], "not have the tables"),
        (["DROP TABLE fact", "CREATE VIEW fact AS SELECT 1"], "not have the tables"),
        ([f"PRAGMA user_version={VERSION + 1}"], f"format {VERSION + 1}"),
        (["PRAGMA application_id=7"], "not a recording"),
        (["UPDATE tick SET wall_s = 9e999"], "not a number"),
        (["UPDATE tick SET mono_s = x'00'"], "not a number"),
        (["UPDATE tick SET wall_s = 1e18"], "out of range"),
        (["UPDATE tick SET mono_s = 1e18"], "out of range"),
        (["DELETE FROM tick"], "no samples"),
        (["DELETE FROM tick WHERE n = 2"], "missing"),
        (["UPDATE fact SET data = NULL"], "missing"),
        (["UPDATE fact SET kind = 99"], "damaged"),
        (["UPDATE fact SET data = x'09'"], "unknown encoding"),
        (["UPDATE fact SET data = x'00ffffffff'"], "cut short|damaged|more processes"),
        (["UPDATE fact SET status = 77 WHERE kind = 4"], "damaged"),
    ],
)
def test_a_file_that_is_not_a_proper_recording_is_refused(
    tmp_path: Path, good: bytes, statements: list[str], why: str
) -> None:
    path = spoilt(tmp_path / "r", good, *statements)
    with pytest.raises(RecordingError, match=why):
        play_all(path)


def play_all(path: str) -> None:
    replay = Replay(path)
    try:
        while replay.begin() is not None:
            pass
    finally:
        replay.close()


def test_a_schema_without_end_is_refused_in_time(tmp_path: Path, good: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = (
        "INSERT INTO sqlite_master WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 3000)"
        " SELECT 'table', 'z' || i, 'z' || i, 0, 'CREATE TABLE z' || i || '(a)' FROM c"
    )
    path = spoilt(tmp_path / "r", good, "PRAGMA writable_schema=ON", tables)
    monkeypatch.setattr(opening, "SCHEMA_S", 0.0)
    with pytest.raises(RecordingError, match="not have the tables"):
        play_all(path)


MANY = """
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 50000)
    INSERT INTO fact SELECT 0, 6, x'61', 0, x'000000000000000000' FROM c
"""


def test_a_look_into_the_file_has_a_deadline(tmp_path: Path, good: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spoilt(tmp_path / "r", good, MANY)
    monkeypatch.setattr(ticks, "DEADLINE_S", -1.0)
    with pytest.raises(RecordingError, match="takes too long"):
        play_all(path)


def test_control_characters_of_a_file_do_not_reach_its_error(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "r\x1b[31m"
    path.write_bytes(good[:100] + bytes(len(good) - 100))
    with pytest.raises(RecordingError) as caught:
        play_all(str(path))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", ["absent", "fifo", "link", "directory", "text", "empty", "database", "fifo beside"])
def test_what_is_no_recording_is_refused_at_once(tmp_path: Path, good: bytes, kind: str) -> None:
    path = tmp_path / "r"
    match kind:
        case "absent":
            pass
        case "fifo":
            os.mkfifo(path)
        case "link":
            (tmp_path / "other").write_bytes(good)
            path.symlink_to(tmp_path / "other")
        case "directory":
            path.mkdir()
        case "text":
            path.write_text("hello")
        case "empty":
            path.touch()
        case "database":
            connection = sqlite3.connect(path)
            connection.execute("CREATE TABLE t(x)")
            connection.close()
        case _:
            path.write_bytes(good)
            os.mkfifo(f"{path}-wal")
    with pytest.raises(RecordingError, match="cannot be played"):
        Replay(str(path))


def test_a_finished_recording_plays_from_a_directory_that_nobody_may_write(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "r"
    path.write_bytes(good)
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        play_all(str(path))
        assert list(tmp_path.iterdir()) == [path]
    finally:
        tmp_path.chmod(0o700)


def test_a_clock_that_went_back_stands_still_when_played(tmp_path: Path, good: bytes) -> None:
    path = spoilt(tmp_path / "r", good, "UPDATE tick SET mono_s = mono_s / 2 WHERE n > 2")
    replay = Replay(path)
    times = [instant.mono_s for instant in iter(replay.begin, None)]
    replay.close()
    assert len(times) == 6 and times == sorted(times)


def test_a_file_whose_name_is_not_utf_8_can_be_played(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"r\xff")
    recorder = Recorder(World(), str(path))
    recorder.begin()
    recorder.close()
    play_all(str(path))


def test_an_empty_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "r").touch()
    with pytest.raises(RecordingError, match="ended before"):
        Replay(str(tmp_path / "r"))


def test_what_is_kept_from_tick_to_tick_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r"
    names = [f"sys/{number}" for number in range(40)]
    files: dict[str, bytes | MemtopError] = {name: bytes(50_000) for name in names}
    record(path, [(put(files=files), [reading(name)]) for name in names])
    monkeypatch.setattr(known, "MEMORY_LIMIT", 1_000_000)
    with pytest.raises(RecordingError, match="keeps in memory"):
        play_all(str(path))


def test_more_processes_than_can_be_shown_are_refused_at_once(tmp_path: Path, good: bytes) -> None:
    path = spoilt(tmp_path / "r", good)
    connection = sqlite3.connect(path, isolation_level=None)
    many = pack(encode_pids(range(3_000_000)))
    connection.execute("INSERT INTO fact VALUES (0, 1, x'', 1, ?)", (many,))
    connection.close()
    started_s = time.process_time()
    with pytest.raises(RecordingError, match="more processes"):
        play_all(path)
    assert time.process_time() - started_s < 1.0


def test_a_file_that_is_swapped_while_it_is_created_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, victim = tmp_path / "r", tmp_path / "victim"
    victim.write_bytes(b"not yours")
    connect = sqlite3.connect

    def swap_first(name: str, **how: object) -> sqlite3.Connection:
        path.unlink()
        path.symlink_to(victim)
        return connect(name, **how)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(sqlite3, "connect", swap_first)
    with pytest.raises(RecordingError, match="replaced"):
        Recorder(World(), str(path))
    assert victim.read_bytes() == b"not yours"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is careful about directories")
@pytest.mark.parametrize(("mode", "refused"), [(0o777, True), (0o775, True), (0o1777, False), (0o755, False)])
def test_root_records_only_where_others_cannot_swap_files(tmp_path: Path, mode: int, refused: bool) -> None:
    tmp_path.chmod(mode)
    path = tmp_path / "r"
    if not refused:
        Recorder(World(), str(path)).close()
        return
    with pytest.raises(RecordingError, match="other users can write"):
        Recorder(World(), str(path))
    assert not path.exists()


def test_what_a_closed_recording_lacks_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CLOSE_S", 0.2)
    path = tmp_path / "r"
    recorder = Recorder(World(), str(path))
    recorder.begin()
    stall = sqlite3.connect(path, isolation_level=None)
    stall.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        recorder.begin()
    recorder.close()
    problem = recorder.problem
    stall.execute("ROLLBACK")
    stall.close()
    assert problem is not None
    assert problem.startswith("the recording is incomplete: 4 samples are missing: ")

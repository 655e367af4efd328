"""What is left of a damaged recording."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from memtop.errors import RecordingError
from memtop.sources.recording import encoder, pages
from memtop.sources.recording.file import RecordingFile
from memtop.sources.recording.pages import Pages
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.salvage import salvage
from memtop.sources.recording.tables import Bounds
from tests.sources.recording.test_recording import World
from tests.sources.recording.test_stream import block

TICKS = 40
PAGE = 4096


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A recording of many pages, with a keyframe every ten instants."""
    monkeypatch.setattr(encoder, "KEY_TICKS_MOST", 10)
    world, chance = World(), random.Random(1)
    recorder = Recorder(world, str(tmp_path / "good"))
    for number in range(TICKS):
        recorder.begin()
        world.files["proc/meminfo"] = b"%d " % number + chance.randbytes(9_000)
        world.files["proc/vmstat"] = b"%d" % number
        for path in ("proc/meminfo", "proc/vmstat"):
            recorder.read(path)
    recorder.close()
    return (tmp_path / "good").read_bytes()


def salvaged(tmp_path: Path, data: bytes) -> tuple[list[int], int]:
    """The instants that are kept, each checked, and how many are said to be lost."""
    (tmp_path / "bad").write_bytes(data)
    done = salvage(str(tmp_path / "bad"), str(tmp_path / "new"))
    replay, numbers = Replay(str(tmp_path / "new")), []
    while (instant := replay.begin()) is not None:
        numbers.append(round(instant.mono_s) - 51)
        assert replay.read("proc/meminfo").startswith(b"%d " % numbers[-1]), "values are of their instant"
        assert replay.read("proc/vmstat") == b"%d" % numbers[-1]
    lost = replay.incomplete
    replay.close()
    assert done.kept == len(numbers) and done.kept + done.lost == TICKS
    missing = numbers[-1] + 1 - len(numbers)
    assert (lost is None) if not missing else (lost is not None and f" {missing} samples" in lost)
    return numbers, done.lost


def test_a_good_recording_loses_nothing(tmp_path: Path, good: bytes) -> None:
    assert salvaged(tmp_path, good) == (list(range(TICKS)), 0)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_of_a_file_that_was_cut_the_beginning_is_kept(tmp_path: Path, good: bytes, share: float) -> None:
    with pytest.raises(RecordingError, match="--salvage"):
        (tmp_path / "cut").write_bytes(good[: int(len(good) * share)])
        Replay(str(tmp_path / "cut"))
    numbers, _ = salvaged(tmp_path, good[: int(len(good) * share)])
    assert numbers == list(range(len(numbers))) and len(numbers) > TICKS * share - 15


@pytest.mark.parametrize("seed", range(12))
def test_a_page_that_is_lost_costs_at_most_what_is_before_the_next_keyframe(
    tmp_path: Path, good: bytes, seed: int
) -> None:
    chance, data = random.Random(seed), bytearray(good)
    at = chance.randrange(1, len(data) // PAGE) * PAGE
    data[at : at + PAGE] = chance.randbytes(PAGE)
    try:
        _, lost = salvaged(tmp_path, bytes(data))
    except RecordingError:
        pytest.fail("all of it is lost")
    assert lost <= 20


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bits_cost_samples_and_not_the_recording(tmp_path: Path, good: bytes, seed: int) -> None:
    chance, data = random.Random(seed), bytearray(good)
    for _ in range(3):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    numbers, _ = salvaged(tmp_path, bytes(data))
    assert len(numbers) >= TICKS // 4


def test_without_its_first_page_the_rest_is_kept(tmp_path: Path, good: bytes) -> None:
    assert salvaged(tmp_path, bytes(PAGE) + good[PAGE:])[1] == 0


def test_what_is_only_in_the_log_beside_it_is_kept(tmp_path: Path) -> None:
    file = RecordingFile(str(tmp_path / "r"), Bounds())
    file.write([block(number) for number in range(9)])
    assert salvage(str(tmp_path / "r"), str(tmp_path / "new")) == (9, 0)
    file.finish(complete=True)


def test_of_a_log_that_is_cut_in_a_page_the_samples_before_are_kept(tmp_path: Path) -> None:
    file = RecordingFile(str(tmp_path / "r"), Bounds())
    for number in range(9):
        file.write([block(number)])
    log = tmp_path / "r-wal"
    whole = log.read_bytes()
    for name, content in (("r", (tmp_path / "r").read_bytes()), ("r-wal", whole[:-1])):
        (tmp_path / f"cut-{name}").write_bytes(content)
    file.finish(complete=True)
    assert salvage(str(tmp_path / "cut-r"), str(tmp_path / "new")).kept == 8


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(os.urandom(50_000)), "nothing in it can be read"),
        (lambda path: path.write_bytes(b""), "nothing in it can be read"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE a(b)").connection.close(), "not a recording made by"),
        (lambda path: path.mkdir(), "not a regular file"),
        (os.mkfifo, "not a regular file"),
        (lambda path: path.symlink_to("/etc/passwd"), "symbolic links"),
        (lambda path: None, "No such file"),
    ],
    ids=range(7),
)
def test_what_is_no_recording_is_refused_without_a_new_file(
    tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    make(tmp_path / "bad")
    with pytest.raises(RecordingError, match=says):
        salvage(str(tmp_path / "bad"), str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(tmp_path: Path, good: bytes) -> None:
    (tmp_path / "new").write_text("mine")
    with pytest.raises(RecordingError, match="does not overwrite"):
        salvage(str(tmp_path / "good"), str(tmp_path / "new"))
    assert (tmp_path / "new").read_text() == "mine"


def test_a_row_of_a_damaged_file_that_claims_to_be_huge_is_left_out(
    tmp_path: Path, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good").write_bytes(good)
    rows = []
    for limit_bytes in (pages.ROW_LIMIT, 1_000):
        monkeypatch.setattr(pages, "ROW_LIMIT", limit_bytes)
        with (tmp_path / "good").open("rb") as file:
            found = Pages(file.fileno(), None)
            rows.append([row for number in found for row in found.rows(number)])
    sizes = [[len(value) for row in each for value in row.values if isinstance(value, bytes)] for each in rows]
    assert max(sizes[0]) > 9_000 and max(sizes[1], default=0) <= 1_000

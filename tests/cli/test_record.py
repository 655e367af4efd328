"""memtop record: a recording without a screen."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from memtop.errors import NotRecorded
from memtop.sources.protocol import Instant
from memtop.sources.recording.file import RecordingFile
from memtop.sources.recording.format import RecordKind, encode_rows
from memtop.sources.recording.packing import pack
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.tables import Bounds
from memtop.sources.recording.tick import Block
from tests.children import said


def run(*arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "memtop", "record", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **how)  # type: ignore[call-overload, no-any-return]


def samples(path: Path) -> int:
    replay = Replay(str(path))
    count = sum(1 for _ in iter(replay.begin, None))
    replay.close()
    return count


def test_it_writes_what_was_asked_and_says_so(tmp_path: Path) -> None:
    done = run("-o", str(tmp_path / "r"), "-d", "0.1", "-n", "4", str(os.getpid()))
    assert (done.returncode, done.stdout) == (0, "")
    assert said(done.stderr) == f"memtop: recording {os.getpid()} into {tmp_path / 'r'}, every 0.1 s; ctrl+c ends it\n"
    assert samples(tmp_path / "r") == 4
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o600


def test_a_signal_ends_it_with_everything_saved(tmp_path: Path) -> None:
    path = tmp_path / "r"
    command = [sys.executable, "-m", "memtop", "record", "-o", str(path), "-d", "0.1", str(os.getpid())]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as recorder:
        deadline_s = time.monotonic() + 30
        while not path.exists() or path.stat().st_size < 8192:
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        recorder.send_signal(signal.SIGTERM)
        assert recorder.wait(30) == 143
    assert samples(path) >= 1
    assert [one.name for one in tmp_path.iterdir()] == ["r"], "it is one file"


def test_what_cannot_be_recorded_leaves_no_file(tmp_path: Path) -> None:
    done = run("no-such-program-anywhere", cwd=tmp_path)
    assert done.returncode == 3
    assert "no process matches" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"), [(["-o", "/proc/none"], "/proc/none: "), (["-o", "."], "the file already exists")]
)
def test_a_file_that_cannot_be_made_is_said(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr


def test_a_full_disk_ends_it_with_one_sentence(tmp_path: Path) -> None:
    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    done = run("-o", str(tmp_path / "r"), "-d", "0.1", preexec_fn=full)
    assert done.returncode == 2
    assert said(done.stderr).count("\n") == 2, "one line at the start, one at the end"
    assert "the recording is incomplete" in done.stderr


def test_no_cmdline_leaves_out_arguments(tmp_path: Path) -> None:
    child = [sys.executable, "-c", "input()", "word-that-nobody-else-has"]
    with subprocess.Popen(child, stdin=subprocess.PIPE) as process:
        done = run("-o", str(tmp_path / "r"), "--no-cmdline", "-d", "0.1", "-n", "6", str(process.pid))
        assert done.returncode == 0, done.stderr
        process.kill()
    replay = Replay(str(tmp_path / "r"))
    answers = []
    while replay.begin() is not None:
        answer = replay.ask(f"proc/{process.pid}/cmdline")
        answers += [answer.data] if answer is not None else []
    replay.close()
    assert answers and set(answers) == {sys.executable.encode()}


def test_the_mappings_of_its_process_are_in_the_recording(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        done = run("-o", str(tmp_path / "r"), "-d", "0.1", "-n", "12", str(process.pid))
        assert done.returncode == 0, done.stderr
        process.kill()
    replay = Replay(str(tmp_path / "r"))
    found = []
    while replay.begin() is not None:
        for name in ("pagemap", "smaps"):
            with suppress(NotRecorded):
                answer = replay.ask(f"proc/{process.pid}/{name}")
                found += [answer.data] if answer is not None else []
    replay.close()
    assert len(found) == 1, "read once, not at each sample"
    assert b"[heap]" in found[0]


def fill(file: RecordingFile, blocks: int, block_bytes: int) -> None:
    """Blocks one second apart. Every tenth is a keyframe; its rows are those of an empty machine."""
    for number in range(blocks):
        key = number % 10 == 0
        row = (RecordKind.KEY if key else RecordKind.READ, b"" if key else b"proc/x", None if key else 0)
        data = pack(b"") if key else b"\0" + os.urandom(block_bytes)
        file.write([Block(Instant(1000.0 + number, float(number)), key, encode_rows([(*row, data)]))])


def test_the_oldest_is_dropped_by_time_and_the_rest_plays(tmp_path: Path) -> None:
    file = RecordingFile(str(tmp_path / "r"), Bounds(keep_s=60))
    fill(file, 300, 100)
    file.finish(complete=True)
    replay = Replay(str(tmp_path / "r"))
    times = [instant.wall_s for instant in iter(replay.begin, None)]
    replay.close()
    assert times[-1] == 1299
    assert 60 <= times[-1] - times[0] <= 80


def test_the_oldest_is_dropped_by_size_and_the_file_stays_bounded(tmp_path: Path) -> None:
    file = RecordingFile(str(tmp_path / "r"), Bounds(max_bytes=4 << 20))
    largest = 0
    for _ in range(5):
        fill(file, 100, 30_000)
        largest = max(largest, file.size_bytes())
    file.finish(complete=True)
    assert largest <= 4 << 20, "with its log"
    assert (tmp_path / "r").stat().st_size <= 4 << 20
    assert samples(tmp_path / "r") > 50


def memtop(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "memtop", *arguments]


NEVER_GIVES_UP = """
import sys
from memtop.cli import record, run

record.GIVE_UP_S = 1e9
sys.exit(run(sys.argv[1:]))
"""


def test_a_stream_is_shown_as_it_comes_and_its_sender_ends_with_its_reader() -> None:
    words = (sys.executable, "-c", NEVER_GIVES_UP, "record", "-o", "-", "-d", "0.1", str(os.getpid()))
    sender = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shown = subprocess.run(
        memtop("replay", "-", "--csv", "-n", "3"),
        stdin=sender.stdout,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert sender.stdout is not None and sender.stderr is not None
    sender.stdout.close()
    assert (shown.returncode, said(shown.stderr)) == (0, "")
    assert [line.split(",")[1] for line in shown.stdout.splitlines()[1:]] == [str(os.getpid())] * 3
    try:
        assert sender.wait(60) == 141
    finally:
        sender.kill()
    assert said(sender.stderr.read()) == "memtop: recording stopped: the reader of the stream has gone\n"
    sender.stderr.close()


def test_a_stream_goes_to_no_terminal_and_comes_from_none() -> None:
    outer, inner = os.openpty()
    for command, says in (
        (memtop("record", "-o", "-"), b"not for a terminal"),
        (memtop("replay", "-", "--json"), b"plays a stream from a pipe"),
    ):
        done = subprocess.run(command, stdin=inner, stdout=inner, stderr=subprocess.PIPE, timeout=60, check=False)
        assert done.returncode == 2 and says in done.stderr and done.stderr.count(b"\n") == 1
    os.close(outer)
    os.close(inner)

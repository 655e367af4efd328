"""A recording that fails while there is no screen: said on standard error, in the data, and by the exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.children import eventually, said

TROUBLE = textwrap.dedent(
    """
    import os, resource, signal, sys
    from memtop.cli import batch, run
    from memtop.sources.recording.recorder import Recorder
    begin, ticks = Recorder.begin, 0

    def fail_later(self):
        global ticks
        ticks += 1
        if ticks == 3:
            self.recent()  # waits until the samples so far are in the file
        if ticks == 3 and sys.argv[1] == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        if ticks == 3 and sys.argv[1] == "unlinked":
            os.unlink(sys.argv[2])
        if ticks == 6 and sys.argv[3:]:
            signal.raise_signal(int(sys.argv[3]))
        return begin(self)

    Recorder.begin = fail_later
    sys.exit(run(["--json", "-n", "8", "-d", "0.1", "--record", sys.argv[2], "1"]))
    """
)


SLOW = textwrap.dedent(
    """
    import sys, threading
    from memtop.cli import composition, run
    from memtop.sources.recording.file import RecordingFile

    composition.KEEP_S, slow_s, slow_writes, prints = float(sys.argv[2]), *map(float, sys.argv[3:])
    out, write, printed = sys.stdout.write, RecordingFile.write, threading.Semaphore(0)

    def slowly(self, blocks):
        global slow_writes
        while printed.acquire(blocking=False):
            pass
        for _ in range(int(prints) if slow_writes else 0):
            printed.acquire(timeout=slow_s)
        slow_writes -= bool(slow_writes)
        write(self, blocks)
        out(f"written {len(blocks)}\\n")

    def printing(text):
        out(text)
        printed.release()

    RecordingFile.write, sys.stdout.write = slowly, printing
    sys.exit(run(["--json", "-n", "5", "-d", "0.1", "--record", sys.argv[1], "1"]))
    """
)


def printed_beside_a_slow_disk(path: Path, *how: float) -> tuple[list[str], list[str]]:
    """What was written and printed, in that order, and what was said.

    ``how``: for how long a print waits for the disk, for how long a write is slow, how many are, and after how many
    prints one goes on.
    """
    done = subprocess.run(
        [sys.executable, "-c", SLOW, str(path), *map(str, how)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    return done.stdout.splitlines(), said(done.stderr).splitlines()


def test_no_sample_is_printed_before_the_disk_has_it(tmp_path: Path) -> None:
    lines, problems = printed_beside_a_slow_disk(tmp_path / "r", 60.0, 0.05, 5, 1)
    assert [line[:9] for line in lines] == ["written 1", '{"schema"'] * 5
    assert not problems


RECORD = textwrap.dedent(
    """
    import sys, time
    from memtop.cli import run
    from memtop.sources.live import LiveSource
    from memtop.sources.recording.file import RecordingFile

    begin, write = LiveSource.begin, RecordingFile.write

    def beginning(self):
        print("begins")
        return begin(self)

    def slowly(self, blocks):
        time.sleep(0.25)
        write(self, blocks)
        print("written", len(blocks))

    LiveSource.begin, RecordingFile.write = beginning, slowly
    sys.exit(run(["record", "-n", "4", "-d", "0.1", "-o", sys.argv[1], "1"]))
    """
)


def test_without_a_screen_no_sample_begins_before_the_disk_has_the_last_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RECORD, str(tmp_path / "r")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["begins", "written 1"] * 4


def test_a_disk_that_hangs_stops_no_sample_and_each_says_how_many_wait_beside_it(tmp_path: Path) -> None:
    lines, problems = printed_beside_a_slow_disk(tmp_path / "r", 0.6, 60.0, 1, 3)
    assert lines[3] == "written 1", "the first write has waited for three"
    waiting = [json.loads(line)["problems"] for line in lines[:3]]
    one = "the disk is slow: 1 sample is not in the recording yet"
    assert waiting == [[], [one], ["the disk is slow: 2 samples are not in the recording yet"]]
    assert problems == [f"memtop: {one}"], "it is said once, however many wait"
    assert sum(line.startswith("{") for line in lines) == 5


@pytest.mark.parametrize(("kind", "says"), [("full", "is incomplete: "), ("unlinked", "file was removed")])
def test_it_is_said_and_is_an_error(tmp_path: Path, kind: str, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TROUBLE, kind, str(tmp_path / "r")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(records) == 8, "samples go on"
    assert done.returncode == 2
    assert says in said(done.stderr).splitlines()[-1]
    if kind == "full":
        assert "recording paused" in said(done.stderr).splitlines()[0]
        assert any("recording paused" in problem for record in records for problem in record["problems"])
    assert records[0]["problems"] == []


def replay(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "memtop", "replay", "--json", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_recording_that_lacks_its_last_samples_says_so_itself(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", TROUBLE, "full", str(tmp_path / "r")], capture_output=True, timeout=60, check=False
    )
    done = replay(tmp_path / "r")
    assert done.returncode == 0
    assert "incomplete: it was not finished" in done.stderr
    assert any("incomplete" in problem for problem in json.loads(done.stdout.splitlines()[0])["problems"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_leaves_samples_unsaved_says_so_and_is_an_error(tmp_path: Path, number: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TROUBLE, "full", str(tmp_path / "r"), str(int(number))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "the recording is incomplete: " in said(done.stderr).splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "incomplete: it was not finished" in replay(tmp_path / "r").stderr


def test_a_signal_that_costs_no_sample_ends_with_its_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TROUBLE, "", str(tmp_path / "r"), str(int(signal.SIGTERM))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, said(done.stderr)) == (143, "")
    assert replay(tmp_path / "r").stderr == ""


def test_a_recording_whose_recorder_was_killed_says_so_itself(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with subprocess.Popen(
        [sys.executable, "-m", "memtop", "--json", "-d", "0.1", "--record", str(path), "1"], stdout=subprocess.PIPE
    ) as recorder:
        assert recorder.stdout is not None
        recorder.stdout.readline()
        assert eventually(lambda: replay(path).stdout != ""), "a sample is in the file soon after it is printed"
        recorder.kill()
    done = replay(path)
    assert done.returncode == 0
    assert "incomplete: it was not finished" in done.stderr
    alone = tmp_path / "copied"
    alone.write_bytes(path.read_bytes())
    done = replay(alone)
    assert (done.returncode, done.stdout) == (2, "")
    assert "it has no samples: they are in copied-wal, which is not beside it, or there were none" in done.stderr


def test_a_recording_that_is_complete_is_no_trouble(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TROUBLE, "", str(tmp_path / "r")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, said(done.stderr)) == (0, "")
    assert replay(tmp_path / "r").stderr == ""

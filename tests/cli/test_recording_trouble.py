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

"""``memtop replay`` of processes that are not in the whole recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memtop.cli import run
from memtop.engine.engine import Engine
from memtop.settings import Settings
from memtop.sources.recording.recorder import Recorder
from memtop.view_state import View
from tests.fakes import FakeProcess, FakeSource

REQUEST = View.of(Settings()).request()


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """A process from the start, and one that is there from the fourth to the sixth sample."""
    source = FakeSource(FakeProcess(10))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for tick in range(8):
        if tick == 3:
            source.add(FakeProcess(42))
        if tick == 6:
            del source.processes[42]
        engine.step(REQUEST)
    recorder.close()
    return str(tmp_path / "r")


def played(capsys: pytest.CaptureFixture[str]) -> list[list[int]]:
    objects = map(json.loads, capsys.readouterr().out.splitlines())
    return [
        [row["pid"] for row in one["processes"] if row["state"] != "X"] for one in objects if one["type"] == "sample"
    ]


def test_it_begins_where_the_process_begins_and_ends_where_it_ends(
    recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", recording, "--json", "-p", "42"]) == 0
    assert played(capsys) == [[42], [42], [42], []]


def test_a_time_before_the_process_waits_for_it(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", recording, "--json", "-p", "42", "--at", "+0s"]) == 0
    assert played(capsys) == [[], [], [], [42], [42], [42], []]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["replay", "", "--json", "-n", "1"], "replay needs the name of a recording"),
        (["--json", "-n", "1", "--record", ""], "--record needs the name of a new file"),
    ],
)
def test_an_empty_name_is_neither_the_live_machine_nor_no_recording(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    assert capsys.readouterr() == ("", f"memtop: {says}\n")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["-p", "43"], "the recording does not hold process 43; it holds 10 (app), 42 (app)"),
        (["-p", "42", "--at", "-0s"], "process 42 is not in the recording from -0s on"),
        (["--cgroup", "/none"], "no process of the recording is in cgroup /none"),
    ],
)
def test_what_the_recording_does_not_hold_is_said(
    recording: str, asked: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", recording, "--csv", *asked]) == 3
    assert capsys.readouterr().err == f"memtop: {says}\n"

"""Groups of a recording: they are computed again from what was read, whatever was on screen when it was recorded."""

from __future__ import annotations

from pathlib import Path

from memtop.engine.engine import Engine
from memtop.model.frame import Frame
from memtop.model.group import By
from memtop.model.request import Request
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.engine.groups.test_groups import by, names, the
from tests.engine.groups.worlds import MIB, cgroup, world
from tests.requests import request

TICKS = 30


def recorded(path: Path, asked: Request) -> None:
    """Processes in cgroups of which one grows, recorded with ``asked`` on screen."""
    source = world(p42="/a", p43="/a", p44="/pod/b")
    source.processes[44].cmdline = b"/usr/bin/db\0"
    recorder = Recorder(source, str(path))
    engine = Engine(recorder)
    for tick in range(TICKS):
        cgroup(source, "/a", 50 + tick, b"%d\n" % (200 * MIB))
        assert engine.step(asked) is not None
    recorder.close()


def played(path: Path, asked: Request) -> list[Frame]:
    replay = Replay(str(path))
    engine = Engine(replay, position=lambda: (0, TICKS))
    frames = []
    while (frame := engine.step(asked)) is not None:
        frames.append(frame)
    replay.close()
    return frames


def test_groups_are_there_though_processes_were_on_screen_when_it_was_recorded(tmp_path: Path) -> None:
    file = tmp_path / "night.memtop"
    recorded(file, request())
    frames = played(file, by(By.CGROUP))
    assert len(frames) == TICKS
    row = the(frames[-1], "/a")
    assert row.charge_bytes is not None
    assert 50 + TICKS - 6 <= row.charge_bytes // MIB <= 50 + TICKS
    assert (row.members, row.limit_bytes) == (2, 200 * MIB)
    assert row.growth_bytes_per_min is not None and row.growth_bytes_per_min > 15 * MIB
    assert the(played(file, by(By.PROGRAM))[-1], "db").members == 1
    assert names(played(file, by(By.CGROUP, "unit=nothing"))[-1]) == []


def test_processes_of_a_recording_carry_their_cgroup(tmp_path: Path) -> None:
    file = tmp_path / "night.memtop"
    recorded(file, request())
    frame = played(file, request())[-1]
    assert {row.pid: row.cgroup for row in frame.rows} == {42: "/a", 43: "/a", 44: "/pod/b"}

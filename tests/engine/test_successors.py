"""Who takes the place of a process that crashed: in a replay the same as on the live screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.model.frame import Frame
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.engine.groups.worlds import world
from tests.fakes import FakeProcess
from tests.requests import changed, request

TICKS = 16
NEEDS = Need.STAT | Need.STATUS | Need.OOM | Need.MEMBERSHIP | Need.GROUPS


def successor(frame: Frame | None) -> int | None:
    outlook = frame.detail.outlook if frame is not None and frame.detail is not None else None
    report = outlook.autopsy if outlook is not None else None
    return report.successor.pid if report is not None and report.successor is not None else None


@pytest.mark.parametrize(
    ("program", "command_lines", "live", "replayed"),
    [
        (b"api", True, 50, 50),
        (b"/usr/bin/python3", True, 50, 50),
        (b"api", False, 50, 50),
        (b"/usr/bin/python3", False, 50, None),  # what it runs is not known
    ],
)
def test_a_replay_names_the_successor(
    program: bytes, command_lines: bool, live: int, replayed: int | None, tmp_path: Path
) -> None:
    source = world(p42="/shop", p43="/shop")
    first = source.processes[42]
    first.cmdline = program + b"\0--x\0"
    recorder = Recorder(source, str(tmp_path / "r"), command_lines=command_lines)
    engine = Engine(recorder, note=recorder.note)
    asked = changed(request(focus=first.key, needs_all=NEEDS))
    frame = None
    for tick in range(TICKS):
        if tick == 4:
            del source.processes[42]
            source.ended.append(Exit(42, source.wall_s + 0.5, 9))
        if tick in (6, 8):
            pid, argument = (50, b"--x") if tick == 6 else (60, b"--other")
            source.add(FakeProcess(pid, start_ticks=900 + tick, cmdline=program + b"\0" + argument + b"\0"))
            source.files[f"proc/{pid}/cgroup"] = source.files["proc/42/cgroup"]
        frame = engine.step(asked)
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    again = Engine(replay, position=replay.position)
    last = [again.step(asked) for _ in range(TICKS)][-1]
    replay.close()
    assert (successor(frame), successor(last)) == (live, replayed)

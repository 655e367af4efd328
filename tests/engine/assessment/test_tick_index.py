"""What all processes assessed in full have in common is computed once a tick, however many they are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from memtop.analysis.limits.oom_score import ranking
from memtop.engine.engine import Engine
from memtop.sampling.request import Need
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.engine.groups.worlds import MIB, cgroup, world
from tests.requests import changed, request

TICKS = 3
MEMBERS = 30


def test_the_victims_of_a_cgroup_are_ordered_once_a_tick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = world(**{f"p{pid}": "/a" for pid in range(100, 100 + MEMBERS)})
    cgroup(source, "/a", 50, b"%d\n" % (200 * MIB))
    asked = request(outlooks=True, needs=Need.STAT | Need.VICTIM)
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for _ in range(TICKS):
        engine.step(changed(asked, focus=source.processes[100].key))
    recorder.close()
    orders = 0

    def counted(*given: Any, **named: Any) -> Iterable[int]:
        nonlocal orders
        orders += 1
        return ranking(*given, **named)

    monkeypatch.setattr("memtop.engine.assessment.oom_candidates.ranking", counted)
    replay = Replay(str(tmp_path / "r"))
    played = Engine(replay, position=replay.position)
    frames = [played.step(asked) for _ in range(TICKS)]
    replay.close()
    last = frames[-1]
    assert last is not None and len(last.outlooks) == MEMBERS
    assert {one.in_cgroup.of for one in last.outlooks.values() if one.in_cgroup is not None} == {MEMBERS}
    assert orders <= 3 * TICKS

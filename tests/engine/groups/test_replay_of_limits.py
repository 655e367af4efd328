"""A replay that lists processes knows the cgroups that were read with the first sample of its recording."""

from __future__ import annotations

from pathlib import Path

from memtop.analysis.incidents.incident import Scope
from memtop.engine.engine import Engine
from memtop.sampling.request import Need
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.engine.groups.worlds import MIB, cgroup, world
from tests.requests import request


def test_what_was_looked_up_with_the_first_sample_is_known_in_a_replay_of_processes(tmp_path: Path) -> None:
    source = world(p42="/shop.service", p43="/shop.service")
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for tick in range(8):
        cgroup(source, "/shop.service", 90 + tick, b"%d\n" % (100 * MIB))
        engine.step(request(needs_all=Need.MEMBERSHIP | Need.GROUPS))
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    played = Engine(replay, position=replay.position)
    frames = [played.step(request()) for _ in range(8)]
    replay.close()
    assert frames[-1] is not None and frames[-1].incidents is not None
    (incident,) = frames[-1].incidents.standing
    assert incident.subject.scope is Scope.CGROUP and incident.subject.name == "shop.service"
    assert frames[-1].incidents.unseen.unplaced == 0

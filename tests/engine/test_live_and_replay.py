"""A recording shows what the screen showed: frames of processes that come, go, exec and are denied, and of groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.errors import AccessDenied
from memtop.explain.incident_text import unseen_clauses
from memtop.model.frame import Frame
from memtop.model.group import By
from memtop.model.request import GroupsRequest, Request
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit, OwnCost
from memtop.sources.recording import encoder
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.engine.groups.test_groups import BOX, by
from tests.engine.groups.worlds import MIB, cgroup, world
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import changed, request

TICKS = 20
UNIT = "/system.slice/db.service"
V1 = "sys/fs/cgroup/memory"


def of_version_1(source: FakeSource) -> None:
    """The same processes where memory has a hierarchy of version 1."""
    source.files["proc/self/mountinfo"] = b"30 1 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    for pid in source.processes:
        source.files[f"proc/{pid}/cgroup"] = b"7:memory:%s\n" % UNIT.encode()
    for folder in (V1, f"{V1}/system.slice", f"{V1}{UNIT}"):
        source.files |= {
            f"{folder}/memory.limit_in_bytes": b"%d\n" % (300 * MIB),
            f"{folder}/memory.usage_in_bytes": b"%d\n" % (90 * MIB),
            f"{folder}/memory.kmem.usage_in_bytes": b"%d\n" % (7 * MIB),
            f"{folder}/memory.stat": b"cache 1000\nrss %d\nmapped_file 10\n" % (60 * MIB),
            f"{folder}/memory.oom_control": b"oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
        }


def change(source: FakeSource, tick: int, version: int) -> None:
    """What happens at a tick."""
    grows = source.processes[42]
    grows.rss_pages += MIB_PAGES
    grows.minflt += 256
    if version == 1:
        source.files[f"{V1}{UNIT}/memory.usage_in_bytes"] = b"%d\n" % ((90 + tick) * MIB)
    else:
        cgroup(source, UNIT, 100 + tick, b"%d\n" % (300 * MIB), anon=90 + tick)
    if tick == 5:
        born = source.add(FakeProcess(77, comm=b"child", ppid=42, start_ticks=900, cmdline=b"child\0--wait\0"))
        source.files[f"proc/{born.pid}/cgroup"] = source.files["proc/42/cgroup"]
    if tick == 8:
        source.processes[43].comm, source.processes[43].start_code = b"other", 0x4444_0000
    if tick == 10:
        source.files["proc/44/status"] = AccessDenied("proc/44/status: Permission denied")
    if tick == 13:
        del source.processes[77]
        source.ended.append(Exit(77, source.wall_s + 0.5, 9))
    if tick == 16:
        source.add(FakeProcess(77, comm=b"second", start_ticks=2_000))


REQUESTS = [
    pytest.param(request(needs=Need.STAT | Need.STATUS | Need.OOM), id="processes"),
    pytest.param(request(focus=FakeProcess(42).key, panel="limits"), id="limits"),
    *(pytest.param(by(kind), id=kind.value) for kind in By),
    pytest.param(changed(by(By.CGROUP), tree=True), id="tree"),
]


def with_focus(asked: Request, frame: Frame | None) -> Request:
    """The same request with the first group in focus, and all of them on screen."""
    if frame is None or not frame.groups:
        return asked
    keys = tuple(row.key for row in frame.groups)
    return asked._replace(groups=GroupsRequest(keys[0], keys))


@pytest.mark.parametrize(("version", "form"), [(1, (300, 1000)), (2, (7, 1))])
@pytest.mark.parametrize("asked", REQUESTS)
def test_each_frame_of_a_replay_is_that_of_the_screen(
    asked: Request, version: int, form: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(("KEY_TICKS_MOST", "MANY"), form, strict=True):
        monkeypatch.setattr(encoder, name, value)
    source = world(p42=UNIT, p43=UNIT, p44=BOX)
    source.add(FakeProcess(2, state="Z", ppid=42))
    if version == 1:
        of_version_1(source)
    recorder = Recorder(source, str(tmp_path / "r"))
    live, requests = Engine(recorder, note=recorder.note), []
    frames: list[Frame | None] = []
    for tick in range(TICKS):
        change(source, tick, version)
        requests.append(with_focus(asked, frames[-1] if frames else None))
        frames.append(live.step(requests[-1]))
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    played = Engine(replay, position=replay.position)
    for tick, (wanted, frame) in enumerate(zip(requests, frames, strict=True)):
        again = played.step(wanted)
        assert frame is not None and again is not None
        assert again._replace(replay_position=None, own=OwnCost(None, None)) == frame, f"tick {tick}"
    if asked.rows.by is not None:
        last = frames[-1]
        assert last is not None and last.groups is not None
        assert last.groups or asked.rows.by in (By.CONTAINER, By.POD)
    replay.close()


def recorded_alone(path: Path) -> Replay:
    """A recording of one process of three, in focus from the second instant on."""
    source = world(p42=UNIT, p43=UNIT, p44=BOX)
    recorder = Recorder(source, str(path))
    engine = Engine(recorder, note=recorder.note)
    alone = request(only=frozenset({42}), needs_all=Need.STAT | Need.STATUS | Need.OOM)
    for tick in range(TICKS):
        engine.step(alone if tick == 0 else changed(alone, focus=source.processes[42].key, panel="limits"))
    recorder.close()
    return Replay(str(path))


def test_a_recording_of_one_process_says_nothing_of_the_others(tmp_path: Path) -> None:
    replay = recorded_alone(tmp_path / "r")
    engine = Engine(replay, position=replay.position)
    asked = request(focus=FakeProcess(42).key, panel="limits", needs=Need.STAT | Need.VICTIM)
    frames = [engine.step(asked) for _ in range(TICKS)]
    last = frames[-1]
    assert last is not None and last.detail is not None and last.detail.outlook is not None
    assert last.system.processes is None
    assert last.incidents is not None and last.incidents.unseen.only == 1
    assert last.detail.outlook.on_machine is None and last.detail.outlook.in_cgroup is None
    assert "only 1 process watched" in unseen_clauses(last.incidents.unseen)
    replay.close()


def test_limits_that_were_read_at_other_instants_hold(tmp_path: Path) -> None:
    replay = recorded_alone(tmp_path / "r")
    engine = Engine(replay, position=replay.position)
    asked = request(focus=FakeProcess(42).key, panel="limits")
    outlooks = [
        frame.detail.outlook for _ in range(TICKS) if (frame := engine.step(asked)) is not None and frame.detail
    ]
    assert {one.unread for one in outlooks[2:] if one is not None} == {()}
    assert {one.policy.overcommit for one in outlooks[2:] if one is not None} == {0}
    replay.close()


def test_what_was_read_at_some_of_many_fast_samples_holds_until_it_was_read_again(tmp_path: Path) -> None:
    source = world(p42=UNIT)
    source.step_s = 0.3
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder, note=recorder.note)
    alone = request(only=frozenset({42}))
    shown = []
    for tick in range(TICKS):
        source.files["proc/meminfo"] = b"MemTotal: 9000 kB\nMemFree: 100 kB\nMemAvailable: %d kB\n" % (5000 - tick)
        shown.append(engine.step(alone if tick == 0 else changed(alone, focus=FakeProcess(42).key)))
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    player = Engine(replay, position=replay.position)
    played = [player.step(request()) for _ in range(TICKS)]
    available = [[frame and frame.system.mem_available_bytes for frame in frames] for frames in (shown, played)]
    assert available[0] == available[1]
    assert 5 < len(set(available[0])) < 10, "it is not read at each instant"
    replay.close()

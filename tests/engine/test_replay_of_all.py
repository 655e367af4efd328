"""A replay judges all processes, each as the live machine would if it had been named."""

from __future__ import annotations

from pathlib import Path

from memtop.engine.engine import Engine
from memtop.errors import AccessDenied
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.engine.groups.worlds import MIB, cgroup, world
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.headless.judged import judged_object
from tests.requests import request

TICKS = 130
NEEDS = Need.STAT | Need.STATUS | Need.OOM | Need.MEMBERSHIP | Need.GROUPS
OTHERS = 24
"""More processes than are looked at every few seconds, however many there are."""
NAMED = (42, 43, 44, 77)
Judged = dict[tuple[int, ProcessKey], object]


def asked(only: frozenset[int] | None = None) -> Request:
    wanted = request(only=only, needs_all=NEEDS)
    return wanted._replace(readings=wanted.readings._replace(outlooks=True))


def change(source: FakeSource, tick: int) -> None:
    """42 grows, 43 becomes another program, 44 is denied for a while, 77 comes, ends and comes again."""
    source.processes[42].rss_pages += MIB_PAGES
    source.processes[1000].rss_pages += MIB_PAGES
    source.processes[1000].shr_pages += MIB_PAGES
    source.processes[1000].shmem_kib += 1024
    cgroup(source, "/shop", 100 + tick, b"%d\n" % (600 * MIB), anon=90 + tick)
    if tick in (30, 120):
        source.add(FakeProcess(77, comm=b"child", ppid=42, start_ticks=900 + tick, cmdline=b"child\0--wait\0"))
    if tick == 60:
        source.processes[43].comm, source.processes[43].start_code = b"other", 0x4444_0000
    if tick == 70:
        source.files["proc/44/status"] = AccessDenied("proc/44/status: Permission denied")
    if tick == 90:
        del source.files["proc/44/status"], source.processes[77]
        source.ended.append(Exit(77, source.wall_s + 0.5, 9))


def judged(engine: Engine, wanted: Request, source: FakeSource | None = None) -> Judged:
    """Verdict and findings by tick and process."""
    found: Judged = {}
    for tick in range(TICKS):
        if source is not None:
            change(source, tick)
        frame = engine.step(wanted)
        assert frame is not None
        found |= {(tick, key): judged_object(one) for key, one in frame.outlooks.items()}
    return found


def verdict_of(one: object) -> object:
    """The verdict, and the findings that are more than notes."""
    assert isinstance(one, dict)
    bad = [finding for finding in one["findings"] or () if finding["severity"] != "note"]
    return one["verdict"], [finding["id"] for finding in bad], [finding["severity"] for finding in bad]


def test_each_process_is_judged_as_live_at_that_tick(tmp_path: Path) -> None:
    source = world(p42="/shop", p43="/shop", p44="/other")
    for pid in range(1000, 1000 + OTHERS):
        source.add(FakeProcess(pid))
        source.files[f"proc/{pid}/cgroup"] = b"0::/other\n"
    recorder = Recorder(source, str(tmp_path / "r"))
    live = judged(Engine(recorder, note=recorder.note), asked(frozenset(NAMED) | {*range(1000, 1008)}), source)
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    again = judged(Engine(replay, position=replay.position), asked())
    replay.close()
    assert {key.pid for _, key in live} >= set(NAMED)
    for at, one in live.items():
        assert at in again, at
        assert verdict_of(again[at]) == verdict_of(one), at
    alarms = [at for at, one in again.items() if "'confirmed': True" in str(one)]
    assert {key.pid for _, key in alarms} == {42, 1000}

"""A program that is OOM-killed in its cgroup and comes back is one story, also where the cgroup goes with each life."""

from __future__ import annotations

import pytest

from memtop.engine.engine import Engine
from memtop.explain.incident_text import headline, incident_sentences
from memtop.model.frame import Frame
from memtop.sources.protocol import Exit
from tests.engine.groups.worlds import MIB, ROOT, cgroup, world
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import request

MEMINFO = b"MemTotal: 24000000 kB\nMemFree: 20000000 kB\nMemAvailable: 20000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
POD = "/kubepods.slice/kubepods-pod0123abcd_0123_0123_0123_0123456789ab.slice"


def container(life: int) -> str:
    """Kubernetes makes a container with another ID for each life."""
    return f"{POD}/cri-containerd-{f'{life}' * 64}.scope"


def service(_: int) -> str:
    return "/system.slice/api.service"


class Loop:
    """Lives that fill their cgroup of 60 MiB within seconds; then they are OOM-killed and their cgroup is removed."""

    def __init__(self, source: FakeSource) -> None:
        source.files |= {"proc/meminfo": MEMINFO, "proc/vmstat": b"oom_kill 0\n"}
        self.source, self.engine, self.kills = source, Engine(source), 0

    def step(self) -> tuple[str, Frame]:
        frame = self.engine.step(request())
        assert frame is not None
        return headline(frame.incidents, frame.system).says, frame

    def live(self, path: str) -> list[str]:
        """The headlines of one life and of the seconds after it."""
        pid, said = 50 + self.kills, []
        process = self.source.add(FakeProcess(pid, cmdline=b"api\0", start_ticks=9000 + 1000 * self.kills))
        self.source.files[f"proc/{pid}/cgroup"] = b"0::%s\n" % path.encode()
        for used_mib in range(5, 60, 10):
            process.rss_pages = used_mib * MIB_PAGES
            cgroup(self.source, path, used_mib, b"%d\n" % (60 * MIB))
            said.append(self.step()[0])
        del self.source.processes[pid]
        self.kills += 1
        self.source.ended = [Exit(pid, self.source.wall_s, 9)]
        self.source.files["proc/vmstat"] = b"oom_kill %d\n" % self.kills
        for name in [name for name in self.source.files if name.startswith(f"{ROOT}{path}/")]:
            del self.source.files[name]
        return [*said, *(self.step()[0] for _ in range(3))]


@pytest.mark.parametrize("place", [service, container])
def test_the_loop_is_named_and_not_how_full_the_cgroup_of_one_life_was(place: object) -> None:
    assert callable(place)
    loop = Loop(world(p43="/b"))
    for _ in range(10):
        loop.step()
    first = loop.live(place(1))
    assert all("api (50) was probably OOM-killed" in one and "(60.0 MiB)" in one for one in first[-3:]), first
    loop.live(place(2))
    said = [*loop.live(place(3)), *loop.live(place(4))][2:]
    assert all(one.startswith("api restarted") and "each ends at 55.0 MiB by OOM" in one for one in said), said
    assert all("60.0 MiB" in one for one in said)


def test_after_a_kill_the_next_step_is_the_command_that_raises_that_limit() -> None:
    loop = Loop(world(p43="/b", p44=service(0)))
    loop.source.processes[44].rss_pages = MIB_PAGES
    for _ in range(10):
        loop.step()
    command = f"(echo 90M > /{ROOT}{service(0)}/memory.max)"
    nexts = []
    for _ in range(3):
        loop.live(service(0))
        report = loop.step()[1].incidents
        assert report is not None
        nexts.append((report.standing[0].name, incident_sentences(report.standing[0]).next))
    assert [name for name, _ in nexts] == ["oom_kill", "oom_kill", "crash_loop"], nexts
    assert all(f"aise the limit {command}, or limit the runtime" in text for _, text in nexts), nexts


def test_a_larger_process_that_ended_elsewhere_does_not_hide_the_kill() -> None:
    source = world(p43="/b", p44="/b")
    source.processes[44].rss_pages = 300 * MIB_PAGES
    loop = Loop(source)
    for _ in range(3):
        loop.step()
    del source.processes[44]
    source.ended = [Exit(44, source.wall_s, 9)]
    loop.step()
    assert "api (50) was probably OOM-killed" in loop.live(service(1))[-1]


def test_the_use_of_a_cgroup_is_not_compared_with_the_limit_of_one_that_had_its_name_before() -> None:
    source = world(p42="/b", p43="/a.service")
    source.files |= {"proc/meminfo": MEMINFO, f"{ROOT}/a.service/inode": b"70\n"}
    cgroup(source, "/a.service", 20, b"%d\n" % (48 * MIB))
    engine = Engine(source)
    for _ in range(6):
        engine.step(request())
    cgroup(source, "/a.service", 60, b"%d\n" % (200 * MIB))
    source.files[f"{ROOT}/a.service/inode"] = b"71\n"
    for _ in range(4):
        frame = engine.step(request())
        assert frame is not None and "a.service" not in headline(frame.incidents, frame.system).says


def test_a_cgroup_that_is_removed_is_not_said_to_be_full_any_more() -> None:
    source = world(p42="/b", p43="/a.service")
    source.files["proc/meminfo"] = MEMINFO
    cgroup(source, "/a.service", 95, b"%d\n" % (100 * MIB))
    engine = Engine(source)
    for _ in range(6):
        frame = engine.step(request())
    assert frame is not None and "a.service" in headline(frame.incidents, frame.system).says
    del source.processes[43]
    for name in [name for name in source.files if name.startswith(f"{ROOT}/a.service/")]:
        del source.files[name]
    frame = engine.step(request())
    assert frame is not None and "a.service" not in headline(frame.incidents, frame.system).says

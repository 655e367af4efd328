"""JVMs whose heaps are used for the first time fill a container only if all their heaps together have no room in it."""

from __future__ import annotations

import pytest

from memtop.engine.engine import Engine
from memtop.explain.group_sentences import group_sentences
from memtop.explain.incident_text import headline
from memtop.model.frame import Frame
from memtop.model.group import By, GroupKey
from memtop.model.request import GroupsRequest, Request, RowSelection
from memtop.runtimes.jvm.hsperf import parse_hsperf
from memtop.runtimes.jvm.reading import encode_counters
from memtop.sampling.request import Need, ReadingsRequest
from tests.fakes import FakeProcess, FakeSource
from tests.lab.points import lines
from tests.sampling.test_cgroups import APP, v2
from tests.sampling.test_runtimes import JVM

MIB = 1 << 20
JAVA = b"/usr/bin/java\0-jar\0shop.jar\0"
SPAN_S = 96


class Container:
    """JVMs in one container. Each has an eden of 100 MiB in a heap of 120 MiB, and takes 1 MiB a second."""

    def __init__(self, jvms: int, limit_mib: int, *, native: bool) -> None:
        self.native = native
        self.processes = [FakeProcess(pid, b"java", cmdline=JAVA) for pid in range(42, 42 + jvms)]
        self.source = FakeSource(*self.processes)
        self.source.files |= {name: data for name, data in v2().files.items() if not name.startswith("proc/42")}
        self.source.files["proc/meminfo"] = b"MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\nSwapTotal: 0 kB\n"
        self.source.files[f"{APP}/memory.max"] = b"%d\n" % (limit_mib * MIB)
        self.source.files[f"{APP}/memory.high"] = b"max\n"
        self.counters = dict(parse_hsperf(lines("jvm_leak_serial")[0]["hsperf"]))
        self.counters["java.rt.vmArgs"] = "-Xmx120m"
        self.counters["sun.rt.createVmBeginTime"] = 1
        for name in ("capacity", "maxCapacity", "space.0.capacity"):
            self.counters[f"sun.gc.generation.0.{name}"] = 100 * MIB
        self.source.wall_s = 0.001 + self.source.mono_s - self.processes[0].start_ticks / 100
        for process in self.processes:
            self.source.files[f"proc/{process.pid}/runtime/identity"] = JVM
            self.source.files[f"proc/{process.pid}/cgroup"] = b"0::/kubepods.slice/pod1/app.scope\n"
        self.engine = Engine(self.source)
        self.key = GroupKey(By.CGROUP, APP)
        needs = Need.MEMBERSHIP | Need.GROUPS | Need.STATUS
        groups = GroupsRequest(focus=self.key, visible=(self.key,))
        self.ask = Request(ReadingsRequest(needs_all=needs), RowSelection(by=By.CGROUP), groups=groups)

    def tick(self, second: int) -> Frame:
        """Eden fills by a MiB a second; or it is full, and memory outside of the heap grows by as much."""
        eden = 100 * MIB if self.native else min(100, second) * MIB
        anon = (30 + second + 100 * self.native) * MIB
        self.counters["sun.gc.generation.0.space.0.used"] = eden
        for process in self.processes:
            self.source.files[f"proc/{process.pid}/runtime/jvm"] = encode_counters(self.counters)
            process.rss_pages = anon // 4096
        charge = anon * len(self.processes)
        self.source.files[f"{APP}/memory.current"] = b"%d\n" % charge
        self.source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % charge
        frame = self.engine.step(self.ask)
        assert frame is not None
        return frame


@pytest.mark.parametrize(
    ("jvms", "limit_mib", "native", "fills"),
    [
        (1, 200, False, False),
        (1, 400, True, True),
        (3, 600, False, False),
        (3, 360, False, True),
        (3, 1000, True, True),
        (11, 2200, False, False),
    ],
    ids=[
        *("one with room", "one that grows elsewhere"),
        *("three with room", "three without", "three that grow elsewhere"),
        "eleven with room",
    ],
)
def test_a_container_is_said_to_fill_only_if_the_heaps_in_it_do_not_end_before(
    jvms: int, limit_mib: int, *, native: bool, fills: bool
) -> None:
    container = Container(jvms, limit_mib, native=native)
    said, forecasts = [], []
    for second in range(SPAN_S):
        frame = container.tick(second)
        said.append(headline(frame.incidents, frame.system).says)
        assert frame.groups is not None
        forecasts += [row.limit_s for row in frame.groups if row.key == container.key and row.limit_s is not None]
    assert bool([one for one in said if "full" in one or "fills" in one or "reaches" in one]) is fills, said
    assert bool(forecasts) is fills
    assert frame.group is not None and frame.group.growth is not None and frame.group.state is not None
    assert frame.group.state.alarm
    assert (frame.group.growth.limit_s is not None) is fills
    assert any(" full in " in one.says for one in group_sentences(frame.group)) is fills

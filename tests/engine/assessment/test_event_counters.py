"""Which kills and cgroups are remembered of processes that come and go."""

from __future__ import annotations

from dataclasses import replace

from memtop.engine.assessment.event_counters import Counters
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.engine import Engine
from memtop.process_key import ProcessKey
from memtop.procfs.vmstat import parse_vmstat
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample
from memtop.sampling.request import SamplePlan
from memtop.sampling.sample import Sample, SystemSample
from memtop.tui.panels.limit_sentences import sentences
from tests.fakes import FakeProcess, outlook
from tests.requests import request
from tests.sampling.test_cgroups import APP, v2


def step(cgroups: CgroupSample, *, kills: int | None = None, at_s: float = 100.0, first: bool = True) -> StepInput:
    vmstat = parse_vmstat(b"oom_kill %d\n" % kills) if kills is not None else None
    sample = Sample(0.0, at_s, SystemSample(None, vmstat, None), {}, (), (), 0)
    return StepInput(sample, None if first else sample, SamplePlan(), cgroups)


def test_the_cgroups_of_processes_that_have_ended_are_forgotten_after_many_others() -> None:
    counters = Counters()
    keys = [ProcessKey(pid, pid) for pid in range(1, 201)]
    for key in keys:
        counters.note(step(CgroupSample(chains={key: ("app",)})))
    known = [key for key in keys if counters.chain(key)]
    assert keys[-1] in known and len(known) < 100


def test_of_a_storm_of_kills_the_latest_are_counted() -> None:
    counters = Counters()
    for number in range(400):
        counters.note(step(CgroupSample(kills={"app": number})))
    assert counters.cgroup_kills("app") == 256


def test_a_cgroup_that_was_made_again_counts_from_zero() -> None:
    """Its count is below that of the cgroup which had its name before, and its first kill is one all the same."""
    counters = Counters()
    counters.note(step(CgroupSample(kills={"/a": 5})))
    counters.note(step(CgroupSample(kills={"/a": 1}, remade={"/a": 0})))
    assert counters.cgroup_kills("/a") == 1
    assert counters.earlier_kills == {}


def test_what_a_cgroup_has_counted_by_another_name_is_not_new() -> None:
    counters = Counters()
    counters.note(step(CgroupSample(kills={"/a": 0, "/b": 3})))
    counters.note(step(CgroupSample(kills={"/a": 3}, remade={"/a": 3})))
    assert counters.cgroup_kills("/a") == 0


def test_a_kill_in_a_cgroup_that_was_not_read_then_is_known_later() -> None:
    """Its other counters are read from then on, and are said to be of that time."""
    other = FakeProcess(7, cmdline=b"other\0")
    source = v2(FakeProcess(42), other)
    source.files |= {
        "proc/7/cgroup": b"0::/other\n",
        f"{APP}/memory.events.local": b"max 9\noom_kill 1\n",
        "proc/vmstat": b"pgfault 1\noom_kill 3\n",
    }
    engine = Engine(source)
    for _ in range(8):
        engine.step(request(focus=other.key))
    source.files |= {f"{APP}/memory.events.local": b"max 12\noom_kill 2\n", "proc/vmstat": b"pgfault 1\noom_kill 4\n"}
    for _ in range(8):
        engine.step(request(focus=other.key))
    for _ in range(3):
        frame = engine.step(request(focus=FakeProcess(42).key))
    assert frame is not None and frame.detail is not None
    events = outlook(frame).events
    assert (events.oom_kill, events.max, events.read_s) == (1, 0, 10.0), "read in full from its kill on"
    said = " ".join(sentences(frame.detail, outlook(frame), frame))
    assert "In this cgroup since memtop started: OOM-killed once." in said
    assert "within the last 10 s (not read before): limit reached 0 times" in said


def test_whether_a_cgroup_that_is_found_after_a_kill_had_one_before_is_unknown() -> None:
    counters, reading = Counters(), CgroupReading("late", v2=True, limit_bytes=None, oom_kill=4)
    counters.note(step(CgroupSample(kills={"a": 0}), kills=1))
    late = CgroupSample(kills={"a": 1, "late": 4, "new": 0}, readings={"late": reading})
    counters.note(step(late, kills=2, at_s=200.0, first=False))
    assert counters.events("late").oom_kill is None
    killed = {"late": reading._replace(oom_kill=5)}
    counters.note(
        step(replace(late, kills={**late.kills, "late": 5}, readings=killed), kills=3, at_s=201.0, first=False)
    )
    assert counters.events("late").oom_kill == 1
    assert counters.earlier_kills == {}

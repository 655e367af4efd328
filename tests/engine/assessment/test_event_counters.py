"""Which kills and cgroups are remembered of processes that come and go."""

from __future__ import annotations

from memtop.engine.assessment.event_counters import Counters
from memtop.engine.assessment.step_input import StepInput
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.request import SamplePlan
from memtop.sampling.sample import Sample, SystemSample


def step(cgroups: CgroupSample) -> StepInput:
    sample = Sample(0.0, 100.0, SystemSample(None, None, None), {}, (), (), 0)
    return StepInput(sample, None, SamplePlan(), cgroups)


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

"""Limits on threads: what was not recorded is not said to be unreadable."""

from __future__ import annotations

import pytest

from memtop.errors import AccessDenied, MemtopError, NotRecorded
from memtop.sampling.cgroups.task_limits import TaskLimits
from memtop.sampling.sampler import Sampler
from tests.fakes import FakeProcess, FakeSource
from tests.requests import plan, request


@pytest.mark.parametrize(
    ("error", "why"),
    [(NotRecorded("proc/42/cgroup"), "were not read"), (AccessDenied("proc/42/cgroup: denied"), "cannot be read")],
)
def test_why_the_limits_of_the_pids_cgroup_are_unknown(error: MemtopError, why: str) -> None:
    source = FakeSource(FakeProcess(42))
    sample = Sampler(source).sample(plan(request()))
    assert sample is not None
    source.files["proc/42/cgroup"] = error
    seen = sample.processes[42]
    found = TaskLimits(source, replaying=True).read([seen.key], sample.processes, (), None)
    assert found[seen.key].unread == f"the limits of its pids cgroup {why}"

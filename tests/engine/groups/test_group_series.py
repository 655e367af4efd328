"""What is kept of cgroups that come and go."""

from __future__ import annotations

from collections import deque

from memtop.engine.groups.group_series import MOST_REMOVED, GroupSeries
from memtop.engine.groups.naming import Places
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample, TimedReading
from memtop.sampling.sample import Sample, SystemSample


def test_the_last_readings_are_kept_of_the_cgroups_that_were_removed_last() -> None:
    series = GroupSeries(deque(), Places())
    names = [f"job-{number}" for number in range(MOST_REMOVED + 10)]
    for at_s, name in enumerate([*names, ""]):
        latest = {name: TimedReading(float(at_s), CgroupReading(name, True, None))} if name else {}
        system, cgroups = SystemSample(None, None, None), CgroupSample(latest=latest)
        series.note(Sample(at_s, at_s, system, {}, (), (), 0, cgroups=cgroups), {}, delay_s=1.0)
    assert [*series.removed] == names[-MOST_REMOVED:]

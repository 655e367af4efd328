"""What grows as a whole: programs of several processes, of which none explains the growth alone."""

from __future__ import annotations

from collections import deque

import pytest

from memtop.engine.groups.group_growth import GroupGrowth
from memtop.engine.groups.naming import Naming
from memtop.engine.groups.pools import PoolWatch
from memtop.engine.groups.sums import totals_of
from memtop.model.group import By
from memtop.sampling.cgroup_reading import CgroupSample
from tests.rows import proc_row

MIB = 1 << 20


@pytest.mark.parametrize(("members", "groups"), [(1, 0), (2, 1), (5, 1)])
def test_a_program_of_one_process_does_not_grow_as_a_whole(members: int, groups: int) -> None:
    watch = PoolWatch(GroupGrowth(deque()))
    for tick in range(6):
        rows = {
            pid: proc_row(pid, name="work", command="work", rss_bytes=(20 + 5 * tick) * MIB, shr_bytes=0)
            for pid in range(10, 10 + members)
        }
        rows = {pid: row._replace(virt_bytes=row.rss_bytes, anon_bytes=row.rss_bytes) for pid, row in rows.items()}
        totals = totals_of(rows.values(), Naming(By.PROGRAM, CgroupSample(), rows))
        watch.note(totals, rows, {}, CgroupSample(), 100.0 + tick)
    assert len(watch.growing) == groups

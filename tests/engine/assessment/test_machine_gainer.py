"""While available memory falls, the process that has gained most is found at once, without a pass over all of them."""

from __future__ import annotations

import random

from memtop.analysis.trend.rising import Rise
from memtop.engine.assessment.machine_gainer import EVERY_TICKS, GainerFinder
from memtop.engine.assessment.step_input import StepInput
from memtop.model.frame import ProcessRow
from memtop.procfs.meminfo import parse_meminfo
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.request import ReadingsRequest, SamplePlan
from memtop.sampling.sample import Sample, SystemSample
from tests.rows import GIB, MIB, proc_row

FALL = Rise(90.0, 0, GIB, 100.0, 5)
MEMINFO = parse_meminfo(b"MemTotal: 24000000 kB\nMemAvailable: 9000000 kB\nAnonPages: 1000000 kB\n")
SYSTEM = SystemSample(MEMINFO, None, None)


def step(rows: dict[int, ProcessRow]) -> StepInput:
    sample = Sample(0.0, 100.0, SYSTEM, {}, (), (), 0)
    return StepInput(sample, None, SamplePlan(ReadingsRequest(), frozenset()), CgroupSample(), rows)


def test_one_that_gains_more_than_all_others_is_found_at_the_tick_at_which_it_does() -> None:
    finder, chance = GainerFinder(), random.Random(1)
    rows = {pid: proc_row(pid, growth_bytes_per_min=0.0) for pid in range(1, 40)}
    for tick in range(4 * EVERY_TICKS):
        risen = chance.sample(sorted(rows), 3)
        for pid in risen:
            rows[pid] = rows[pid]._replace(growth_bytes_per_min=chance.uniform(0, 100) * MIB)
        if tick % 3 == 0:  # what has gained most is now a minute ago
            best = max(rows, key=lambda pid: rows[pid].growth_bytes_per_min or 0.0)
            rows[best] = rows[best]._replace(growth_bytes_per_min=0.0)
        found = finder.take(step(rows), FALL, risen)
        assert found.row is max(rows.values(), key=lambda row: row.growth_bytes_per_min or 0.0)
        if tick % 7 == 6:
            assert found.row is not None
            del rows[found.row.pid]  # it ends


def test_what_is_read_is_not_all_where_it_holds_little_of_the_anonymous_memory() -> None:
    assert finder_sees({7: proc_row(7, anon_bytes=GIB)})
    assert not finder_sees({7: proc_row(7, anon_bytes=100 * MIB)})


def finder_sees(rows: dict[int, ProcessRow]) -> bool:
    return GainerFinder().take(step(rows), FALL, ()).all_seen


def test_nothing_is_compared_while_nothing_falls() -> None:
    assert GainerFinder().take(step({7: proc_row(7)}), FALL._replace(high_bytes=MIB), ()).row is None

"""While available memory falls, the process that has gained most is found at once, without a pass over all of them."""

from __future__ import annotations

import random

from memtop.analysis.trend.rising import Rise
from memtop.engine.assessment.machine_gainer import EVERY_TICKS, GainerFinder
from memtop.engine.assessment.step_input import StepInput
from memtop.model.row import ProcessRow
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
        found = finder.take(step(rows), FALL, risen, None)
        assert found.row is max(rows.values(), key=lambda row: row.growth_bytes_per_min or 0.0)
        if tick % 7 == 6:
            assert found.row is not None
            del rows[found.row.pid]  # it ends


def test_what_is_read_is_not_all_where_it_holds_little_of_the_anonymous_memory() -> None:
    assert finder_sees({7: proc_row(7, anon_bytes=GIB)})
    assert not finder_sees({7: proc_row(7, anon_bytes=100 * MIB)})


def finder_sees(rows: dict[int, ProcessRow]) -> bool:
    return GainerFinder().take(step(rows), FALL, (), None).all_seen


def test_nothing_is_compared_while_nothing_falls() -> None:
    assert GainerFinder().take(step({7: proc_row(7)}), FALL._replace(high_bytes=MIB), (), None).row is None


def test_who_copies_what_it_shares_since_a_fork_is_found_by_its_faults_while_its_size_stands_still() -> None:
    page_faults = 25_600.0  # 100 MiB/s, as much as the machine loses
    parent = proc_row(7, anon_bytes=2 * GIB, minflt_per_s=1.0)
    child = proc_row(8, ppid=7, anon_bytes=2 * GIB, minflt_per_s=page_faults)

    def copier(*rows: ProcessRow) -> int | None:
        found = GainerFinder().take(step({row.pid: row for row in rows}), FALL, (), FALL).copier
        return found.pid if found is not None else None

    busy = proc_row(9, anon_bytes=2 * GIB, minflt_per_s=2 * page_faults)
    assert copier(busy, parent, child) == 8, "one without relatives allocates and frees"
    assert copier(parent._replace(minflt_per_s=page_faults), child._replace(minflt_per_s=0.0)) == 7
    assert copier(parent, child._replace(minflt_per_s=page_faults / 4)) is None, "too few to explain it"
    assert copier(parent, child._replace(growth_bytes_per_min=float(GIB))) is None, "it grows itself"
    assert copier(parent._replace(anon_bytes=20 * MIB), child) is None, "its parent has nothing to share"
    assert copier(parent, child._replace(ppid=1)) is None
    assert copier(parent, child._replace(anon_bytes=GIB // 2)) is None, "there is less to copy than was lost"

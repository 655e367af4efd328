"""What grows as a whole: programs of several processes, of which none explains the growth alone."""

from __future__ import annotations

import os
from collections import deque

import pytest

from memtop.engine.assessment.growing_group import GrowingGroup
from memtop.engine.groups.group_growth import GroupGrowth
from memtop.engine.groups.kept_totals import KeptTotals
from memtop.engine.groups.pools import PoolWatch
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.meminfo import parse_meminfo
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.sample import Sample, SystemSample
from tests.rows import proc_row

MIB = 1 << 20


@pytest.mark.parametrize(("members", "groups"), [(1, 0), (2, 1), (5, 1)])
def test_a_program_of_one_process_does_not_grow_as_a_whole(members: int, groups: int) -> None:
    watch, sums = PoolWatch(GroupGrowth(deque())), KeptTotals()
    for tick in range(6):
        rows = {
            pid: proc_row(pid, name="work", command="work", rss_bytes=(20 + 5 * tick) * MIB, shr_bytes=0)
            for pid in range(10, 10 + members)
        }
        rows = {pid: row._replace(virt_bytes=row.rss_bytes, anon_bytes=row.rss_bytes) for pid, row in rows.items()}
        sums.update(rows)
        watch.note(sums, rows, {}, CgroupSample(), 100.0 + tick)
    assert len(watch.growing) == groups


@pytest.mark.parametrize(
    ("machine", "charged", "named"),
    [(9.0, None, True), (0.0, None, False), (0.0, 9.0, True), (0.0, 0.0, False), (9.0, 0.0, False)],
)
def test_a_sum_that_rises_is_memory_where_the_machine_or_the_cgroup_gains_it(
    machine: float, charged: float | None, named: bool
) -> None:
    """Pages that forked processes share count in each; and others may free what these take."""
    growth, sums = GroupGrowth(deque()), KeptTotals()
    watch = PoolWatch(growth)
    for tick in range(12):
        now_s, rows = 100.0 + tick, {}
        for pid in (10, 11):
            size = int((20 + 5 * tick) * MIB)
            row = proc_row(pid, name="work", command="work", rss_bytes=size, shr_bytes=0)
            rows[pid] = row._replace(virt_bytes=size, anon_bytes=size)
        cgroups = CgroupSample()
        if charged is not None:
            cgroups = CgroupSample(chains={row.key: ("cg/pool",) for row in rows.values()})
            used = int((100 + charged * tick) * MIB)
            growth.note(GroupKey(By.CGROUP, "cg/pool"), now_s, used, used, used)
        anon = b"MemTotal: 9000000 kB\nAnonPages: %d kB\n" % int(1_000_000 + machine * tick * 1024)
        system = SystemSample(parse_meminfo(anon), None, None)
        watch.note_machine(Sample(0.0, now_s, system, {}, (), (), 0))
        sums.update(rows)
        watch.note(sums, rows, {}, cgroups, now_s)
    assert [one.members for one in watch.growing] == ([2] if named else [])


def test_programs_of_one_process_do_not_take_the_places_of_those_that_grow_as_a_whole() -> None:
    watch, sums = PoolWatch(GroupGrowth(deque())), KeptTotals()
    for tick in range(6):
        rows = {}
        for pid in range(10, 20):
            name, rate = ("work", 5) if pid < 12 else (f"single{pid}", 40)
            size = (20 + rate * tick) * MIB
            row = proc_row(pid, name=name, command=name, rss_bytes=size, shr_bytes=0)
            rows[pid] = row._replace(virt_bytes=size, anon_bytes=size)
        sums.update(rows)
        watch.note(sums, rows, {}, CgroupSample(), 100.0 + tick)
    assert [one.name for one in watch.growing] == ["work"]


def pool(tick: int, starts_s: dict[int, float], sizes_mib: dict[int, float]) -> dict[int, ProcessRow]:
    """Workers that have started by now."""
    rows = {}
    for pid, start_s in starts_s.items():
        if start_s <= 100.0 + tick:
            size = int(sizes_mib[pid] * MIB)
            row = proc_row(pid, name="work", command="work", rss_bytes=size, shr_bytes=0)
            key = ProcessKey(pid, int(start_s * os.sysconf("SC_CLK_TCK")))
            rows[pid] = row._replace(key=key, virt_bytes=size, anon_bytes=size)
    return rows


def grows(starts_s: dict[int, float], rates: dict[int, float], ticks: int = 30) -> list[GrowingGroup]:
    """What grows as a whole if each worker loads 9 MiB in five seconds, then grows by these rates in MiB a second."""
    watch, sums = PoolWatch(GroupGrowth(deque())), KeptTotals()
    for tick in range(ticks):
        ages = {pid: max(0.0, 100.0 + tick - start_s) for pid, start_s in starts_s.items()}
        sizes = {pid: 1 + 1.8 * min(5.0, age) + rates.get(pid, 0.0) * age for pid, age in ages.items()}
        rows = pool(tick, starts_s, sizes)
        alone = {row.key: rates.get(row.pid, 0.0) * MIB for row in rows.values()}
        sums.update(rows)
        watch.note(sums, rows, alone, CgroupSample(), 100.0 + tick)
        if tick == ticks - 1:
            return list(watch.growing)
    return []


def test_workers_that_have_only_started_do_not_grow_as_a_whole() -> None:
    starts = dict.fromkeys(range(10, 50), 103.0)
    assert grows(starts, {}, 9) == []
    assert grows(starts, {10: 3.0}) == [], "one of them grows, and that is its own story"


def test_workers_that_all_go_on_growing_after_their_start_grow_as_a_whole_by_that() -> None:
    (found,) = grows(dict.fromkeys(range(10, 20), 103.0), dict.fromkeys(range(10, 20), 1.0))
    assert found.rise is not None
    assert found.rise.size_bytes < 200 * MIB, "without what they took at their start"


def test_short_lived_workers_that_become_larger_one_after_the_other_grow_as_a_whole() -> None:
    watch, sums = PoolWatch(GroupGrowth(deque())), KeptTotals()
    for tick in range(14):
        starts = {1000 * (tick + slot) // 3 + slot: 100.0 + tick - (tick + slot) % 3 for slot in range(8)}
        rows = pool(tick, starts, dict.fromkeys(starts, 10.0 + 1.5 * tick))
        sums.update(rows)
        watch.note(sums, rows, {}, CgroupSample(), 100.0 + tick)
    (found,) = watch.growing
    assert found.members == 8 and found.rise is not None and found.rise.size_bytes > 80 * MIB


def short_lived(rate_mib_per_s: float, seconds: int) -> list[GrowingGroup]:
    """A pool that starts under the eyes of memtop: a worker each 0.4 s, which lives for 3 s and does not grow."""
    watch, sums = PoolWatch(GroupGrowth(deque())), KeptTotals()
    starts = {10 + number: 100.4 + 0.4 * number for number in range(100)}
    sizes = {pid: 4 + rate_mib_per_s * (start_s - 100.0) for pid, start_s in starts.items()}
    for tick in range(seconds):
        living = {pid: start_s for pid, start_s in starts.items() if 100.0 + tick < start_s + 3.0}
        rows = pool(tick, living, sizes)
        sums.update(rows)
        watch.note(sums, rows, {}, CgroupSample(), 100.0 + tick)
    return list(watch.growing)


def test_what_short_lived_workers_took_at_the_start_of_their_pool_is_no_growth_and_what_comes_later_is() -> None:
    assert short_lived(0.0, 15) == []
    (found,) = short_lived(1.5, 11)
    assert found.rise is not None and 8 * MIB < found.rise.size_bytes < 60 * MIB


def test_a_number_of_workers_that_grows_is_growth() -> None:
    (found,) = grows({10 + number: 101.0 + number for number in range(60)}, {})
    assert found.rise is not None and found.rise.size_bytes > 150 * MIB


def test_of_many_programs_that_grow_as_a_whole_the_largest_few_are_looked_at() -> None:
    watch, sums = PoolWatch(GroupGrowth(deque())), KeptTotals()
    for tick in range(6):
        rows = {
            pid: proc_row(pid, name=f"w{pid % 8}", command=f"w{pid % 8}", rss_bytes=(20 + 5 * tick) * MIB, shr_bytes=0)
            for pid in range(16, 40)
        }
        rows = {pid: row._replace(virt_bytes=row.rss_bytes, anon_bytes=row.rss_bytes) for pid, row in rows.items()}
        sums.update(rows)
        watch.note(sums, rows, {}, CgroupSample(), 100.0 + tick)
    assert len(watch.growing) == 4

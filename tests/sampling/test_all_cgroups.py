"""Every cgroup that has members is read in turn, within a budget; those near their limit at every tick."""

from __future__ import annotations

import pytest

from memtop.errors import NotRecorded
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.cgroups import all_cgroups
from memtop.sampling.cgroups.all_cgroups import MOST_BUDGET_S, AllCgroups
from memtop.sampling.cgroups.cgroup_files import CgroupFiles
from memtop.sampling.cgroups.memberships import AGAIN, LOOKUPS, LOOKUPS_FOR_ALL
from memtop.sampling.request import Need
from memtop.sampling.sampler import Sampler
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import plan, request

MIB = 1 << 20
ROOT = "sys/fs/cgroup"


def crowd(count: int, *, per_cgroup: int = 1) -> FakeSource:
    """So many cgroups of version 2 without a limit, with members."""
    source = FakeSource()
    for number in range(count):
        group(source, f"g{number}")
        for member in range(per_cgroup):
            pid = 100 + number * per_cgroup + member
            source.add(FakeProcess(pid))
            source.files[f"proc/{pid}/cgroup"] = b"0::/g%d\n" % number
    return source


def group(source: FakeSource, name: str, *, used_bytes: int = 10 * MIB, limit: bytes = b"max\n") -> str:
    path = f"{ROOT}/{name}"
    source.files |= {
        f"{path}/cgroup.controllers": b"memory\n",
        f"{path}/cgroup.type": b"domain\n",
        f"{path}/memory.max": limit,
        f"{path}/memory.current": b"%d\n" % used_bytes,
        f"{path}/memory.stat": b"anon %d\nfile 0\n" % used_bytes,
        f"{path}/memory.events.local": b"oom_kill 0\n",
    }
    return path


def take(sampler: Sampler, ticks: int = 1, shown: tuple[str, ...] = ()) -> CgroupSample:
    for _ in range(ticks):
        sample = sampler.sample(plan(request())._replace(cgroups=shown))
    assert sample is not None and sample.cgroups is not None
    return sample.cgroups


def reads(source: FakeSource, name: str) -> list[str]:
    return [path for path in source.read_paths if path.endswith("/" + name)]


def test_every_cgroup_with_members_is_read_without_anybody_looking_at_it() -> None:
    sampler = Sampler(crowd(200))
    latest = take(sampler, 16).latest
    assert {f"{ROOT}/g{number}" for number in range(200)} <= latest.keys()
    assert latest[f"{ROOT}/g7"].reading.usage_bytes == 10 * MIB


def test_the_cost_of_a_tick_has_a_bound_however_many_cgroups_there_are() -> None:
    source = crowd(3000)
    sampler = Sampler(source)
    for tick in range(12):
        take(sampler, 2 if tick == 0 else 1)
        for name in ("memory.current", "memory.stat"):
            assert len(reads(source, name)) <= 180 * 5, "after a pause the budget is that of five seconds at most"
    assert len(reads(source, "memory.current")) <= 180
    assert len(reads(source, "cgroup")) <= LOOKUPS + 2 * AGAIN


def test_ticks_cost_the_same_where_many_cgroups_were_found_together() -> None:
    source = crowd(60)
    sampler = Sampler(source)
    take(sampler, 12)
    costs = []
    for _ in range(24):
        take(sampler)
        costs.append(sum(len(reads(source, f"memory.{name}")) for name in ("current", "max", "events.local")))
    assert min(costs) > 0.6 * max(costs), costs


def test_statistics_are_read_again_only_where_the_use_has_moved() -> None:
    source = crowd(3)
    sampler = Sampler(source)
    take(sampler, 6)
    quiet = 0
    for _ in range(8):
        source.files[f"{ROOT}/g1/memory.current"] = b"%d\n" % (20 * MIB + source.mono_s)
        take(sampler)
        assert f"{ROOT}/g1/memory.stat" in source.read_paths
        quiet += f"{ROOT}/g2/memory.stat" in source.read_paths
    assert quiet == 0
    assert reads(source, "memory.current")


def test_a_cgroup_near_its_limit_is_read_at_every_tick_among_many() -> None:
    source = crowd(1500)
    full = group(source, "g7", used_bytes=90 * MIB, limit=b"%d\n" % (100 * MIB))
    sampler = Sampler(source)
    take(sampler, 60)
    seen = 0
    for _ in range(5):
        take(sampler)
        seen += f"{full}/memory.current" in source.read_paths
    assert seen == 5


def test_a_limit_that_is_raised_while_it_is_near_is_known_at_the_next_tick() -> None:
    source = crowd(20)
    path = group(source, "g7", used_bytes=90 * MIB, limit=b"%d\n" % (100 * MIB))
    sampler = Sampler(source)
    take(sampler, 16)
    for limit in (200 * MIB, 110 * MIB, 300 * MIB):
        source.files[f"{path}/memory.max"] = b"%d\n" % limit
        assert take(sampler).latest[path].reading.limit_bytes == limit


def test_a_cgroup_that_fills_quickly_is_near_its_limit_long_before_it_is_full() -> None:
    source = crowd(300)
    path = group(source, "g7", used_bytes=100 * MIB, limit=b"%d\n" % (900 * MIB))
    sampler, last_s, gaps = Sampler(source), 0.0, []
    for tick in range(30):
        source.files[f"{path}/memory.current"] = b"%d\n" % ((100 + 6 * tick) * MIB)
        found = take(sampler, 2 if tick == 0 else 1).latest.get(path)
        if found is not None and found.at_s != last_s:
            gaps.append(found.at_s - last_s)
            last_s = found.at_s
    assert gaps[-5:] == [1.0] * 5, "it is read at every tick once its rate is known"


def test_those_on_screen_are_read_at_every_tick_while_they_are_few() -> None:
    source = crowd(300)
    sampler = Sampler(source)
    shown = tuple(f"{ROOT}/g{number}" for number in range(100, 120))
    take(sampler, 30, shown)
    for _ in range(3):
        take(sampler, 1, (*shown, "sys/fs/cgroup/never-seen"))
        assert {f"{path}/memory.current" for path in shown} <= set(source.read_paths)


def test_many_near_their_limit_do_not_keep_the_others_waiting_for_ever() -> None:
    source = crowd(900)
    for number in range(600):
        group(source, f"g{number}", used_bytes=90 * MIB, limit=b"%d\n" % (100 * MIB))
    sampler = Sampler(source)
    latest = take(sampler, 120).latest
    ages = [source.mono_s - latest[f"{ROOT}/g{number}"].at_s for number in range(600, 900)]
    assert max(ages) < 20


def test_the_largest_processes_are_looked_up_first() -> None:
    source = crowd(1000)
    source.processes[500].rss_pages = 300 * MIB_PAGES
    sampler = Sampler(source)
    found = take(sampler, 2)
    assert ProcessKey(500, 500) in found.chains
    assert len(found.chains) <= 2 * LOOKUPS


def test_a_list_of_groups_that_is_opened_among_thousands_makes_no_tick_late() -> None:
    source = crowd(2000)
    source.processes[1900].rss_pages = 300 * MIB_PAGES
    sampler = Sampler(source)
    take(sampler, 2)
    wanted = request(needs_all=Need.MEMBERSHIP | Need.GROUPS)
    for _ in range(4):
        sample = sampler.sample(plan(wanted))
        assert len(reads(source, "cgroup")) <= LOOKUPS_FOR_ALL + 2 * AGAIN
    assert sample is not None and sample.cgroups is not None
    assert (sample.cgroups.waiting, len(sample.cgroups.chains)) == (0, 2000)


def test_thousands_have_their_first_turn_within_minutes() -> None:
    source, count = FakeSource(), 4000
    every = AllCgroups(CgroupFiles(source), replaying=False)
    for number in range(count):
        every.add(group(source, f"g{number}"), v2=True)
    for tick in range(90):
        every.read(float(tick), {}, (), None)
    assert len(every.latest) == count


def test_a_process_that_is_moved_soon_after_its_start_is_found_again() -> None:
    source = crowd(300)
    sampler = Sampler(source)
    take(sampler, 20)
    source.add(FakeProcess(9000, start_ticks=102_000))
    source.files["proc/9000/cgroup"] = b"0::/g1\n"
    assert take(sampler).chains[ProcessKey(9000, 102_000)][0] == f"{ROOT}/g1"
    source.files["proc/9000/cgroup"] = b"0::/g2\n"
    assert take(sampler, 6).chains[ProcessKey(9000, 102_000)][0] == f"{ROOT}/g2"


def test_a_process_that_was_moved_is_found_again_when_it_becomes_another_program_or_grows() -> None:
    source = crowd(300)
    sampler = Sampler(source)
    take(sampler, 20)
    group(source, "moved")
    grower, other = source.processes[150], source.processes[151]
    source.files["proc/150/cgroup"] = source.files["proc/151/cgroup"] = b"0::/moved\n"
    grower.rss_pages *= 3
    other.start_code, other.rss_pages = 0x7777_0000, other.rss_pages - 1
    sample = sampler.sample(plan(request(needs_all=Need.STAT)))
    assert sample is not None and sample.cgroups is not None
    found = sample.cgroups.chains
    assert {found[one.key][0] for one in (grower, other)} == {f"{ROOT}/moved"}


def test_members_of_a_cgroup_that_was_renamed_or_removed_are_found_again_at_once() -> None:
    """With hundreds of processes their turn would come much later; until then their old limit would be said."""
    source = crowd(300)
    old = group(source, "old", limit=b"%d\n" % (11 * MIB))
    processes = [source.add(FakeProcess(9000 + number)) for number in range(3)]
    for one in processes:
        source.files[f"proc/{one.pid}/cgroup"] = b"0::/old\n"
    sampler = Sampler(source)
    assert old in take(sampler, 20).latest
    new = group(source, "new")
    for one in processes:
        source.files[f"proc/{one.pid}/cgroup"] = b"0::/new\n"
    for name in [name for name in source.files if name.startswith(f"{old}/")]:
        del source.files[name]
    sample = take(sampler, 2)
    assert [sample.chains[one.key][0] for one in processes] == [new] * 3
    assert old not in sample.latest, "it has no members any more"


def test_a_cgroup_without_members_is_forgotten_in_the_end() -> None:
    source = crowd(4)
    sampler = Sampler(source)
    take(sampler, 5)
    del source.processes[101]
    assert f"{ROOT}/g1" not in take(sampler, 62).latest


def test_a_cgroup_that_is_removed_keeps_its_last_reading_until_it_is_forgotten() -> None:
    source = crowd(4)
    sampler = Sampler(source)
    take(sampler, 5)
    for path in [path for path in source.files if path.startswith(f"{ROOT}/g1/")]:
        del source.files[path]
    then_s = source.mono_s
    last = take(sampler, 3).latest[f"{ROOT}/g1"]
    assert (last.reading.usage_bytes, last.at_s <= then_s) == (10 * MIB, True)


def test_a_cgroup_that_is_made_again_is_read_again_at_once() -> None:
    source, path = crowd(3), f"{ROOT}/g1"
    files = {name: raw for name, raw in source.files.items() if name.startswith(f"{path}/")}
    sampler = Sampler(source)
    take(sampler, 4)
    del source.processes[101]
    for name in files:
        del source.files[name]
    assert path in take(sampler, 4).removed
    source.files |= files | {f"{path}/memory.current": b"%d\n" % (20 * MIB)}
    source.add(FakeProcess(201, start_ticks=9000))
    source.files["proc/201/cgroup"] = b"0::/g1\n"
    sample = take(sampler, 4)
    reading = sample.latest[path].reading
    assert (path in sample.removed, reading.usage_bytes) == (False, 20 * MIB)


def test_a_replay_takes_what_was_read_at_each_instant_and_keeps_it_until_the_next() -> None:
    source = crowd(2)
    sampler = Sampler(source, replaying=True)
    take(sampler, 3)
    current = f"{ROOT}/g1/memory.current"
    source.files |= {path: NotRecorded(path) for path in source.files if path.startswith(f"{ROOT}/g1/")}
    before = take(sampler, 2).latest[f"{ROOT}/g1"]
    assert before.reading.usage_bytes == 10 * MIB
    source.files[current] = b"%d\n" % (30 * MIB)
    after = take(sampler).latest[f"{ROOT}/g1"]
    assert (after.reading.usage_bytes, after.at_s) == (30 * MIB, source.mono_s)
    assert after.reading.stat is not None and after.reading.stat.anon_bytes == 10 * MIB


def test_after_a_pause_no_more_is_read_than_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_cgroups, "BUDGET_A_S", 20.0)
    monkeypatch.setattr(all_cgroups, "BUDGET_EACH_A_S", 0.0)
    source = crowd(100)
    sampler = Sampler(source)
    take(sampler, 30)

    def read_after(pause_s: float) -> int:
        before = len(reads(source, "memory.current"))
        source.step_s = pause_s
        take(sampler)
        return len(reads(source, "memory.current")) - before

    some = read_after(MOST_BUDGET_S)
    assert 5 < some < 60
    assert read_after(3600.0) < some + 10

"""Reading limits through a Source: version 2 on files written after the kernel's cgroup-v2.rst, since this suite
runs where memory is accounted by version 1; version 1 on files as that kernel writes them."""

from __future__ import annotations

import pytest

from memtop.errors import AccessDenied, MemtopError, Unavailable
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED
from memtop.procfs.membership import CgroupOwner
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.cgroups import all_cgroups, cgroup_reader
from memtop.sampling.cgroups.cgroup_files import RARELY_TICKS, CgroupFiles
from memtop.sampling.cgroups.cgroup_reader import CgroupReader
from memtop.sampling.cgroups.memberships import SETTLED_TICKS
from memtop.sampling.request import Need
from memtop.sampling.sample import ProcessSample, SystemSample
from memtop.sampling.sampler import Sampler
from memtop.sources.live import LiveSource
from tests.cgroup_v1 import memory_cgroup
from tests.engine.groups.worlds import world
from tests.fakes import FakeProcess, FakeSource
from tests.requests import plan, request

MIB = 1 << 20
ROOT = "sys/fs/cgroup"
POD = f"{ROOT}/kubepods.slice/pod1"
APP = f"{POD}/app.scope"
MOUNT_V2 = b"30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
MOUNT_V1 = b"31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
STAT = (
    b"anon 50000000\nfile 9000000\nshmem 1000000\nkernel 400000\nsock 0\ninactive_file 7000000\nactive_file 1000000\n"
    b"slab_reclaimable 0\n"
)


def v2(*processes: FakeProcess) -> FakeSource:
    source = FakeSource(*processes)
    source.files |= {
        "proc/self/mountinfo": MOUNT_V2,
        f"{ROOT}/cgroup.controllers": b"cpu memory pids\n",
        f"{ROOT}/kubepods.slice/memory.max": b"max\n",
        f"{POD}/cgroup.controllers": b"memory pids\n",
        f"{POD}/cgroup.type": b"domain\n",
        f"{APP}/cgroup.type": b"domain\n",
        f"{APP}/cgroup.controllers": b"memory pids\n",
        f"{POD}/memory.max": b"max\n",
        f"{POD}/memory.high": b"max\n",
        f"{APP}/memory.max": b"104857600\n",
        f"{APP}/memory.high": b"94371840\n",
        f"{APP}/memory.current": b"60000000\n",
        f"{APP}/memory.stat": STAT,
        f"{APP}/memory.events": b"low 0\nhigh 4\nmax 7\noom 1\noom_kill 1\n",
        f"{APP}/memory.events.local": b"low 0\nhigh 4\nmax 7\noom 1\noom_kill 1\n",
        f"{APP}/memory.pressure": b"some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n",
        f"{APP}/memory.swap.max": b"0\n",
        f"{APP}/memory.oom.group": b"1\n",
        f"{APP}/cgroup.procs": b"42\n43\n",
    }
    for process in processes:
        source.files[f"proc/{process.pid}/cgroup"] = b"0::/kubepods.slice/pod1/app.scope\n"
    return source


def v1(limit: bytes = b"104857600\n") -> FakeSource:
    source = FakeSource(FakeProcess(42))
    folder = f"{ROOT}/memory/app"
    source.files |= {
        "proc/self/mountinfo": MOUNT_V1,
        "proc/42/cgroup": b"4:memory:/app\n3:cpu:/\n0::/\n",
        f"{ROOT}/memory/memory.limit_in_bytes": b"9223372036854771712\n",
        f"{folder}/memory.limit_in_bytes": limit,
        f"{folder}/memory.usage_in_bytes": b"60000000\n",
        f"{folder}/memory.stat": b"rss 1\ntotal_rss 50000000\ntotal_inactive_file 7000000\n",
        f"{folder}/memory.failcnt": b"511909\n",
        f"{folder}/memory.oom_control": b"oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
        f"{folder}/cgroup.procs": b"42\n",
    }
    return source


def take(sampler: Sampler, ask: Request, watched: tuple[int, ...] = ()) -> CgroupSample:
    sample = sampler.sample(plan(ask, watched))
    if sample is not None and sample.cgroups is None:  # the first sample does without, where nobody looks
        sample = sampler.sample(plan(ask, watched))
    assert sample is not None and sample.cgroups is not None
    return sample.cgroups


def on(pid: int = 42, **changes: object) -> Request:
    return request(focus=ProcessKey(pid, 500), **changes)


def test_of_version_2_the_whole_chain_is_read() -> None:
    source = v2(FakeProcess(42))
    found = take(Sampler(source), on())
    assert found.chains[ProcessKey(42, 500)] == (APP, POD, f"{ROOT}/kubepods.slice", ROOT)
    app = found.readings[APP]
    assert (app.limit_bytes, app.high_bytes, app.usage_bytes) == (100 * MIB, 90 * MIB, 60_000_000)
    assert (app.oom_kill, app.max_events, app.high_events, app.group_kill) == (1, 7, 4, True)
    assert (app.swap_limit_bytes, app.members) == (0, (42, 43))
    assert app.stat is not None and app.stat.anon_bytes == 50_000_000
    assert found.readings[POD].limit_bytes == UNLIMITED
    assert found.readings[ROOT].limit_bytes == UNLIMITED, "the root cgroup of version 2 has no such file"


@pytest.mark.parametrize(("flags", "path"), [(0x400004, APP), (0x400000, ROOT)], ids=["ending", "moved"])
def test_the_cgroup_of_an_ending_process_stays_although_the_kernel_reports_the_root(flags: int, path: str) -> None:
    process = FakeProcess(42)
    source = v2(process)
    sampler = Sampler(source)
    assert take(sampler, on()).chains[process.key][0] == APP
    source.files["proc/42/cgroup"] = b"0::/\n"
    process.flags = flags
    for _ in range(SETTLED_TICKS + 2):
        found = take(sampler, on())
    assert found.chains[process.key][0] == path


def test_kernel_memory_of_version_1_is_read_from_its_own_file() -> None:
    source = v1()
    source.files[f"{ROOT}/memory/app/memory.kmem.usage_in_bytes"] = b"4194304\n"
    stat = take(Sampler(source), on()).readings[f"{ROOT}/memory/app"].stat
    assert stat is not None and stat.kernel_bytes == 4 * MIB
    absent = take(Sampler(v1()), on()).readings[f"{ROOT}/memory/app"].stat
    assert absent is not None and absent.kernel_bytes is None


@pytest.mark.parametrize(("kernel", "found"), [(b"30000000\n", 100_000_000), (None, None)])
def test_the_use_of_the_root_of_version_1_includes_its_kernel_memory(kernel: bytes | None, found: int | None) -> None:
    """The kernel counts only anonymous memory and page cache there: a cgroup below it would seem larger."""
    source = v1()
    source.files["proc/42/cgroup"] = b"4:memory:/\n3:cpu:/\n0::/\n"
    source.files |= {
        f"{ROOT}/memory/cgroup.sane_behavior": b"0\n",
        f"{ROOT}/memory/memory.usage_in_bytes": b"70000000\n",
        f"{ROOT}/memory/memory.memsw.limit_in_bytes": b"9223372036854771712\n",
        f"{ROOT}/memory/memory.memsw.usage_in_bytes": b"71000000\n",
    }
    if kernel is not None:
        source.files[f"{ROOT}/memory/memory.kmem.usage_in_bytes"] = kernel
    sampler = Sampler(source)
    for _ in range(3):
        root = take(sampler, on()).readings[f"{ROOT}/memory"]
        assert (root.usage_bytes, root.swap_bytes) == (found, 1_000_000)
    del source.files[f"{ROOT}/memory/cgroup.sane_behavior"]
    assert take(Sampler(source), on()).readings[f"{ROOT}/memory"].usage_bytes == 70_000_000, "of a namespace"


def test_of_version_1_the_large_number_is_no_limit_and_failcnt_is_a_count() -> None:
    found = take(Sampler(v1()), on())
    app = found.readings[f"{ROOT}/memory/app"]
    assert (app.limit_bytes, app.max_events, app.oom_kill, app.kill_disabled) == (100 * MIB, 511_909, 0, False)
    assert found.readings[f"{ROOT}/memory"].limit_bytes == UNLIMITED
    assert take(Sampler(v1(b"9223372036854771712\n")), on()).readings[f"{ROOT}/memory/app"].limit_bytes == UNLIMITED


def test_pressure_that_is_switched_off_is_unknown_and_not_asked_for_again() -> None:
    source = v2(FakeProcess(42))
    source.files[f"{APP}/memory.pressure"] = Unavailable("memory.pressure: Operation not supported")
    sampler = Sampler(source)
    assert take(sampler, on()).readings[APP].pressure is None
    take(sampler, on())
    assert f"{APP}/memory.pressure" not in source.read_paths


def test_each_directory_is_read_once_an_instant_for_all_that_are_in_it() -> None:
    source = v2(*(FakeProcess(pid) for pid in range(42, 50)))
    sampler = Sampler(source)
    visible = frozenset(ProcessKey(pid, 500) for pid in range(42, 50))
    ask = on(visible=visible, needs=Need.STAT | Need.CGROUP)
    take(sampler, ask)
    assert len(take(sampler, ask).chains) == 8
    assert source.read_paths.count(f"{APP}/memory.stat") == 1


def test_a_watched_process_is_looked_up_once_and_its_count_of_kills_is_kept() -> None:
    source = v2(FakeProcess(42))
    sampler = Sampler(source)
    assert take(sampler, request(), (42,)).kills == {APP: 1}
    take(sampler, request(), (42,))
    assert f"{APP}/memory.events.local" not in source.read_paths


def test_counts_of_kills_are_read_again_when_the_machines_count_moves() -> None:
    source = v2(FakeProcess(42))
    sampler = Sampler(source)
    take(sampler, request(), (42,))
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    assert take(sampler, request(), (42,)).kills == {APP: 2}


def test_a_count_of_kills_that_went_with_its_cgroup_is_unknown() -> None:
    source = v2(FakeProcess(42))
    sampler = Sampler(source)
    take(sampler, request(), (42,))
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    for path in [path for path in source.files if path.startswith(APP)]:
        del source.files[path]
    assert take(sampler, request(), (42,)).kills == {}


def test_where_kills_were_counted_the_limits_above_are_read_too() -> None:
    source = v2(FakeProcess(42))
    sampler = Sampler(source)
    assert take(sampler, request(), (42,)).readings == {}
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    found = take(sampler, request(), (42,)).readings
    assert (found[APP].limit_bytes, found[POD].limit_bytes) == (100 * MIB, UNLIMITED)


@pytest.mark.parametrize("ticks", range(28, 33))
def test_the_cgroup_of_a_process_that_has_just_ended_is_still_known(ticks: int) -> None:
    source = v2(FakeProcess(42), FakeProcess(43))
    sampler = Sampler(source)
    for _ in range(ticks):
        take(sampler, request(), (42, 43))
    del source.processes[42]
    found = take(sampler, request(), (43,))
    assert found.chains[ProcessKey(42, 500)][0] == APP
    assert APP in found.kills


def test_what_is_known_of_the_dead_is_forgotten_in_the_end() -> None:
    source = v2(FakeProcess(42), FakeProcess(43))
    source.files["proc/43/cgroup"] = b"0::/\n"
    sampler = Sampler(source)
    take(sampler, request(), (42, 43))
    del source.processes[42]
    for _ in range(61):
        found = take(sampler, request(), (43,))
    assert (list(found.chains), list(found.kills)) == ([ProcessKey(43, 500)], [])
    assert list(found.labels) == [ROOT]


def test_a_process_that_is_moved_is_found_in_its_new_cgroup() -> None:
    source = v2(FakeProcess(42))
    sampler = Sampler(source)
    take(sampler, on())
    source.files["proc/42/cgroup"] = b"0::/kubepods.slice/pod1\n"
    found = take(sampler, on())
    assert found.chains[ProcessKey(42, 500)][0] == POD


def test_a_cgroup_that_is_removed_leaves_unknowns_and_its_name() -> None:
    source = v2(FakeProcess(42))
    sampler = Sampler(source)
    take(sampler, on())
    for path in [path for path in source.files if path.startswith(APP)]:
        del source.files[path]
    del source.processes[42]
    found = take(sampler, on())
    assert found.chains[ProcessKey(42, 500)][0] == APP
    assert found.readings[APP].usage_bytes is None


@pytest.mark.parametrize("in_focus", [True, False])
def test_nothing_that_was_known_of_a_cgroup_is_said_of_another_made_by_its_name(in_focus: bool) -> None:
    """One of 48 MiB was removed and made again with more within a second, and showed 180 % of its limit."""
    source = v2(FakeProcess(42))
    ask = on() if in_focus else request()
    source.files |= {f"{APP}/inode": b"70\n", f"{POD}/inode": b"60\n", f"{APP}/memory.max": b"%d\n" % (200 * MIB)}
    source.files |= {f"{APP}/memory.events.local": b"oom_kill 5\n", f"{APP}/memory.current": b"%d\n" % (60 * MIB)}
    sampler = Sampler(source)
    for _ in range(3):
        take(sampler, ask)
    source.files |= {f"{APP}/inode": b"71\n", f"{POD}/inode": b"61\n", f"{APP}/memory.max": b"%d\n" % (400 * MIB)}
    source.files |= {f"{APP}/memory.current": b"%d\n" % (90 * MIB), f"{APP}/memory.events.local": b"oom_kill 1\n"}
    source.files[f"{POD}/memory.max"] = b"%d\n" % (300 * MIB)
    for _ in range(4):  # it has its turn
        found = take(sampler, ask)
        if APP in found.remade:
            break
    latest = found.latest[APP]
    assert (latest.reading.limit_bytes, latest.reading.usage_bytes, latest.before_s) == (400 * MIB, 90 * MIB, None)
    assert found.latest[POD].reading.limit_bytes == 300 * MIB
    assert APP not in take(sampler, ask).remade


def test_kills_that_a_cgroup_counted_by_another_name_are_none_of_the_name_that_it_takes() -> None:
    """``mv`` of version 1 onto the name of one that was removed."""
    source = v2(FakeProcess(42), FakeProcess(43))
    other = f"{POD}/other"
    source.files["proc/43/cgroup"] = b"0::" + other.removeprefix("sys/fs/cgroup").encode() + b"\n"
    source.files |= {f"{APP}/inode": b"70\n", f"{APP}/memory.events.local": b"oom_kill 0\n"}
    source.files |= {path.replace(APP, other): raw for path, raw in source.files.items() if path.startswith(APP + "/")}
    source.files |= {f"{other}/inode": b"80\n", f"{other}/memory.events.local": b"oom_kill 5\n"}
    sampler = Sampler(source)
    for _ in range(4):
        take(sampler, request())
    source.files[f"{APP}/inode"], source.files[f"{APP}/memory.events.local"] = b"80\n", b"oom_kill 5\n"
    found = next(one for _ in range(8) if APP in (one := take(sampler, request())).remade)
    assert found.remade[APP] == found.kills[APP] == 5


@pytest.mark.parametrize(("others", "is_known"), [(500, True), (5000, False)])
def test_of_very_many_cgroups_that_have_gone_no_inode_is_kept(others: int, is_known: bool) -> None:
    source = FakeSource()
    files = CgroupFiles(source)
    source.files |= {f"{ROOT}/{number}/inode": b"%d\n" % number for number in range(others)}
    for number in range(others):
        files.begin(number)
        files.identify(f"{ROOT}/{number}")
        files.keep_only({f"{ROOT}/{number}"})
    source.files[f"{ROOT}/0/inode"] = b"9999\n"
    files.begin(others)
    assert files.identify(f"{ROOT}/0") is is_known, "what is forgotten is new"


def test_that_a_cgroup_has_no_limit_is_forgotten_when_it_has_gone() -> None:
    source = FakeSource()
    source.files |= {f"{POD}/memory.{name}": b"max\n" for name in ("max", "high", "swap.max")}
    source.files[f"{POD}/memory.oom.group"] = b"0\n"
    files = CgroupFiles(source)

    def reads() -> int:
        before = len(source.read_paths)
        assert files.read(POD, True, leaf=False, full=False).limit_bytes == UNLIMITED
        return source.read_paths[before:].count(f"{POD}/memory.max")

    files.begin(1)
    assert (reads(), reads()) == (1, 0)
    files.keep_only({POD})
    assert reads() == 0
    files.keep_only(())
    assert reads() == 1


def test_the_inode_tells_a_real_cgroup_from_the_next_of_its_name() -> None:
    source, inodes = LiveSource(), []
    for _ in range(2):
        with memory_cgroup(50 * MIB, "again") as folder:
            inodes.append(source.read(f"{folder}/inode".lstrip("/")))
            assert int(inodes[-1]) == folder.stat().st_ino
    assert inodes[0] != inodes[1]
    with pytest.raises(MemtopError):
        source.read(f"{folder}/inode".lstrip("/"))
    source.close()


def test_another_namespace_is_unknown_rather_than_a_guess_and_says_why() -> None:
    source = v2(FakeProcess(42))
    source.files["proc/42/cgroup"] = b"0::/../../other\n"
    found = take(Sampler(source), on())
    assert found.chains[ProcessKey(42, 500)] == ()
    assert found.unread[ProcessKey(42, 500)] == "its cgroup is outside this cgroup namespace"


def test_a_process_of_another_namespace_is_found_in_its_own_view() -> None:
    source = v2(FakeProcess(42))
    theirs = "proc/42/root/sys/fs/cgroup"
    source.files |= {
        "proc/42/cgroup": b"0::/../docker/%s\n" % (b"ab" * 32),
        "proc/42/mountinfo": b"30 1 0:26 /../docker/%s /sys/fs/cgroup ro - cgroup2 cgroup ro\n" % (b"ab" * 32),
        f"{theirs}/cgroup.controllers": b"memory\n",
        f"{theirs}/memory.max": b"104857600\n",
        f"{theirs}/memory.current": b"100000000\n",
    }
    found = take(Sampler(source), on())
    key = ProcessKey(42, 500)
    assert (found.chains[key], key in found.unread) == ((theirs,), False)
    assert (found.readings[theirs].limit_bytes, found.labels[theirs]) == (100 * MIB, "docker abababababab")


@pytest.mark.parametrize(
    ("files", "unread"),
    [
        ({"proc/self/mountinfo": b""}, "no file system of memory cgroups shows its cgroup"),
        ({f"{APP}/cgroup.controllers": Unavailable("covered")}, "no file system of memory cgroups shows its cgroup"),
        ({"proc/42/cgroup": AccessDenied("hidden")}, "no permission to read its cgroup"),
        ({"proc/42/cgroup": Unavailable("odd")}, "its cgroup cannot be read"),
        (
            {f"{ROOT}/cgroup.controllers": b"cpu pids\n", f"{ROOT}/cgroup.type": b"domain\n"},
            "no file system of memory cgroups shows its cgroup",
        ),
        ({f"{ROOT}/cgroup.controllers": b"cpu pids\n"}, None),
    ],
    ids=["not mounted", "covered", "not permitted", "unreadable", "not delegated", "no controller in this kernel"],
)
def test_a_cgroup_that_is_not_known_is_told_from_none(
    files: dict[str, bytes | MemtopError], unread: str | None
) -> None:
    source = v2(FakeProcess(42))
    source.files |= files
    found = take(Sampler(source), on())
    assert (found.chains[ProcessKey(42, 500)], found.unread.get(ProcessKey(42, 500))) == ((), unread)


@pytest.mark.parametrize("controllers", [b"\n", b"cpu pids\n"], ids=["threaded", "not passed on"])
def test_memory_is_charged_to_the_nearest_cgroup_that_accounts_it(controllers: bytes) -> None:
    source = v2(FakeProcess(42))
    source.files["proc/42/cgroup"] = b"0::/kubepods.slice/pod1/app.scope/a/b\n"
    source.files |= {f"{APP}/a/b/cgroup.controllers": controllers, f"{APP}/a/cgroup.controllers": controllers}
    found = take(Sampler(source), on())
    assert found.chains[ProcessKey(42, 500)][0] == APP
    assert found.readings[APP].usage_bytes == 60_000_000


def test_the_owner_is_named_from_the_whole_path_also_where_only_its_end_is_mounted() -> None:
    source = v1()
    source.files |= {
        "proc/self/mountinfo": b"31 1 0:27 /docker/%s /cg rw - cgroup cgroup rw,memory\n" % (b"ab" * 32),
        "proc/42/cgroup": b"4:memory:/docker/%s\n" % (b"ab" * 32),
        "cg/memory.usage_in_bytes": b"1\n",
    }
    found = take(Sampler(source), on())
    assert found.chains[ProcessKey(42, 500)] == ("cg",)
    assert found.names[ProcessKey(42, 500)].owner == CgroupOwner(runtime="docker", container="ab" * 32)


def test_where_the_main_thread_has_ended_the_cgroup_is_that_of_a_thread_that_lives() -> None:
    process = FakeProcess(42, state="Z", threads=2)
    source = v2(process)
    source.threads[42] = [42, 44]
    source.files |= {
        "proc/42/cgroup": b"0::/\n",
        "proc/42/task/44/cgroup": b"0::/kubepods.slice/pod1/app.scope\n",
        "proc/42/task/44/statm": b"1000 500 100 1 0 9 0\n",
    }
    assert take(Sampler(source), on()).chains[ProcessKey(42, 500)][0] == APP


def test_all_that_are_watched_are_looked_up_at_once() -> None:
    source = v2(*(FakeProcess(pid) for pid in range(100, 160)))
    found = take(Sampler(source), request(), tuple(range(100, 160)))
    assert len(found.chains) == 60


@pytest.mark.parametrize("nonsense", [b"", b"\xff\xfe", b"-7\n", b"9" * 40])
def test_nonsense_in_a_limit_is_unknown(nonsense: bytes) -> None:
    source = v2(FakeProcess(42))
    source.files[f"{APP}/memory.max"] = nonsense
    assert take(Sampler(source), on()).readings[APP].limit_bytes is None


def test_adj_is_read_of_everybody_only_while_victims_are_asked_for() -> None:
    source = v2(FakeProcess(42), FakeProcess(50))
    sampler = Sampler(source)
    take(sampler, request())
    assert "proc/50/oom_score_adj" not in source.read_paths
    assert take(sampler, request(panel="limits")).adjs == {ProcessKey(42, 500): 0, ProcessKey(50, 500): 0}
    take(sampler, request(panel="limits"))
    assert len([path for path in source.read_paths if path.endswith("_adj")]) < 2


def test_resource_limits_of_the_process_in_focus_are_read() -> None:
    source = v1()
    source.files["proc/42/limits"] = (
        b"Limit                     Soft Limit           Hard Limit           Units     \n"
        b"Max data size             unlimited            unlimited            bytes     \n"
        b"Max address space         512000000            unlimited            bytes     \n"
    )
    limits = take(Sampler(source), on()).limits[ProcessKey(42, 500)]
    assert (limits.address_space_bytes, limits.data_bytes) == (512_000_000, UNLIMITED)


def test_a_resource_limit_that_changes_while_it_is_watched_is_known_a_few_samples_later() -> None:
    source, line = v1(), b"Max address space         %d            unlimited            bytes     \n"
    source.files["proc/42/limits"] = line % 512_000_000
    sampler = Sampler(source)
    take(sampler, on())
    source.files["proc/42/limits"] = line % 9_000_000
    for _ in range(4):
        found = take(sampler, on())
    assert found.limits[ProcessKey(42, 500)].address_space_bytes == 9_000_000


def test_without_any_cgroup_file_the_reader_says_unknown() -> None:
    reader = CgroupReader(FakeSource(FakeProcess(42)))
    seen = ProcessSample(ProcessKey(42, 500), b"app")
    assert reader.read(plan(on()), {42: seen}, SystemSample(None, None, None), 1.0).chains == {}


@pytest.mark.parametrize(
    ("files", "room"),
    [
        ({"max": b"max\n", "writeback": b"0\n"}, None),
        ({"max": b"%d\n" % (8 * MIB), "writeback": b"1\n"}, None),
        ({"max": b"%d\n" % (8 * MIB), "current": b"%d\n" % (3 * MIB), "writeback": b"0\n"}, 5 * MIB),
        ({"max": b"0\n", "writeback": b"0\n"}, 0),
    ],
)
def test_zswap_that_does_not_write_back_bounds_what_can_be_swapped(files: dict[str, bytes], room: int | None) -> None:
    source = v2(FakeProcess(42))
    source.files |= {f"{APP}/memory.zswap.{name}": data for name, data in files.items()}
    reading = CgroupFiles(source).read(APP, True, leaf=True, full=True)
    assert reading.use.zswap_room_bytes == room


def test_of_a_cgroup_with_very_many_members_the_adj_of_some_is_read_at_each_instant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cgroup_reader, "MOST_MEMBERS", 3)
    source = v2(*(FakeProcess(pid) for pid in range(42, 50)))
    source.files[f"{APP}/cgroup.procs"] = b"".join(b"%d\n" % pid for pid in range(42, 50))
    sampler = Sampler(source)
    known = [len(take(sampler, on()).adjs) for _ in range(4)]
    assert known == [3, 6, 8, 8], "the order among only some of them means nothing"


def test_of_a_cgroup_with_very_many_members_the_adj_of_each_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup_reader, "MOST_MEMBERS", 1)
    pids = range(42, 42 + RARELY_TICKS + 5)
    source = v2(*map(FakeProcess, pids))
    source.files[f"{APP}/cgroup.procs"] = b"".join(b"%d\n" % pid for pid in pids)
    sampler = Sampler(source)
    for _ in pids:
        known = take(sampler, on()).adjs
    assert len(known) == len(pids)
    for pid in pids:
        source.files[f"proc/{pid}/oom_score_adj"] = b"-500\n"
    for _ in pids:
        known = take(sampler, on()).adjs
    assert set(known.values()) == {-500}


def test_counts_of_kills_of_very_many_cgroups_are_read_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup_reader, "KILLS_A_TICK", 3)
    monkeypatch.setattr(all_cgroups, "REST_TURNS", 1000)  # whose turn it is has its count read anyway
    source = world(**{f"p{pid}": f"/g{pid}" for pid in range(100, 112)})
    sampler = Sampler(source)
    for _ in range(8):
        take(sampler, request())
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    read = []
    for _ in range(5):
        take(sampler, request())
        read.append(sum("memory.events" in path for path in source.read_paths))
    assert read[1:4] == [3, 3, 3]

"""Groups of processes as rows: by cgroup, container, pod, unit, user and program."""

from __future__ import annotations

import gc
from itertools import pairwise
from typing import Any

import pytest

from memtop.columns import columns_of
from memtop.engine.departed import DEPARTED
from memtop.engine.engine import Engine
from memtop.engine.groups import gone_groups, group_table
from memtop.engine.groups.group_rows import group_row
from memtop.engine.groups.naming import GroupName, by_program
from memtop.errors import AccessDenied, ProcessGone
from memtop.explain.group_sentences import group_sentences
from memtop.filter import parse_query
from memtop.headless.groups import group_object
from memtop.history.rings import Track
from memtop.model.frame import Frame
from memtop.model.group import By, GroupKey, GroupRow
from memtop.model.request import GroupsRequest, Request, RowSelection
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.sampling.cgroups.memberships import LOOKUPS_FOR_ALL
from memtop.sampling.request import Need, ReadingsRequest
from memtop.sources.protocol import Exit
from tests.engine.groups.worlds import MIB, ROOT, cgroup, world
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, frame_after
from tests.rows import proc_row

POD = "/kubepods.slice/kubepods-pod0123abcd_0123_0123_0123_0123456789ab.slice"
BOX = f"{POD}/cri-containerd-{'ab' * 32}.scope"


def by(kind: By, text: str = "", **changes: object) -> Request:
    query = parse_query(text, groups=True)
    rows = RowSelection(by=kind, where=query.where, groups_where=query.groups_where)._replace(**changes)  # type: ignore[arg-type]
    needs = query.needs | Need.MEMBERSHIP | Need.GROUPS
    return Request(ReadingsRequest(needs_all=needs), rows)


def names(frame: Frame) -> list[str]:
    assert frame.groups is not None
    return [row.name for row in frame.groups]


def the(frame: Frame, name: str) -> GroupRow:
    assert frame.groups is not None
    (found,) = [row for row in frame.groups if row.name == name]
    return found


def test_a_cgroup_shows_its_charge_its_working_set_its_limit_and_both_ends_of_its_room() -> None:
    source = world(p42="/a.service", p43="/a.service")
    cgroup(
        source, "/a.service", 100, b"%d\n" % (200 * MIB), anon=50, file=40, shmem=10, inactive_file=20, active_file=10
    )
    row = the(frame_after(Engine(source), by(By.CGROUP), 2), "a.service")
    assert (row.members, row.rss_bytes) == (2, 40 * MIB)
    assert (row.charge_bytes, row.working_set_bytes, row.used_bytes) == (100 * MIB, 80 * MIB, 70 * MIB)
    assert (row.limit_bytes, row.room_bytes, row.room_max_bytes) == (200 * MIB, 120 * MIB, 130 * MIB)
    assert (row.anon_bytes, row.file_bytes, row.shmem_bytes) == (50 * MIB, 30 * MIB, 10 * MIB)
    assert row.limit_percent == pytest.approx(35.0)


@pytest.mark.parametrize("kind", [By.CGROUP, By.UNIT])
def test_a_limit_that_cannot_be_read_is_not_shown_as_none(kind: By) -> None:
    source = world(p42="/a.service")
    cgroup(source, "/a.service", 100)
    row = the(frame_after(Engine(source), by(kind), 2), "a.service")
    assert (row.limit_bytes, row.limit_unread) == (None, "")
    source.files[f"{ROOT}/a.service/memory.max"] = AccessDenied("memory.max: permission denied")
    row = the(frame_after(Engine(source), by(kind), 2), "a.service")
    assert (row.limit_bytes, row.limit_unread) == (None, "permission denied")
    assert group_object(row)["limit_unread"] == "permission denied"
    limit = columns_of(groups=True).by_name["limit"]
    assert limit.text(row) == "unread"


def test_the_first_sample_alone_is_complete() -> None:
    source = world(**{f"p{pid}": f"/g{pid}" for pid in range(100, 400)})
    request = by(By.CGROUP)
    request = request._replace(readings=request.readings._replace(once=True))
    frame = frame_after(Engine(source), request, 1)
    assert frame.groups is not None and len(frame.groups) == 300
    assert {row.charge_bytes for row in frame.groups} == {50 * MIB}


def test_what_is_on_swap_counts_from_the_first_sample_on_and_is_unknown_where_it_cannot_be_read() -> None:
    """Read a few samples later, it would look like growth."""
    source = world(p42="/a", p43="/b", p44="/c")
    source.files[f"{ROOT}/a/memory.swap.current"] = b"%d\n" % (900 * MIB)
    source.files[f"{ROOT}/b/memory.swap.current"] = AccessDenied("memory.swap.current")
    engine, request = Engine(source), by(By.CGROUP)
    for _ in range(12):
        frame = frame_after(engine, request, 1)
        used = {name: the(frame, name).used_bytes for name in ("/a", "/b", "/c")}
        assert used == {"/a": 950 * MIB, "/b": None, "/c": 50 * MIB}
        assert not the(frame, "/a").growth_bytes_per_min


@pytest.mark.parametrize(
    ("swap_kib", "counted", "found"), [(0, False, 0), (0, True, 0), (512, False, None), (512, True, 7 * MIB)]
)
def test_what_a_cgroup_has_on_swap_is_unknown_where_the_kernel_does_not_count_it(
    swap_kib: int, counted: bool, found: int | None
) -> None:
    """Version 1 without memory.memsw. Its processes do not tell: files on tmpfs are swapped too."""
    source = world(p42="/a")
    source.files["proc/meminfo"] = b"MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapTotal: %d kB\n" % swap_kib
    if counted:
        source.files[f"{ROOT}/a/memory.swap.current"] = b"%d\n" % (7 * MIB)
    assert the(frame_after(Engine(source), by(By.CGROUP), 3), "/a").swap_bytes == found


def test_the_limit_of_a_cgroup_above_binds_where_it_leaves_less() -> None:
    source = world(p42="/pod/a", p43="/pod/b")
    cgroup(source, "/pod", 95, b"%d\n" % (100 * MIB))
    cgroup(source, "/pod/a", 50, b"%d\n" % (90 * MIB))
    row = the(frame_after(Engine(source), by(By.CGROUP), 2), "/pod/a")
    assert (row.limit_bytes, row.room_max_bytes) == (100 * MIB, 5 * MIB)


def test_the_tree_has_the_cgroups_above_with_all_that_is_below_them() -> None:
    source = world(p42="/pod/a", p43="/pod/b", p44="/other")
    request = by(By.CGROUP, tree=True)
    frame = frame_after(Engine(source), request, 2)
    assert frame.groups is not None and frame.tree is not None
    assert [(row.name, place.depth) for row, place in zip(frame.groups, frame.tree, strict=True)] == [
        ("/", 0),
        ("/pod", 1),
        ("/pod/a", 2),
        ("/pod/b", 2),
        ("/other", 1),
    ]
    assert (the(frame, "/pod").members, the(frame, "/pod").rss_bytes) == (2, 40 * MIB)
    folded = request._replace(rows=request.rows._replace(folded=frozenset({the(frame, "/pod").key})))
    assert names(frame_after(Engine(source), folded, 2)) == ["/", "/pod", "/other"]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (By.CONTAINER, {"containerd abababababab": 2, "no container": 2}),
        (By.POD, {"0123abcd-0123-0123-0123-0123456789ab": 2, "no pod": 2}),
        (By.UNIT, {"web.service": 1, "db.service": 1, "kubepods-pod0123abcd": 0, "no unit": 2}),
    ],
)
def test_containers_pods_and_units_are_groups_by_the_topmost_cgroup_of_theirs(kind: By, found: dict[str, int]) -> None:
    source = world(p42=f"{BOX}/init", p43=f"{BOX}/app", p44="/system.slice/web.service", p45="/system.slice/db.service")
    cgroup(source, BOX, 77)
    frame = frame_after(Engine(source), by(kind), 2)
    assert frame.groups is not None
    assert {row.name: row.members for row in frame.groups} == {name: n for name, n in found.items() if n}
    if kind is By.CONTAINER:
        assert the(frame, "containerd abababababab").charge_bytes == 77 * MIB
        assert the(frame, "no container").charge_bytes is None


def test_users_and_programs_are_groups_of_the_sums_of_their_members() -> None:
    source = world(p42="/a", p43="/b", p44="/b")
    source.processes[42].cmdline = b"/usr/bin/python3\0/srv/orders.py\0--fast\0"
    source.processes[43].cmdline = b"python3\0-u\0orders.py\0"
    source.processes[44].cmdline = b"/usr/sbin/nginx\0"
    source.processes[44].uid = 0
    users = frame_after(Engine(source), by(By.USER), 3)
    assert {row.name: row.members for row in users.groups or ()} == {"ann": 2, "root": 1}
    programs = frame_after(Engine(source), by(By.PROGRAM), 3)
    assert {row.name: (row.members, row.rss_bytes) for row in programs.groups or ()} == {
        "orders.py": (2, 40 * MIB),
        "nginx": (1, 20 * MIB),
    }
    assert (the(programs, "nginx").charge_bytes, the(programs, "nginx").limit_bytes) == (None, None)
    assert the(programs, "nginx").anon_bytes == 15 * MIB


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("n>1", ["/b"]),
        ("charge>60m", ["/a"]),
        ("/A", ["/a"]),
        ("!^/[a]$", ["/a"]),
        ("group=b", ["/b"]),
        ("pid=43", ["/b"]),
        ("cgroup=/a", ["/a"]),
        ("user=nobody", []),
    ],
)
def test_a_filter_selects_groups_and_terms_of_processes_select_their_members(text: str, found: list[str]) -> None:
    source = world(p42="/a", p43="/b", p44="/b")
    cgroup(source, "/a", 70)
    frame = frame_after(Engine(source), by(By.CGROUP, text), 3)
    assert names(frame) == found
    if text == "pid=43":
        assert the(frame, "/b").members == 1


@pytest.mark.parametrize("column", columns_of(groups=True).columns, ids=lambda column: column.key)
@pytest.mark.parametrize("descending", [True, False])
def test_every_column_sorts_and_what_is_unknown_comes_last(column: object, descending: bool) -> None:
    source = world(p42="/a", p43="/b")
    source.files.pop(f"{ROOT}/b/memory.current")
    frame = frame_after(Engine(source), by(By.CGROUP, sort=column.field, descending=descending), 3)  # type: ignore[attr-defined]
    assert sorted(names(frame)) == ["/a", "/b"]
    if column.key == "charge":  # type: ignore[attr-defined]
        assert names(frame)[-1] == "/b"


@pytest.mark.parametrize("column", columns_of(groups=True).columns, ids=lambda column: column.key)
def test_every_column_fits_its_cells(column: object) -> None:
    source = world(p42="/a")
    row = the(frame_after(Engine(source), by(By.CGROUP), 3), "/a")
    text = column.text(row)  # type: ignore[attr-defined]
    assert len(text) <= (column.width or 100)  # type: ignore[attr-defined]


def test_the_processes_of_a_group_are_listed_in_its_place() -> None:
    source = world(p42="/pod/a", p43="/pod/b", p44="/other")
    key = GroupKey(By.CGROUP, f"{ROOT}/pod")
    frame = frame_after(Engine(source), by(By.CGROUP, inside=key), 3)
    assert frame.groups is None
    assert sorted(row.pid for row in frame.rows) == [42, 43]


def test_a_group_that_was_looked_at_keeps_its_last_numbers_when_it_has_gone() -> None:
    source = world(p42="/a", p43="/b")
    request = by(By.CGROUP)._replace(groups=GroupsRequest(focus=GroupKey(By.CGROUP, f"{ROOT}/a")))
    engine = Engine(source)
    frame_after(engine, request, 3)
    del source.processes[42]
    for path in [path for path in source.files if path.startswith(f"{ROOT}/a/")]:
        del source.files[path]
    row = the(frame_after(engine, request, 3), "/a")
    assert (row.members, row.charge_bytes, row.rss_bytes) == (0, 50 * MIB, 20 * MIB)
    assert row.gone_s is not None and row.growth_bytes_per_min is None
    assert "/a" not in names(frame_after(engine, by(By.USER), 1))


def test_of_a_group_that_has_gone_nothing_is_said_of_processes_that_it_has() -> None:
    source = world(p42="/a", p43="/b")
    request = by(By.CGROUP)._replace(groups=GroupsRequest(focus=GroupKey(By.CGROUP, f"{ROOT}/a")))
    engine = Engine(source)
    frame_after(engine, request, 3)
    remove(source, "/a")
    frame = frame_after(engine, request, 3)
    assert frame.group is not None
    said = [one.says for one in group_sentences(frame.group)]
    assert said[0] == "No process is left in it; these are its last numbers."
    assert said[-1].endswith(". The sum of RES was 20.0 MiB.") and "0 processes" not in " ".join(said)


def test_a_cgroup_whose_last_process_has_moved_to_another_has_not_gone() -> None:
    """A shell that starts a service is in its own cgroup for a moment."""
    source = world(p42="/old", p43="/b")
    cgroup(source, "/new", 70)
    engine, request = Engine(source), by(By.CGROUP)
    assert "/old" in names(frame_after(engine, request, 3))
    source.files["proc/42/cgroup"] = b"0::/new\n"
    for _ in range(40):
        frame = frame_after(engine, request, 1)
        assert "/new" in names(frame) or "/old" in names(frame)
        assert frame.groups is not None and not any(row.gone_s for row in frame.groups), names(frame)
    assert "/new" in names(frame)


def test_of_groups_that_were_looked_at_and_have_gone_the_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gone_groups, "KEPT", 3)
    paths = [f"/g{number}" for number in range(6)]
    source = world(p42="/stays", **{f"p{50 + number}": path for number, path in enumerate(paths)})
    engine = Engine(source)
    frame_after(engine, by(By.CGROUP), 2)

    def seen() -> list[str]:
        asked = [by(By.CGROUP)._replace(groups=GroupsRequest(focus=GroupKey(By.CGROUP, ROOT + path))) for path in paths]
        return [path for path, ask in zip(paths, asked, strict=True) if path in names(frame_after(engine, ask, 1))]

    assert seen() == paths
    source.processes = {42: source.processes[42]}
    frame_after(engine, by(By.CGROUP), 2)
    assert seen() == paths[-3:]


def test_a_small_group_that_nobody_looked_at_goes_with_its_last_member() -> None:
    source = world(p42="/a", p43="/b")
    cgroup(source, "/a", 25)
    engine = Engine(source)
    frame_after(engine, by(By.CGROUP), 3)
    remove(source, "/a")
    assert names(frame_after(engine, by(By.CGROUP), 2)) == ["/b"]


def remove(source: FakeSource, path: str, pid: int = 42) -> None:
    """The last process of a cgroup ends, and the cgroup is removed."""
    del source.processes[pid]
    for name in [name for name in source.files if name.startswith(f"{ROOT}{path}/")]:
        del source.files[name]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(By.CGROUP, "web.service"), (By.UNIT, "web.service"), (By.CONTAINER, "containerd abababababab"), (By.POD, "0123")],
)
def test_a_large_group_that_nobody_looked_at_keeps_its_last_numbers_for_a_minute(kind: By, name: str) -> None:
    path = "/system.slice/web.service" if name == "web.service" else BOX
    source = world(p42=path, p43="/b")
    cgroup(source, POD if kind is By.POD else path, 70, b"%d\n" % (100 * MIB))
    engine = Engine(source)
    frame_after(engine, by(kind), 3)
    remove(source, path)
    frame = frame_after(engine, by(kind), 3)
    (row,) = [row for row in frame.groups or () if row.name.startswith(name)]
    assert (row.members, row.charge_bytes, row.limit_bytes, row.rss_bytes) == (0, 70 * MIB, 100 * MIB, 20 * MIB)
    assert row.gone_s is not None
    hidden = frame_after(engine, by(kind, "pid=43"), 1)
    assert name not in names(hidden), "its member does not pass the filter"
    (row,) = frame_after(engine, by(kind, f"group={row.name}"), 1).groups or ()
    assert row.members == 0
    frame = frame_after(engine, by(kind), 60)
    assert not any(row.name.startswith(name) for row in frame.groups or ())


def test_a_group_between_two_runs_of_a_crash_loop_is_one_row_that_stays() -> None:
    source = world(p43="/b")
    engine = Engine(source)
    found = []
    for life in range(4):
        source.add(FakeProcess(50 + life, cmdline=b"api\0", start_ticks=9000 + life, rss_pages=20 * MIB_PAGES))
        source.files[f"proc/{50 + life}/cgroup"] = b"0::/api.service\n"
        cgroup(source, "/api.service", 60)
        found.append(names(frame_after(engine, by(By.UNIT), 4)))
        remove(source, "/api.service", 50 + life)
        found.append(names(frame_after(engine, by(By.UNIT), 4)))
    assert all(one.count("api.service") == 1 for one in found), found


def test_a_group_that_ended_while_processes_were_on_screen_is_listed_for_the_rest_of_its_minute() -> None:
    source = world(p42="/system.slice/web.service", p43="/b")
    source.processes[42].rss_pages = 60 * MIB_PAGES
    cgroup(source, "/system.slice/web.service", 70, b"%d\n" % (100 * MIB))
    engine, processes = Engine(source), Request(by(By.UNIT).readings)
    frame_after(engine, processes, 3)
    source.ended = [Exit(42, source.wall_s, 9)]
    remove(source, "/system.slice/web.service")
    frame_after(engine, processes, 4)
    row = the(frame_after(engine, by(By.UNIT), 1), "web.service")
    assert (row.members, row.rss_bytes, row.charge_bytes) == (0, 60 * MIB, 70 * MIB)
    row = the(frame_after(engine, by(By.CGROUP), 1), "web.service")
    assert (row.members, row.charge_bytes) == (0, 70 * MIB)


def test_of_groups_that_went_while_others_were_on_screen_nothing_is_said_to_have_ended_now() -> None:
    source = world(p42="/a", p43="/b")
    engine = Engine(source)
    frame_after(engine, by(By.CGROUP), 3)
    remove(source, "/a")
    frame_after(engine, by(By.USER), 90)
    assert names(frame_after(engine, by(By.CGROUP), 1)) == ["/b"]


def test_of_groups_that_have_gone_the_last_are_listed_and_a_bounded_number_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gone_groups, "MOST_UNASKED", 3)
    monkeypatch.setattr(gone_groups, "KEPT", 5)
    source = world(p42="/stays", **{f"p{50 + number}": f"/g{number}" for number in range(9)})
    engine = Engine(source)
    frame_after(engine, by(By.CGROUP), 2)
    for number in range(9):
        remove(source, f"/g{number}", 50 + number)
        frame_after(engine, by(By.CGROUP), 1)
    assert names(frame_after(engine, by(By.CGROUP), 1)) == ["/stays", "/g6", "/g7", "/g8"]
    seen = [number for number in range(9) if f"/g{number}" in names(frame_after(engine, _focused(number), 1))]
    assert seen == [4, 5, 6, 7, 8]


def _focused(number: int) -> Request:
    return by(By.CGROUP)._replace(groups=GroupsRequest(focus=GroupKey(By.CGROUP, f"{ROOT}/g{number}")))


def test_a_cgroup_that_was_removed_is_found_by_looking_back() -> None:
    source = world(p42="/system.slice/web.service", p43="/b")
    source.processes[42].rss_pages = 60 * MIB_PAGES
    engine = Engine(source)
    for tick in range(30):
        cgroup(source, "/system.slice/web.service", 70 + tick)
        lived = frame_after(engine, by(By.CGROUP), 1)
    source.ended = [Exit(42, source.wall_s, 9)]
    remove(source, "/system.slice/web.service")
    frame_after(engine, by(By.CGROUP), 90)
    for kind in (By.CGROUP, By.UNIT):
        request = by(kind)
        then = engine.view(request._replace(window=request.window._replace(cursor_s=lived.at_s - 10)))
        assert then is not None
        row = the(then, "web.service")
        assert (row.members, row.gone_s) == (1, None)
        assert row.charge_bytes is not None and abs(row.charge_bytes // MIB - 89) <= 5


@pytest.mark.parametrize("percent", [80, 90])
def test_what_is_said_of_the_limit_of_a_group_does_not_change_back_and_forth_with_its_use(percent: int) -> None:
    source = world(p42="/shop")
    engine, request = Engine(source), by(By.CGROUP)._replace(groups=GroupsRequest(GroupKey(By.CGROUP, f"{ROOT}/shop")))
    said = []
    for tick in range(60):
        cgroup(source, "/shop", percent + (tick // 8 % 2 or -1), b"%d\n" % (100 * MIB))
        frame = frame_after(engine, request, 1)
        assert frame.group is not None
        said.append([one.severity for one in group_sentences(frame.group) if one.says.startswith("Limit of")])
    assert len(set(map(str, said))) > 1
    assert sum(one != other for one, other in pairwise(said)) <= 2


def test_a_pool_of_short_lived_children_grows_as_a_whole() -> None:
    source = world(p42="/pool")
    cgroup(source, "/pool", 50, b"%d\n" % (600 * MIB))
    engine = Engine(source)
    for tick in range(150):
        source.processes.pop(1000 + tick - 3, None)
        child = source.add(FakeProcess(1000 + tick, ppid=42, start_ticks=100_000 + 100 * tick))
        child.rss_pages = (20 + tick // 3) * MIB_PAGES
        source.files[f"proc/{child.pid}/cgroup"] = b"0::/pool\n"
        cgroup(source, "/pool", 50 + 2 * tick, b"%d\n" % (600 * MIB))
        frame = frame_after(engine, by(By.CGROUP), 1)
    row = the(frame, "/pool")
    assert row.verdict_rank is not None and row.verdict_rank >= 4, row.verdict
    assert row.growth_bytes_per_min == pytest.approx(120 * MIB, rel=0.1)
    assert row.limit_s is not None and 60 < row.limit_s[0] <= row.limit_s[1] < 300
    programs = frame_after(engine, by(By.PROGRAM), 1)
    assert the(programs, "app").growth_bytes_per_min == pytest.approx(60 * MIB, rel=0.2)


def test_growth_of_a_group_is_over_as_soon_as_the_oom_killer_has_killed_in_it() -> None:
    source = world(p42="/pod/a", p43="/pod/a")
    source.files["proc/vmstat"] = b"oom_kill 0\n"
    engine = Engine(source)
    for tick in range(100):
        for path in ("/pod", "/pod/a"):
            cgroup(source, path, 50 + 2 * tick, b"%d\n" % (300 * MIB))
        frame = frame_after(engine, by(By.CGROUP, tree=True), 1)
    assert [the(frame, name).confirmed for name in ("/pod", "/pod/a")] == [True, True]
    for path in ("/pod", "/pod/a"):
        cgroup(source, path, 60, b"%d\n" % (300 * MIB))
    source.files |= {"proc/vmstat": b"oom_kill 1\n", f"{ROOT}/pod/a/memory.events.local": b"oom_kill 1\n"}
    for _ in range(30):
        frame = frame_after(engine, by(By.CGROUP, tree=True), 1)
        rows = [the(frame, name) for name in ("/pod", "/pod/a")]
        assert [(row.confirmed, row.limit_s) for row in rows] == [(False, None)] * 2


def test_a_secret_that_a_process_calls_itself_by_is_no_name_of_a_group() -> None:
    source = world(p42="/a")
    source.processes[42].cmdline = b"PGPASSWORD=hunter2\0psql\0"
    assert "hunter2" not in str(names(frame_after(Engine(source), by(By.PROGRAM), 2)))


def test_a_command_that_crashes_and_is_started_again_is_a_restart_and_a_forked_worker_is_none() -> None:
    source = world(p42="/a", p43="/a")
    source.processes[42].cmdline = b"supervisor\0"
    source.processes[43].cmdline = b"api\0"
    source.processes[43].ppid = 42
    engine = Engine(source)
    frame_after(engine, by(By.CGROUP), 3)
    for life in range(3):
        source.processes.pop(43 + life)
        source.ended = [Exit(43 + life, source.wall_s, 1 << 8)]
        heir = source.add(FakeProcess(44 + life, cmdline=b"api\0", ppid=42, start_ticks=9000 + life))
        source.files[f"proc/{heir.pid}/cgroup"] = b"0::/a\n"
        frame_after(engine, by(By.CGROUP), 3)
    assert the(frame_after(engine, by(By.CGROUP), 1), "/a").restarts == 3
    worker = source.add(FakeProcess(60, cmdline=b"api\0", ppid=46, start_ticks=9900))
    source.files["proc/60/cgroup"] = b"0::/a\n"
    frame_after(engine, by(By.CGROUP), 3)
    source.ended = [Exit(worker.pid, source.wall_s, 0)]
    del source.processes[worker.pid]
    source.add(FakeProcess(61, cmdline=b"api\0", ppid=46, start_ticks=9950))
    frame = frame_after(engine, by(By.CGROUP), 4)
    assert the(frame, "/a").restarts == 3


def test_a_small_program_in_the_loop_of_a_shell_that_ends_well_is_no_restart() -> None:
    source = world(p42="/a")
    engine = Engine(source)
    for life in range(6):
        tool = source.add(FakeProcess(50 + life, cmdline=b"sleep\0000.2\0", rss_pages=400, start_ticks=9000 + life))
        source.files[f"proc/{tool.pid}/cgroup"] = b"0::/a\n"
        frame_after(engine, by(By.CGROUP), 2)
        del source.processes[tool.pid]
        source.ended = [Exit(tool.pid, source.wall_s, 0)]
    assert the(frame_after(engine, by(By.CGROUP), 3), "/a").restarts == 0
    assert the(frame_after(engine, by(By.PROGRAM), 1), "app").restarts == 0


def test_oom_kills_count_from_the_start_of_memtop_and_also_above() -> None:
    source = world(p42="/pod/a", p43="/pod/b")
    source.files[f"{ROOT}/pod/a/memory.events.local"] = b"oom_kill 5\n"
    engine = Engine(source)
    assert the(frame_after(engine, by(By.CGROUP), 4), "/pod/a").oom_kills == 0
    source.files[f"{ROOT}/pod/a/memory.events.local"] = b"oom_kill 7\n"
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 5\n"
    frame = frame_after(engine, by(By.CGROUP, tree=True), 2)
    assert [the(frame, name).oom_kills for name in ("/pod/a", "/pod/b", "/pod")] == [2, 0, 2]


def test_a_kill_in_a_cgroup_that_is_removed_with_its_last_process_counts_for_its_group() -> None:
    source = world(p43="/b")
    source.files["proc/vmstat"] = b"oom_kill 0\n"
    engine = Engine(source)
    for life in range(3):
        pid = 50 + life
        source.add(FakeProcess(pid, cmdline=b"api\0", start_ticks=9000 + life, rss_pages=55 * MIB_PAGES))
        source.files[f"proc/{pid}/cgroup"] = b"0::/api.service\n"
        cgroup(source, "/api.service", 58, b"%d\n" % (60 * MIB))
        frame_after(engine, by(By.UNIT), 4)
        remove(source, "/api.service", pid)
        source.ended = [Exit(pid, source.wall_s, 9)]
        source.files["proc/vmstat"] = b"oom_kill %d\n" % (life + 1)
        frame = frame_after(engine, by(By.UNIT), 3)
    assert (the(frame, "api.service").oom_kills, the(frame, "api.service").members) == (3, 0)


def test_without_the_memory_controller_groups_are_sums_and_say_nothing_of_a_charge() -> None:
    source = world(p42="/a")
    source.files[f"{ROOT}/cgroup.controllers"] = b"cpu pids\n"
    row = the(frame_after(Engine(source), by(By.CGROUP), 3), "/a")
    assert (row.charge_bytes, row.limit_bytes, row.oom_kills, row.rss_bytes) == (None, None, None, 20 * MIB)


def test_a_name_with_a_newline_or_an_escape_stays_on_its_line() -> None:
    source = world(p42="/evil\x1b[2Jb")
    (name,) = names(frame_after(Engine(source), by(By.CGROUP), 3))
    assert "\x1b" not in name and "evil" in name


def test_the_past_of_a_group_is_its_charge_then() -> None:
    source = world(p42="/a")
    engine = Engine(source)
    for tick in range(40):
        limit_mib = 200 if tick < 30 else 400
        cgroup(source, "/a", 50 + tick, b"%d\n" % (limit_mib * MIB))
        frame = frame_after(engine, by(By.CGROUP), 1)
    request = by(By.CGROUP)
    back = request._replace(window=request.window._replace(cursor_s=frame.at_s - 20))
    then = engine.view(back)
    assert then is not None
    row = the(then, "/a")
    assert row.charge_bytes is not None and abs(row.charge_bytes // MIB - 69) <= 5
    assert (row.members, row.limit_bytes, row.restarts, row.verdict) == (1, 200 * MIB, None, "")
    assert row.room_bytes == row.room_max_bytes == 200 * MIB - row.charge_bytes
    assert row.limit_percent == pytest.approx(100 * row.charge_bytes / (200 * MIB))
    assert the(frame, "/a").limit_bytes == 400 * MIB
    limited = engine.view(back._replace(rows=by(By.CGROUP, "limit>0").rows))
    assert limited is not None and names(limited) == ["/a"]
    assert row.growth_bytes_per_min is not None and 10 * MIB < row.growth_bytes_per_min < 22 * MIB
    focused = back._replace(groups=GroupsRequest(focus=row.key))
    looked_at = engine.view(focused)
    assert looked_at is not None and looked_at.group is not None
    detail = looked_at.group
    said = " ".join(one.says for one in group_sentences(detail))
    assert detail.limit_name == "/a" and "Limit of /a (200 MiB): 3" in said
    users = request._replace(rows=request.rows._replace(by=By.USER), window=back.window)
    found = engine.view(users)
    assert found is not None and the(found, "ann").rss_bytes == 20 * MIB


def test_thousands_of_members_that_come_and_go_leave_nothing_behind() -> None:
    gc.collect()
    others = sum(type(found) is Track for found in gc.get_objects())  # those that other tests keep
    source = world(p42="/storm")
    engine = Engine(source)
    for tick in range(40):
        for pid in range(100, 600):
            source.processes.pop(pid, None)
            source.add(FakeProcess(pid, start_ticks=10_000 + 100 * tick, cmdline=b"w%d\0" % (pid % 7)))
            source.files[f"proc/{pid}/cgroup"] = b"0::/storm\n"
        frame = frame_after(engine, by(By.CGROUP), 1)
    assert frame.groups is not None
    assert sum(row.members for row in frame.groups) == frame.total > 400
    gc.collect()
    tracks = sum(type(found) is Track for found in gc.get_objects()) - others
    assert tracks < 501 + DEPARTED + 40, "those of the processes that live or were large, and of a few groups"


def test_of_many_groups_those_on_screen_are_built_at_every_tick_and_the_others_in_turn() -> None:
    source = world(**{f"p{pid}": f"/g{pid}" for pid in range(100, 1400)})
    for pid in (100, 1399):
        cgroup(source, f"/g{pid}", 100)
    engine, shown = Engine(source), GroupKey(By.CGROUP, f"{ROOT}/g100")
    ask = by(By.CGROUP)._replace(groups=GroupsRequest(visible=(shown,)))
    frame_after(engine, ask, 3)
    seen: dict[str, set[int | None]] = {"/g100": set(), "/g1399": set()}
    for tick in range(60):
        for pid in (100, 1399):
            cgroup(source, f"/g{pid}", 100 + tick)
        frame = frame_after(engine, ask, 1)
        for name, charges in seen.items():
            charges.add(the(frame, name).charge_bytes)
    assert len(seen["/g100"]) >= 58
    assert 1 < len(seen["/g1399"]) < 58


def test_pss_that_was_read_of_some_is_a_lower_bound_and_says_so() -> None:
    source = world(p42="/a.service", p43="/a.service")
    rollup = b"00400000-7fff0000 ---p 00000000 00:00 0 [rollup]\nRss: 20480 kB\nPss: 12288 kB\nPrivate_Dirty: 8192 kB\n"
    source.files |= {"proc/42/smaps_rollup": rollup, "proc/43/smaps_rollup": AccessDenied("proc/43/smaps_rollup")}
    engine, key = Engine(source), GroupKey(By.CGROUP, f"{ROOT}/a.service")
    ask = by(By.CGROUP)._replace(groups=GroupsRequest(focus=key))
    ask = ask._replace(readings=ask.readings._replace(needs=Need.STAT | Need.ROLLUP))
    frame = frame_after(engine, ask, 12)
    row, column = the(frame, "a.service"), columns_of(groups=True).by_name["pss"]
    assert (row.pss_bytes, row.pss_read_bytes, row.pss_read_members) == (None, 12 * MIB, 1)
    assert column.text(row) == "≥12.0M"
    assert frame.group is not None
    assert any("at least 12.0 MiB: read for 1 of 2" in one.says for one in group_sentences(frame.group))
    source.files["proc/43/smaps_rollup"] = rollup
    del source.processes[43]
    row = the(frame_after(engine, ask, 12), "a.service")
    assert (row.pss_bytes, column.text(row)) == (12 * MIB, "12.0M")


def test_processes_that_were_not_looked_up_yet_leave_no_gone_group_behind() -> None:
    source = world(p42="/a")
    engine, unknown = Engine(source), GroupKey(By.CGROUP, "?")
    frame_after(engine, by(By.CGROUP), 3)
    for pid in range(100, 100 + LOOKUPS_FOR_ALL + 20):
        source.add(FakeProcess(pid, start_ticks=102_000))
    ask = by(By.CGROUP)._replace(groups=GroupsRequest(focus=unknown))
    assert the(frame_after(engine, ask, 1), "not looked up yet").members == 20
    frame = frame_after(engine, ask, 3)
    assert "not looked up yet" not in names(frame)


def test_sizes_are_bytes() -> None:
    assert MIB_PAGES * OWN_PAGE_BYTES == MIB


@pytest.mark.parametrize(
    ("kind", "name", "pids"),
    [
        (By.CGROUP, "/system.slice/web.service", [42]),
        (By.CGROUP, "sys/fs/cgroup/system.slice", [42, 43]),
        (By.CGROUP, "/sys/fs/cgroup/system.slice/", [42, 43]),
        (By.CGROUP, "/", [42, 43, 44]),
        (By.CGROUP, "/nothing", []),
        (By.UNIT, "web.service", [42]),
        (By.UNIT, "web", [42]),
        (By.UNIT, "we", []),
    ],
)
def test_a_cgroup_or_unit_is_found_as_a_user_calls_it(kind: By, name: str, pids: list[int]) -> None:
    source = world(p42="/system.slice/web.service", p43="/system.slice/db.service", p44="/other")
    key = GroupKey(kind, name)
    request = by(kind, inside=key)._replace(groups=GroupsRequest(focus=key))
    frame = frame_after(Engine(source), request, 1)
    assert sorted(row.pid for row in frame.rows) == pids
    assert (frame.group is not None) is bool(pids)
    if frame.group is not None:
        assert frame.group.row.members == len(pids)


def test_a_child_that_is_too_young_to_be_known_counts_where_its_parent_does() -> None:
    source = world(p42="/pool", p44="/other")
    source.processes[42].cmdline = b"/usr/bin/python3\0pool.py\0"
    for kind, name in ((By.PROGRAM, "pool.py"), (By.CGROUP, "/pool")):
        engine = Engine(source)
        frame_after(engine, by(kind), 3)
        pid = 1000 + len(source.processes)
        child = source.add(FakeProcess(pid, ppid=42, start_ticks=100_000))
        source.files[f"proc/{child.pid}/cgroup"] = ProcessGone("too early")
        source.hanging.add(child.pid)
        assert the(frame_after(engine, by(kind), 1), name).members == 2
        del source.processes[child.pid]


@pytest.mark.parametrize("kind", [By.CGROUP, By.UNIT, By.USER, By.PROGRAM])
def test_a_group_that_a_filter_hides_has_not_ended(kind: By) -> None:
    source = world(p42="/a.service", p43="/b.service")
    engine = Engine(source)
    frame = frame_after(engine, by(kind), 3)
    assert frame.groups is not None
    focus = GroupsRequest(focus=frame.groups[0].key)
    frame_after(engine, by(kind)._replace(groups=focus), 2)
    for text in ("pid=99", "nosuchprogram"):
        hidden = frame_after(engine, by(kind, text)._replace(groups=focus), 2)
        assert hidden.groups == (), "its processes live"
    shown = frame_after(engine, by(kind)._replace(groups=focus), 1)
    assert shown.groups is not None and all(row.gone_s is None for row in shown.groups)


def test_rows_of_many_groups_that_have_not_changed_are_built_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def counted(*given: Any, **named: Any) -> GroupRow:
        built.append(1)
        return group_row(*given, **named)

    monkeypatch.setattr(group_table, "MOST_ROWS", 4)
    monkeypatch.setattr(group_table, "group_row", counted)
    engine = Engine(FakeSource(*(FakeProcess(pid, cmdline=b"p%d\0" % pid) for pid in range(100, 140))))
    assert len(names(frame_after(engine, by(By.PROGRAM), 4))) == 40
    built.clear()
    frame_after(engine, by(By.PROGRAM), 1)
    assert 1 <= len(built) <= 8


def test_names_of_programs_that_are_run_no_more_are_forgotten() -> None:
    row = proc_row(42)
    for number in range(9000):
        by_program(row._replace(command_raw=b"/bin/program-%d\0" % number))
    assert sum(type(one) is GroupName for one in gc.get_objects()) < 8400

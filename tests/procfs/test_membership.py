"""The cgroups of a process and whom they name: one row for each shape in ``tests/data/cgroups/names.tsv``."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.procfs.membership import CgroupOwner, Membership, cgroup_label, names_of, owner, owner_of, parse_memberships

TABLE = Path(__file__).parents[1] / "data" / "cgroups" / "names.tsv"
ROWS = [
    (row + [""] * 7)[:7]
    for row in csv.reader(TABLE.read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    if row and not row[0].startswith("#")
]
ID = "0123456789abcdef" * 4


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_shape_of_a_path_names_its_owner(row: list[str]) -> None:
    path, label, container, pod, unit, runtime, note = row
    assert owner(path.encode()) == CgroupOwner(unit or None, runtime or None, container or None, pod or None), note
    assert cgroup_label(path.encode()) == label


@pytest.mark.parametrize(
    ("cgroup", "expected"),
    [
        (b"4:memory:/\n1:name=systemd:/system.slice/cron.service\n", CgroupOwner("cron.service")),
        (b"4:memory:/system.slice\n1:name=systemd:/system.slice/cron.service\n", CgroupOwner("cron.service")),
        (b"4:memory:/system.slice\n1:name=systemd:/system.slice\n", CgroupOwner("system.slice")),
        (b"4:memory:/\n0::/system.slice/cron.service\n", CgroupOwner("cron.service")),
        (
            b"1:name=systemd:/system.slice/x.service\n4:cpu,memory:/docker/%s\n" % ID.encode(),
            CgroupOwner(None, "docker", ID),
        ),
        (b"3:cpu:/docker/%s\n4:memory:/\n" % ID.encode(), CgroupOwner()),
        (b"0::/\n", CgroupOwner()),
        (b"", CgroupOwner()),
    ],
)
def test_the_unit_stands_in_systemds_hierarchy_where_memory_is_not_accounted_for_it(
    cgroup: bytes, expected: CgroupOwner
) -> None:
    assert owner_of(parse_memberships(cgroup)) == expected


@given(st.lists(st.binary(max_size=20).filter(lambda part: b"/" not in part), max_size=6))
def test_names_from_any_path_are_safe_to_show(parts: list[bytes]) -> None:
    path = b"/" + b"/".join(parts) + b".service"
    found = owner(path)
    names = (found.unit, found.container, found.pod, found.runtime, cgroup_label(path))
    assert all(name is None or name.isprintable() for name in names)


@pytest.mark.parametrize("evil", [b"\x1b]0;x\x07", b"\xff\xfe", b"\xe2\x80\xae", b"\n", b"a b"])
def test_hostile_bytes_make_no_unit_and_stay_visible(evil: bytes) -> None:
    assert owner(b"/system.slice/" + evil + b".service").unit == "system.slice"
    assert owner(b"/lxc.payload." + evil).container is not None
    assert cgroup_label(b"/lxc.payload." + evil).isprintable()


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        (b"9:name=systemd:/a.service\n4:memory:/docker/x\n0::/\n", "/docker/x"),
        (b"1:cpu:/x\n0::/user.slice\n", "/user.slice"),
        (b"9:name=systemd:/a.service\n1:cpu:/x\n", "/a.service"),
        (b"0::/a\nb\n", "/a"),
        (b"", ""),
    ],
    ids=["memory of version 1", "version 2", "systemd alone", "a newline in the name", "empty"],
)
def test_the_path_is_that_of_the_hierarchy_that_accounts_memory(lines: bytes, path: str) -> None:
    assert names_of(parse_memberships(lines)).path == path


def test_memberships_of_both_versions_are_read() -> None:
    found = parse_memberships(b"5:name=systemd:/\n4:memory:/a:b c\n1:cpu,cpuacct:/x\n0::/user.slice\n")
    assert found == (
        Membership(5, (b"name=systemd",), b"/", False),
        Membership(4, (b"memory",), b"/a:b c", False),
        Membership(1, (b"cpu", b"cpuacct"), b"/x", False),
        Membership(0, (), b"/user.slice", False),
    )


def test_a_removed_cgroup_is_known_as_such() -> None:
    assert parse_memberships(b"0::/gone (deleted)\n") == (Membership(0, (), b"/gone", True),)


def test_this_process_is_in_some_cgroup() -> None:
    data = Path("/proc/self/cgroup").read_bytes()
    assert len(parse_memberships(data)) == len(data.splitlines())


@given(st.binary(max_size=300))
def test_any_bytes_give_memberships_or_none(data: bytes) -> None:
    for member in parse_memberships(data):
        assert member.path.startswith(b"/")


@given(
    st.integers(0, 99),
    st.lists(st.sampled_from([b"memory", b"cpu", b"name=systemd"]), unique=True),
    st.binary(max_size=40).filter(lambda path: b"\n" not in path and not path.endswith(b" (deleted)")),
)
def test_every_line_is_read_back(hierarchy: int, controllers: list[bytes], path: bytes) -> None:
    line = b"%d:%s:/%s\n" % (hierarchy, b",".join(controllers), path)
    assert parse_memberships(line) == (Membership(hierarchy, tuple(controllers), b"/" + path, False),)

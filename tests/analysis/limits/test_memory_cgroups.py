"""From a pid's membership to the directory of its memory cgroup."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.limits.memory_cgroups import CgroupPlace, Version, memory_places, seen_below
from memtop.procfs.membership import parse_memberships
from memtop.procfs.mountinfo import parse_mountinfo

V1_MOUNTS = b"""30 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
"""
V2_MOUNTS = b"26 23 0:24 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID_MOUNTS = V1_MOUNTS + b"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"


def places(cgroup: bytes, mounts: bytes, v2_controllers: bytes | None = None) -> tuple[CgroupPlace, ...]:
    return memory_places(parse_memberships(cgroup), parse_mountinfo(mounts), v2_controllers)


def first_chain(cgroup: bytes, mounts: bytes, v2_controllers: bytes | None = None) -> tuple[str, ...]:
    return places(cgroup, mounts, v2_controllers)[0].chain


def test_version_one_is_found_below_the_mount_of_the_memory_controller() -> None:
    found = places(b"4:memory:/a/b\n1:cpu:/other\n", V1_MOUNTS)
    assert found == (CgroupPlace(Version.V1, b"/sys/fs/cgroup/memory", b"/a/b"),)
    assert found[0].chain == ("sys/fs/cgroup/memory/a/b", "sys/fs/cgroup/memory/a", "sys/fs/cgroup/memory")


def test_memory_mounted_together_with_other_controllers() -> None:
    mounts = b"35 31 0:32 / /cg rw - cgroup cgroup rw,cpu,memory\n"
    assert first_chain(b"4:cpu,memory:/x\n", mounts) == ("cg/x", "cg")


def test_version_two() -> None:
    chain = first_chain(b"0::/system.slice/a.service\n", V2_MOUNTS, b"cpuset cpu io memory pids\n")
    assert chain == ("sys/fs/cgroup/system.slice/a.service", "sys/fs/cgroup/system.slice", "sys/fs/cgroup")


def test_hybrid_with_memory_on_version_one() -> None:
    found = places(b"4:memory:/a\n0::/b\n", HYBRID_MOUNTS, b"hugetlb\n")
    assert found == (CgroupPlace(Version.V1, b"/sys/fs/cgroup/memory", b"/a"),)


def test_hybrid_with_memory_on_version_two() -> None:
    mounts = b"30 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" + V2_MOUNTS
    assert places(b"1:cpu:/a\n0::/b\n", mounts, b"memory")[0].version is Version.V2


@pytest.mark.parametrize("controllers", [None, b"", b"hugetlb\n", b"memoryx\n"])
def test_version_two_without_a_memory_controller_is_unknown(controllers: bytes | None) -> None:
    assert places(b"0::/a\n", V2_MOUNTS, controllers) == ()


def test_a_container_that_sees_only_its_own_part_of_the_tree() -> None:
    mounts = b"35 31 0:32 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    assert first_chain(b"4:memory:/docker/ab\n", mounts) == ("sys/fs/cgroup/memory",)
    assert first_chain(b"4:memory:/docker/ab/in\n", mounts) == ("sys/fs/cgroup/memory/in", "sys/fs/cgroup/memory")
    assert places(b"4:memory:/docker/abc\n", mounts) == ()
    assert places(b"4:memory:/\n", mounts) == ()


def test_the_root_of_a_cgroup_namespace() -> None:
    assert first_chain(b"0::/\n", V2_MOUNTS, b"memory") == ("sys/fs/cgroup",)


@pytest.mark.parametrize("path", [b"/../../other", b"/..", b"/a/../b"])
def test_a_process_outside_the_namespace_is_unknown(path: bytes) -> None:
    assert places(b"0::%s\n" % path, V2_MOUNTS, b"memory") == ()


@pytest.mark.parametrize(
    ("path", "root", "chain"),
    [
        (b"/../../other/x", b"/../..", ("sys/fs/cgroup/other/x", "sys/fs/cgroup/other", "sys/fs/cgroup")),
        (b"/../..", b"/../..", ("sys/fs/cgroup",)),
        (b"/../other", b"/../other", ("sys/fs/cgroup",)),
        (b"/../other/x", b"/../other", ("sys/fs/cgroup/x", "sys/fs/cgroup")),
        (b"/a/x", b"/a", ("sys/fs/cgroup/x", "sys/fs/cgroup")),
        (b"/../others", b"/../other", ()),
        (b"/../other", b"/../..", ()),
        (b"/a", b"/../..", ()),
        (b"/", b"/..", ()),
        (b"/../x", b"/", ()),
        (b"/../../x", b"/..", ()),
        (b"/a/../b", b"/a", ()),
    ],
)
def test_a_path_and_a_mount_from_outside_the_namespace_meet_only_where_they_climb_equally_far(
    path: bytes, root: bytes, chain: tuple[str, ...]
) -> None:
    mounts = b"35 31 0:32 %s /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n" % root
    found = places(b"0::%s\n" % path, mounts, b"memory")
    assert [place.chain for place in found] == ([chain] if chain else [])


def test_each_directory_has_its_name_also_where_only_a_part_of_the_tree_is_mounted() -> None:
    docker = "0123456789abcdef" * 4
    mounts = b"35 31 0:32 /docker/%s /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n" % docker.encode()
    (place,) = places(b"4:memory:/docker/%s/web.service/w\n" % docker.encode(), mounts)
    assert place.labels == ("web.service/w", "web.service", "docker 0123456789ab")
    assert len(place.labels) == len(place.chain)


def test_the_mounts_of_another_process_lie_below_its_root() -> None:
    theirs = seen_below(b"/proc/7/root", parse_mountinfo(V1_MOUNTS))
    (place,) = memory_places(parse_memberships(b"4:memory:/a\n"), theirs, None)
    assert place.chain == ("proc/7/root/sys/fs/cgroup/memory/a", "proc/7/root/sys/fs/cgroup/memory")


def test_a_removed_cgroup_and_missing_mounts_are_unknown() -> None:
    assert places(b"4:memory:/a (deleted)\n", V1_MOUNTS) == ()
    assert places(b"4:memory:/a\n", b"") == ()
    assert places(b"", V1_MOUNTS) == ()


def test_of_several_mounts_the_one_that_shows_most_ancestors_comes_first() -> None:
    mounts = b"9 1 0:3 /a /part rw - cgroup cgroup rw,memory\n" + V1_MOUNTS
    assert [place.mount_point for place in places(b"4:memory:/a/b\n", mounts)] == [b"/sys/fs/cgroup/memory", b"/part"]


def test_the_cgroup_of_this_process_is_there() -> None:
    mounts = parse_mountinfo(Path("/proc/self/mountinfo").read_bytes())
    v2 = [Path(mount.point.decode()) / "cgroup.controllers" for mount in mounts if mount.fstype == b"cgroup2"]
    controllers = v2[0].read_bytes() if v2 and v2[0].exists() else None
    found = memory_places(parse_memberships(Path("/proc/self/cgroup").read_bytes()), mounts, controllers)
    if not found:
        pytest.skip("the memory cgroup of this process cannot be seen from here")
    procs = Path("/") / found[0].chain[0] / "cgroup.procs"
    assert str(Path("/proc/self").resolve().name) in procs.read_text().split()


@given(
    st.lists(
        st.binary(min_size=1, max_size=8).filter(lambda part: not set(part) & set(b"/\n\0") and part != b".."),
        max_size=6,
    )
)
def test_the_chain_climbs_one_directory_at_a_time_to_the_mount(parts: list[bytes]) -> None:
    path = b"/" + b"/".join(parts)
    if path.endswith(b" (deleted)"):
        return
    chain = first_chain(b"4:memory:%s\n" % path, V1_MOUNTS)
    assert len(chain) == len(parts) + 1
    assert chain[-1] == "sys/fs/cgroup/memory"
    for below, above in pairwise(chain):
        assert below.rpartition("/")[0] == above

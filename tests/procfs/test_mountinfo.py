"""/proc/PID/mountinfo."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from memtop.procfs.mountinfo import Mount, parse_mountinfo

LINES = rb"""31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 /docker/ab /sys/fs/cgroup/memory rw,nosuid shared:7 master:3 - cgroup cgroup rw,memory
41 31 0:38 /../../.. /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
50 23 8:1 / /mnt/a\040b\134c\011d\012e rw - ext4 /dev/sda\0401 rw
"""


def test_fields_are_found_with_and_without_optional_ones() -> None:
    _, memory, unified, _ = parse_mountinfo(LINES)
    assert memory == Mount(b"/docker/ab", b"/sys/fs/cgroup/memory", b"cgroup", b"cgroup", (b"rw", b"memory"))
    assert unified.root == b"/../../.."


def test_escaped_blanks_and_backslashes_are_told_apart() -> None:
    odd = parse_mountinfo(LINES)[3]
    assert odd.point == b"/mnt/a b\\c\td\ne"
    assert odd.source == b"/dev/sda 1"
    assert parse_mountinfo(rb"1 2 0:1 / /a\134040b rw - tmpfs none rw")[0].point == rb"/a\040b"


def test_an_empty_source_keeps_the_options_in_place() -> None:
    assert parse_mountinfo(b"1 2 0:1 / /x rw - tmpfs  rw,size=4k")[0].super_options == (b"rw", b"size=4k")


def test_lines_that_are_cut_off_are_passed_over() -> None:
    assert parse_mountinfo(b"31 23 0:28 / /sys rw - tmpfs\n31 23\n\n31 23 0:28 / /sys rw tmpfs tmpfs rw") == ()


def test_this_process_has_a_root_and_a_proc() -> None:
    mounts = parse_mountinfo(Path("/proc/self/mountinfo").read_bytes())
    assert any(mount.point == b"/" for mount in mounts)
    assert any(mount.point == b"/proc" and mount.fstype == b"proc" for mount in mounts)


@given(st.binary(max_size=400))
def test_any_bytes_give_mounts_or_nothing(data: bytes) -> None:
    for mount in parse_mountinfo(data):
        assert isinstance(mount.point, bytes)


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=2, max_size=2))
def test_every_path_survives_the_kernels_escaping(paths: list[bytes]) -> None:
    root, point = (b"/" + path.replace(b"\0", b"") for path in paths)
    escaped = [
        b"".join(b"\\%03o" % byte if byte in b" \t\n\\" else bytes((byte,)) for byte in path) for path in (root, point)
    ]
    mounts = parse_mountinfo(b"9 1 0:1 %s %s rw - cgroup2 none rw" % tuple(escaped))
    assert [(mount.root, mount.point) for mount in mounts] == [(root, point)]

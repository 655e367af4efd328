"""What the live source keeps open, and how much it reads of files that may have been made large."""

from __future__ import annotations

import mmap
import os
import resource
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from memtop.sources import live
from memtop.sources.live import LiveSource, raise_descriptor_limit, user_name
from memtop.sources.live.deleted_files import deleted_files_report
from memtop.sources.live.foreign_mounts import ForeignMounts
from memtop.sources.live.pagemap_walk import Calls, PagemapWalk
from memtop.sources.live.runtime_access import RuntimeAccess
from memtop.sources.protocol import READ_LIMIT

GIB = 1 << 30


def open_files(name: str) -> int:
    """How many descriptors this process has of files with such a name."""
    found = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the listing, or of another thread
            found += name in os.readlink(f"/proc/self/fd/{descriptor}")
    return found


def test_a_limit_of_descriptors_that_is_infinite_is_raised_by_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: set_to.append(limits))
    assert raise_descriptor_limit() == 1 << 20
    assert set_to == [(1 << 20, resource.RLIM_INFINITY)]


def test_so_many_files_of_cgroups_are_kept_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_OF_CGROUPS", 2)
    (tmp_path / "proc").mkdir()
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "memory.stat").symlink_to("/proc/self/limits")  # made up by the kernel
    before, source = open_files("/limits"), LiveSource(str(tmp_path))
    assert all(source.read(f"{number}/memory.stat") for number in range(5))
    assert open_files("/limits") == before + 2
    source.close()


def test_so_many_processes_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_WATCHED", 3)
    before, source = open_files("pidfd"), LiveSource()
    with ExitStack() as stack:
        children = [stack.enter_context(Popen(["cat"], stdin=PIPE)) for _ in range(5)]
        source.begin()
        source.pids()
        source.watch([child.pid for child in children])
        assert open_files("pidfd") == before + 3
    source.close()


def test_a_file_that_is_read_without_a_size_is_read_up_to_one(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(8 << 20)
    assert len(RuntimeAccess(f"{tmp_path}/").read_or_empty("large")) == 1 << 20
    (tmp_path / "proc").mkdir()
    source = LiveSource(str(tmp_path))
    assert len(source.read("large")) == READ_LIMIT == 1 << 16
    source.close()


def test_of_a_large_map_of_users_the_beginning_is_read() -> None:
    sizes: list[int] = []

    def read(path: str, size: int) -> bytes:
        sizes.append(size)
        return b"65534" if path.endswith("overflowuid") else b"0 0 1\n"

    user_name("65534", read)
    assert max(sizes) == 1 << 16


def test_of_a_large_maps_the_beginning_is_searched_for_deleted_files(tmp_path: Path) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/root").symlink_to("/")
    deleted = b"1000-2000 r-xp 00000000 08:01 77 /lib/%s (deleted)\n"
    with open(tmp_path / "proc/7/maps", "wb") as file:
        file.write(deleted % b"first")
        file.seek(16 << 20)
        file.write(b"\n" + deleted % b"last")
    report = deleted_files_report(f"{tmp_path}/", "proc/7/deleted_files")
    assert b"/lib/first" in report and b"/lib/last" not in report


def test_of_very_many_mounts_the_first_are_known(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    line = f"36 35 98:0 / {tmp_path}/proc/%s rw - nfs4 server:/ rw\n"
    with open(tmp_path / "proc/self/mountinfo", "wb") as file:
        file.write((line % "meminfo").encode())
        file.seek(4 << 20)
        file.write(b"\n" + (line % "vmstat").encode())
    mounts = ForeignMounts(f"{tmp_path}/")
    assert mounts.cover("proc/meminfo") and not mounts.cover("proc/vmstat")
    mounts.close()


@pytest.mark.parametrize(("rss_bytes", "stretches"), [(GIB, 1), (7 * GIB, 2), (9 * GIB, 3), (1 << 50, 8)])
def test_of_a_larger_process_a_smaller_share_of_the_entries_is_read_down_to_a_least(
    rss_bytes: int, stretches: int
) -> None:
    """One sample is read of so many times 2 MiB, whatever is in RAM of it."""
    descriptor = os.open("/proc/self/pagemap", os.O_RDONLY)
    with mmap.mmap(-1, 64 << 20) as memory:
        for at in range(0, len(memory), 1 << 16):
            memory[at] = 1
        maps = Path("/proc/self/maps").read_bytes()
        calls = Calls(pause=lambda seconds: None)
        report = PagemapWalk(descriptor, maps, rss_bytes, lambda: True, calls).run()
    os.close(descriptor)
    if not report.zero_pages_known:
        pytest.skip("this kernel has no PAGEMAP_SCAN")
    assert report.sampled == 8 * stretches

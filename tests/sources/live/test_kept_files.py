"""Descriptors of files of cgroups are kept, within a bound, and never show a cgroup that has gone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from memtop.sources.live.kept_files import IDLE_INSTANTS, KeptFiles
from tests.cgroup_v1 import memory_cgroup

MIB = 1 << 20
MADE_UP = ["proc/self/stat", "proc/self/statm", "proc/meminfo", "proc/vmstat"]
READ = {os.path.realpath(f"/{path}") for path in MADE_UP}


def descriptors() -> int:
    """How many descriptors there are of the files that are read here; other threads have some of other files."""
    kept = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the listing, or of another thread
            target = os.readlink(f"/proc/self/fd/{descriptor}")
            kept += target in READ or "memory.current" in target
    return kept


def test_a_file_is_opened_once_and_read_again_from_its_start() -> None:
    files, before = KeptFiles("/", 8), descriptors()
    first = files.read("proc/self/stat", 4096)
    assert descriptors() == before + 1
    assert files.read("proc/self/stat", 4096).split()[0] == first.split()[0]
    assert files.read("proc/self/stat", 4) == first[:4]
    assert descriptors() == before + 1
    files.close()
    assert descriptors() == before


def test_no_more_are_kept_than_the_bound_and_the_others_are_read_all_the_same() -> None:
    files, before = KeptFiles("/", 2), descriptors()
    assert all(files.read(path, 4096) for path in MADE_UP)
    assert descriptors() == before + 2
    files.close()


def test_what_is_not_read_for_a_while_is_closed() -> None:
    files, before = KeptFiles("/", 8), descriptors()
    files.read(MADE_UP[0], 4096)
    for _ in range(2 * IDLE_INSTANTS):
        files.begin()
        files.read(MADE_UP[1], 4096)
    assert descriptors() == before + 1
    files.close()


def test_an_ordinary_file_is_not_kept_because_another_may_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text("1\n")
    files, before = KeptFiles(f"{tmp_path}/", 8), descriptors()
    assert files.read("memory.current", 64) == b"1\n"
    (tmp_path / "new").write_text("2\n")
    (tmp_path / "new").replace(tmp_path / "memory.current")
    assert files.read("memory.current", 64) == b"2\n"
    assert descriptors() == before
    with pytest.raises(FileNotFoundError):
        files.read("memory.stat", 64)


def test_a_cgroup_that_was_removed_and_made_again_is_read_as_the_new_one() -> None:
    files = KeptFiles("/", 8)
    with memory_cgroup(64 * MIB) as folder:
        path = str(folder / "memory.usage_in_bytes")[1:]
        assert files.read(path, 64).strip().isdigit()
        folder.rmdir()
        with pytest.raises(OSError, match=r".*"):
            files.read(path, 64)
        folder.mkdir()
        assert files.read(path, 64).strip().isdigit()
    files.close()


def test_a_file_that_is_not_read_often_is_kept_from_the_second_of_two_consecutive_instants_on() -> None:
    files, before = KeptFiles("/", 8), descriptors()
    kept = []
    for is_read in (True, False, True, True, True):
        files.begin()
        if is_read:
            assert files.read(MADE_UP[0], 4096, often=False)
        kept.append(descriptors() - before)
    assert kept == [0, 0, 0, 1, 1]
    files.close()

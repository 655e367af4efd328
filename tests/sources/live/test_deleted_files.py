"""What lies where the code of a running program was read from: real programs, whose files are removed and replaced."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memtop.procfs.deleted_report import DeletedState, format_deleted_report, parse_deleted_report
from memtop.sources.live.deleted_files import deleted_files_report
from tests.tui.terminal.pty_run import wait_for


@contextmanager
def running(program: Path) -> Iterator[int]:
    """A copy of sleep that runs its own code. Popen returns before exec has mapped it."""
    with subprocess.Popen([program, "60"]) as process:
        try:
            maps = Path(f"/proc/{process.pid}/maps")
            wait_for(lambda: os.fsencode(program) in maps.read_bytes(), "the program's own mapping")
            yield process.pid
        finally:
            process.kill()


def state(pid: int, program: Path, prefix: str = "/") -> DeletedState | None:
    report = parse_deleted_report(deleted_files_report(prefix, f"proc/{pid}/deleted_files"))
    return report.get(os.fsencode(program))


def remove(program: Path) -> None:
    program.unlink()


def update(program: Path) -> None:
    newer = program.with_suffix(".new")
    shutil.copy(program, newer)
    newer.rename(program)


def take_away_and_put_back(program: Path) -> None:
    other = program.with_suffix(".other")
    os.link(program, other)
    program.unlink()
    os.link(other, program)


def keep_under_another_name(program: Path) -> None:
    os.link(program, program.with_suffix(".other"))
    program.unlink()


def turn_into_a_folder(program: Path) -> None:
    program.unlink()
    program.mkdir()


@pytest.mark.parametrize(
    ("change", "states"),
    [
        (lambda _: None, {None}),
        (remove, {DeletedState.DELETED}),
        (update, {DeletedState.REPLACED}),
        (turn_into_a_folder, {DeletedState.REPLACED}),
        (take_away_and_put_back, {DeletedState.SAME, None}),  # some file systems show no mark then
        # That another name is left, only those may see who may look at the mapped file itself.
        (keep_under_another_name, {DeletedState.UNLINKED, DeletedState.DELETED}),
    ],
)
def test_what_became_of_the_file_is_found_by_its_inode(
    tmp_path: Path, change: Callable[[Path], None], states: set[DeletedState | None]
) -> None:
    program = tmp_path / "pro gram"
    shutil.copy("/bin/sleep", program)
    with running(program) as pid:
        change(program)
        assert state(pid, program) in states


def test_a_file_whose_name_ends_with_the_mark_was_not_deleted(tmp_path: Path) -> None:
    program = tmp_path / "sleep (deleted)"
    shutil.copy("/bin/sleep", program)
    with running(program) as pid:
        assert state(pid, tmp_path / "sleep") is DeletedState.SAME
        program.unlink()
        assert state(pid, tmp_path / "sleep (deleted)") is DeletedState.DELETED


def folder_of(tmp_path: Path, maps: str) -> Path:
    """A /proc/42 of a process whose own root is another directory."""
    folder = tmp_path / "proc" / "42"
    folder.mkdir(parents=True)
    (folder / "maps").write_text(maps)
    (tmp_path / "container" / "bin").mkdir(parents=True)
    (folder / "root").symlink_to(tmp_path / "container")
    return folder


@pytest.mark.parametrize("seen_from", ["inside", "outside"])
def test_paths_are_those_of_the_processs_own_root(tmp_path: Path, seen_from: str) -> None:
    path = Path("/bin/app") if seen_from == "inside" else tmp_path / "container" / "bin" / "app"
    line = f"1000-2000 r-xp 00000000 08:01 77 {path} (deleted)\n"
    folder_of(tmp_path, line + line.replace("r-xp", "r--p"))
    prefix = f"{tmp_path}/"
    assert state(42, path, prefix) is DeletedState.DELETED
    (tmp_path / "container" / "bin" / "app").touch()
    assert state(42, path, prefix) is DeletedState.REPLACED


def test_a_root_that_may_not_be_looked_at_says_nothing(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "1000-2000 r-xp 00000000 08:01 77 /bin/app (deleted)\n")
    (folder / "root").unlink()
    assert deleted_files_report(f"{tmp_path}/", "proc/42/deleted_files") == b""


def test_the_report_is_read_as_it_was_written_and_nonsense_is_skipped() -> None:
    states = {b"/a b": DeletedState.REPLACED, b"/c\\012d": DeletedState.DELETED}
    assert parse_deleted_report(format_deleted_report(states) + b"\nnonsense /x\nreplaced\nsame rel") == states


def test_of_very_many_deleted_files_some_are_looked_up(tmp_path: Path) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/root").symlink_to("/")
    line = b"%x000-%x000 r-xp 00000000 08:01 77 /lib/%d (deleted)\n"
    (tmp_path / "proc/7/maps").write_bytes(b"".join(line % (n, n + 1, n) for n in range(1000, 3000)))
    report = deleted_files_report(f"{tmp_path}/", "proc/7/deleted_files")
    assert 10 < len(report.splitlines()) < 100

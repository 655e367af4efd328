"""Pipes and file systems that are mounted over a file of /proc and do not answer delay no sample."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtop.errors import Blocked, MemtopError, Unavailable
from memtop.sources import live
from memtop.sources.live import LiveSource
from memtop.sources.live.bounded_read import read_file
from tests.children import python

PER_PROCESS = ("stat", "statm", "status", "oom_score", "oom_score_adj", "cgroup", "limits", "io", "cmdline", "smaps")
SOON_S = 1.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A made-up /proc with one process, over whose files pipes lie that nobody writes to."""
    (tmp_path / "proc/42").mkdir(parents=True)
    for name in PER_PROCESS:
        os.mkfifo(tmp_path / "proc/42" / name)
    os.mkfifo(tmp_path / "proc/meminfo")
    return tmp_path


@pytest.fixture
def source(root: Path) -> Iterator[LiveSource]:
    """The live source on that tree."""
    source = LiveSource(str(root))
    yield source
    source.close()


def mount_over(root: Path, *paths: str) -> None:
    """Have the tree's own mountinfo say that a network file system lies over these."""
    (root / "proc/self").mkdir()
    lines = [f"36 35 98:0 / {root}/{path} rw - nfs4 server:/ rw\n" for path in paths]
    lines.append(f"37 35 0:5 / {root}/sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    (root / "proc/self/mountinfo").write_text("".join(lines))


@pytest.mark.parametrize("writer", [False, True], ids=["nobody writes", "somebody holds it"])
@pytest.mark.parametrize("path", ["proc/meminfo", *(f"proc/42/{name}" for name in PER_PROCESS)])
def test_a_pipe_in_the_place_of_a_file_does_not_block(root: Path, source: LiveSource, path: str, writer: bool) -> None:
    held = os.open(root / path, os.O_RDWR) if writer else None
    began_s = time.monotonic()
    source.begin()
    try:
        assert source.read(path) == b""
    except Unavailable:
        assert writer
    for _ in range(3):
        source.begin()
        assert source.sweep(path.rpartition("/")[2], [42]) == [b""] or path == "proc/meminfo"
    assert time.monotonic() - began_s < SOON_S
    if held is not None:
        os.close(held)


def test_a_file_system_that_does_not_answer_costs_a_sample_little(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount_over(root, "proc/42/status", "proc/43")
    (root / "proc/44").mkdir()
    (root / "proc/44/status").write_bytes(b"Name: x\n")
    answer = threading.Event()

    def dead(prefix: str, path: str, size: int) -> bytes:
        if path.startswith(("proc/42/status", "proc/43/")):
            answer.wait(10)
        return read_file(prefix, path, size)

    monkeypatch.setattr(live, "read_file", dead)
    source = LiveSource(str(root))
    began_s = time.monotonic()
    source.begin()
    for path in ("proc/42/status", "proc/43/status"):
        with pytest.raises(Blocked):
            source.read(path)
    assert source.sweep("statm", [43]) == [b""]
    assert source.read("proc/44/status") == b"Name: x\n"
    with pytest.raises(Unavailable):
        source.tids(43)
    assert time.monotonic() - began_s < SOON_S
    answer.set()
    source.settle(SOON_S)
    source.close()


def test_an_answer_that_comes_late_is_that_of_a_later_sample(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount_over(root, "proc/meminfo")
    answer = threading.Event()

    def slow(prefix: str, path: str, size: int) -> bytes:
        answer.wait(10)
        return b"MemTotal: 1 kB\n"

    monkeypatch.setattr(live, "read_file", slow)
    source = LiveSource(str(root))
    with pytest.raises(Blocked):
        source.read("proc/meminfo")
    answer.set()
    assert source.read("proc/meminfo") == b"MemTotal: 1 kB\n"
    source.close()


NAMESPACE = """\
set -e
mkfifo {fifo}
for name in {names}; do mount --bind {fifo} /proc/{pid}/$name; done
mount --bind {fifo} /proc/meminfo
mount --bind {fifo} /proc/pressure/memory 2>/dev/null || true
exec timeout 20 {python} -m memtop --json -n 3 -d 0.3 {pid}
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="private mount namespaces are for root")
@pytest.mark.parametrize(
    "names", ["cgroup limits oom_score_adj", "status", "statm", "cmdline maps smaps smaps_rollup", "stat"]
)
def test_samples_go_on_where_pipes_are_bound_over_the_files_of_a_process(tmp_path: Path, names: str) -> None:
    with python() as child:
        script = NAMESPACE.format(
            fifo=shlex.quote(str(tmp_path / "fifo")), names=names, pid=child.pid, python=shlex.quote(sys.executable)
        )
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    if names == "stat":  # nothing is known without it
        assert done.returncode == 2
        assert f"proc/{child.pid}/stat" in done.stderr
    else:
        assert [record["processes"][0]["pid"] for record in records] == 3 * [child.pid], done.stderr
    assert "Traceback" not in done.stderr


def test_a_failure_of_such_a_file_is_none_of_the_others(root: Path, source: LiveSource) -> None:
    (root / "proc/7").mkdir()
    (root / "proc/7/statm").write_bytes(b"1 2 3 4 5 6 7\n")
    source.begin()
    assert source.sweep("statm", [7, 42, 8]) == [b"1 2 3 4 5 6 7\n", b"", None]
    with pytest.raises(MemtopError):
        source.read("proc/8/statm")

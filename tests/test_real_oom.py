"""Real OOM kills in real memory cgroups of version 1, seen by root and by another user."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cgroup_v1 import memory_cgroup
from tests.children import DEADLINE_S

pytestmark = pytest.mark.usefixtures("only_oom_kills")

MIB = 1 << 20
NOBODY = 65534
MEMTOP = (sys.executable, "-m", "memtop")
ROOT = Path(__file__).resolve().parent.parent
GROWER = """
import sys
with open(sys.argv[1] + "/cgroup.procs", "w") as file:
    file.write("0")
print(flush=True)
held = []
while mib := int(sys.stdin.readline()):
    while len(held) < mib:
        held.append(bytearray(b"x" * (1 << 20)))
    print("done", flush=True)
sys.exit(3)
"""
"""Grows to as many MiB as each line of its input says, and ends at 0."""


AS_NOBODY = f"""
import contextlib, io, os, sys
import memtop.cli
with contextlib.redirect_stdout(io.StringIO()):  # imports all that is needed, before its files are out of reach
    memtop.cli.run(["--json", "-n", "2", "-d", "0.1", str(os.getpid())])
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
sys.exit(memtop.cli.run(sys.argv[1:]))
"""


def watch(pid: int, *, uid: int = 0) -> subprocess.Popen[bytes]:
    """memtop, from its second sample on: by then it holds the process."""
    how = (sys.executable, "-c", AS_NOBODY) if uid else MEMTOP
    watcher = subprocess.Popen(
        [*how, "--json", "-d", "0.1", str(pid)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        bufsize=0,  # communicate() reads what follows these two lines, which a buffer would have taken
    )
    assert watcher.stdout is not None
    watcher.stdout.readline()
    watcher.stdout.readline()
    return watcher


def ended(watcher: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = watcher.communicate(timeout=2 * DEADLINE_S)
    records = [json.loads(line) for line in out.splitlines()]
    return next(record for record in records if record["type"] == "exit")


def grower(folder: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", GROWER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


def grow(child: subprocess.Popen[bytes], mib: int) -> bytes:
    """Have it hold so much; its answer, which is empty if it is killed meanwhile. 0 ends it."""
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(b"%d\n" % mib)
    return child.stdout.readline()


def close(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()


@pytest.mark.parametrize("uid", [0, NOBODY], ids=["root", "nobody"])
def test_an_oom_kill_is_certain_and_its_cgroup_is_named(uid: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may make the cgroup and become somebody else")
    with memory_cgroup(60 * MIB) as folder:
        child = grower(folder)
        try:
            watcher = watch(child.pid, uid=uid)
            assert grow(child, 24) == b"done\n"
            assert watcher.stdout is not None
            while json.loads(watcher.stdout.readline())["processes"][0]["rss_bytes"] <= 20 * MIB:
                pass
            assert grow(child, 1000) == b""
            assert child.wait(2 * DEADLINE_S) == -signal.SIGKILL
            record = ended(watcher)
        finally:
            close(child)
        assert (record["pid"], record["oom"], record["exit_code"]) == (child.pid, "certain", None)
        assert record["signal"] == signal.SIGKILL
        assert record["evidence"] == ["sigkill", "cgroup_counted"]
        assert record["rss_bytes"] > 20 * MIB


def test_a_kill_by_hand_in_a_limited_cgroup_is_no_oom() -> None:
    with memory_cgroup(60 * MIB) as folder:
        child = grower(folder)
        try:
            grow(child, 10)
            watcher = watch(child.pid)
            child.kill()
            child.wait()
            record = ended(watcher)
        finally:
            close(child)
        assert (record["oom"], record["signal"]) == ("no", signal.SIGKILL)
        assert record["evidence"] == ["sigkill", "cgroup_silent"]


def test_a_clean_exit_shows_its_code() -> None:
    with memory_cgroup(60 * MIB) as folder:
        child = grower(folder)
        try:
            watcher = watch(child.pid)
            grow(child, 10)
            grow(child, 0)
            child.wait()
            record = ended(watcher)
        finally:
            close(child)
        assert (record["oom"], record["exit_code"], record["signal"]) == ("no", 3, None)


def in_cgroup(folder: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    """memtop inside the cgroup, from its start."""
    into = f'echo $$ > {folder}/cgroup.procs && exec "$@"'
    return subprocess.run(
        ["sh", "-c", into, "sh", *MEMTOP, *options], cwd=ROOT, capture_output=True, timeout=2 * DEADLINE_S, check=False
    )


@pytest.fixture(scope="module")
def sleepers() -> Iterator[str]:
    """The PIDs of some processes that do not end: all of a machine may be thousands, which take more memory."""
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(subprocess.Popen(["sleep", "600"])) for _ in range(50)]
        for child in children:
            stack.callback(child.kill)
        yield ",".join(str(child.pid) for child in children)


@pytest.mark.parametrize("limit_mib", [100, 60, 48])
def test_memtop_itself_goes_on_sampling_in_a_small_cgroup(limit_mib: int, sleepers: str) -> None:
    with memory_cgroup(limit_mib * MIB) as folder:
        done = in_cgroup(folder, "--json", "-n", "5", "-d", "0.1", "-p", sleepers)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) >= 5


def test_the_application_survives_memtop_in_a_cgroup_that_is_nearly_full() -> None:
    """memtop has less room than it needs: the kernel's victim is memtop, or nobody."""
    with memory_cgroup(100 * MIB) as folder:
        child = grower(folder)
        try:
            assert grow(child, 84) == b"done\n"
            assert int((folder / "memory.usage_in_bytes").read_text()) > 85 * MIB
            done = in_cgroup(folder, "--json", "-n", "20", "-d", "0.1")
            assert done.returncode in (0, -signal.SIGKILL)
            assert child.poll() is None, "it was memtop's memory that was too much"
            grow(child, 0)
            assert child.wait(DEADLINE_S) == 3
        finally:
            close(child)

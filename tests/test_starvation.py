"""Too little of everything: memtop does without, or ends with one clear line; never a traceback, never a hang.

One row is one thing that is short, one column a way to run memtop. The exit codes that are right are
in ``FINE``.
"""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from memtop.engine.engine import Engine
from memtop.errors import RanOut, starved
from memtop.headless import regions
from memtop.settings import Settings
from memtop.sources.live import LiveSource, blocking_reader
from memtop.sources.live.blocking_reader import BlockingReader
from memtop.sources.recording.recorder import Recorder
from memtop.view_state import View
from tests.tui.terminal.pty_run import PtyRun, wait_for
from tests.tui.terminal.restored import modes_on

NOWHERE: Final = "export TMPDIR=/nonexistent HOME=/nonexistent XDG_STATE_HOME=/nonexistent; cd /"
HOMELESS: Final = "unset HOME XDG_STATE_HOME TMPDIR PATH; cd /"
ODD_LOCALE: Final = "export LC_ALL=xx_XX.ISO-8859-99 LANG=C PYTHONUTF8=0"
SHORT: Final = {
    "16 descriptors": "ulimit -n 16",
    "6 descriptors": "ulimit -n 6",
    "files of no size": "ulimit -f 0",
    "60 MB of addresses": "ulimit -v 60000",
    "no standard input": "exec <&-",
    "no standard error": "exec 2>&-",
    "a standard error that takes nothing": "exec 2>/dev/full",
    "no temporary directory, a dumb terminal": f"{NOWHERE}; export TERM=dumb",
    "no home, no terminal type, an odd locale": f"{HOMELESS}; {ODD_LOCALE}; unset TERM",
}
SCREENS: Final = {
    **{name: script for name, script in SHORT.items() if "terminal" not in name},
    "no temporary directory": NOWHERE,
    "no home, an odd locale": f"{HOMELESS}; {ODD_LOCALE}",
    "a dumb terminal": "export TERM=dumb",
    "no terminal type": "unset TERM",
}
"""On a screen, what is short of a terminal ends memtop, and would hide what else is short."""
RUNS: Final = {
    "samples": "--json -n 2 -d 0.1",
    "check": "--check {me} --for 0.2",
    "regions": "regions {me}",
    "recording": "--json -n 2 -d 0.1 --record {file} {me}",
    "command": "-b -d 0.1 -- sh -c 'echo said; exit 7'",
}
FINE: Final = {"command": {7, 2}, "check": {0, 1, 5, 2}}
"""By the way of running; 0 and 2 for all others."""
NAMESPACES: Final = pytest.mark.skipif(os.geteuid() != 0, reason="private mount namespaces are for root")


def shell(script: str, arguments: str, tmp_path: Path, wrapper: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """memtop, started by a shell that has made something short first."""
    words = arguments.format(me=os.getpid(), file=shlex.quote(str(tmp_path / "recording")))
    memtop = f"exec {shlex.quote(sys.executable)} -m memtop {words}"
    return subprocess.run(
        [*wrapper, "sh", "-c", f"{script}; {memtop}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )


@pytest.mark.parametrize(("short", "run"), list(product(SHORT, RUNS)))
def test_it_does_without_or_says_in_one_line_why_it_cannot(short: str, run: str, tmp_path: Path) -> None:
    done = shell(SHORT[short], RUNS[run], tmp_path)
    assert "Traceback" not in done.stderr + done.stdout
    assert "internal error" not in done.stderr
    assert done.returncode in FINE.get(run, {0, 2}), done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("memtop: ")]) <= 3
    if done.returncode == 2 and "standard error" not in short:
        assert done.stderr.splitlines()[-1].startswith("memtop: ")
    if short == "files of no size":
        assert list(tmp_path.iterdir()) == [], "what is no recording is not left in the way of the next"


@pytest.mark.parametrize("short", SCREENS)
def test_the_screen_opens_or_says_in_one_line_why_it_cannot(short: str, tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    with PtyRun("memtop", "-d", "0.5", wrapper=("sh", "-c", f'{SCREENS[short]}; exec "$@"', "sh"), env=env) as run:
        wait_for(lambda: b"\x1b[?2004h" in run.output or run.process.poll() is not None, "a screen, or an end", 30.0)
        if run.process.poll() is None:
            run.press(b"q")
        code = run.end(10.0)
        assert code in (0, 2), run.output[-2000:]
        assert b"Traceback" not in run.output and b"internal error" not in run.output
        assert modes_on(run.output) == []
        if code == 2 and "standard error" not in short:
            assert run.output.rpartition(b"\x1b[?1004l")[2].count(b"memtop: ") == 1


@pytest.mark.parametrize("limit", [8, 13, 17, 20, 24, 32])
def test_a_command_that_could_not_be_watched_does_not_begin(limit: int, tmp_path: Path) -> None:
    begun, env = tmp_path / "begun", {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    wrapper = ("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh")
    command = ("sh", "-c", 'touch "$0"; exec sleep 60', str(begun))
    with PtyRun("memtop", "-d", "0.5", "--", *command, wrapper=wrapper, env=env) as run:
        wait_for(lambda: begun.exists() or run.process.poll() is not None, "the command, or an end", 30.0)
        if begun.exists():
            run.send(signal.SIGTERM)
        code = run.end(10.0)
        assert code == (128 + signal.SIGTERM if begun.exists() else 2)
        assert begun.exists() == (limit >= 32) or 20 < limit < 32
        assert run.output.count(b"memtop: ") == (0 if begun.exists() else 1)
    assert list(tmp_path.glob("memtop-*")) == []


@NAMESPACES
@pytest.mark.parametrize("run", RUNS)
def test_a_read_only_root_is_no_reason_not_to_run(run: str, tmp_path: Path) -> None:
    script = "mount -o bind,remount,ro / 2>/dev/null || { mount --bind / / && mount -o bind,remount,ro /; }"
    done = shell(f"{script}; cd /", RUNS[run], Path("/nonexistent"), wrapper=("unshare", "-m"))
    assert "Traceback" not in done.stderr
    assert done.returncode == (2 if run == "recording" else 7 if run == "command" else done.returncode)
    assert done.returncode in FINE.get(run, {0, 2})


def no_thread(*_: object) -> int:
    """What CPython says under a small RLIMIT_NPROC."""
    raise RuntimeError("can't start new thread")


def test_without_threads_what_needs_one_is_unknown_and_samples_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking_reader, "start_new_thread", no_thread)
    with closing(LiveSource()) as source:
        frame = Engine(source).step(View.of(Settings()).request())
        with pytest.raises(RanOut, match="no thread can be started"):
            source.ask(f"proc/{os.getpid()}/cmdline")
    assert frame is not None
    assert any(row.pid == os.getpid() for row in frame.rows)


def test_mappings_that_no_thread_can_read_are_not_said_to_be_missing_in_the_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(blocking_reader, "start_new_thread", no_thread)
    said = StringIO()
    with closing(Recorder(LiveSource(), str(tmp_path / "recording"))) as source:
        source.begin()
        assert regions.run(source, os.getpid(), err=said) == 2
    assert "memtop has no thread" in said.getvalue()


def test_a_reading_that_runs_out_of_something_is_unavailable_and_its_thread_lives() -> None:
    def read(path: str, size: int, goes_on: Callable[[], bool]) -> bytes:
        if path == "proc/1/cmdline":
            raise MemoryError
        return b"x"

    reader = BlockingReader(read)
    reader.ask("proc/1/cmdline", 10)
    reader.settle(5.0)
    with pytest.raises(RanOut, match="not enough memory"):
        reader.ask("proc/1/cmdline", 10)
    reader.ask("proc/2/cmdline", 10)
    reader.settle(5.0)
    assert reader.ask("proc/2/cmdline", 10) is not None


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.EMFILE, "x"), "open files"),
        (BlockingIOError(errno.EAGAIN, "x"), "processes or threads"),
        (ImportError("libz.so: failed to map segment: Cannot allocate memory"), "memory"),
        (ImportError("_random.so: failed to map segment from shared object"), "memory"),
        (RuntimeError("can't start new thread"), "thread"),
    ],
)
def test_what_has_run_out_is_said(error: Exception, says: str) -> None:
    assert says in (starved(error) or "")


@pytest.mark.parametrize("error", [ValueError("x"), OSError(errno.EINVAL, "x"), RuntimeError("x"), ImportError("x")])
def test_another_failure_is_none_of_that(error: Exception) -> None:
    assert starved(error) is None


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSYS, "x"), "seccomp"),
        (PermissionError(errno.EPERM, "x"), "seccomp"),
        (PermissionError(errno.EPERM, "x", "/a/file"), None),
        (PermissionError(errno.EACCES, "x"), None),
    ],
)
def test_a_system_call_that_a_sandbox_refuses_is_said(error: OSError, says: str | None) -> None:
    reason = starved(error)
    assert (reason is None) if says is None else reason is not None and says in reason

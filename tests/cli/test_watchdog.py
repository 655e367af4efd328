"""Without a screen, a read from /proc or /sys that hangs is said on standard error, and ends memtop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.children import said

SCRIPT = textwrap.dedent(
    """
    import os, signal, sys, threading, time
    from memtop.cli import run, watchdog
    from memtop.sources.live import LiveSource

    watchdog.LEAST_LATE_S = {late_s}
    watchdog.END_S = 0.5
    until_s = time.monotonic() + 1.5
    begin = LiveSource.begin
    LiveSource.begin = {begin}
    sys.exit(run(sys.argv[1:]))
    """
)


HANGS = "lambda self: threading.Event().wait()"
WORKS = "lambda self: ([None for _ in iter(lambda: time.monotonic() < until_s, False)], begin(self))[1]"
"""It is busy until a moment, without a processor as far as a clock can tell."""


def run(begin: str, *words: str) -> subprocess.CompletedProcess[str]:
    """memtop, whose samples begin like this."""
    code = SCRIPT.format(begin=begin, late_s=0.3)
    return subprocess.run(
        [sys.executable, "-c", code, *words, "-d", "0.1"], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(
    "words", [("--json", "-n", "3"), ("-b",), ("--csv", "1"), ("--check", "1"), ("--json", "-n", "1")]
)
def test_a_sample_that_never_comes_is_said_and_ends_it(words: tuple[str, ...]) -> None:
    done = run(HANGS, *words)
    assert done.returncode == 2
    late, end = done.stderr.splitlines()
    assert "a read from /proc or /sys hangs" in late
    assert end.endswith("giving up")
    assert done.stdout == ""


def test_a_sample_that_lacks_a_processor_is_waited_for() -> None:
    done = run(WORKS, "--json", "-n", "2")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 2
    assert done.stderr.endswith("s: memtop gets too little processor time\n")


def test_a_sample_during_which_memtop_was_stopped_is_waited_for() -> None:
    begin = "lambda self: (os.kill(os.getpid(), signal.SIGSTOP), begin(self))[1]"
    command = [sys.executable, "-c", SCRIPT.format(begin=begin, late_s=1.5), "--json", "-n", "1", "-d", "0.1"]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        time.sleep(2.0)  # longer than a sample may be late, which leaves it as long to come on a busy machine
        child.send_signal(signal.SIGCONT)
        out, error = child.communicate(timeout=30)
    assert (child.returncode, said(error)) == (0, "")
    assert out

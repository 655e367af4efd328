"""Real processes to look at, ended by pid when the test is over."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from memtop.cli.watchdog import STARVED

SLEEPER = "import time; print(flush=True); time.sleep(60)"
DEADLINE_S = 30.0


@contextmanager
def python(code: str = SLEEPER, *args: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that has run ``code`` up to its first line of output. Lines on its input reach the code."""
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", code, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def tell(child: subprocess.Popen[bytes]) -> bytes:
    """Let a child go on, and wait for its next line."""
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(b"\n")
    return child.stdout.readline()


def said(stderr: bytes | str | None) -> str:
    """What memtop said on standard error, without what a busy machine makes true."""
    text = stderr.decode() if isinstance(stderr, bytes) else stderr or ""
    return "".join(line for line in text.splitlines(keepends=True) if STARVED not in line)


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold before the deadline."""
    end_s = time.monotonic() + DEADLINE_S
    while not (held := holds()) and time.monotonic() < end_s:
        time.sleep(0.005)
    return held

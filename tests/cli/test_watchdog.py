"""Without a screen, a reading that a read from /proc or /sys hangs is said on standard error, and ends memtop."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

HANGS = textwrap.dedent(
    """
    import sys, threading
    from memtop.cli import run, watchdog
    from memtop.sources.live import LiveSource

    watchdog.LEAST_LATE_S, watchdog.END_S = 0.3, 0.5
    watchdog.Watchdog.__init__.__defaults__ = (0.5,)
    LiveSource.begin = lambda self: threading.Event().wait()
    sys.exit(run(sys.argv[1:]))
    """
)


@pytest.mark.parametrize(
    "words", [("--json", "-n", "3"), ("-b",), ("--csv", "1"), ("--check", "1"), ("--json", "-n", "1")]
)
def test_a_sample_that_never_comes_is_said_and_ends_it(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS, *words, "-d", "0.1"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    late, end = done.stderr.splitlines()
    assert "a read from /proc or /sys hangs" in late
    assert end.endswith("giving up")
    assert done.stdout == ""

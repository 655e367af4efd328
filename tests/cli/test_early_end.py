"""``memtop -- COMMAND`` that ends before its command begins, or while two threads end it: nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PREPARED = """\
import os, signal, sys, threading, time
from memtop.cli.launch import Launch
launch = Launch(["touch", sys.argv[1]], quiet=True)
"""
ENDINGS = {
    "a signal": "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)",
    "two signals": "for number in (signal.SIGHUP, signal.SIGTERM): os.kill(os.getpid(), number)\ntime.sleep(60)",
    "a thread": "launch.conclude(143)\nlaunch.go()\nsys.exit(launch.conclude(1))",
    "a waiting child that was killed": "os.kill(launch.pid, 15)\nlaunch.go()\nsys.exit(launch.conclude(1))",
}
TOGETHER = """\
import sys, threading, time
from memtop.cli.launch import Launch
launch = Launch(["sh", "-c", 'trap "" TERM; touch "$0"; exec sleep 60', sys.argv[1]], quiet=True,
    kill_after_s=0.1)
launch.go()
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
codes = []
threads = [threading.Thread(target=lambda: codes.append(launch.conclude(143))) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(codes)
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it with a temporary directory of its own; the argument is a file that the command makes."""
    return subprocess.run(
        [sys.executable, "-c", code, str(folder / "begun")],
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("how", ENDINGS)
def test_a_command_that_never_begins_leaves_no_file(how: str, tmp_path: Path) -> None:
    done = run(PREPARED + ENDINGS[how], tmp_path)
    first = signal.SIGHUP if how == "two signals" else signal.SIGTERM
    assert done.returncode == 128 + first, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_who_concludes_second_waits_for_the_first(tmp_path: Path) -> None:
    done = run(f"import os\n{TOGETHER}", tmp_path)
    assert done.stdout == f"{[128 + signal.SIGKILL] * 3}\n", done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["begun"]

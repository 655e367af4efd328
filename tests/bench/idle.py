"""Many idle processes: what a monitor has to look at when nothing happens.

One spawner owns them all. They end when its standard input does, and with it, whatever it dies of.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PR_SET_PDEATHSIG: Final = 1


class Idle:
    """A growing crowd of sleeping processes."""

    def __init__(self) -> None:
        self._spawner = subprocess.Popen(
            [sys.executable, "-S", str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def grow(self, count: int) -> None:
        """Have at least ``count`` of them; returns when they are there."""
        assert self._spawner.stdin is not None and self._spawner.stdout is not None
        self._spawner.stdin.write(f"{count}\n")
        self._spawner.stdin.flush()
        if not self._spawner.stdout.readline():
            raise SystemExit(f"the system does not allow {count} processes more")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._spawner:  # closes its standard input, then waits
            pass


def _spawn() -> None:
    """The spawner: a number a line, answered when there are so many; ends at the end of its input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a ctrl+c is for the bench, whose end this process sees
    prctl = ctypes.CDLL(None).prctl
    sleep = shutil.which("sleep") or "/bin/sleep"
    spawner = os.getpid()
    pids: list[int] = []
    for line in sys.stdin:
        while len(pids) < int(line):
            pid = os.fork()
            if pid == 0:
                prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                if os.getppid() == spawner:
                    os.execv(sleep, ["sleep", "100000"])
                os._exit(1)
            pids.append(pid)
        print(len(pids), flush=True)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    _spawn()

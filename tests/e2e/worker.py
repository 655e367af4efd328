"""A real process whose memory does what a test says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MIB: Final = 1 << 20
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_PROGRAM: Final = """\
import sys
kept = []
print("ready", flush=True)
for order in sys.stdin:
    kept.append(bytearray(b"x") * (int(order) << 20))
    print("taken", flush=True)
"""


class Worker:
    """It sleeps, takes memory when told so, and ends when it is closed, or with the test that started it.

    ``words`` stand at the end of its command line, for it to be found by.
    """

    def __init__(self, words: str, take_mib: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _PROGRAM, *words.split()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONMALLOC": "malloc"},
        )
        self._hear("ready")
        if take_mib:
            self.take(take_mib)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def rss_bytes(self) -> int:
        """RES as the kernel says it."""
        return int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * PAGE_BYTES

    def take(self, mib: int) -> None:
        """Take and fill so much memory; returns when it has it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{mib}\n")
        self._process.stdin.flush()
        self._hear("taken")

    def _hear(self, expected: str) -> None:
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.strip() == expected, said

    def end(self) -> None:
        """Let it end by itself."""
        assert self._process.stdin is not None and self._process.stdout is not None
        if not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

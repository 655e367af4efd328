"""A program in a real pseudoterminal, driven and watched by a test."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

DEADLINE_S = 25.0
_LAUNCH = """\
import fcntl, os, signal, sys, termios
if int(sys.argv[1]):
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)
for number in filter(None, sys.argv[2].split(",")):
    signal.signal(int(number), signal.SIG_IGN)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""What happens between fork and exec (a preexec_fn is not safe in a test runner with threads)."""


_BEHIND = b"\0behind all output\0"


def wait_for(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until ``condition`` holds; fail with ``what`` when it does not."""
    limit_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < limit_s, f"waited in vain for: {what}"
        time.sleep(0.01)  # between two looks at the condition, until the deadline


def caught_by(pid: int) -> set[int]:
    """The signals that a process has handlers for, see SigCgt in proc_pid_status(5)."""
    (caught,) = re.findall(r"SigCgt:\t(\w+)", Path(f"/proc/{pid}/status").read_text())
    return {number for number in range(1, 65) if int(caught, 16) & 1 << number - 1}


class PtyRun:
    """The program, its terminal, and everything it has drawn."""

    def __init__(
        self,
        module: str,
        *options: str,
        stdin: int | None = None,
        controlling: bool = True,
        ignored: Sequence[signal.Signals] = (),
        env: dict[str, str] | None = None,
        raw: bool = False,
        wrapper: Sequence[str] = (),
        kept_bytes: int | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start the program. ``stdin`` is a descriptor, by default the terminal itself.

        ``wrapper`` is a command that runs the program; of the output no more than ``kept_bytes`` is kept.
        """
        self.master, self.slave = pty.openpty()
        if raw:
            tty.setraw(self.slave)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.drawn_bytes = 0
        """How much has been drawn, what is no longer kept included."""
        self._kept_bytes = kept_bytes
        self._reading = threading.Event()
        self._reading.set()
        self._closed = False
        self._taking = threading.Lock()
        """Held while ``output`` changes."""
        before_exec = str(int(controlling)), ",".join(str(int(number)) for number in ignored)
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", _LAUNCH, *before_exec, *wrapper, sys.executable, "-m", module, *options],
            stdin=self.slave if stdin is None else stdin,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", **(env or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._closed:
            if self._reading.wait(0.05) and select.select([self.master], [], [], 0.05)[0]:
                try:
                    data = os.read(self.master, 65_536)
                except OSError:
                    return
                with self._taking:
                    self.drawn_bytes += len(data)
                    self.output += data
                    if self._kept_bytes is not None:
                        self.output = self.output[-self._kept_bytes :]

    def stop_reading(self) -> None:
        """From here on the terminal takes nothing."""
        self._reading.clear()

    def read_again(self) -> None:
        """The terminal takes output again."""
        self._reading.set()

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def close_terminal(self) -> None:
        """The terminal vanishes."""
        self._closed = True
        self._reader.join()
        os.close(self.master)
        self.master = -1

    def wait_output(self, expected: bytes) -> None:
        """Wait until ``expected`` has been drawn."""
        wait_for(lambda: expected in self.output, f"{expected!r} in {self.output[-2000:]!r}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, within_s: float = DEADLINE_S) -> int:
        """Wait for the end; the exit code (negative: killed by a signal)."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within_s} s; drew {self.output[-2000:]!r}") from None
        if self.master >= 0 and self._reading.is_set():
            self._drain()
        return code

    def _drain(self) -> None:
        """Wait until all that was drawn is in ``output``: what is written now comes after it."""
        os.write(self.slave, _BEHIND)
        wait_for(lambda: _BEHIND in self.output, "the end of the output")
        with self._taking:
            self.output = self.output.replace(_BEHIND, b"")
            self.drawn_bytes -= len(_BEHIND)

    def threads(self) -> int:
        """How many threads it has."""
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    def cpu_s(self) -> float:
        """Processor time used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def state(self) -> str:
        """One letter, as in /proc/PID/stat."""
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def attributes(self) -> list[Any]:
        """The terminal's attributes now."""
        return termios.tcgetattr(self.slave)

    def __enter__(self) -> PtyRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._closed = True
        self._reader.join()
        for fd in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(fd)

"""A program in a terminal of its own: a pty of a given size that a thread keeps empty."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self


class Size(NamedTuple):
    """Of a terminal, in cells."""

    columns: int
    rows: int


class Terminal:
    """A running program and the terminal that it writes to."""

    def __init__(self, command: Sequence[str], size: Size, home: Path) -> None:
        """Start the command with a configuration folder of its own below ``home``."""
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("LINES", "COLUMNS", "NO_COLOR")},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_STATE_HOME": str(home / ".state"),
        }
        self.written_bytes = 0
        self.started_s = time.perf_counter()
        self._chunks: list[tuple[float, bytes]] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command,
            env=environment,
            pass_fds=(slave,),
            preexec_fn=lambda: os.login_tty(slave),  # noqa: PLW1509 (no thread runs yet, the last terminal's is joined)
        )
        os.close(slave)
        self._drain = threading.Thread(target=self._read_all, name="drain", daemon=True)
        self._drain.start()

    @property
    def pid(self) -> int:
        """The program's."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the program is still there."""
        return self._process.poll() is None

    def seconds_until(self, seen: Callable[[bytes], bool], timeout_s: float) -> float | None:
        """Seconds from start to the piece of output that made ``seen(all output so far)`` true; None if never."""
        output, looked_at = b"", 0
        deadline = self.started_s + timeout_s
        while True:
            with self._news:
                while looked_at == len(self._chunks) and time.perf_counter() < deadline and self._drain.is_alive():
                    self._news.wait(0.1)
                chunks = self._chunks[looked_at:]
            if not chunks:
                return None
            for at_s, chunk in chunks:
                output += chunk
                if seen(output):
                    return at_s - self.started_s
            looked_at += len(chunks)

    def forget(self) -> None:
        """Drop the output kept so far; the count of bytes goes on."""
        with self._news:
            self._chunks.clear()

    def close(self) -> None:
        """Press q, and be less polite after two seconds."""
        if self.running:
            os.write(self._master, b"q")
        for end in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(2)
                break
            except subprocess.TimeoutExpired:
                end()
        self._process.wait()
        self._drain.join(2)
        os.close(self._master)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _read_all(self) -> None:
        while True:
            select.select([self._master], [], [])
            try:
                chunk = os.read(self._master, 65_536)
            except OSError:  # EIO: the last holder of the terminal has gone
                chunk = b""
            with self._news:
                if chunk:
                    self.written_bytes += len(chunk)
                    self._chunks.append((time.perf_counter(), chunk))
                self._news.notify_all()
            if not chunk:
                return

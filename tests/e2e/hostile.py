"""Processes with the names that an attacker, or an accident, would choose; run as a program it becomes them.

``prctl`` sets the kernel's 15 bytes of name, and what /proc shows as the command line is a process's own memory.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

ROOM_BYTES: Final = 400
_PR_SET_NAME: Final = 15
_PR_SET_PDEATHSIG: Final = 1


class Name(NamedTuple):
    """One hostile name."""

    raw: bytes
    """As the process has it."""
    shown: str
    """As it must be drawn; empty where only the raw bytes matter."""
    forbidden: bytes = b""
    """What must never reach the terminal."""


NAMES: Final = (
    Name(b"\x1b]0;pwned\x07", "^[]0;pwned^G", b"\x1b]0;pwned"),
    Name(b"\x1b[31mEVIL", "^[[31mEVIL", b"\x1b[31mEVIL"),
    Name(b"\x1b]52;c;ZXZpbA==\x07", "^[]52;c;ZXZpbA", b"\x1b]52;c;ZXZ"),
    Name(b"\x1bP1$rEVIL\x1b\\", "^[P1$rEVIL^[\\", b"\x1bP1$r"),
    Name(b"\x1b[?1049lEVIL", "^[[?1049lEVIL", b"\x1b[?1049lEVIL"),
    Name(b"\x1b[6nEVIL", "^[[6nEVIL", b"\x1b[6nEVIL"),
    Name("C1\u009b31mE".encode(), "C1\\x9b31mE", b"\xc2\x9b"),
    Name("C2\u009d0;x".encode(), "C2\\x9d0;x", b"\xc2\x9d"),
    Name(b"del\x7fdel", "del^?del", b"\x7fdel"),
    Name("bid\u202egpj".encode(), "bid\\u202egpj", "\u202e".encode()),
    Name("iso\u2066x".encode(), "iso\\u2066x", "\u2066".encode()),
    Name("zero\u200bw".encode(), "zero\\u200bw", "\u200b".encode()),
    Name("bom\ufeffx".encode(), "bom\\ufeffx", "\ufeff".encode()),
    Name("cmb\u0301x".encode(), "cmb\\u0301x", "\u0301".encode()),
    Name(b"bell\x07\x08\x0b\x0c\rx", "bell^G^H^K^L^Mx", b"bell\x07"),
    Name(b"new\nline", "new^Jline", b"new\nline"),
    Name(b"tab\tbed", "tab^Ibed", b"tab\tbed"),
    Name(b"[/]N", "[/]N"),
    Name(b"[/red]x", "[/red]x"),
    Name(b"[bold red]x[/]", "[bold red]x[/]"),
    Name(b"[@click=quit]x", "[@click=quit]x"),
    Name(b"[kworker/0:1]", "[kworker/0:1]"),
    Name(b"bad\xff\xfebytes", "bad\\xff\\xfebytes", b"bad\xff"),
    Name("broad\u6f22\u5b57".encode(), "broad\u6f22\u5b57"),
    Name(b"a) R 1 (b", "a) R 1 (b"),
    Name(b"$x {y} %s \\[", "$x {y} %s \\["),
)


class Hostiles:
    """One process for each of :data:`NAMES`; a context manager. They end with the test."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-m", __name__, "x" * ROOM_BYTES],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.pids = [int(pid) for pid in self._process.stdout.readline().split()]
        assert len(self.pids) == len(NAMES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)

    @property
    def alive(self) -> bool:
        """Whether all of them are still there."""
        return self._process.poll() is None and all(Path(f"/proc/{pid}/stat").exists() for pid in self.pids)


def _become(name: Name) -> None:
    """Take the name as process name and as command line, and sleep."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NAME, ctypes.create_string_buffer(name.raw[:15]), 0, 0, 0)
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, name.raw, len(name.raw))
    signal.pause()


def main() -> None:
    """Become all of them; end when standard input ends."""
    children = []
    for name in NAMES:
        child = os.fork()
        if not child:
            _become(name)
            os._exit(0)
        children.append(child)
    print(*children, flush=True)
    sys.stdin.read()
    for child in children:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()

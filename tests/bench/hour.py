"""Whether memtop's own memory stays where it is: RES minute by minute, over as many as are asked for."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import psutil

from tests.bench.contestants import MEMTOP, command
from tests.bench.terminal import Size, Terminal

_GROWING: Final = """
import select
held = []
while not select.select([0], [], [], 0.25)[0]:
    held.append(bytearray(b"x") * 65536)
"""
"""256 KiB a second: 900 MiB in an hour. It ends with its input, whatever the bench dies of."""


class Resident(NamedTuple):
    """Of one memtop at one moment, in bytes."""

    rss_bytes: int
    anon_bytes: int
    """Of it what belongs to no file; the rest is code of Python and its modules, which other processes share."""


def residents(minutes: int, size: Size) -> Iterator[dict[str, Resident]]:
    """Of a memtop that shows all processes and of one that shows a growing one: after each minute.

    Raises RuntimeError where one of them has ended.
    """
    with ExitStack() as stack:
        words = [sys.executable, "-S", "-c", _GROWING]
        growing = stack.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE))  # its input is closed at the end
        home = Path(stack.enter_context(TemporaryDirectory(prefix="memtop-bench-")))
        watching = {
            title: stack.enter_context(Terminal(command(words), size, home))
            for title, words in (("memtop", (MEMTOP,)), ("memtop PID", (MEMTOP, str(growing.pid))))
        }
        started_s = time.monotonic()
        for minute in range(1, minutes + 1):
            time.sleep(max(0.0, started_s + 60 * minute - time.monotonic()))
            yield {title: _resident(title, terminal) for title, terminal in watching.items()}


def _resident(title: str, terminal: Terminal) -> Resident:
    terminal.forget()
    if not terminal.running:
        raise RuntimeError(f"{title} has ended by itself")
    memory = psutil.Process(terminal.pid).memory_info()
    return Resident(memory.rss, memory.rss - memory.shared)

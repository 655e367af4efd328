"""How long it takes until something is there: without a screen, and on one."""

from __future__ import annotations

import compileall
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import psutil

import memtop
from tests.bench.contestants import MEMTOP, Contestant, command
from tests.bench.terminal import Size, Terminal

_ROWS_SEEN: Final = 5
"""So many different PIDs on screen are a table and no coincidence."""
_ESCAPES: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][0-9A-Z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[=>78M])")
_NUMBERS: Final = re.compile(rb"(?<![\d.,:])\d{2,}(?![\d.,:])")
_EMPTY_APP: Final = (sys.executable, str(Path(__file__).with_name("empty_app.py")))


def headless(pid: int, rounds: int) -> dict[str, float]:
    """Median seconds of one headless sample and of a Python that does nothing, after memtop was compiled."""
    compileall.compile_dir(Path(memtop.__file__).parent, quiet=1)  # no run does it where Python may write no bytecode
    commands = {"python": [sys.executable, "-c", "pass"], MEMTOP: command((MEMTOP, "--json", "-n", "1", str(pid)))}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, words in commands.items():
            started_s = time.perf_counter()
            subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
            times[name].append(time.perf_counter() - started_s)
    return {name: median(seconds) for name, seconds in times.items()}


def first_paint(contestants: list[Contestant], size: Size, rounds: int) -> dict[str, float]:
    """Median seconds to the first rows of the process table, and to the paint of an empty Textual app."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        runs: list[tuple[str, list[str], Contestant | None, Callable[[bytes], bool]]] = [
            ("empty", list(_EMPTY_APP), None, lambda output: b"first paint" in output)
        ]
        runs += [(one.name, command(one.everything), one, _shows_rows()) for one in contestants]
        for name, words, contestant, seen in runs:
            with TemporaryDirectory(prefix="memtop-bench-") as folder:
                if contestant is not None:
                    contestant.prepare(Path(folder))
                with Terminal(words, size, Path(folder)) as terminal:
                    seconds = terminal.seconds_until(seen, 10)
            if seconds is not None:
                times.setdefault(name, []).append(seconds)
    return {name: median(seconds) for name, seconds in times.items()}


def _shows_rows() -> Callable[[bytes], bool]:
    """Whether an output shows several of the processes there are now."""
    pids = {str(pid).encode() for pid in psutil.pids()}
    return lambda output: len(pids.intersection(_NUMBERS.findall(_ESCAPES.sub(b" ", output)))) >= _ROWS_SEEN

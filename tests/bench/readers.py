"""What a process feels of each way to read its mappings: ``python -m tests.bench.readers [MIB]...`` (needs gcc).

The target maps, touches and unmaps every 0.2 ms on a processor of its own. A reader in a process of its own reads it
once each 0.2 s on another; each way has one window in every round. Then memtop itself watches it with its Regions panel
open, with and without readings of its mappings, beside windows in which nobody does, twice: what the two differ by is
noise. The CPU of memtop is that since its start, so the difference between its two lines is what the readings cost, the
first two included, which come within seconds.
"""

from __future__ import annotations

import argparse
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable
from fcntl import ioctl
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from memtop.procfs.pagemap import SCAN, SCAN_PRESENT, SCAN_SWAPPED, scan_argument, scan_walk_end
from memtop.procfs.pagemap_report import mappings_of, parse_report
from memtop.sources.live.pagemap_reader import read_pagemap
from memtop.sources.live.pagemap_walk import PAUSE_S
from tests.bench.contestants import MEMTOP, command
from tests.bench.terminal import Size, Terminal

WINDOW_S: Final = 5.0
EVERY_S: Final = 0.2
_PIECE_BYTES: Final = 2 << 20
KINDS: Final = ("mmap", "touch", "munmap")
SHARES: Final = ("p50", "p99", "p99.9", "max")
ALONE: Final = "alone"
WATCHING: Final[dict[str, tuple[str, ...] | None]] = {
    "alone, as long": None,
    "alone, again": None,
    "memtop --no-smaps": (MEMTOP, "--no-smaps"),
    "memtop, panel open": (MEMTOP,),
}
SCREEN: Final = Size(120, 40)
"""From 36 lines on, memtop opens its Regions panel by itself."""
SETTLED_S: Final = 9.0
"""memtop has started by then, and has read twice."""
WATCHED_S: Final = 81.0
"""With the time before, it is the window in which readings get 1 % of a core."""


class Watched(NamedTuple):
    """One window of a target."""

    figures: list[float]
    """Twelve, in microseconds."""
    cpu_ms: float
    """Of a reading; of memtop per second since its start."""


def _nothing(pid: int) -> None:
    """Nobody reads."""


def _whole(name: str) -> Callable[[int], object]:
    return lambda pid: Path(f"/proc/{pid}/{name}").read_bytes()


def _large_pieces(pid: int) -> None:
    """pagemap of everything below the stack, 1 MiB at a time, without a pause."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        for start, end in _ranges(pid):
            for at in range(start // 4096 * 8, end // 4096 * 8, 1 << 20):
                os.pread(file.fileno(), min(1 << 20, end // 4096 * 8 - at), at)


def _pieces(pid: int) -> None:
    """What memtop does, with all that it takes to understand it."""
    mappings_of(parse_report(read_pagemap("/", f"proc/{pid}/pagemap")))


def _scan(pid: int) -> None:
    """PAGEMAP_SCAN, 2 MiB at a time, with the same pause."""
    regions = array("Q", bytes(24 * 512))
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        for start, end in _ranges(pid):
            at = start
            while at < end:
                argument = scan_argument(
                    at, min(end, at + _PIECE_BYTES), regions, any_of=SCAN_PRESENT | SCAN_SWAPPED, most_pages=512
                )
                ioctl(file.fileno(), SCAN, argument)
                at = scan_walk_end(argument)
                time.sleep(PAUSE_S)


def _ranges(pid: int) -> list[tuple[int, int]]:
    lines = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    spans = [line[0].split("-") for line in lines if line[-1] != "[vsyscall]"]
    return [(int(start, 16), int(end, 16)) for start, end in spans]


WAYS: Final[dict[str, Callable[[int], object]]] = {
    ALONE: _nothing,
    "alone, again": _nothing,
    "smaps": _whole("smaps"),
    "smaps_rollup": _whole("smaps_rollup"),
    "pagemap, 1 MiB, no pause": _large_pieces,
    "pagemap in pieces (memtop)": _pieces,
    "PAGEMAP_SCAN, 2 MiB": _scan,
}


def _reader(way: str, pid: int) -> None:
    """Read until the other end of the pipe is closed; then print CPU and readings."""
    readings, began_s = 0, time.process_time()
    while not select.select([0], [], [], 0)[0]:
        next_s = time.monotonic() + EVERY_S
        WAYS[way](pid)
        readings += 1
        time.sleep(max(0.0, next_s - time.monotonic()))
    print(1000 * (time.process_time() - began_s) / readings)


def _figures(target: subprocess.Popen[str], seconds: float) -> list[float]:
    """The target's figures over a window."""
    assert target.stdin is not None and target.stdout is not None
    target.stdin.write(f"{seconds}\n")
    target.stdin.flush()
    return [float(word) for word in target.stdout.readline().split()]


def _window(target: subprocess.Popen[str], way: str) -> Watched:
    """A window with a reader."""
    words = [sys.executable, "-m", "tests.bench.readers", "--read", way, str(target.pid)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        time.sleep(0.5)
        figures = _figures(target, WINDOW_S)
        out, _ = reader.communicate()
    return Watched(figures, float(out))


def _watched(target: subprocess.Popen[str], words: tuple[str, ...] | None) -> Watched:
    """A window in which memtop watches; its CPU in milliseconds each second."""
    if words is None:
        return Watched(_figures(target, WATCHED_S), 0.0)
    with (
        tempfile.TemporaryDirectory() as home,
        Terminal(command((*words, str(target.pid))), SCREEN, Path(home)) as memtop,
    ):
        time.sleep(SETTLED_S)
        process = psutil.Process(memtop.pid)
        figures = _figures(target, WATCHED_S)
        used = process.cpu_times()
        if not memtop.running:
            raise RuntimeError("memtop has ended by itself")
    return Watched(figures, 1000 * (used.user + used.system) / (SETTLED_S + WATCHED_S))


def main(sizes_mib: list[int], rounds: int) -> None:
    """Two tables for each size: medians of the rounds, but the longest of all."""
    processors = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as room:
        subprocess.run(["gcc", "-O2", "-o", f"{room}/paced", Path(__file__).with_name("paced.c")], check=True)
        for size in sizes_mib:
            words = [f"{room}/paced", str(size)]
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as target:
                assert target.stdin is not None and target.stdout is not None
                os.sched_setaffinity(target.pid, {processors[0]})
                os.sched_setaffinity(0, set(processors[1:]) or {processors[0]})
                target.stdout.readline()
                ways = _by_turns(rounds, WAYS, lambda way: _window(target, way))
                _print(f"{size} MiB resident, microseconds", "CPU ms", ways)
                watched = _by_turns(rounds, WATCHING, lambda name: _watched(target, WATCHING[name]))
                _print(f"{size} MiB, windows of {WATCHED_S:.0f} s", "CPU ms/s", watched)
                target.stdin.close()


def _by_turns(rounds: int, names: Iterable[str], window: Callable[[str], Watched]) -> dict[str, list[Watched]]:
    """The windows of each."""
    found: dict[str, list[Watched]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, windows in found.items():
            windows.append(window(name))
    return found


def _print(title: str, cost: str, found: dict[str, list[Watched]]) -> None:
    head = " ".join(f"{f'{kind} {share}':>12}" for kind in KINDS for share in SHARES)
    print(f"{title}\n{'':<28}{head} {cost:>8}")
    for name, windows in found.items():
        columns = zip(*(window.figures for window in windows), strict=True)
        cells = [
            max(column) if place % len(SHARES) == len(SHARES) - 1 else statistics.median(column)
            for place, column in enumerate(columns)
        ]
        cpu_ms = statistics.median(window.cpu_ms for window in windows)
        print(f"{name:<28}{' '.join(f'{cell:12.1f}' for cell in cells)} {cpu_ms:8.1f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        _reader(sys.argv[2], int(sys.argv[3]))
    else:
        parser = argparse.ArgumentParser(prog="python -m tests.bench.readers")
        parser.add_argument("sizes_mib", nargs="*", type=int, default=[100, 1024, 6144], metavar="MIB")
        parser.add_argument("--rounds", type=int, default=3)
        options = parser.parse_args()
        main(options.sizes_mib, options.rounds)

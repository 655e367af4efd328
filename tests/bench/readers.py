"""What a process feels of each way to read its mappings: ``python -m tests.bench.readers [MIB]...`` (needs gcc).

The target maps, touches and unmaps every 0.2 ms on a processor of its own; a reader in a process of its own reads it
once each 0.2 s on another. Each way has one window in every round.
"""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path
from typing import Final

from memtop.procfs.pagemap import SCAN, SCAN_PRESENT, SCAN_SWAPPED, scan_argument, scan_walk_end
from memtop.procfs.pagemap_report import mappings_of, parse_report
from memtop.sources.live.pagemap_reader import PAUSE_S, read_pagemap

WINDOW_S: Final = 5.0
EVERY_S: Final = 0.2
ROUNDS: Final = 3
_PIECE_BYTES: Final = 2 << 20
KINDS: Final = ("mmap", "touch", "munmap")
SHARES: Final = ("p50", "p99", "p99.9", "max")


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
    "alone": _nothing,
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


def _window(target: subprocess.Popen[str], way: str) -> list[float]:
    """The target's twelve figures in microseconds, and the CPU of one reading in milliseconds."""
    assert target.stdin is not None and target.stdout is not None
    words = [sys.executable, "-m", "tests.bench.readers", "--read", way, str(target.pid)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        time.sleep(0.5)
        target.stdin.write(f"{WINDOW_S}\n")
        target.stdin.flush()
        figures = [float(word) for word in target.stdout.readline().split()]
        out, _ = reader.communicate()
    return [*figures, float(out)]


def main(sizes_mib: list[int]) -> None:
    """A table for each size: medians of the rounds, but the longest of all."""
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
                found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
                for _ in range(ROUNDS):
                    for way, windows in found.items():
                        windows.append(_window(target, way))
                target.stdin.close()
            _print(size, found)


def _print(size_mib: int, found: dict[str, list[list[float]]]) -> None:
    head = " ".join(f"{f'{kind} {share}':>12}" for kind in KINDS for share in SHARES)
    print(f"{size_mib} MiB resident, microseconds\n{'':<28}{head} {'CPU ms':>8}")
    for way, windows in found.items():
        columns = list(zip(*windows, strict=True))
        cells = [
            max(column)
            if place % len(SHARES) == len(SHARES) - 1 and place < len(columns) - 1
            else statistics.median(column)
            for place, column in enumerate(columns)
        ]
        print(f"{way:<28}{' '.join(f'{cell:12.1f}' for cell in cells[:-1])} {cells[-1]:8.1f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        _reader(sys.argv[2], int(sys.argv[3]))
    else:
        main([int(word) for word in sys.argv[1:]] or [1024, 8192])

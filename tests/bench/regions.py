"""Costs of reading and parsing smaps: ``python -m tests.bench.regions [MAPPINGS]...`` (needs gcc).

A process with so many mappings is read alone, parsed, given kinds, and compared with psutil.memory_maps; and another
thread, standing for the screen, sleeps a millisecond at a time and tells how late it was while the parser ran.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import psutil

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.region_diff import since
from memtop.procfs.smaps import Smaps, parse_smaps

SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int count, char **words) {
  long n = atol(words[1]);
  char *p = mmap(0, n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (long i = 0; i < n; i++)
    if (i % 2) mprotect(p + i * 4096, 4096, PROT_READ);
    else if (i % 3) p[i * 4096] = 1;
  puts("ready"); fflush(stdout); getchar();
}
"""


def milliseconds(work: Callable[[], object], times: int = 5) -> float:
    """The median of some runs."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return statistics.median(found) * 1000


def lateness(work: Callable[[], object] | None) -> tuple[float, float]:
    """Median and largest delay in ms of a thread that sleeps 1 ms at a time, while another one works."""
    thread = threading.Thread(target=work or (lambda: time.sleep(0.5)))
    found: list[float] = []
    thread.start()
    while thread.is_alive():
        begin = time.perf_counter()
        time.sleep(0.001)
        found.append((time.perf_counter() - begin - 0.001) * 1000)
    return statistics.median(found), max(found)


def measure(pid: int) -> None:
    """Print one process's figures."""
    smaps_file = Path(f"/proc/{pid}/smaps")
    data = smaps_file.read_bytes()
    tracemalloc.start()
    smaps: Smaps = parse_smaps(data)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    regions = classify(smaps)
    print(f"{len(smaps)} mappings, {len(data) / 1e6:.1f} MB of text")
    for title, work, times in (
        ("read alone", smaps_file.read_bytes, 5),
        ("parse, every field", lambda: parse_smaps(data), 5),
        ("classify", lambda: classify(smaps), 5),
        ("sums and split", lambda: (regions.by_kind(), regions.split()), 5),
        ("since a mark", lambda: since(regions, regions), 5),
        ("psutil, read and parse", lambda: psutil.Process(pid).memory_maps(grouped=False), 1),
    ):
        print(f"  {title:<24}{milliseconds(work, times):6.0f} ms")
    print(f"  parsed values take {kept / 1e6:.1f} MB, at most {peak / 1e6:.1f} while parsing")
    print("  another thread is late by (median, most):")
    beside: tuple[tuple[str, Callable[[], object] | None], ...] = (
        ("idle", None),
        ("parse", lambda: parse_smaps(data)),
        ("classify", lambda: classify(smaps)),
        ("since", lambda: since(regions, regions)),
    )
    for title, also in beside:
        print("    {:<22}{:6.1f} {:6.1f} ms".format(title, *lateness(also)))


def main(counts: list[int]) -> None:
    """Start a process for each count and measure it."""
    with tempfile.TemporaryDirectory() as room:
        (Path(room) / "many.c").write_text(SOURCE)
        subprocess.run(["gcc", "-O1", "-w", "-o", f"{room}/many", f"{room}/many.c"], check=True)
        for count in counts:
            with subprocess.Popen([f"{room}/many", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as many:
                assert many.stdout is not None
                many.stdout.readline()
                measure(many.pid)
                many.communicate(b"\n")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [30_000, 65_000])

"""What being watched costs the watched: the latency of its own mmap and munmap, alone and under memtop.

The target has so much memory resident and does nothing but map a little, unmap it, note how long both took, and rest
for 100 microseconds. The conditions take turns in one process, so that what else the machine does hits all alike.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.contestants import MEMTOP, command
from tests.bench.terminal import Size, Terminal

MIB: Final = 1 << 20
SIZES_MIB: Final = (100, 1024, 6144)
ALONE: Final = "alone"
CONDITIONS: Final[dict[str, Size | None]] = {
    ALONE: None,
    "memtop PID": Size(120, 30),
    "Regions panel open": Size(120, 40),
}
"""A terminal of forty lines has the panel open by itself."""
_WARMUP_S: Final = 3.0
_TARGET: Final = r"""
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#define MOST 4000000
static uint32_t took[MOST];
static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static int order(const void *a, const void *b) {
  uint32_t x = *(uint32_t *)a, y = *(uint32_t *)b;
  return x < y ? -1 : x > y;
}
int main(int argc, char **argv) {
  size_t size = strtoull(argv[1], 0, 10) << 20;
  char *held = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (held == MAP_FAILED) return 1;
  madvise(held, size, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < size; at += 4096) held[at] = 1;
  memset(took, 1, sizeof took);
  puts("ready"); fflush(stdout);
  double seconds;
  while (scanf("%lf", &seconds) == 1) {
    uint64_t end = now() + (uint64_t)(seconds * 1e9);
    size_t count = 0;
    struct timespec rest = {0, 100000};
    while (count < MOST && now() < end) {
      uint64_t began = now();
      void *p = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      munmap(p, 65536);
      took[count++] = now() - began;
      nanosleep(&rest, 0);
    }
    qsort(took, count, sizeof *took, order);
    printf("%u %u %u %zu\n", took[count / 2], took[(size_t)(count * 0.999)], took[count - 1], count);
    fflush(stdout);
  }
}
"""


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one mmap with its munmap, over one stretch or as the median of several. Microseconds."""

    median_us: float
    p999_us: float
    worst_us: float


class Target:
    """A process that measures itself."""

    def __init__(self, program: Path, resident_mib: int) -> None:
        self._process = subprocess.Popen(
            [program, str(resident_mib)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        if self._stdout.readline() != "ready\n":
            raise RuntimeError(f"no room for {resident_mib} MiB")

    @property
    def pid(self) -> int:
        """Whom to watch."""
        return self._process.pid

    def measure(self, seconds: float) -> Latency:
        """Let it measure itself for so long."""
        self._stdin.write(f"{seconds}\n")
        self._stdin.flush()
        median_ns, p999_ns, worst_ns, _ = map(int, self._stdout.readline().split())
        return Latency(median_ns / 1000, p999_ns / 1000, worst_ns / 1000)

    def close(self) -> None:
        """End it."""
        self._stdin.close()
        self._process.wait()
        self._stdout.close()


@contextmanager
def _compiled() -> Iterator[Path]:
    """The target's program; gcc makes it."""
    with TemporaryDirectory(prefix="memtop-bench-") as folder:
        source, program = Path(folder, "target.c"), Path(folder, "target")
        source.write_text(_TARGET)
        subprocess.run(["gcc", "-O2", "-o", program, source], check=True)
        yield program


def _under(condition: str, target: Target, seconds: float, home: Path) -> Latency:
    size = CONDITIONS[condition]
    with ExitStack() as stack:
        if size is not None:
            stack.enter_context(Terminal(command((MEMTOP, str(target.pid))), size, home))
            time.sleep(_WARMUP_S)
        return target.measure(seconds)


def latencies(resident_mib: int, rounds: int, seconds: float) -> dict[str, Latency]:
    """For each condition the medians of its rounds."""
    found: dict[str, list[Latency]] = {condition: [] for condition in CONDITIONS}
    with _compiled() as program, TemporaryDirectory(prefix="memtop-bench-") as home:
        target = Target(program, resident_mib)
        try:
            target.measure(0.5)
            for _ in range(rounds):
                for condition in CONDITIONS:
                    found[condition].append(_under(condition, target, seconds, Path(home)))
        finally:
            target.close()
    return {condition: _medians(several) for condition, several in found.items()}


def _medians(several: Sequence[Latency]) -> Latency:
    return Latency(
        median(one.median_us for one in several),
        median(one.p999_us for one in several),
        median(one.worst_us for one in several),
    )

"""Real runs into memory cgroups of version 1: a program that grows until the kernel kills it, sampled meanwhile."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from memtop.analysis.limits.cgroup_limits import memory_stat, usage_bytes, with_kernel_v1
from memtop.analysis.limits.memory_limits import CgroupUse, ceiling
from memtop.procfs.statm import parse_statm
from tests.cgroup_v1 import MOUNT
from tests.lab.forecast_runs import MIB, LimitRun

SAMPLE_S: Final = 0.1
SPED_UP: Final = 10
"""A sample counts as so many tenths of a second."""
AT_ONCE: Final = 6
_LONGEST_S: Final = 120.0

GROWS: Final = """
import mmap, random, sys, time
kind, rate, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
rng, kept, owed, began, level = random.Random(seed), [], 0.0, time.monotonic(), 0.0
tick = 0
while True:
    time.sleep(max(0.0, began + tick * 0.05 - time.monotonic()))
    tick += 1
    seconds = tick * 0.05
    if kind == "accelerating":
        want = rate * seconds * (0.4 + seconds / 40)
    elif kind == "decelerating":
        want = rate * 4 * (1 + seconds / 4) ** 0.75 - rate * 4
    elif kind == "noisy":
        want = level = max(level, rate * seconds + rng.gauss(0, 1.5 * rate))
    elif kind == "staircase":
        want = rate * 1.5 * int(seconds / 1.5 + rng.gauss(0, 0.05))
    else:
        want = rate * seconds
    while owed + 65536 <= want:
        piece = mmap.mmap(-1, 65536, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for at in range(0, 65536, 4096):
            piece[at] = 1
        kept.append(piece)
        owed += 65536
"""
READS: Final = """
import os, sys, time
while True:
    fd = os.open(sys.argv[1], os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    while os.read(fd, 1 << 18):
        time.sleep(0.01)
    os.close(fd)
"""
KINDS: Final = ("steady", "noisy", "staircase", "accelerating", "decelerating")


@dataclass(slots=True)
class _Trial:
    """One program in its cgroup."""

    kind: str
    folder: Path
    limit_bytes: int
    program: subprocess.Popen[bytes]
    reader: subprocess.Popen[bytes] | None
    used: list[float] = field(default_factory=list)
    room: list[float] = field(default_factory=list)

    def sample(self) -> bool:
        """Whether it still runs."""
        if self.program.poll() is not None:
            return False
        with suppress(OSError):
            statm = parse_statm(Path(f"/proc/{self.program.pid}/statm").read_bytes())
            stat = memory_stat(_read, str(self.folder))
            if stat is not None:
                stat = with_kernel_v1(stat, _read, str(self.folder))
            usage = usage_bytes(_read, str(self.folder), v2=False)
            found = ceiling(CgroupUse("", self.limit_bytes, usage, stat), None)
            if found is not None and statm.rss_bytes:
                self.used.append(float(statm.anon_bytes))
                self.room.append(float(found.headroom_max_bytes))
        return True

    def end(self) -> LimitRun:
        """Stop the rest and take the cgroup away."""
        for process in (self.program, self.reader):
            if process is not None:
                process.kill()
                process.wait()
        for _ in range(50):
            with suppress(OSError):
                self.folder.rmdir()
                break
            time.sleep(0.05)
        # The last sample is the end: the forecast's time counts to it.
        return LimitRun(self.kind, SAMPLE_S * SPED_UP, [*self.used, self.limit_bytes], [*self.room, 0.0])


def _read(path: str, size: int) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError:
        return None


def _own_folder() -> Path:
    """The memory cgroup of this process."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    path = next(line.split(":", 2)[2] for line in lines if "memory" in line.split(":")[1].split(","))
    return MOUNT / path.lstrip("/")


def _begin(kind: str, number: int, cache: Path | None) -> _Trial:
    rng = random.Random(f"{kind} {number} {cache}")
    limit_bytes = rng.choice((48, 64, 96, 128)) << 20
    seconds = rng.uniform(22, 45)
    folder = _own_folder() / f"memtop-forecast-{os.getpid()}-{kind}-{number}-{'c' if cache else 'n'}"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))

    def joined(code: str, *arguments: str) -> subprocess.Popen[bytes]:
        procs = str(folder / "cgroup.procs")
        begin = f"import os; open({procs!r}, 'w').write(str(os.getpid()))\n"
        return subprocess.Popen([sys.executable, "-S", "-c", begin + code, *arguments])

    rate = (limit_bytes - 12 * MIB) / seconds
    reader = joined(READS, str(cache)) if cache is not None else None
    program = joined(GROWS, kind, str(rate), str(number))
    return _Trial(f"{kind}, with page cache" if cache else kind, folder, limit_bytes, program, reader)


def real_runs(each: int) -> Iterator[LimitRun]:
    """So many runs of each kind with page cache, and as many without; some at once."""
    with tempfile.TemporaryDirectory(prefix="memtop-forecast-", dir="/var/tmp") as folder:
        file = Path(folder) / "file"
        file.write_bytes(os.urandom(1 << 20) * 160)
        waiting = [(kind, number, cache) for number in range(each) for kind in KINDS for cache in (None, file)]
        running: list[_Trial] = []
        began_s, ticks = time.monotonic(), 0
        begun: dict[int, float] = {}
        try:
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    running.append(_begin(*waiting.pop(0)))
                    begun[id(running[-1])] = time.monotonic()
                for trial in list(running):
                    if not trial.sample() or time.monotonic() - begun[id(trial)] > _LONGEST_S:
                        running.remove(trial)
                        killed = trial.program.poll() == -9
                        run = trial.end()
                        if killed:
                            yield run
                ticks += 1
                time.sleep(max(0.0, began_s + ticks * SAMPLE_S - time.monotonic()))
        finally:
            for trial in running:
                trial.end()

"""What 200 cgroups with limits cost: ``python -m tests.bench.cgroups [CGROUPS] [SECONDS] [ROUNDS]``.

As root, with a writable memory cgroup of its own. Each cgroup has a limit and one process; every twentieth is near its
limit, and every tenth changes its use each second. In a round one process has two samplers, which only read, and two
engines, which also judge and build what is shown. Each is asked once a second, those first in one second that are last
in the next. For one of each pair the processes are in one cgroup without a limit. So whatever else the machine does
meets both. What the cgroups cost is the difference, in processor time.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Final

from memtop.cli.composition import engine_on
from memtop.runtimes.registry import REGISTRY
from memtop.sampling.request import SamplePlan
from memtop.sampling.sampler import Sampler
from memtop.settings import Settings
from memtop.sources.live import LiveSource
from memtop.sources.protocol import READ_LIMIT
from memtop.view_state import View

MUST_MS: Final = 3.0
LIMIT_BYTES: Final = 8 << 20
NEAR_BYTES: Final = 7 << 20
_PAGE: Final = 4096
_ONE_OF: Final = re.compile(rb"job-[0-9]+")
_WARM_TICKS: Final = 6
"""All cgroups are found and have been read once. Of the others, the tenth that took longest were disturbed most."""


class _Together(LiveSource):
    """The machine with the processes of all these cgroups in one without a limit."""

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """See ``Source.read``."""
        data = super().read(path, size)
        return _ONE_OF.sub(b"together", data) if path.endswith("/cgroup") else data


def main() -> int:
    """Measure and print; 1 where the budget is missed."""
    count, seconds, rounds = [int(word) for word in [*sys.argv[1:], *("200", "40", "5")[len(sys.argv) - 1 :]]]
    print(f"{count} cgroups with limits, {rounds} rounds of {seconds} s each: CPU ms/s", flush=True)
    read_ms, all_ms = [], []
    with _cgroups(count):
        for _ in range(rounds):
            found = _measured(seconds)
            read_ms.append(found[1] - found[0])
            all_ms.append(found[3] - found[2])
            print(
                f"  reading: {found[0]:5.1f} without, {read_ms[-1]:+.1f} with them;"
                f" all: {found[2]:5.1f} without, {all_ms[-1]:+.1f}",
                flush=True,
            )
    print(f"  reading {median(read_ms):+.1f} ms/s (must be {MUST_MS:g} or less), all {median(all_ms):+.1f}")
    return int(median(read_ms) > MUST_MS)


def _measured(seconds: int) -> list[float]:
    """Reading without and with the cgroups, and all without and with them, in a process of its own."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        os.write(writing, json.dumps(_sampled(seconds)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        found: list[float] = json.load(answer)
    os.waitpid(child, 0)
    return found


def _sampled(seconds: int) -> list[float]:
    sources = [kind(runtimes=REGISTRY.read) for kind in (_Together, LiveSource) * 2]
    samplers, engines = [Sampler(source) for source in sources[:2]], [engine_on(source) for source in sources[2:]]
    request = View.of(Settings()).request()
    plan = SamplePlan(request.readings, None)
    asked: list[Callable[[], object]] = [
        *(partial(sampler.sample, plan) for sampler in samplers),
        *(partial(engine.step, request) for engine in engines),
    ]
    used_s: list[list[float]] = [[] for _ in asked]
    start_s = time.monotonic()
    for tick in range(_WARM_TICKS + seconds):
        for place, which in enumerate(range(4) if tick % 2 else range(3, -1, -1)):
            time.sleep(max(0.0, start_s + tick + place / 4 - time.monotonic()))
            began_s = time.thread_time()
            asked[which]()
            used_s[which].append(time.thread_time() - began_s)
        if tick == 0:
            gc.freeze()
            for sampler in samplers:
                sampler.prepare()
            for engine in engines:
                engine.prepare()
    for source in sources:
        source.close()
    return [1000 * mean(sorted(each[_WARM_TICKS:])[: -seconds // 10]) for each in used_s]


@contextmanager
def _cgroups(count: int) -> Iterator[None]:
    """So many cgroups below one of ours, each with its process, and one without a limit."""
    own, limit = _own()
    top = own / f"memtop-bench-{os.getpid()}"
    top.mkdir()
    pids: list[int] = []
    try:
        if limit == "memory.max":
            (top / "cgroup.subtree_control").write_text("+memory")
        together = top / "together"
        together.mkdir()
        folders = [top / f"job-{number}" for number in range(count)]
        for number, folder in enumerate(folders):
            folder.mkdir()
            (folder / limit).write_text(str(LIMIT_BYTES))
            if (pid := os.fork()) == 0:
                (folder / "cgroup.procs").write_text(str(os.getpid()))
                _live(number)
            pids.append(pid)
        time.sleep(2)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        time.sleep(0.2)
        for folder in [*(one for one in top.iterdir() if one.is_dir()), top]:
            folder.rmdir()


def _live(number: int) -> None:
    """Hold memory, and take or give back a little each second."""
    held = bytearray(NEAR_BYTES if number % 20 == 0 else _PAGE)
    held[::_PAGE] = b"x" * len(held[::_PAGE])
    while True:
        if number % 10 == 0:
            more = bytearray(32 * _PAGE)
            more[::_PAGE] = b"x" * 32
            time.sleep(1.0)
            del more
        time.sleep(1.0)


def _own() -> tuple[Path, str]:
    """Our memory cgroup, and the name of its file of the limit."""
    groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for _, controllers, path in groups:
        if "memory" in controllers.split(","):
            return Path("/sys/fs/cgroup/memory") / path.lstrip("/"), "memory.limit_in_bytes"
    (path,) = (path for _, controllers, path in groups if not controllers)
    return Path("/sys/fs/cgroup") / path.lstrip("/"), "memory.max"


if __name__ == "__main__":
    sys.exit(main())

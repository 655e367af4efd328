"""What 200 cgroups with limits cost: ``python -m tests.bench.cgroups [CGROUPS] [SECONDS] [ROUNDS]``.

As root, with a writable memory cgroup of its own. Each cgroup has a limit and one process; every twentieth is near its
limit, and every tenth changes its use each second. In a round one process has two engines that sample once a second,
one first in one second and second in the next. For one of them the processes are in one cgroup without a limit. So
whatever else the machine does meets both. What the cgroups cost is the difference, in processor time.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from typing import Final

from memtop.cli.composition import engine_on
from memtop.runtimes.registry import REGISTRY
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
    added_ms = []
    with _cgroups(count):
        for _ in range(rounds):
            without_ms, with_ms = _measured(seconds)
            added_ms.append(with_ms - without_ms)
            print(f"  {without_ms:6.1f} without; with them {added_ms[-1]:+.1f}", flush=True)
    print(f"  {median(added_ms):+.1f} ms/s (must be {MUST_MS:g} or less)")
    return int(median(added_ms) > MUST_MS)


def _measured(seconds: int) -> tuple[float, float]:
    """Without and with the cgroups, in a process of its own, so that no round inherits anything."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        os.write(writing, json.dumps(_sampled(seconds)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        without_ms, with_ms = json.load(answer)
    os.waitpid(child, 0)
    return without_ms, with_ms


def _sampled(seconds: int) -> list[float]:
    sources = _Together(runtimes=REGISTRY.read), LiveSource(runtimes=REGISTRY.read)
    engines, request = [engine_on(source) for source in sources], View.of(Settings()).request()
    used_s: tuple[list[float], list[float]] = [], []
    start_s = time.monotonic()
    for tick in range(_WARM_TICKS + seconds):
        for place, which in enumerate((0, 1) if tick % 2 else (1, 0)):
            time.sleep(max(0.0, start_s + tick + 0.5 * place - time.monotonic()))
            began_s = time.thread_time()
            engines[which].step(request)
            used_s[which].append(time.thread_time() - began_s)
        if tick == 0:
            gc.freeze()
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

"""What recording costs beside sampling: ``python -m tests.bench.recorder [PROCESSES] [SECONDS] [MOVING]``.

Processes come and go; each lives for up to half a minute, and so many per cent of them (MOVING, 20) take or give back
memory in a second. One engine samples them every second as
``memtop record`` does, in turns of so many SECONDS with and without a recorder, three rounds. The figures are CPU time
of the whole process a second, the writer's thread and SQLite included, and the size of the file.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from memtop.cli.composition import engine_on
from memtop.model.request import Request
from memtop.runtimes.registry import REGISTRY
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.sources.live import LiveSource
from memtop.sources.protocol import Source
from memtop.sources.recording.recorder import Recorder
from memtop.view_state import View

ROUNDS: Final = 3
LIVES_S: Final = (2.0, 30.0)
"""Shortest and longest life of a process."""
MUST_MS: Final = 5.0
_NEEDS: Final = Need.STAT | Need.STATUS | Need.OOM | Need.MEMBERSHIP | Need.GROUPS
_WARM_TICKS: Final = 3


def main() -> int:
    """Measure and print; 1 where the budget is missed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    moving = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    print(
        f"{count} processes that come and go, {moving} % of them move, {ROUNDS} rounds of {seconds} s each: CPU ms/s",
        flush=True,
    )
    costs_ms: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory(prefix="memtop-bench-") as folder, crowd(count, moving / 100):
        for number in range(ROUNDS):
            for is_recorded in (False, True):
                path = Path(folder) / f"{number}.memtop"
                costs_ms[is_recorded].append(_measured(path if is_recorded else None, seconds))
            size = path.stat().st_size / (seconds + _WARM_TICKS) * 3600 / 1e6
            plain, recorded = costs_ms[False][-1], costs_ms[True][-1]
            print(f"  {plain:6.1f} without  {recorded:6.1f} with  ratio {recorded / plain:.2f}  {size:.0f} MB an hour")
    added_ms = median(costs_ms[True]) - median(costs_ms[False])
    print(f"  +{added_ms:.1f} ms/s (must be {MUST_MS:g} or less)")
    return int(added_ms > MUST_MS)


def _measured(path: Path | None, seconds: int) -> float:
    """CPU milliseconds a second, in a process of its own, so that no turn inherits anything."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        source: Source = LiveSource(runtimes=REGISTRY.read)
        cost_ms = _sampled(source if path is None else Recorder(source, str(path)), seconds)
        os.write(writing, str(cost_ms).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        cost_ms = float(answer.read())
    os.waitpid(child, 0)
    return cost_ms


def _sampled(source: Source, seconds: int) -> float:
    request = _request()
    engine = engine_on(source)
    began_s = time.process_time()
    planned_s = time.monotonic()
    for tick in range(_WARM_TICKS + seconds):
        if tick == _WARM_TICKS:
            began_s = time.process_time()
        engine.step(request)
        if isinstance(source, Recorder):
            source.pass_on()
        if tick == 0:
            engine.prepare()
        planned_s += 1.0
        time.sleep(max(0.0, planned_s - time.monotonic()))
    cost_ms = 1000 * (time.process_time() - began_s) / seconds
    source.close()
    return cost_ms


def _request() -> Request:
    request = View.of(Settings()).request()
    return request._replace(readings=request.readings._replace(needs_all=_NEEDS, outlooks=True, runtimes=True))


@contextmanager
def crowd(count: int, moving: float) -> Iterator[None]:
    """So many processes, of which each that ends is replaced; a share of them moves memory in a second."""
    if (keeper := os.fork()) == 0:
        os.setpgid(0, 0)
        _keep(count, moving)
    time.sleep(2)
    try:
        yield
    finally:
        os.killpg(keeper, signal.SIGKILL)
        os.waitpid(keeper, 0)


def _keep(count: int, moving: float) -> None:
    """Keep so many children, until it is killed."""
    living = 0
    while True:
        while living < count:
            if os.fork() == 0:
                _live(random.Random(os.getpid()), moving)
            living += 1
        while living and os.waitpid(-1, os.WNOHANG)[0]:
            living -= 1
        time.sleep(0.05)


def _live(chance: random.Random, moving: float) -> None:
    """Take or give back a little memory now and then, for a while."""
    end_s = time.monotonic() + chance.uniform(*LIVES_S)
    held: list[bytearray] = []
    while time.monotonic() < end_s:
        if chance.random() < moving:
            if held and chance.random() < 0.5:
                held.pop()
            else:
                held.append(bytearray(chance.randrange(1, 64) * 4096))
        time.sleep(1.0)
    os._exit(chance.randrange(2))


if __name__ == "__main__":
    sys.exit(main())

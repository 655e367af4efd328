"""What recording costs beside sampling: ``python -m tests.bench.recorder [PROCESSES] [SECONDS] [MOVING]``.

Processes come and go; each lives for up to half a minute, and so many per cent of them (MOVING, 20) take or give back
memory in a second. Two engines sample them every second as ``memtop record`` does, one with a recorder and one without,
half a second apart, so that whatever else the machine does meets both. Three rounds of so many SECONDS. The figures are
processor time a second of the thread that samples and of all others, the writer's thread and SQLite included, and the
size of the file.
"""

from __future__ import annotations

import gc
import json
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
from typing import Final, NamedTuple

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


class _Cost(NamedTuple):
    """Processor time of one engine, in milliseconds a second."""

    sampling_ms: float
    others_ms: float

    @property
    def all_ms(self) -> float:
        """That of all threads."""
        return self.sampling_ms + self.others_ms


def main() -> int:
    """Measure and print; 1 where the budget is missed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    moving = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    print(
        f"{count} processes that come and go, {moving} % of them move, {ROUNDS} rounds of {seconds} s each: CPU ms/s",
        flush=True,
    )
    added_ms = []
    with tempfile.TemporaryDirectory(prefix="memtop-bench-") as folder, crowd(count, moving / 100):
        for number in range(ROUNDS):
            path = Path(folder) / f"{number}.memtop"
            start_s = time.monotonic() + 0.5
            running = [
                _begun(path if is_recorded else None, start_s + (is_recorded ^ number % 2) / 2, seconds)
                for is_recorded in (False, True)
            ]
            plain, recorded = [_ended(*one) for one in running]
            size = path.stat().st_size / (seconds + _WARM_TICKS) * 3600 / 1e6
            added_ms.append(recorded.all_ms - plain.all_ms)
            print(
                f"  {plain.all_ms:6.1f} without  {recorded.all_ms:6.1f} with: +{added_ms[-1]:.1f}"
                f" ({recorded.sampling_ms - plain.sampling_ms:+.1f} where it samples,"
                f" {recorded.others_ms - plain.others_ms:+.1f} elsewhere)  {size:.0f} MB an hour",
                flush=True,
            )
    print(f"  +{median(added_ms):.1f} ms/s (must be {MUST_MS:g} or less)")
    return int(median(added_ms) > MUST_MS)


def _begun(path: Path | None, start_s: float, seconds: int) -> tuple[int, int]:
    """Sample in a process of its own, so that no round inherits anything. Returns its PID and what it answers on."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        source: Source = LiveSource(runtimes=REGISTRY.read)
        cost = _sampled(source if path is None else Recorder(source, str(path)), start_s, seconds)
        os.write(writing, json.dumps(cost).encode())
        os._exit(0)
    os.close(writing)
    return child, reading


def _ended(child: int, reading: int) -> _Cost:
    with os.fdopen(reading) as answer:
        cost = _Cost(*json.load(answer))
    os.waitpid(child, 0)
    return cost


def _sampled(source: Source, planned_s: float, seconds: int) -> _Cost:
    request = _request()
    engine = engine_on(source)
    sampling_s = all_s = 0.0
    for tick in range(_WARM_TICKS + seconds):
        time.sleep(max(0.0, planned_s - time.monotonic()))
        if tick == _WARM_TICKS:
            sampling_s, all_s = time.thread_time(), time.process_time()
        engine.step(request)
        if isinstance(source, Recorder):
            source.pass_on()
        if tick == 0:
            gc.freeze()
            engine.prepare()
        planned_s += 1.0
    time.sleep(max(0.0, planned_s - time.monotonic()))  # until the last one is written
    sampling_s, all_s = time.thread_time() - sampling_s, time.process_time() - all_s
    source.close()
    return _Cost(1000 * sampling_s / seconds, 1000 * (all_s - sampling_s) / seconds)


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

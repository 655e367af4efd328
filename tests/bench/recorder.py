"""What recording costs beside sampling: ``python -m tests.bench.recorder [PROCESSES] [SECONDS] [MOVING]``.

Processes come and go; each lives for up to half a minute, and so many per cent of them (MOVING, 20) take or give back
memory in a second. Three rounds of so many SECONDS. In a round one process has two engines that sample every second as
``memtop record`` does, one with a recorder, which is first in one second and second in the next. So whatever else the
machine does meets both. What recording adds is the difference between the lower quartiles of their samples, which
were disturbed least, in processor time of the sampling thread, and all processor time of the writer's thread, SQLite
included.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Final, NamedTuple

from memtop.cli.composition import engine_on
from memtop.engine.engine import Engine
from memtop.model.request import Request
from memtop.runtimes.registry import REGISTRY
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.sources.live import LiveSource
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.writer import THREAD
from memtop.view_state import View

ROUNDS: Final = 3
LIVES_S: Final = (2.0, 30.0)
"""Shortest and longest life of a process."""
MUST_MS: Final = 5.0
_NEEDS: Final = Need.STAT | Need.STATUS | Need.OOM | Need.MEMBERSHIP | Need.GROUPS
_WARM_TICKS: Final = 4
_APART_S: Final = 0.3
"""Between the two samples of a second, so that the writer has written."""


class _Cost(NamedTuple):
    """Processor time, in milliseconds a second."""

    plain_ms: float
    """Of a sample without a recorder: the lower quartile."""
    sampling_ms: float
    """What a recorder adds to it."""
    writing_ms: float
    """Of the writer's thread: the mean."""


def main() -> int:
    """Measure and print; 1 where the budget is missed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    moving = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    print(
        f"{count} processes that come and go, {moving} % of them move, {ROUNDS} rounds of {seconds} s each: CPU ms/s",
        flush=True,
    )
    added_ms = []
    with tempfile.TemporaryDirectory(prefix="memtop-bench-") as folder, crowd(count, moving / 100):
        for number in range(ROUNDS):
            path = Path(folder) / f"{number}.memtop"
            cost = _measured(path, seconds)
            size = path.stat().st_size / (seconds + _WARM_TICKS) * 3600 / 1e6
            added_ms.append(cost.sampling_ms + cost.writing_ms)
            print(
                f"  {cost.plain_ms:6.1f} without; recording adds {added_ms[-1]:.1f}"
                f" ({cost.sampling_ms:.1f} where it samples, {cost.writing_ms:.1f} where it writes)"
                f"  {size:.0f} MB an hour",
                flush=True,
            )
    print(f"  +{median(added_ms):.1f} ms/s (must be {MUST_MS:g} or less)")
    return int(median(added_ms) > MUST_MS)


def _measured(path: Path, seconds: int) -> _Cost:
    """Measure in a process of its own, so that no round inherits anything."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        os.write(writing, json.dumps(_sampled(path, seconds)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        cost = _Cost(*json.load(answer))
    os.waitpid(child, 0)
    return cost


def _sampled(path: Path, seconds: int) -> _Cost:
    request = _request()
    source, recorder = LiveSource(runtimes=REGISTRY.read), Recorder(LiveSource(runtimes=REGISTRY.read), str(path))
    engines = engine_on(source), engine_on(recorder)
    used_s: tuple[list[float], list[float]] = [], []
    written_s, start_s = 0.0, time.monotonic()
    for tick in range(_WARM_TICKS + seconds):
        if tick == _WARM_TICKS:
            written_s = _writer_s()
        for place, which in enumerate((0, 1) if tick % 2 else (1, 0)):
            _sleep_until(start_s + tick + place * _APART_S)
            used_s[which].append(_step_s(engines[which], request, recorder if which else None))
        if tick == 0:
            gc.freeze()
            for engine in engines:
                engine.prepare()
    _sleep_until(start_s + _WARM_TICKS + seconds)  # until the last one is written
    written_s = _writer_s() - written_s
    recorder.close()
    source.close()
    plain_ms, recorded_ms = [1000 * quantiles(each[_WARM_TICKS:])[0] for each in used_s]
    return _Cost(plain_ms, recorded_ms - plain_ms, 1000 * written_s / seconds)


def _sleep_until(planned_s: float) -> None:
    time.sleep(max(0.0, planned_s - time.monotonic()))


def _step_s(engine: Engine, request: Request, recorder: Recorder | None = None) -> float:
    began_s = time.thread_time()
    engine.step(request)
    if recorder is not None:
        recorder.pass_on()
    return time.thread_time() - began_s


def _writer_s() -> float:
    """Processor time that the writer's thread has used."""
    (writer,) = (thread for thread in threading.enumerate() if thread.name == THREAD)
    assert writer.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(writer.ident))


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

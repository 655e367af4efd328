"""A long recording made in a short time: invented processes, played through memtop's own engine and recorder.

``python -m tests.bench.long_recording FILE [SECONDS] [PROCESSES] [KEEP_S] [MAX_BYTES]`` writes one, and prints its
size and the largest size that it and its log had on the way.
"""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import suppress
from typing import Final

from memtop.cli.composition import engine_on
from memtop.model.request import Request
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.tables import Bounds
from memtop.view_state import View
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource

_MOVING: Final = 0.2
"""Share of the processes whose memory moves in a second."""
_REPLACED: Final = 2
"""Processes that end in a second, and are replaced."""
_NEEDS: Final = Need.STAT | Need.STATUS | Need.OOM | Need.MEMBERSHIP
_REST_OF_STATUS: Final = (
    b"THP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\nSigQ:\t0/95969\n"
    + b"".join(b"Sig%b:\t%016x\n" % (name, number) for number, name in enumerate((b"Pnd", b"Blk", b"Ign", b"Cgt")))
    + b"".join(b"Cap%b:\t%016x\n" % (name, 1 << 40) for name in (b"Inh", b"Prm", b"Eff", b"Bnd", b"Amb"))
    + b"NoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tthread vulnerable\n"
    + b"Mems_allowed:\t%b1\nMems_allowed_list:\t0\n" % (b"00000000," * 31)
)
"""What the kernel writes in addition to what a FakeProcess has."""


class _Process(FakeProcess):
    def status(self) -> bytes:
        return super().status() + _REST_OF_STATUS + b"voluntary_ctxt_switches:\t%d\n" % (self.minflt // 16)


def write(path: str, seconds: int, processes: int, bounds: Bounds | None = None) -> int:
    """Write one at a sample a second. Returns the largest size on the way, in bytes."""
    chance = random.Random(16)
    source = FakeSource(*(_process(100 + number, chance) for number in range(processes)))
    recorder = Recorder(source, path, bounds=bounds)
    engine, request = engine_on(recorder), _request()
    next_pid, largest = 100 + processes, 0
    for _ in range(seconds):
        engine.step(request)
        recorder.pass_on()
        largest = max(largest, _size(path))
        recorder.recent()  # waits for the writer, whose queue is bounded
        living = list(source.processes.values())
        for process in chance.sample(living, int(len(living) * _MOVING)):
            process.rss_pages = max(MIB_PAGES, process.rss_pages + chance.randrange(-64, 65))
            process.minflt += 16
            process.cpu_ticks += 1
        for process in chance.sample(living, min(_REPLACED, len(living) - 1)):
            del source.processes[process.pid]
            source.add(_process(next_pid, chance, start_ticks=int(source.mono_s * 100)))
            next_pid += 1
    recorder.close()
    assert recorder.problem is None, recorder.problem
    return largest


def _process(pid: int, chance: random.Random, start_ticks: int = 500) -> FakeProcess:
    return _Process(pid, start_ticks=start_ticks, rss_pages=chance.randrange(MIB_PAGES, 60 * MIB_PAGES))


def _request() -> Request:
    request = View.of(Settings()).request()
    return request._replace(readings=request.readings._replace(needs_all=_NEEDS, outlooks=True))


def _size(path: str) -> int:
    """Size of the file and its log, in bytes."""
    size = 0
    for name in (path, path + "-wal"):
        with suppress(FileNotFoundError):
            size += os.stat(name).st_size
    return size


def main() -> int:
    """Write one and print its sizes."""
    path, *numbers = sys.argv[1:]
    seconds, processes, keep_s, max_bytes = [*map(int, numbers), *(3600, 500, 0, 0)[len(numbers) :]]
    began_s = time.monotonic()
    largest = write(path, seconds, processes, Bounds(keep_s or None, max_bytes or None))
    print(
        f"{seconds} s of {processes} processes took {time.monotonic() - began_s:.0f} s:"
        f" {os.stat(path).st_size / 1e6:.1f} MB,"
        f" at most {largest / 1e6:.1f} MB with its log on the way"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

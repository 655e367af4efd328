"""What being watched costs the watched: the latency of its own mmap and munmap, alone and under memtop.

The target has so much memory resident, in pages of the least size, and does nothing but map and unmap. Each memtop is
started once; then windows follow each other, in each of which one of them runs, or none, and all others are stopped by
SIGSTOP. So what drifts on the machine falls out, and the two arms in which none runs show what is left of it.

The target has a processor to itself, as far as memtop and the bench are concerned: what is seen is the kernel's locks,
not the competition for a processor.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.contestants import MEMTOP, command
from tests.bench.mapper import Mapper, Window
from tests.bench.percentiles import turns
from tests.bench.terminal import Size, Terminal

ALONE: Final = "alone"
NOISE: Final = "alone, again"
WATCHING: Final = {"memtop PID": (MEMTOP,), "memtop --no-smaps PID": (MEMTOP, "--no-smaps")}
ARMS: Final = (ALONE, NOISE, *WATCHING)
SIZES_MIB: Final = (100, 768, 1024, 3072, 6144)
STARTING_S: Final = 5.0
_STOP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one run."""

    size: Size
    """Of memtop's terminals: from 36 lines on, it opens its Regions panel by itself."""
    rounds: int
    """In each of them every arm has two windows."""
    seconds: float
    """Of one window. It has to be longer than the time between two readings of the mappings, 10 to 20 s up to 1 GiB: a
    memtop that was stopped reads as soon as it goes on, so that short windows see a reading each."""
    pinned: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """A target of one size."""

    starting: Window
    """While each memtop starts and looks at it for the first time."""
    windows: Mapping[str, Sequence[Window]]
    """By arm; those at one place make a pair."""


def measure(program: Path, resident_mib: int, plan: Plan) -> Measured:
    """All arms, by turns."""
    found: dict[str, list[Window]] = {arm: [] for arm in ARMS}
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="memtop-bench-")))
        target = stack.enter_context(Mapper(program, resident_mib))
        if plan.pinned:
            stack.enter_context(_apart_from(target.pid))
        running = {
            arm: stack.enter_context(Terminal(command((*words, str(target.pid))), plan.size, home))
            for arm, words in WATCHING.items()
        }
        starting = target.measure(STARTING_S, keep_preempted=not plan.pinned)
        for terminal in running.values():
            stack.callback(os.kill, terminal.pid, signal.SIGCONT)  # or it would not end
            _stop(terminal.pid)
        for turn in turns(ARMS, plan.rounds):
            for arm in turn:
                watching = running.get(arm)
                if watching is not None:
                    os.kill(watching.pid, signal.SIGCONT)
                found[arm].append(target.measure(plan.seconds, keep_preempted=not plan.pinned))
                if watching is not None:
                    _stop(watching.pid)
    return Measured(starting, found)


@contextmanager
def _apart_from(pid: int) -> Iterator[None]:
    """Give one processor to this process, the others to this one and those that it starts meanwhile."""
    processors = os.sched_getaffinity(0)
    own = min(processors)
    os.sched_setaffinity(pid, {own})
    os.sched_setaffinity(0, processors - {own} or processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)


def _stop(pid: int) -> None:
    """SIGSTOP; returns when all threads have stopped, so that none of them holds a lock of the kernel."""
    os.kill(pid, signal.SIGSTOP)
    deadline_s = time.monotonic() + _STOP_S
    while not all(state == "T" for state in _states(pid)):
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"process {pid} does not stop")
        time.sleep(0.001)


def _states(pid: int) -> Sequence[str]:
    return [(task / "stat").read_text().rpartition(") ")[2][0] for task in Path(f"/proc/{pid}/task").iterdir()]

"""How well the memory of a fork family is estimated where PSS is unknown: ``python -m tests.lab.forks``.

Real families copy what they share, in several orders, by some or all of their members, forked at once or one after
another. At each step PSS of smaps is compared with the estimate from bit 56 of pagemap. The exit code is 1 where fewer
than 90 % of the rates over four steps lie within the error that memtop tells.
"""

from __future__ import annotations

import array
import ctypes
import itertools
import mmap
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from memtop.analysis.memory_map.sharing import ESTIMATE_ERROR, estimated_pss_bytes

_PAGES: Final = 4096
_PAGE: Final = mmap.PAGESIZE
_STEPS: Final = 12
_OVER: Final = 4
"""Steps over which a rate is taken."""
_ORDERS: Final = ("same", "random", "shifted")


class Family(NamedTuple):
    """Who copies what."""

    workers: int
    order: str
    parent_writes: bool
    one_after_another: bool
    """Whether the parent writes some of it between two forks."""
    writers: int
    """Workers that write; the others only share."""


def _families() -> Iterator[Family]:
    for workers, order, parent, apart in itertools.product((1, 3, 7), _ORDERS, (False, True), (False, True)):
        for writers in sorted({1, workers}):
            yield Family(workers, order, parent, apart, writers)


def _order(family: Family, member: int) -> list[int]:
    pages = list(range(_PAGES))
    if family.order == "random":
        random.Random(member).shuffle(pages)
    start = _PAGES * member // (family.workers + 1) if family.order == "shifted" else 0
    return pages[start:] + pages[:start]


def _alone_and_shared(pid: int, address: int) -> tuple[int, int]:
    """Bytes that pagemap says are mapped once, and the rest of what is there."""
    with Path(f"/proc/{pid}/pagemap").open("rb", buffering=0) as file:
        file.seek(address // _PAGE * 8)
        entries = array.array("Q", file.read(_PAGES * 8))
    there = [entry for entry in entries if entry >> 63]
    alone = sum(entry >> 56 & 1 for entry in there)
    return alone * _PAGE, (len(there) - alone) * _PAGE


def _pss_bytes(pid: int, address: int) -> int:
    is_it = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            start, end = (int(one, 16) for one in first.split("-"))
            is_it = start <= address < end
        elif is_it and first == "Pss:":
            return int(rest[0]) * 1024
    return 0


@contextmanager
def _worker(memory: mmap.mmap, pages: list[int]) -> Iterator[tuple[int, int, int]]:
    """A child that writes the next pages for each byte that it is given: its PID, and where to write and to read."""
    ask, given = os.pipe()
    done, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(given)
        for first in itertools.count(step=_PAGES // _STEPS):
            if not os.read(ask, 1):
                os._exit(0)
            for page in pages[first : first + _PAGES // _STEPS]:
                memory[page * _PAGE] = 2
            os.write(told, b"x")
    try:
        yield pid, given, done
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        for one in (ask, given, done, told):
            os.close(one)


def _run(family: Family, memory: mmap.mmap, address: int) -> list[tuple[int, int]]:
    """PSS and estimate after each step."""
    for page in range(_PAGES):
        memory[page * _PAGE] = 1
    with _grown(family, memory, 0) as workers:
        found, pages = [], _order(family, 0)
        for step in range(_STEPS + 1):
            pids = [os.getpid(), *(pid for pid, _, _ in workers)]
            estimate = estimated_pss_bytes([_alone_and_shared(pid, address) for pid in pids])
            found.append((sum(_pss_bytes(pid, address) for pid in pids), estimate))
            for _, ask, done in workers[: family.writers]:
                os.write(ask, b"x")
                os.read(done, 1)
            if family.parent_writes:
                for page in pages[step * (_PAGES // _STEPS) : (step + 1) * (_PAGES // _STEPS)]:
                    memory[page * _PAGE] = 2
    return found


@contextmanager
def _grown(family: Family, memory: mmap.mmap, number: int) -> Iterator[list[tuple[int, int, int]]]:
    """The workers from this number on."""
    if number == family.workers:
        yield []
        return
    if family.one_after_another and number:
        for page in random.Random(99 + number).sample(range(_PAGES), _PAGES // 8):
            memory[page * _PAGE] = 3
    with _worker(memory, _order(family, number + 1)) as one, _grown(family, memory, number + 1) as others:
        yield [one, *others]


def main() -> int:
    """Print how the rates compare."""
    found = []
    for family in _families():
        memory = mmap.mmap(-1, _PAGES * _PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        steps = _run(family, memory, ctypes.addressof(ctypes.c_char.from_buffer(memory)))
        for before, after in zip(steps, steps[_OVER:], strict=False):
            if (true := after[0] - before[0]) > _PAGES * _PAGE // 20:
                found.append((after[1] - before[1]) / true)
    found.sort()
    within = sum(abs(one - 1) <= ESTIMATE_ERROR for one in found) / len(found)
    middle = found[len(found) // 20], found[-1 - len(found) // 20]
    print(f"{len(found)} rates: 90 % are {middle[0]:.2f} to {middle[1]:.2f} of the true one, ", end="")
    print(f"{100 * within:.0f} % within {100 * ESTIMATE_ERROR:.0f} %")
    return 0 if within >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())

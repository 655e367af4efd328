"""Table of the demo scenarios: the commentary, memory operation and duration of each step.

Every sentence holds for pages that are touched one by one in mappings without huge pages. The numbers in the sentences
are computed from the sizes and times next to them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from memtop.demo.memory_operations import MemoryOperations
from memtop.errors import UsageError
from memtop.procfs.statm import OWN_PAGE_BYTES

MIB: Final = 1 << 20
DEFAULT_SCENARIO: Final = "reserve"
_PAGE: Final = f"{OWN_PAGE_BYTES // 1024} KiB"


class Act(NamedTuple):
    """One step of a scenario."""

    title: str
    commentary: str
    watch: str
    do: Callable[[MemoryOperations, float], None] = MemoryOperations.look
    work_s: float = 0.0
    """Time over which the work is spread."""
    rest_s: float = 6.0
    """Time for the user to look at the result."""


class Scenario(NamedTuple):
    """A workload to look at. Its acts are repeated in rounds."""

    name: str
    says: str
    """One line, for --help."""
    needs_bytes: int
    """The most RAM that it uses at any time, children included."""
    acts: tuple[Act, ...]
    panel: str = ""
    """Name of the panel that is open at the start; empty for none."""


def _pages(size_mib: float) -> str:
    return f"{size_mib * MIB / OWN_PAGE_BYTES:,.0f}"


def _faults_per_s(size_mib: float, seconds: float) -> str:
    """The approximate number of first touches per second, in two digits."""
    return f"{float(f'{size_mib * MIB / OWN_PAGE_BYTES / seconds:.2g}'):,.0f}"


def _reserve(size: int = 500, read_s: float = 6, write_s: float = 8) -> tuple[Act, ...]:
    return (
        Act(
            "A small process",
            "It has just started. VIRT is its address space. RES is the part of its pages that is in RAM now.",
            "VIRT above, RES below.",
            rest_s=5,
        ),
        Act(
            f"Ask for {size} MiB",
            "It asks the kernel for address space (mmap). The kernel records the range and assigns no RAM.",
            f"VIRT jumps by {size} MiB. RES stays.",
            partial(MemoryOperations.map, size_bytes=size * MIB),
            rest_s=8,
        ),
        Act(
            "Read every page",
            f"It reads one byte of each of the {_pages(size)} pages. Each first read is a minor fault: no disk is "
            "needed, and every page points to the same shared page of zeros. That takes no RAM.",
            f"MINFLT/s rises to about {_faults_per_s(size, read_s)}. RES stays.",
            MemoryOperations.read,
            work_s=read_s,
            rest_s=6,
        ),
        Act(
            "Write every page",
            "It writes one byte to each page. Each first write is another minor fault, and now the kernel must "
            f"provide a page of RAM, {_PAGE} for one byte.",
            f"RES climbs by {size} MiB in {write_s:.0f} seconds, MINFLT/s is about {_faults_per_s(size, write_s)}. "
            "VIRT stays.",
            MemoryOperations.write,
            work_s=write_s,
            rest_s=8,
        ),
        Act(
            "Give the pages back",
            "It tells the kernel that it no longer needs their contents (madvise, MADV_DONTNEED). The RAM is free "
            "for others at once; the address space stays.",
            "RES falls to where it began. VIRT stays.",
            MemoryOperations.discard,
            rest_s=7,
        ),
        Act(
            "Give the address space back",
            "It unmaps the range (munmap). RES was already low, so nothing else changes.",
            f"VIRT falls by {size} MiB. RES stays.",
            MemoryOperations.unmap,
            rest_s=6,
        ),
        Act(
            "What to remember",
            "VIRT is address space. RES is what is in RAM, and a page gets there when it is first written. "
            "A large VIRT alone is no problem; the next round shows it again.",
            "PEAK keeps the highest RES after RES has fallen.",
            rest_s=6,
        ),
    )


def _leak(size: int = 300, seconds: float = 150) -> tuple[Act, ...]:
    third, third_s = size // 3, seconds / 3
    rate = size * 60 / seconds
    grow = partial(MemoryOperations.leak, size_bytes=third * MIB)
    return (
        Act(
            "It starts to leak",
            "It allocates small buffers, uses each once and forgets it. Nothing will ever free them.",
            f"RES grows by about {rate:.0f} MiB per minute, and so does VIRT. MINFLT/s is low and steady.",
            grow,
            work_s=third_s,
            rest_s=0,
        ),
        Act(
            "It continues",
            "A program that warms up or fills a cache slows down eventually. A leak keeps its slope: only time tells "
            "the two apart.",
            "A straight line. The low point of each minute is higher than the one before.",
            grow,
            work_s=third_s,
            rest_s=0,
        ),
        Act(
            "And on",
            "The kernel cannot drop these pages. It can move them to swap; without swap they stay in RAM until "
            "a limit is reached and the OOM killer kills a process.",
            "Anonymous memory (ANON) grows, shared memory (SHR) does not.",
            grow,
            work_s=third_s,
            rest_s=10,
        ),
        Act(
            "Restarted",
            "The usual remedy for a leak: the program is restarted, and all memory comes back. "
            "This demo only frees its buffers.",
            "RES and VIRT fall to where they began.",
            MemoryOperations.unmap,
            rest_s=12,
        ),
    )


def _map_and_write(stage: MemoryOperations, seconds: float, *, size_bytes: int, stop: int) -> None:
    """A process that holds some memory before its scenario begins."""
    stage.map(0, size_bytes=size_bytes)
    stage.write(seconds, stop=stop)


def _spike(base: int = 50, peak: int = 300, burst: int = 100) -> tuple[Act, ...]:
    return (
        Act(
            "A quiet process",
            f"It holds {base} MiB and is nearly idle.",
            "RES is flat.",
            partial(_map_and_write, size_bytes=(base + peak) * MIB, stop=base * MIB),
            work_s=1,
            rest_s=8,
        ),
        Act(
            "A large request",
            f"For a moment it needs {peak} MiB more.",
            f"RES shoots up by {peak} MiB.",
            partial(MemoryOperations.write, start=base * MIB, stop=(base + peak) * MIB),
            work_s=2,
            rest_s=2,
        ),
        Act(
            "And it is over",
            "It has given the pages back. This is a spike, not a leak: RES is where it was. But the machine "
            "needed room for the peak.",
            "RES is low again; PEAK keeps the maximum.",
            partial(MemoryOperations.discard, start=base * MIB, stop=(base + peak) * MIB),
            rest_s=10,
        ),
        Act(
            "A burst too short to see",
            f"{burst} MiB are written and given back within a fraction of a second, between two samples.",
            f"RES may not show it; MINFLT/s does:  {_pages(burst)} pages were touched.",
            partial(MemoryOperations.burst, start=base * MIB, stop=(base + burst) * MIB),
            rest_s=10,
        ),
        Act(
            "Back to the start",
            "It gives everything back and starts over.",
            "RES and VIRT fall to where they began.",
            MemoryOperations.unmap,
            rest_s=5,
        ),
    )


def _sawtooth(floor: int = 60, tooth: int = 200, teeth: int = 5) -> tuple[Act, ...]:
    start, stop = floor * MIB, (floor + tooth) * MIB
    first = Act(
        "A garbage-collected program",
        f"{floor} MiB of its memory are live. Everything else it allocates soon becomes garbage.",
        f"RES is at its low point, {floor} MiB above the bare process.",
        partial(_map_and_write, size_bytes=stop, stop=start),
        work_s=1,
        rest_s=4,
    )
    rounds = [
        act
        for number in range(1, teeth + 1)
        for act in (
            Act(
                f"Garbage piles up ({number} of {teeth})",
                "Between two collections RES grows as fast as the program allocates: a slope, but no leak.",
                f"RES climbs by {tooth} MiB.",
                partial(MemoryOperations.write, start=start, stop=stop),
                work_s=9,
                rest_s=0,
            ),
            Act(
                f"Collection {number} of {teeth}",
                "The collector frees the garbage and gives the pages back.",
                "RES falls to the same low point each time. Rising low points would be a leak.",
                partial(MemoryOperations.discard, start=start, stop=stop),
                rest_s=2,
            ),
        )
    ]
    last = Act(
        "Back to the start",
        "Judge such a program by its low points after each fall, never by its peaks.",
        "RES and VIRT fall to where they began.",
        MemoryOperations.unmap,
        rest_s=6,
    )
    return (first, *rounds, last)


def _fork(size: int = 200) -> tuple[Act, ...]:
    half = size // 2
    return (
        Act(
            f"One process with {size} MiB",
            "It has written to every page.",
            f"RES is {size} MiB above the bare process.",
            partial(_map_and_write, size_bytes=size * MIB, stop=size * MIB),
            work_s=2,
            rest_s=5,
        ),
        Act(
            "It forks",
            "The child gets a copy of the page tables, not of the pages: both now map the same RAM. RES counts "
            "every page in full in both, so their sum counts it twice.",
            f"Two processes with {size} MiB each; the machine's available memory hardly changes.",
            MemoryOperations.fork,
            rest_s=9,
        ),
        Act(
            "The child reads",
            "Its page tables are already filled in, and reading changes nothing. The pages stay shared.",
            "Hardly any faults, and no number changes.",
            MemoryOperations.child_reads,
            work_s=3,
            rest_s=5,
        ),
        Act(
            "The child writes to one half",
            f"Copy on write: on the first write to each of {_pages(half)} pages the kernel makes a copy for the child.",
            f"The child's MINFLT/s is about {_faults_per_s(half, 5)}. RES changes in neither, but the machine has "
            f"{half} MiB less available.",
            partial(MemoryOperations.child_writes, stop=half * MIB),
            work_s=5,
            rest_s=9,
        ),
        Act(
            "The parent writes to the same half",
            "These pages belong to it alone again, because the child has copies. Each write is a minor fault, but "
            "nothing is copied.",
            "The parent's MINFLT/s rises as the child's did; no RAM is used.",
            partial(MemoryOperations.write, stop=half * MIB),
            work_s=5,
            rest_s=7,
        ),
        Act(
            "The child ends",
            f"Only its own copies are freed: {half} MiB, although its RES was {size} MiB. The rest now belongs to the "
            "parent alone.",
            "The child's row is gone. The parent's RES has not changed.",
            MemoryOperations.end_child,
            rest_s=7,
        ),
        Act(
            "Back to the start",
            "Adding up RES over a family counts shared pages several times. PSS divides each page by the number of "
            "its mappings, so its sum is correct.",
            "RES and VIRT fall to where they began.",
            MemoryOperations.unmap,
            rest_s=6,
        ),
    )


_SCENARIOS: Final = (
    Scenario("reserve", "map, read, write, give back: VIRT versus RES", 500 * MIB, _reserve()),
    Scenario("leak", "memory that is never freed: an endless slope", 300 * MIB, _leak()),
    Scenario("spike", "a peak that is over before you look", 350 * MIB, _spike()),
    Scenario("sawtooth", "a garbage collector: a slope, but no leak", 260 * MIB, _sawtooth()),
    Scenario("fork", "a child that shares, then writes: copy on write", 300 * MIB, _fork(), panel="sharing"),
)


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios, the default one first."""
    return _SCENARIOS


def scenario_named(name: str) -> Scenario:
    """The scenario of this name. Raises UsageError, which lists the names."""
    for scenario in _SCENARIOS:
        if scenario.name == name:
            return scenario
    raise UsageError(f"no demo {name!r}: choose one of {', '.join(scenario.name for scenario in _SCENARIOS)}")

"""Memory operations of a workload: reserve, read, write, give back, share with a child.

Each operation touches exactly one byte of each page and allocates nothing else: extended slices of mmap(2) objects step
over the mapping in C. Huge pages are off for these mappings, so that one touched page is one fault and 4 KiB.
"""

from __future__ import annotations

import errno
import mmap
from collections.abc import Iterator
from typing import Final

from memtop.demo.forked_child import ForkedChild
from memtop.demo.pacing import Pacing
from memtop.errors import MemtopError
from memtop.procfs.statm import OWN_PAGE_BYTES

_LEAK_BYTES: Final = 256 * 1024
"""Size of one leaked buffer."""


class MemoryOperations:
    """The memory of one workload. ``seconds`` is how long an act takes at speed 1."""

    def __init__(self, pace: Pacing) -> None:
        self._pace = pace
        self._blocks: list[mmap.mmap] = []
        self._child: ForkedChild | None = None

    @property
    def child_pid(self) -> int | None:
        """The child that shares this memory; None if there is none."""
        return self._child.pid if self._child else None

    def look(self, seconds: float) -> None:
        """Do nothing."""

    def map(self, seconds: float, *, size_bytes: int) -> None:
        """Reserve address space: private and anonymous, never touched."""
        block = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        try:
            block.madvise(mmap.MADV_NOHUGEPAGE)
        except OSError as error:
            if error.errno != errno.EINVAL:  # EINVAL: a kernel without transparent huge pages, so nothing to avoid
                raise
        self._blocks.append(block)

    def read(self, seconds: float, *, start: int = 0, stop: int | None = None) -> None:
        """Read one byte of each page of ``start`` to ``stop`` (in bytes) of the newest block."""
        block = self._blocks[-1]
        for first, last in self._slices(seconds, start, stop):
            block[first:last:OWN_PAGE_BYTES]

    def write(self, seconds: float, *, start: int = 0, stop: int | None = None) -> None:
        """Write one byte of each page of ``start`` to ``stop`` (in bytes) of the newest block."""
        block = self._blocks[-1]
        for first, last in self._slices(seconds, start, stop):
            block[first:last:OWN_PAGE_BYTES] = b"\x01" * ((last - first) // OWN_PAGE_BYTES)

    def discard(self, seconds: float, *, start: int = 0, stop: int | None = None) -> None:
        """Give the pages from ``start`` to ``stop`` back and keep the address space: MADV_DONTNEED."""
        block = self._blocks[-1]
        block.madvise(mmap.MADV_DONTNEED, start, (len(block) if stop is None else stop) - start)

    def burst(self, seconds: float, *, start: int, stop: int) -> None:
        """Write pages and give them back at once."""
        self.write(0, start=start, stop=stop)
        self.discard(0, start=start, stop=stop)

    def leak(self, seconds: float, *, size_bytes: int) -> None:
        """Allocate one small buffer after another, use each and leak it."""
        for buffers in self._pace.spread(size_bytes // _LEAK_BYTES, seconds):
            for _ in buffers:
                self.map(0, size_bytes=_LEAK_BYTES)
                self.write(0)

    def unmap(self, seconds: float) -> None:
        """Unmap everything, which also frees every page."""
        while self._blocks:
            self._blocks.pop().close()

    def fork(self, seconds: float) -> None:
        """Fork a child that shares every page until one of the two writes to it."""
        self._child = ForkedChild(self._pace.speed, self._obey)

    def child_reads(self, seconds: float) -> None:
        """Let the child read one byte of each page."""
        self._order("read", seconds, 0, len(self._blocks[-1]))

    def child_writes(self, seconds: float, *, stop: int) -> None:
        """Let the child write one byte of each page up to ``stop`` bytes."""
        self._order("write", seconds, 0, stop)

    def end_child(self, seconds: float) -> None:
        """End the child."""
        if self._child:
            self._child.end()
            self._child = None

    def _order(self, verb: str, seconds: float, start: int, stop: int) -> None:
        if not (self._child and self._child.order(verb, seconds, start, stop, self._pace)):
            raise MemtopError("the child has ended, so nothing is shared")

    def _obey(self, pace: Pacing, verb: str, seconds: float, start: int, stop: int) -> None:
        """Carry out one order in the child, at the child's own pace."""
        self._pace = pace
        (self.write if verb == "write" else self.read)(seconds, start=start, stop=stop)

    def _slices(self, seconds: float, start: int, stop: int | None) -> Iterator[tuple[int, int]]:
        """(first, last) byte of each slice of work, spread evenly over ``seconds``."""
        size_bytes = (len(self._blocks[-1]) if stop is None else stop) - start
        for pages in self._pace.spread(size_bytes // OWN_PAGE_BYTES, seconds):
            yield start + pages.start * OWN_PAGE_BYTES, start + pages.stop * OWN_PAGE_BYTES

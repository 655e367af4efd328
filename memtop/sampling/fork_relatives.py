"""Finds the fork relatives of a few processes through the lists of their children, without listing all of /proc.

The kernel keeps a list for each thread. Where a process has very many threads, or the kernel has no such lists, the
parents of all processes are read instead. A recording may lack the lists too. It has the parent of each process that
was read.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Final

from memtop.errors import MemtopError
from memtop.procfs.stat import PidStat, parse_stat
from memtop.sources.protocol import Source

AGAIN_S: Final = 5.0
"""Interval at which they are looked for again."""
MOST: Final = 512
"""Processes of which stat is read to find them. Relatives beyond are not found: a family of so many is not summed."""
MOST_THREADS: Final = 512
"""Where a process has more, the parents of all processes are read: the children of each thread would take longer."""


class ForkRelatives:
    """Parents and children that run the same program since the same exec, and theirs."""

    def __init__(self, source: Source, *, replaying: bool = False) -> None:
        self._source = source
        self._replaying = replaying
        self._of: frozenset[int] = frozenset()
        self._found: frozenset[int] = frozenset()
        self._at_s = 0.0
        self._by_parent: dict[int, list[int]] | None = None
        """The children of each process, of all processes that are listed; None until that is needed."""

    def of(self, pids: frozenset[int], listed: Container[int], now_s: float) -> frozenset[int]:
        """PIDs of the relatives of ``pids``. Those that are still ``listed``, which the latest sample has, stay:
        a process that is not read anymore would look like one that has ended."""
        if pids != self._of or not 0 <= now_s - self._at_s < AGAIN_S:
            self._of, self._at_s = pids, now_s
            living = frozenset(pid for pid in self._found if pid in listed)
            self._found = living | self._look(pids)
        return self._found

    def _look(self, pids: Iterable[int]) -> frozenset[int]:
        self._by_parent = None
        known = {pid: self._stat(pid) for pid in pids}
        found = {pid: stat for pid, stat in known.items() if stat is not None}
        waiting = list(found)
        while waiting:
            one = found[waiting.pop()]
            for pid in (one.ppid, *self._children(one)):
                if pid not in known:
                    if len(known) >= MOST:
                        return frozenset(found)
                    known[pid] = self._stat(pid)
                stat = known[pid]
                if stat is not None and pid not in found and _same_program(one, stat):
                    found[pid] = stat
                    waiting.append(pid)
        return frozenset(found)

    def _children(self, parent: PidStat) -> Sequence[int]:
        if not self._replaying and parent.threads <= MOST_THREADS:
            lists = [self._children_of(parent.pid, tid) for tid in self._tids(parent)]
            if any(one is not None for one in lists):  # a thread may end meanwhile
                return [pid for one in lists for pid in one or ()]
        if self._by_parent is None:
            self._by_parent = {}
            # A replay would list all that a recorder reads here.
            source = getattr(self._source, "unrecorded", self._source)
            for pid in source.pids():
                if (stat := _stat_of(source, pid)) is not None:
                    self._by_parent.setdefault(stat.ppid, []).append(pid)
        return self._by_parent.get(parent.pid, ())

    def _tids(self, parent: PidStat) -> Sequence[int]:
        try:
            return [parent.pid] if parent.threads < 2 else self._source.tids(parent.pid)
        except MemtopError:
            return ()

    def _children_of(self, pid: int, tid: int) -> list[int] | None:
        """Those that one thread has forked; None if it has ended, or if this kernel does not list them."""
        try:
            return [int(word) for word in self._source.read(f"proc/{pid}/task/{tid}/children").split()]
        except (MemtopError, ValueError):
            return None

    def _stat(self, pid: int) -> PidStat | None:
        return _stat_of(self._source, pid)


def _stat_of(source: Source, pid: int) -> PidStat | None:
    try:
        return parse_stat(source.read(f"proc/{pid}/stat"))
    except MemtopError:
        return None


def _same_program(one: PidStat, other: PidStat) -> bool:
    return 1 < one.start_code == other.start_code and one.arg_start == other.arg_start

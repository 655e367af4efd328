"""Finds the fork relatives of a few processes through the lists of their children, without listing all of /proc.

A recording may lack these lists. It has the parent of each process that was read.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final

from memtop.errors import MemtopError
from memtop.procfs.stat import PidStat, parse_stat
from memtop.sources.protocol import Source

AGAIN_S: Final = 5.0
"""Interval at which they are looked for again."""
MOST: Final = 512
"""Processes of which stat is read to find them. Relatives beyond are not found: a family of so many is not summed."""
MOST_THREADS: Final = 64
"""Threads of a process whose children are looked for: the kernel lists children by the thread that forked them."""


class ForkRelatives:
    """Parents and children that run the same program since the same exec, and theirs."""

    def __init__(self, source: Source, *, replaying: bool = False) -> None:
        self._source = source
        self._replaying = replaying
        self._of: frozenset[int] = frozenset()
        self._found: frozenset[int] = frozenset()
        self._at_s = 0.0

    def of(self, pids: frozenset[int], listed: Container[int], now_s: float) -> frozenset[int]:
        """PIDs of the relatives of ``pids``. Those that are still ``listed``, which the latest sample has, stay:
        a process that is not read any more would look like one that has ended."""
        if pids != self._of or not 0 <= now_s - self._at_s < AGAIN_S:
            self._of, self._at_s = pids, now_s
            living = frozenset(pid for pid in self._found if pid in listed)
            self._found = living | self._look(pids)
        return self._found

    def _look(self, pids: Iterable[int]) -> frozenset[int]:
        known = {pid: self._stat(pid) for pid in pids}
        found = {pid: stat for pid, stat in known.items() if stat is not None}
        waiting = list(found)
        recorded = self._recorded_children() if self._replaying else None
        while waiting:
            one = found[waiting.pop()]
            children = self._children(one) if recorded is None else recorded.get(one.pid, ())
            for pid in (one.ppid, *children):
                if pid not in known:
                    if len(known) >= MOST:
                        return frozenset(found)
                    known[pid] = self._stat(pid)
                stat = known[pid]
                if stat is not None and pid not in found and _same_program(one, stat):
                    found[pid] = stat
                    waiting.append(pid)
        return frozenset(found)

    def _recorded_children(self) -> dict[int, list[int]]:
        """The children of each process, of all processes that a recording has at this instant."""
        children: dict[int, list[int]] = {}
        for pid in self._source.pids():
            if (stat := self._stat(pid)) is not None:
                children.setdefault(stat.ppid, []).append(pid)
        return children

    def _stat(self, pid: int) -> PidStat | None:
        try:
            return parse_stat(self._source.read(f"proc/{pid}/stat"))
        except MemtopError:
            return None

    def _children(self, parent: PidStat) -> list[int]:
        pid, found = parent.pid, []
        try:
            threads = [pid] if parent.threads < 2 else self._source.tids(pid)
            for tid in threads[:MOST_THREADS]:
                found += [int(word) for word in self._source.read(f"proc/{pid}/task/{tid}/children").split()]
        except (MemtopError, ValueError):  # no such file in this kernel, or it ends
            return found
        return found


def _same_program(one: PidStat, other: PidStat) -> bool:
    return 1 < one.start_code == other.start_code and one.arg_start == other.arg_start

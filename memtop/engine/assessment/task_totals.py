"""Sums over the processes of a cgroup, kept from tick to tick: only rows that have changed are added again."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress, count
from operator import is_not
from typing import NamedTuple

from memtop.model.row import ProcessRow


class TaskSums(NamedTuple):
    """Sums over all processes of a cgroup, in bytes. Shared pages count in each process."""

    rss_bytes: int
    anon_bytes: int
    shmem_bytes: int
    """RssShmem; including the pages of files if that is unknown."""


class _Sums:
    """Those of one cgroup."""

    def __init__(self, members: tuple[int, ...]) -> None:
        self.members = members
        self._rows: list[ProcessRow | None] = [None] * len(members)
        self._unknown = len(members)
        """Members of which a size is not known."""
        self._rss = self._anon = self._shmem = 0

    def take(self, rows: Mapping[int, ProcessRow]) -> TaskSums | None:
        """The sums at the next tick; None if a process is unknown."""
        if self._unknown and not all(map(rows.__contains__, self.members)):
            return None  # most are missing where only some processes are read, and the first that is ends the search
        now, before = list(map(rows.get, self.members)), self._rows
        for place in compress(count(), map(is_not, now, before)):
            self._add(before[place], -1)
            self._add(now[place], 1)
        self._rows = now
        return None if self._unknown else TaskSums(self._rss, self._anon, self._shmem)

    def _add(self, task: ProcessRow | None, times: int) -> None:
        if task is None or task.rss_bytes is None or task.anon_bytes is None:
            self._unknown += times
        elif task.same_memory_as is None:
            self._rss += times * task.rss_bytes
            self._anon += times * task.anon_bytes
            self._shmem += times * ((task.shr_bytes or 0) if task.shmem_bytes is None else task.shmem_bytes)


class TaskTotals:
    """Sums by path of the cgroup."""

    def __init__(self) -> None:
        self._known: dict[str, _Sums] = {}
        self._found: dict[str, TaskSums | None] = {}
        """Those of this tick."""

    def begin(self) -> None:
        """Start the next tick, and drop the cgroups that were not asked for at the last."""
        self._known = {path: self._known[path] for path in self._found}
        self._found = {}

    def of(self, path: str, members: tuple[int, ...], rows: Mapping[int, ProcessRow]) -> TaskSums | None:
        """The sums over these members of a cgroup at this tick; None if one of them is unknown."""
        if path not in self._found:
            sums = self._known.get(path)
            if sums is None or sums.members != members:
                sums = self._known[path] = _Sums(members)
            self._found[path] = sums.take(rows)
        return self._found[path]

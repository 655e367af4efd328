"""What happened in groups since memtop started: OOM kills, and programs that crashed and were started again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from memtop.engine.groups.naming import by_program
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey

_Key = TypeVar("_Key")

MOST_COUNTED: Final = 4096
"""Cgroups and programs with restarts or kills that are kept."""


class EventCounts:
    """Counts by cgroup directory, user and program."""

    def __init__(self) -> None:
        self._first_kills: dict[str, int] = {}
        """Count of each cgroup when it was first read."""
        self._kills: dict[str, int] = {}
        """Kills since then, where there were any."""
        self._removed_kills: Counter[str] = Counter()
        """Those that were counted before a cgroup was removed; one with the same name counts from zero."""
        self._ends: Counter[str] = Counter()
        """Processes that ended by OOM, by their cgroup: that is often removed with the last of them before its counter
        is read."""
        self._restarts: Counter[GroupKey] = Counter()

    def note_kills(self, counts: Mapping[str, int], remade: Mapping[str, int] = MappingProxyType({})) -> None:
        """The counters of cgroups at this sample, of each cgroup without those below it. ``remade`` are other cgroups
        than before, each with what it has counted that is not new."""
        for path, known in remade.items():
            if path in self._first_kills:
                self._first_kills[path] = known
                self._removed_kills[path] += self._kills.pop(path, 0)
        for path, count in counts.items():
            first = self._first_kills.setdefault(path, count)
            if count > first:
                self._kills[path] = count - first
        for path in self._first_kills.keys() - counts.keys():
            del self._first_kills[path]  # what it has counted stays
            if path in self._kills:
                self._removed_kills[path] += self._kills.pop(path)
        _shed(self._kills)
        _shed(self._removed_kills)

    def note_oom_ends(self, paths: Iterable[str]) -> None:
        """The cgroups of processes that the OOM killer has ended, one for each process."""
        self._ends.update(paths)
        _shed(self._ends)

    def kills(self, path: str) -> int:
        """OOM kills in a cgroup and below it since memtop started."""
        if not (self._kills or self._removed_kills or self._ends):
            return 0
        below = path + "/"
        paths = {*self._kills, *self._removed_kills, *self._ends}
        return sum(self._kills_of(one) for one in paths if one == path or one.startswith(below))

    def known_kills(self, path: str) -> int | None:
        """The same; None if none is known, and no counter in it or below it could be read: before Linux 4.13 version 1
        has none."""
        below = path + "/"
        found = self.kills(path)
        is_counted = path in self._first_kills or any(one.startswith(below) for one in self._first_kills)
        return found if found or is_counted else None

    def _kills_of(self, path: str) -> int:
        return max(self._kills.get(path, 0) + self._removed_kills[path], self._ends[path])

    def note_restarts(self, rows: Iterable[ProcessRow], chains: Mapping[ProcessKey, tuple[str, ...]]) -> None:
        """Processes that take the place of one that crashed; ``chains`` are the cgroups of all processes."""
        for row in rows:
            keys = [by_program(row).key, GroupKey(By.USER, str(row.uid))]
            keys += [GroupKey(By.CGROUP, path) for path in chains.get(row.key, ())]
            self._restarts.update(keys)
        _shed(self._restarts)

    def restarts(self, key: GroupKey) -> int:
        """Processes of this group that crashed and were started again: see :mod:`memtop.engine.assessment.lives`."""
        return self._restarts[key]


def _shed(counts: dict[_Key, int]) -> None:
    while len(counts) > MOST_COUNTED:
        del counts[next(iter(counts))]

"""What happened in groups since memtop started: OOM kills, and programs that crashed and were started again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from memtop.engine.groups.naming import by_program
from memtop.model.frame import ProcessRow
from memtop.model.group import By, GroupKey
from memtop.process_key import ProcessKey

MOST_COUNTED: Final = 4096
"""Cgroups and programs with restarts or kills that are kept."""


class EventCounts:
    """Counts by cgroup directory, user and program."""

    def __init__(self) -> None:
        self._first_kills: dict[str, int] = {}
        """Count of each cgroup when it was first read."""
        self._kills: dict[str, int] = {}
        """Kills since then, where there were any."""
        self._restarts: Counter[GroupKey] = Counter()

    def note_kills(self, counts: Mapping[str, int]) -> None:
        """The counters of cgroups at this sample, of each cgroup without those below it."""
        for path, count in counts.items():
            first = self._first_kills.setdefault(path, count)
            if count > first:
                self._kills[path] = count - first
        for path in self._first_kills.keys() - counts.keys():
            del self._first_kills[path]  # what it has counted stays
        while len(self._kills) > MOST_COUNTED:
            del self._kills[next(iter(self._kills))]

    def kills(self, path: str) -> int:
        """OOM kills in a cgroup and below it since memtop started."""
        if not self._kills:
            return 0
        below = path + "/"
        return sum(count for one, count in self._kills.items() if one == path or one.startswith(below))

    def note_restarts(self, rows: Iterable[ProcessRow], chains: Mapping[ProcessKey, tuple[str, ...]]) -> None:
        """Processes that take the place of one that crashed; ``chains`` are the cgroups of all processes."""
        for row in rows:
            keys = [by_program(row).key, GroupKey(By.USER, str(row.uid))]
            keys += [GroupKey(By.CGROUP, path) for path in chains.get(row.key, ())]
            self._restarts.update(keys)
        while len(self._restarts) > MOST_COUNTED:
            del self._restarts[next(iter(self._restarts))]

    def restarts(self, key: GroupKey) -> int:
        """Processes of this group that crashed and were started again: see :mod:`memtop.engine.assessment.lives`."""
        return self._restarts[key]

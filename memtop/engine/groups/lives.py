"""What happened in groups since memtop started: OOM kills, and programs that ended and were started again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from memtop.analysis.limits.cgroup_owner import CgroupNames
from memtop.engine.groups.naming import by_program
from memtop.model.frame import ProcessRow
from memtop.model.group import By, GroupKey
from memtop.process_key import ProcessKey

MOST_ENDED: Final = 512
"""Commands whose next start is waited for; the longest ended go first."""
MOST_AT_ONCE: Final = 256
"""Processes that are looked at in one sample: a storm of them must cost little."""
COMMAND_TICKS: Final = 5
"""Samples after which a command line that has not been read yet is not waited for any longer."""
MOST_COUNTED: Final = 4096
"""Cgroups and programs with restarts or kills that are kept."""
_Story = tuple[bytes | None, str, str]
"""Command line, name and cgroup of a process."""


class Lives:
    """Counts by cgroup directory, user and program."""

    def __init__(self) -> None:
        self._first_kills: dict[str, int] = {}
        """Count of each cgroup when it was first read."""
        self._kills: dict[str, int] = {}
        """Kills since then, where there were any."""
        self._ended: dict[_Story, int] = {}
        """How many processes of a story have ended and not been started again."""
        self._pids: frozenset[int] = frozenset()
        self._new: dict[int, int] = {}
        """Pids of processes whose command line is waited for, and for how many samples more."""
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

    def note_processes(
        self, rows: Mapping[int, ProcessRow], ended: Iterable[ProcessRow], chains: Mapping[ProcessKey, tuple[str, ...]]
    ) -> None:
        """The processes of this sample by pid, and the last rows of those that have ended since the one before."""
        for _, row in zip(range(MOST_AT_ONCE), ended, strict=False):
            story = _story(row)
            self._ended[story] = self._ended.pop(story, 0) + 1
        while len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        if self._ended:
            for _, pid in zip(range(MOST_AT_ONCE), rows.keys() - self._pids, strict=False):
                self._new[pid] = COMMAND_TICKS
        for pid, ticks in list(self._new.items()):
            started = rows.get(pid)
            if started is not None and started.command_raw is not None:
                self._start(started, rows, chains)
            elif started is not None and ticks:
                self._new[pid] = ticks - 1
                continue
            del self._new[pid]
        self._pids = frozenset(rows)

    def restarts(self, key: GroupKey) -> int:
        """Programs of this group that ended and were started again."""
        return self._restarts[key]

    def _start(
        self, row: ProcessRow, rows: Mapping[int, ProcessRow], chains: Mapping[ProcessKey, tuple[str, ...]]
    ) -> None:
        story = _story(row)
        if not self._ended.get(story):
            return
        parent = rows.get(row.ppid) if row.ppid is not None else None
        if parent is not None and parent.command_raw == row.command_raw:
            return  # a worker that was forked
        self._ended[story] -= 1
        keys = [by_program(row).key, GroupKey(By.USER, str(row.uid))]
        keys += [GroupKey(By.CGROUP, path) for path in chains.get(row.key, ())]
        self._restarts.update(keys)
        while len(self._restarts) > MOST_COUNTED:
            del self._restarts[next(iter(self._restarts))]


def _story(row: ProcessRow) -> _Story:
    names: CgroupNames | None = row.names
    return row.command_raw, row.name, names.path if names is not None else ""

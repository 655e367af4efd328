"""Keeps the sums of users and of programs, for their series, from sample to sample.

A row of a process that has not changed is the same object as before. So only what has changed, come or gone is added
and subtracted: a pass over thousands of processes makes a tick late.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import compress, filterfalse
from operator import attrgetter, is_not, ne
from typing import Final

from memtop.engine.groups.naming import GroupName, Naming
from memtop.engine.groups.sums import Totals
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.sampling.cgroup_reading import CgroupSample

_pid: Final = attrgetter("pid")
_sizes: Final = attrgetter("virt_bytes", "rss_bytes", "anon_bytes")
"""What is summed of a row."""
_place: Final = attrgetter("command_raw", "name", "uid", "same_memory_as")
"""What decides about user, program and what counts."""


class _Sum:
    __slots__ = ("anon_bytes", "key", "pids", "rss_bytes", "virt_bytes")

    def __init__(self, key: GroupKey) -> None:
        self.key = key
        self.virt_bytes = self.rss_bytes = self.anon_bytes = 0
        self.pids: set[int] = set()

    def add(self, virt_bytes: int, rss_bytes: int, anon_bytes: int) -> None:
        self.virt_bytes += virt_bytes
        self.rss_bytes += rss_bytes
        self.anon_bytes += anon_bytes


class KeptTotals:
    """:meth:`update` as often as the sums are needed."""

    def __init__(self) -> None:
        self._rows: dict[int, ProcessRow] = {}
        """All processes as of the latest update."""
        self._counted: dict[int, tuple[tuple[int, int, int], tuple[object, ...]]] = {}
        """Sizes and place of each process with memory, as it is in the sums."""
        self._sums: dict[int, tuple[_Sum, _Sum]] = {}
        """Those of its program and of its user."""
        self._users: dict[GroupKey, _Sum] = {}
        self._programs: dict[GroupKey, _Sum] = {}
        self._unsure: dict[int, GroupName] = {}
        """The program that each process counts to whose command is not known yet: that of its parent, if anything."""

    def update(self, rows: Mapping[int, ProcessRow]) -> None:
        """Take the rows of all processes, by PID; those without memory do not count."""
        counted, before = self._counted, self._rows
        self._rows = dict(rows)
        programs = Naming(By.PROGRAM, CgroupSample(), rows)
        changed = list(compress(rows.values(), map(is_not, rows.values(), map(before.get, rows))))
        now = list(zip(map(_sizes, changed), map(_place, changed), strict=True))
        known = map(counted.get, map(_pid, changed))
        # Of many nothing that counts has changed: without bytecode those cost a fifth.
        for row, new in compress(zip(changed, now, strict=True), map(ne, now, known)):
            pid, old, is_known = row.pid, counted.get(row.pid), None not in new[0]
            if old is not None and is_known and old[1] == new[1] and row.same_memory_as is None:
                (virt, rss, anon), (old_virt, old_rss, old_anon) = new[0], old[0]
                for one in self._sums[pid]:
                    one.add(virt - old_virt, rss - old_rss, anon - old_anon)
                counted[pid] = new
                continue
            if old is not None:
                self._remove(pid)
            if is_known:
                self._add(row, programs)
        for pid in list(filterfalse(rows.__contains__, counted)):
            self._remove(pid)
        for pid, name in list(self._unsure.items()):
            if programs.group_of(rows[pid]) != name:
                self._remove(pid)
                self._add(rows[pid], programs)

    def totals(self, by: By) -> dict[GroupKey, Totals]:
        """The sums of all users, or of all programs."""
        sums = self._programs if by is By.PROGRAM else self._users
        return {key: Totals(one.virt_bytes, one.rss_bytes, one.anon_bytes, len(one.pids)) for key, one in sums.items()}

    def members(self, program: GroupKey) -> Collection[ProcessRow]:
        """The processes that run a program."""
        one = self._programs.get(program)
        return list(map(self._rows.__getitem__, one.pids)) if one is not None else ()

    def _add(self, row: ProcessRow, programs: Naming) -> None:
        name = programs.group_of(row)
        if row.command_raw is None:
            self._unsure[row.pid] = name
        user = _user(row.uid)
        self._sums[row.pid] = (
            self._programs.get(name.key) or self._programs.setdefault(name.key, _Sum(name.key)),
            self._users.get(user) or self._users.setdefault(user, _Sum(user)),
        )
        # A child that shares the address space of its parent has nothing of its own.
        sizes = _sizes(row) if row.same_memory_as is None else (0, 0, 0)
        for one in self._sums[row.pid]:
            one.add(*sizes)
            one.pids.add(row.pid)
        self._counted[row.pid] = sizes, _place(row)

    def _remove(self, pid: int) -> None:
        (virt_bytes, rss_bytes, anon_bytes), _ = self._counted.pop(pid)
        self._unsure.pop(pid, None)
        for one, all_of_them in zip(self._sums.pop(pid), (self._programs, self._users), strict=True):
            one.add(-virt_bytes, -rss_bytes, -anon_bytes)
            one.pids.discard(pid)
            if not one.pids:
                del all_of_them[one.key]


def _user(uid: int | None) -> GroupKey:
    return GroupKey(By.USER, str(uid))

"""Keeps the sums of users and of programs, for their series, from sample to sample.

A row of a process that has not changed is the same object as before. So only what has changed, come or gone is added
and subtracted: a pass over thousands of processes makes a tick late.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import compress
from operator import is_not, sub

from memtop.engine.groups.naming import GroupName, Naming
from memtop.engine.groups.sums import Totals
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.sampling.cgroup_reading import CgroupSample


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
        """Each process with memory, as it is in the sums."""
        self._sums: dict[int, tuple[_Sum, _Sum]] = {}
        """Those of its program and of its user."""
        self._users: dict[GroupKey, _Sum] = {}
        self._programs: dict[GroupKey, _Sum] = {}
        self._unsure: dict[int, GroupName] = {}
        """The program that each process counts to whose command is not known yet: that of its parent, if anything."""

    def update(self, rows: Mapping[int, ProcessRow]) -> None:
        """Take the rows of all processes, by PID; those without memory do not count."""
        kept = self._rows
        programs = Naming(By.PROGRAM, CgroupSample(), rows)
        for pid, row in list(compress(rows.items(), map(is_not, rows.values(), map(kept.get, rows)))):
            old = kept.get(pid)
            virt, rss, anon = row.virt_bytes, row.rss_bytes, row.anon_bytes
            if rss is None or virt is None or anon is None:
                if old is not None:
                    self._remove(pid)
            elif old is None:
                self._add(row, programs)
            elif row.command_raw is None or not _same(old, row):
                self._remove(pid)
                self._add(row, programs)
            else:
                kept[pid] = row
                if row.same_memory_as is None:
                    before = old.virt_bytes, old.rss_bytes, old.anon_bytes
                    if (virt, rss, anon) != before:
                        gained = tuple(map(sub, (virt, rss, anon), before))
                        for one in self._sums[pid]:
                            one.add(*gained)
        for pid in kept.keys() - rows.keys():
            self._remove(pid)
        for pid, name in list(self._unsure.items()):
            if programs.group_of(kept[pid]) != name:
                row = kept[pid]
                self._remove(pid)
                self._add(row, programs)

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
        for one in self._sums[row.pid]:
            one.add(*_sizes(row))
            one.pids.add(row.pid)
        self._rows[row.pid] = row

    def _remove(self, pid: int) -> None:
        row = self._rows.pop(pid)
        self._unsure.pop(pid, None)
        for one, all_of_them in zip(self._sums.pop(pid), (self._programs, self._users), strict=True):
            one.add(*(-size for size in _sizes(row)))
            one.pids.discard(pid)
            if not one.pids:
                del all_of_them[one.key]


def _same(old: ProcessRow, row: ProcessRow) -> bool:
    """Whether what decides about user, program and what counts has not changed."""
    return (
        old.command_raw is row.command_raw
        and old.name == row.name
        and old.uid == row.uid
        and old.same_memory_as == row.same_memory_as
    )


def _sizes(row: ProcessRow) -> tuple[int, int, int]:
    if row.same_memory_as is not None:
        return 0, 0, 0
    return row.virt_bytes or 0, row.rss_bytes or 0, row.anon_bytes or 0


def _user(uid: int | None) -> GroupKey:
    return GroupKey(By.USER, str(uid))

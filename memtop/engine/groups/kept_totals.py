"""Keeps the sums of users and of programs, for their series, from sample to sample.

A row of a process that has not changed is the same object as before. So only what has changed, come or gone is added
and subtracted: a pass over thousands of processes makes a tick late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import compress
from operator import attrgetter, ne
from typing import Any, Final, NamedTuple

from memtop.engine.groups.naming import GroupName, Naming
from memtop.engine.groups.sums import Totals
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import CgroupSample

_SIZES: Final = ("virt_bytes", "rss_bytes", "anon_bytes")
"""What is summed of a row."""
_PLACE: Final = ("same_memory_as", "key", "command_raw", "name", "uid", "names")
"""What decides about what of it counts, the process, its program and user, and its cgroup."""
_counted: Final = attrgetter(*_SIZES, *_PLACE)
_RSS: Final = attrgetter("rss_bytes")
_START_TICKS: Final = attrgetter("start_ticks")


class Members(NamedTuple):
    """The processes of a group that have memory now."""

    keys: frozenset[ProcessKey]
    oldest: ProcessKey | None
    """None where there are none."""
    by_start: tuple[ProcessKey, ...]
    """The one that started last comes last."""
    one_of_each_cgroup: tuple[ProcessKey, ...]


def members_of(rows: Iterable[ProcessRow]) -> Members:
    """Those of ``rows`` that have memory."""
    living = list(filter(_RSS, rows))
    by_start = sorted((row.key for row in living), key=_START_TICKS)
    # The names of one cgroup are one object: to look up each member takes five times that.
    one_of_each = {id(row.names): row.key for row in living}
    return Members(frozenset(by_start), by_start[0] if by_start else None, tuple(by_start), tuple(one_of_each.values()))


class _Sum:
    __slots__ = ("anon_bytes", "key", "members", "pids", "rss_bytes", "virt_bytes")

    def __init__(self, key: GroupKey) -> None:
        self.key = key
        self.virt_bytes = self.rss_bytes = self.anon_bytes = 0
        self.pids: set[int] = set()
        self.members: Members | None = None
        """None until it is asked for, after one has come, gone or changed its place."""

    def add(self, virt_bytes: int, rss_bytes: int, anon_bytes: int) -> None:
        self.virt_bytes += virt_bytes
        self.rss_bytes += rss_bytes
        self.anon_bytes += anon_bytes


class KeptTotals:
    """:meth:`update` as often as the sums are needed."""

    def __init__(self) -> None:
        self._rows: Mapping[int, ProcessRow] = {}
        """All processes as of the latest update."""
        self._counted: dict[int, tuple[Any, ...]] = {}
        """Sizes and place of each process with memory, as it is in the sums."""
        self._sums: dict[int, tuple[_Sum, _Sum]] = {}
        """Those of its program and of its user."""
        self._users: dict[GroupKey, _Sum] = {}
        self._programs: dict[GroupKey, _Sum] = {}
        self._unsure: dict[int, GroupName] = {}
        """The program that each process counts to whose command is not known yet: that of its parent, if anything."""

    def update(self, rows: Mapping[int, ProcessRow], touched: Iterable[int] | None = None) -> None:
        """Take the rows of all processes, by PID; those without memory do not count. ``touched`` are those that may
        have changed since the latest update, all where it is None: to compare thousands takes longer than all else."""
        counted, self._rows = self._counted, rows
        programs = Naming(By.PROGRAM, CgroupSample(), rows)
        changed = {pid: row for pid in (rows if touched is None else touched) if (row := rows.get(pid)) is not None}
        for pid in counted.keys() - rows.keys():
            self._remove(pid)
        now = list(map(_counted, changed.values()))
        known = list(map(counted.get, changed))
        # Of many nothing that counts has changed: without bytecode those cost a fifth.
        for (pid, row), new, old in compress(zip(changed.items(), now, known, strict=True), map(ne, now, known)):
            virt, rss, anon, shares, *_ = new
            is_known = virt is not None and rss is not None and anon is not None
            if old is not None and is_known and shares is None and old[len(_SIZES) :] == new[len(_SIZES) :]:
                old_virt, old_rss, old_anon, *_ = old
                program, user = self._sums[pid]
                program.add(virt - old_virt, rss - old_rss, anon - old_anon)
                user.add(virt - old_virt, rss - old_rss, anon - old_anon)
                if not rss or not old_rss:
                    program.members = None
                counted[pid] = new
                continue
            if old is not None:
                self._remove(pid)
            if is_known:
                self._add(row, programs)
        for pid, name in list(self._unsure.items()):
            if programs.group_of(rows[pid]) != name:
                self._remove(pid)
                self._add(rows[pid], programs)

    def totals(self, by: By) -> dict[GroupKey, Totals]:
        """The sums of all users, or of all programs."""
        sums = self._programs if by is By.PROGRAM else self._users
        return {key: Totals(one.virt_bytes, one.rss_bytes, one.anon_bytes, len(one.pids)) for key, one in sums.items()}

    def members(self, program: GroupKey) -> Members:
        """The processes that run a program."""
        one = self._programs.get(program)
        if one is None:
            return members_of(())
        if one.members is None:
            one.members = members_of(map(self._rows.__getitem__, one.pids))
        return one.members

    def _add(self, row: ProcessRow, programs: Naming) -> None:
        name = programs.group_of(row)
        if row.command_raw is None:
            self._unsure[row.pid] = name
        program = self._programs.get(name.key) or self._programs.setdefault(name.key, _Sum(name.key))
        user_key = _user(row.uid)
        user = self._users.get(user_key) or self._users.setdefault(user_key, _Sum(user_key))
        sums = self._sums.get(next(iter(program.pids), -1))  # one object for all processes of a program and a user
        self._sums[row.pid] = sums if sums is not None and sums[1] is user else (program, user)
        self._counted[row.pid] = new = _counted(row)
        for one in self._sums[row.pid]:
            one.add(*_own_sizes(new))
            one.pids.add(row.pid)
            one.members = None

    def _remove(self, pid: int) -> None:
        virt_bytes, rss_bytes, anon_bytes = _own_sizes(self._counted.pop(pid))
        self._unsure.pop(pid, None)
        for one, all_of_them in zip(self._sums.pop(pid), (self._programs, self._users), strict=True):
            one.add(-virt_bytes, -rss_bytes, -anon_bytes)
            one.pids.discard(pid)
            one.members = None
            if not one.pids:
                del all_of_them[one.key]


def _user(uid: int | None) -> GroupKey:
    return GroupKey(By.USER, str(uid))


def _own_sizes(counted: tuple[Any, ...]) -> tuple[int, int, int]:
    """What a process has for itself: a child that shares the address space of its parent has nothing."""
    virt_bytes, rss_bytes, anon_bytes, same_memory_as, *_ = counted
    return (virt_bytes, rss_bytes, anon_bytes) if same_memory_as is None else (0, 0, 0)

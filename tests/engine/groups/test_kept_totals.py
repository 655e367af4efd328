"""Sums for series that are kept from sample to sample are those that adding up everything gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.engine.groups.kept_totals import KeptTotals
from memtop.engine.groups.naming import Naming
from memtop.engine.groups.sums import Totals, sums_of
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.membership import CgroupNames, CgroupOwner
from memtop.sampling.cgroup_reading import CgroupSample
from tests.rows import proc_row

A, B = CgroupNames("/a", CgroupOwner()), CgroupNames("/b", CgroupOwner())
CHANGES = st.tuples(
    st.integers(1, 6),
    st.none() | st.integers(0, 3),
    st.sampled_from(["work", "serve", None]),
    st.sampled_from([0, 1000]),
    st.integers(0, 6),
    st.integers(1, 2),
    st.sampled_from([None, A, B]),
)


@pytest.mark.parametrize("by", [By.USER, By.PROGRAM])
@given(steps=st.lists(st.lists(CHANGES, max_size=4), max_size=8))
def test_the_same_as_adding_up_everything(by: By, steps: Sequence[Sequence[tuple[Any, ...]]]) -> None:
    kept, told, rows = KeptTotals(), KeptTotals(), dict[int, ProcessRow]()
    for step in steps:
        for pid, size, command, uid, ppid, start_ticks, names in step:
            row = proc_row(pid, name="sh", rss_bytes=size, shr_bytes=size, ppid=ppid, uid=uid)
            raw = command.encode() if command is not None else None
            row = row._replace(key=ProcessKey(pid, start_ticks), names=names, command_raw=raw)
            row = row._replace(virt_bytes=size, anon_bytes=size)
            if ppid == pid:
                rows.pop(pid, None)
            elif rows.get(pid) != row:  # an unchanged row is the same object
                rows[pid] = row
        kept.update(rows)
        told.update(rows, [pid for pid, *_ in step])
        assert told.totals(by) == kept.totals(by)
        whole = sums_of(rows.values(), Naming(by, CgroupSample(), rows).group_of)
        assert kept.totals(by) == {
            key: Totals(one.virt_bytes or 0, one.rss_bytes or 0, one.anon_bytes or 0, one.members)
            for key, one in whole.items()
        }
        naming = Naming(By.PROGRAM, CgroupSample(), rows)
        for program in whole if by is By.PROGRAM else ():
            living = [row for row in rows.values() if row.rss_bytes and naming.group_of(row).key == program]
            found = kept.members(program)
            assert found.keys == {row.key for row in living}
            assert [one.start_ticks for one in found.by_start] == sorted(row.key.start_ticks for row in living)
            assert {rows[one.pid].names for one in found.one_of_each_cgroup} == {row.names for row in living}


@pytest.mark.parametrize(
    "change",
    [{"key": ProcessKey(7, 2)}, {"names": B}, {"rss_bytes": 0}, {"command_raw": b"serve"}],
    ids=["its PID is given to another", "it moves", "it ends", "it becomes another program"],
)
def test_the_members_are_those_of_now_though_nothing_else_of_one_has_changed(change: dict[str, Any]) -> None:
    rows = {pid: proc_row(pid, rss_bytes=9, shr_bytes=0) for pid in (7, 8)}
    rows = {pid: row._replace(key=ProcessKey(pid, 1), names=A, command_raw=b"work") for pid, row in rows.items()}
    first, kept = rows[7], KeptTotals()
    for row in (first, first._replace(**change), first):
        rows[7] = row
        kept.update(rows)
        found = kept.members(GroupKey(By.PROGRAM, "work"))
        members = [one for one in rows.values() if one.rss_bytes and one.command_raw == b"work"]
        assert found.keys == {one.key for one in members}
        assert {rows[one.pid].names for one in found.one_of_each_cgroup} == {one.names for one in members}

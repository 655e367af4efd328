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
from memtop.model.group import By
from memtop.model.row import ProcessRow
from memtop.sampling.cgroup_reading import CgroupSample
from tests.rows import proc_row

CHANGES = st.tuples(
    st.integers(1, 6),
    st.none() | st.integers(0, 3),
    st.sampled_from(["work", "serve", None]),
    st.sampled_from([0, 1000]),
    st.integers(0, 6),
)


@pytest.mark.parametrize("by", [By.USER, By.PROGRAM])
@given(steps=st.lists(st.lists(CHANGES, max_size=4), max_size=8))
def test_the_same_as_adding_up_everything(by: By, steps: Sequence[Sequence[tuple[Any, ...]]]) -> None:
    kept, rows = KeptTotals(), dict[int, ProcessRow]()
    for step in steps:
        for pid, size, command, uid, ppid in step:
            row = proc_row(pid, name="sh", rss_bytes=size, shr_bytes=size, ppid=ppid, uid=uid)
            raw = command.encode() if command is not None else None
            row = row._replace(command_raw=raw, virt_bytes=size, anon_bytes=size)
            if ppid == pid:
                rows.pop(pid, None)
            elif rows.get(pid) != row:  # an unchanged row is the same object
                rows[pid] = row
        kept.update(rows)
        whole = sums_of(rows.values(), Naming(by, CgroupSample(), rows).group_of)
        assert kept.totals(by) == {
            key: Totals(one.virt_bytes or 0, one.rss_bytes or 0, one.anon_bytes or 0, one.members)
            for key, one in whole.items()
        }
        for program in whole if by is By.PROGRAM else ():
            assert {row.pid for row in kept.members(program)} <= rows.keys()
            assert len(kept.members(program)) == whole[program].members

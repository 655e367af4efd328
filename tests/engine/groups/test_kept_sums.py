"""Sums that are kept from sample to sample are those that adding up everything gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.engine.groups.kept_sums import KeptSums
from memtop.engine.groups.naming import Naming
from memtop.engine.groups.sums import Sums, sums_of
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.procfs.membership import CgroupNames, CgroupOwner
from memtop.sampling.cgroup_reading import CgroupSample
from tests.rows import proc_row as row

PLACES = [None, *(CgroupNames(f"/{name}", CgroupOwner(unit=name)) for name in ("a", "b"))]
CHANGES = st.tuples(
    st.integers(1, 6), st.none() | st.integers(0, 3), st.sampled_from(PLACES), st.sampled_from([None, 7.0])
)


def contents(sums: Mapping[GroupKey, Sums]) -> dict[GroupKey, list[Any]]:
    return {key: [getattr(one, field) for field in Sums.__slots__ if field != "name"] for key, one in sums.items()}


@pytest.mark.parametrize("by", [By.UNIT, By.USER, By.PROGRAM])
@given(steps=st.lists(st.lists(CHANGES, max_size=4), max_size=8))
def test_the_same_as_adding_up_everything(by: By, steps: Sequence[Sequence[tuple[Any, ...]]]) -> None:
    kept, rows = KeptSums(), dict[int, ProcessRow]()
    for step in steps:
        for pid, size, names, gone_s in step:
            changed = row(pid, rss_bytes=size, ppid=1, names=names, gone_s=gone_s, uid=size)
            if rows.get(pid) != changed:  # an unchanged row is the same object
                rows[pid] = changed
        naming = Naming(by, CgroupSample(), rows)
        kept.update(naming, list(rows.values()))
        assert contents(kept.sums) == contents(sums_of(rows.values(), naming.group_of))
        names_now = [one.name.name for one in kept.sums.values()]
        assert names_now == sorted(names_now)


def test_only_groups_of_which_a_member_has_changed_are_added_up_again() -> None:
    rows = [row(pid, rss_bytes=1, names=PLACES[1 + pid % 2]) for pid in range(1, 9)]
    kept, naming = KeptSums(), Naming(By.UNIT, CgroupSample())
    assert len(kept.update(naming, rows)) == 2
    assert not kept.update(naming, rows)
    rows[0] = rows[0]._replace(trend=(1,))
    assert not kept.update(naming, rows), "that adds nothing to a sum"
    rows[0] = rows[0]._replace(rss_bytes=2)
    assert [key.name for key in kept.update(naming, rows)] == ["b"]
    assert {key.name for key in kept.update(naming, rows[1:])} == {"b"}

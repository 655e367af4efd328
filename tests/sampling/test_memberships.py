"""What is kept of processes whose cgroups wait to be looked up, where thousands come and go."""

from __future__ import annotations

import pytest

from memtop.process_key import ProcessKey
from memtop.procfs.statm import Statm
from memtop.sampling.cgroups.cgroup_files import CgroupFiles
from memtop.sampling.cgroups.cgroup_finder import CgroupFinder
from memtop.sampling.cgroups.memberships import LOOKUPS, SETTLED_TICKS, CgroupMemberships
from memtop.sampling.sample import ProcessSample
from tests.fakes import FakeSource


class Key(ProcessKey):
    """Counts the keys that anything refers to."""

    ended = 0

    def __del__(self) -> None:
        Key.ended += 1


@pytest.mark.parametrize("come", [LOOKUPS // 2, LOOKUPS - 8, 3 * LOOKUPS])
def test_those_that_have_ended_are_not_kept_however_many_come_and_go(come: int) -> None:
    source = FakeSource()
    memberships = CgroupMemberships(
        source, CgroupFinder(source, CgroupFiles(source)), lambda found: None, replaying=False
    )
    before: list[Key] = []
    ticks, Key.ended = 12 * SETTLED_TICKS, 0
    for tick in range(ticks):
        keys = [Key(tick * come + number, 100 * tick) for number in range(come)]
        processes = {key.pid: ProcessSample(key, b"job", statm=Statm(99, 5 + key.pid % 50, 1)) for key in keys}
        source.files.update({f"proc/{key.pid}/cgroup": b"0::/jobs\n" for key in keys})
        memberships.begin(float(tick))
        memberships.read((), processes, before)
        memberships.sweep(processes, ())
        for key in before:
            del source.files[f"proc/{key.pid}/cgroup"]
        before = keys
    assert ticks * come - Key.ended <= 2 * SETTLED_TICKS * come + 2 * LOOKUPS

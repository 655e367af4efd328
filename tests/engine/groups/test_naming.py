"""Names of groups, and the cgroups in which processes have ended."""

from __future__ import annotations

from memtop.engine.groups.naming import Places
from memtop.process_key import ProcessKey
from memtop.procfs.membership import CgroupNames, CgroupOwner
from memtop.sampling.cgroup_reading import CgroupSample


def test_of_the_cgroups_in_which_processes_have_ended_the_last_ones_are_known() -> None:
    places = Places()
    keys = [ProcessKey(pid, 1) for pid in range(1000)]
    names = [CgroupNames(f"/job-{key.pid}.scope", CgroupOwner()) for key in keys]

    def end(number: int) -> None:
        one = keys[number]
        places.note([one], CgroupSample(chains={one: (f"job-{number}",)}, names={one: names[number]}))

    for number in range(len(keys)):
        end(number)
        end(0)
    known = [number for number, name in enumerate(names) if places.of(name) is not None]
    assert known[0] == 0, "the last one again"
    assert known[1:] == list(range(1001 - len(known), 1000)) and len(known) < 500

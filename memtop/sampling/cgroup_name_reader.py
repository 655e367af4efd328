"""Reads the cgroup names of processes once. A single sample needs them, without limits and without mounts."""

from collections.abc import Iterable

from memtop.analysis.limits.cgroup_names import CgroupNames, names_of
from memtop.errors import MemtopError
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import parse_memberships
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source


def read_names(source: Source, processes: Iterable[ProcessSample]) -> dict[ProcessKey, CgroupNames]:
    """Names from /proc/PID/cgroup of each process that has memory. Unreadable ones are left out."""
    found: dict[ProcessKey, CgroupNames] = {}
    known: dict[bytes, CgroupNames] = {}
    for one in processes:
        if one.statm is None or one.leader_gone:
            continue
        try:
            raw = source.read(f"proc/{one.key.pid}/cgroup")
        except MemtopError:
            continue
        if raw not in known:
            known[raw] = names_of(parse_memberships(raw))
        found[one.key] = known[raw]
    return found

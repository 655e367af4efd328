"""Processes in cgroups of version 2, for tests of groups."""

from __future__ import annotations

from tests.fakes import FakeProcess, FakeSource

MIB = 1 << 20
ROOT = "sys/fs/cgroup"


def world(**members: str) -> FakeSource:
    """Processes by pid (as ``p42``) in cgroups of version 2."""
    source = FakeSource()
    for name, path in members.items():
        pid = int(name[1:])
        source.add(FakeProcess(pid))
        source.files[f"proc/{pid}/cgroup"] = b"0::%s\n" % path.encode()
        cgroup(source, path)
    return source


def cgroup(source: FakeSource, path: str, used_mib: int = 50, limit: bytes = b"max\n", **stat: int) -> None:
    """A cgroup and those above it; of what it uses, ``stat`` says the parts in MiB."""
    folder = ROOT + path
    parts = {
        "anon": used_mib,
        "file": 0,
        "shmem": 0,
        "inactive_file": 0,
        "active_file": 0,
        "slab_reclaimable": 0,
    } | stat
    source.files |= {
        f"{folder}/cgroup.controllers": b"memory\n",
        f"{folder}/cgroup.type": b"domain\n",
        f"{folder}/memory.max": limit,
        f"{folder}/memory.current": b"%d\n" % (used_mib * MIB),
        f"{folder}/memory.stat": b"".join(b"%s %d\n" % (name.encode(), size * MIB) for name, size in parts.items()),
        f"{folder}/memory.events.local": b"oom_kill 0\n",
    }
    above = path.rpartition("/")[0]
    if above and f"{ROOT}{above}/memory.max" not in source.files:
        cgroup(source, above)

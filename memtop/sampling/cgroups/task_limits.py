"""Reads how many threads there may be and are: the pids cgroups of a process, and the machine's own limits."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from memtop.analysis.limits.memory_cgroups import Version, controller_places
from memtop.errors import NotRecorded
from memtop.procfs.cgroup import UNLIMITED, parse_count, parse_limit
from memtop.procfs.lines import int_or_none
from memtop.procfs.membership import parse_memberships
from memtop.procfs.mountinfo import Mount
from memtop.sampling.cgroup_reading import TaskLimit, TaskLimitsRead
from memtop.sampling.cgroups.periodic_limits import PeriodicLimits
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import read_or_none

_UNREAD: Final = "the limits of its pids cgroup cannot be read"
_UNRECORDED: Final = "the limits of its pids cgroup were not read"


class TaskLimits(PeriodicLimits[TaskLimitsRead]):
    """Those over each process, the machine's included."""

    _machine: tuple[TaskLimit, ...] = ()

    def begin(self) -> None:
        """Read the limits of the machine."""
        with suppress(NotRecorded):
            self._machine = self._read_machine()

    def unread(self) -> TaskLimitsRead:
        """The limits of the machine only."""
        return TaskLimitsRead(self._machine, _UNRECORDED)

    def read_one(self, seen: ProcessSample, mounts: tuple[Mount, ...], v2_controllers: bytes | None) -> TaskLimitsRead:
        """The limits over one process. Raises NotRecorded."""
        found, pid = self._of_cgroups(seen.folder, mounts, v2_controllers), seen.key.pid
        children = read_or_none(self.source, f"proc/{pid}/task/{pid}/children", 64)
        has_children = None if children is None else bool(children)
        if not children and (seen.stat is None or seen.stat.threads > 1):  # another thread may have forked some
            has_children = None
        return found._replace(limits=(*found.limits, *self._machine), has_children=has_children)

    def _read_machine(self) -> tuple[TaskLimit, ...]:
        """kernel.threads-max and kernel.pid_max against the number of threads that /proc/loadavg shows."""
        raw = read_or_none(self.source, "proc/loadavg", 256)
        fields = raw.split() if raw is not None else []
        used = int_or_none(fields[3].rpartition(b"/")[2]) if len(fields) > 3 else None
        names = ("threads-max", "pid_max")
        limits = [(name, read_or_none(self.source, f"proc/sys/kernel/{name}", 64)) for name in names]
        known = [(name, int_or_none(raw)) for name, raw in limits if raw is not None]
        return tuple(TaskLimit(f"kernel.{name}", most, used) for name, most in known if most is not None)

    def _of_cgroups(self, folder: str, mounts: tuple[Mount, ...], v2_controllers: bytes | None) -> TaskLimitsRead:
        raw = read_or_none(self.source, f"{folder}/cgroup", 16_384)
        if raw is None:
            return TaskLimitsRead((), _UNREAD)
        members = parse_memberships(raw)
        places = controller_places(b"pids", members, mounts, v2_controllers)
        place = next((one for one in places if self._there(one.chain[0], one.version)), None)
        if place is None:
            named = any(b"pids" in one.controllers for one in members)
            named |= v2_controllers is not None and b"pids" in v2_controllers.split()
            return TaskLimitsRead((), _UNREAD if named else "")
        limits, unread = [], ""
        for path, label in zip(place.chain, place.labels, strict=True):
            raw_most, raw_used = (read_or_none(self.source, f"{path}/pids.{name}", 64) for name in ("max", "current"))
            most = parse_limit(raw_most) if raw_most is not None else None
            if most is None and (raw_used is not None or raw_most is not None):  # neither is there in a root
                unread = f"the limit on threads of {label} cannot be read"
            elif most is not None and most != UNLIMITED:
                limits.append(TaskLimit(f"pids of {label}", most, None if raw_used is None else parse_count(raw_used)))
        return TaskLimitsRead(tuple(limits), unread)

    def _there(self, path: str, version: Version) -> bool:
        """Whether this directory is of a pids hierarchy; the root has no files of it.

        cgroup.procs of version 1 makes the kernel sort all members, which takes milliseconds. Older recordings have it.
        """
        names = ("cgroup.clone_children", "cgroup.procs") if version is Version.V1 else ("cgroup.controllers",)
        return any(read_or_none(self.source, f"{path}/{name}", 64) is not None for name in names)

"""Reads whether the cgroup of a process is frozen, as by docker pause or systemctl freeze: then it does not run.

The kernel shows no process state for it: with version 1 such a process is in D, with version 2 in S. See
freezer-subsystem.rst and cgroup-v2.rst; an ancestor that is frozen counts in both.
"""

from __future__ import annotations

from collections.abc import Iterable

from memtop.analysis.limits.memory_cgroups import CgroupPlace, controller_places, unified_places
from memtop.procfs.membership import parse_memberships
from memtop.procfs.mountinfo import Mount
from memtop.sampling.cgroups.periodic_limits import PeriodicLimits
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import read_or_none


class FrozenCgroups(PeriodicLimits[bool]):
    """That of each process: False too where it cannot be read."""

    def unread(self) -> bool:
        """Not known to be."""
        return False

    def read_one(self, seen: ProcessSample, mounts: tuple[Mount, ...], v2_controllers: bytes | None) -> bool:
        """Whether it is frozen now. Raises NotRecorded."""
        raw = read_or_none(self.source, f"{seen.folder}/cgroup", 16_384)
        if raw is None:
            return False
        members = parse_memberships(raw)
        state = self._first(controller_places(b"freezer", members, mounts, v2_controllers), "freezer.state")
        events = self._first(unified_places(members, mounts), "cgroup.events")
        return state.strip() == b"FROZEN" or b"frozen 1" in events.splitlines()

    def _first(self, places: Iterable[CgroupPlace], name: str) -> bytes:
        found = (read_or_none(self.source, f"{place.chain[0]}/{name}", 256) for place in places)
        return next((raw for raw in found if raw is not None), b"")

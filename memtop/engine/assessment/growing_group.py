"""A group of processes that grows as a whole, as it is handed to the incidents of the machine."""

from __future__ import annotations

from typing import NamedTuple

from memtop.analysis.limits.heap_use import HeapUse
from memtop.analysis.trend.rising import Rise
from memtop.engine.assessment.growth_tracker import Verdict
from memtop.model.group import GroupKey
from memtop.process_key import ProcessKey


class GrowingGroup(NamedTuple):
    """A program or cgroup whose memory grows, while no single member explains that."""

    key: GroupKey
    name: str
    """For people."""
    members: int
    oldest: ProcessKey
    """The member that started first: the parent of a pool, which stays."""
    places: frozenset[str] = frozenset()
    """Directories of the cgroups that all members are in: only limits of these count for what they take together."""
    rise: Rise | None = None
    """Of the anonymous memory of all members, while it goes on."""
    verdict: Verdict | None = None
    """Where the growth is confirmed."""
    heaps: tuple[HeapUse, ...] = ()
    """Heaps of members that are being used for the first time."""

    @property
    def bytes_per_s(self) -> float:
        """How fast it grows."""
        slope = self.verdict.standing.slope_bytes_per_s if self.verdict is not None else None
        return max(self.rise.bytes_per_s if self.rise is not None else 0.0, slope or 0.0)

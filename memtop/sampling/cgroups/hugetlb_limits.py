"""Reads the limits on huge pages (hugetlb) of the cgroups of processes that use such pages.

See cgroup-v2.rst and cgroup-v1/hugetlb.rst. Memory cgroups are not charged for huge pages, unless asked to.
"""

from __future__ import annotations

from typing import Final

from memtop.analysis.limits.memory_cgroups import Version, controller_places
from memtop.procfs.cgroup import UNLIMITED, parse_count, parse_limit
from memtop.procfs.membership import parse_memberships
from memtop.procfs.mountinfo import Mount
from memtop.sampling.cgroup_reading import HugetlbLimit
from memtop.sampling.cgroups.periodic_limits import PeriodicLimits
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import read_or_none

_PAGES: Final = ("64KB", "1MB", "2MB", "16MB", "32MB", "512MB", "1GB", "16GB")
"""Sizes of huge pages, as the files are named; which of them there are depends on the processor."""


class HugetlbLimits(PeriodicLimits[tuple[HugetlbLimit, ...]]):
    """Those over each process that has huge pages."""

    def concern(self, seen: ProcessSample) -> bool:
        """Whether it has huge pages."""
        return seen.status is not None and bool(seen.status.hugetlb_bytes)

    def unread(self) -> tuple[HugetlbLimit, ...]:
        """No limits."""
        return ()

    def read_one(
        self, seen: ProcessSample, mounts: tuple[Mount, ...], v2_controllers: bytes | None
    ) -> tuple[HugetlbLimit, ...]:
        """The limits over one process. Raises NotRecorded."""
        raw = read_or_none(self.source, f"{seen.folder}/cgroup", 16_384)
        if raw is None:
            return ()
        places = controller_places(b"hugetlb", parse_memberships(raw), mounts, v2_controllers)
        found: list[HugetlbLimit] = []
        for place in places[:1]:
            names = ("max", "current") if place.version is Version.V2 else ("limit_in_bytes", "usage_in_bytes")
            for path, label in zip(place.chain, place.labels, strict=True):
                for page in _PAGES:
                    raw_limit = read_or_none(self.source, f"{path}/hugetlb.{page}.{names[0]}", 64)
                    if raw_limit is None:
                        continue
                    raw_usage = read_or_none(self.source, f"{path}/hugetlb.{page}.{names[1]}", 64)
                    limit = parse_limit(raw_limit)
                    usage = None if raw_usage is None else parse_count(raw_usage)
                    if limit is not None and limit < UNLIMITED and usage is not None:
                        found.append(HugetlbLimit(page, label, limit, usage))
        return tuple(found)

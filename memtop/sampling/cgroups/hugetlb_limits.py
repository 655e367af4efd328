"""Reads the limits on huge pages (hugetlb) of the cgroups of processes that use such pages.

See cgroup-v2.rst and cgroup-v1/hugetlb.rst. Memory cgroups are not charged for huge pages, unless asked to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from memtop.analysis.limits.memory_cgroups import Version, controller_places
from memtop.errors import NotRecorded
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED, parse_count, parse_limit, parse_memberships
from memtop.procfs.mountinfo import Mount
from memtop.sampling.cgroup_reading import HugetlbLimit
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source, read_or_none

EVERY_TICKS: Final = 5
"""Ticks after which the limits are read again."""
_PAGES: Final = ("64KB", "1MB", "2MB", "16MB", "32MB", "512MB", "1GB", "16GB")
"""Sizes of huge pages, as the files are named; which of them there are depends on the processor."""


class HugetlbLimits:
    """Reads through a Source, and keeps for some ticks what was read.

    ``replaying``: it is read at the instants at which it was recorded, and holds until the next of them.
    """

    def __init__(self, source: Source, *, replaying: bool = False) -> None:
        self._source = source
        self._replaying = replaying
        self._tick = -1
        self._known: dict[ProcessKey, tuple[HugetlbLimit, ...]] = {}

    def read(
        self,
        assessed: Iterable[ProcessKey],
        processes: Mapping[int, ProcessSample],
        mounts: tuple[Mount, ...],
        v2_controllers: bytes | None,
    ) -> Mapping[ProcessKey, tuple[HugetlbLimit, ...]]:
        """One tick: the limits over each of ``assessed`` that has huge pages."""
        self._tick += 1
        before, self._known = self._known, {}
        for key in assessed:
            seen = processes.get(key.pid)
            if seen is None or seen.key != key or seen.status is None or not seen.status.hugetlb_bytes:
                continue
            known = before.get(key)
            if known is None or self._replaying or self._tick % EVERY_TICKS == 0:
                try:
                    known = self._of_cgroups(seen.folder, mounts, v2_controllers)
                except NotRecorded:
                    known = known or ()
            self._known[key] = known
        return self._known

    def _of_cgroups(
        self, folder: str, mounts: tuple[Mount, ...], v2_controllers: bytes | None
    ) -> tuple[HugetlbLimit, ...]:
        raw = read_or_none(self._source, f"{folder}/cgroup", 16_384)
        if raw is None:
            return ()
        places = controller_places(b"hugetlb", parse_memberships(raw), mounts, v2_controllers)
        found: list[HugetlbLimit] = []
        for place in places[:1]:
            names = ("max", "current") if place.version is Version.V2 else ("limit_in_bytes", "usage_in_bytes")
            for path, label in zip(place.chain, place.labels, strict=True):
                for page in _PAGES:
                    raw_limit = read_or_none(self._source, f"{path}/hugetlb.{page}.{names[0]}", 64)
                    if raw_limit is None:
                        continue
                    raw_usage = read_or_none(self._source, f"{path}/hugetlb.{page}.{names[1]}", 64)
                    limit = parse_limit(raw_limit)
                    usage = None if raw_usage is None else parse_count(raw_usage)
                    if limit is not None and limit < UNLIMITED and usage is not None:
                        found.append(HugetlbLimit(page, label, limit, usage))
        return tuple(found)

"""Sums of PSS over a fork family, from the latest reading of each member."""

from __future__ import annotations

from typing import Final

from memtop.process_key import ProcessKey
from memtop.sampling.sample import ProcessSample
from memtop.sampling.smaps.collector import Collector
from memtop.sampling.smaps.family import family_of
from memtop.sampling.smaps.smaps_view import FamilySum, Missing

AGAIN_S: Final = 5.0
"""Interval at which the family is looked for again, which visits all processes."""
MOST: Final = 256
"""A larger family is not summed: its readings would be too far apart."""


class FamilySums:
    """The family of one process, and what it takes together."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._of: tuple[ProcessKey, float, list[ProcessKey]] | None = None

    def members(self, key: ProcessKey) -> list[ProcessSample]:
        """The process and its fork relatives that live; empty if it has none."""
        sample, now_s = self._collector.sample, self._collector.now_s
        if sample is None:
            return []
        if self._of is None or self._of[0] != key or not 0 <= now_s - self._of[1] < AGAIN_S:
            found = family_of(sample.processes, key.pid) if self._collector.seen(key) is not None else []
            self._of = key, now_s, [one.key for one in found]
        living = [seen for one in self._of[2] if (seen := self._collector.seen(one)) is not None and seen.statm]
        return living if len(living) > 1 else []

    def sum(self, key: ProcessKey) -> FamilySum | None:
        """What the family takes; None if it has no relatives.

        PSS without the pages of files; USS where PSS is not known, as where pagemap is read.
        """
        members = self.members(key)
        if not members:
            return None
        records = [self._collector.records.get(seen.key) for seen in members]
        read = [one for one in records if one is not None and one.rollup is not None]
        if len(read) < len(members) or len(members) > MOST:
            reasons = [one.missing for one in records if one is not None and one.rollup is None]
            worst = next((one for one in reasons if one not in (Missing.NOTHING, Missing.UNREAD)), Missing.UNREAD)
            return FamilySum(len(members), None, None, "", worst if len(members) <= MOST else Missing.TOO_DEAR)
        at_s = max(one.rollup_s for one in read)
        rollups = [one.rollup for one in read if one.rollup is not None]
        pss = [_pss_bytes(one.pss_anon_bytes, one.number("Pss_Shmem"), one.pss_bytes) for one in rollups]
        uss = [one.uss_bytes for one in rollups]
        for measure, sizes in (("PSS", pss), ("USS", uss)):
            known = [size for size in sizes if size is not None]
            if len(known) == len(members):
                return FamilySum(len(members), at_s, sum(known), measure, Missing.NOTHING)
        return FamilySum(len(members), None, None, "", Missing.ABSENT)


def _pss_bytes(anon: int | None, shmem: int | None, whole: int | None) -> int | None:
    """PSS without page cache, as far as the kernel tells it apart (since Linux 5.4)."""
    return whole if anon is None else anon + (shmem or 0)

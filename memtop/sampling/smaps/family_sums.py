"""Sums of PSS over a fork family, from the latest reading of each member, and from the faults since.

USS is no measure of a family: a page that two share is in neither's, and when one copies it, it is in both.

The readings of large members are seconds apart. A page that stops being shared takes a minor fault, which costs nothing
to count, but not every fault is such a page: the last two readings of the members tell how many of them were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from memtop.analysis.memory_map.sharing import ESTIMATED_PSS, estimated_pss_bytes
from memtop.process_key import ProcessKey
from memtop.procfs.smaps_rollup import Rollup
from memtop.procfs.statm import page_bytes
from memtop.sampling.sample import ProcessSample
from memtop.sampling.smaps.collector import Collector
from memtop.sampling.smaps.family import family_of
from memtop.sampling.smaps.process_readings import ProcessReadings
from memtop.sampling.smaps.smaps_view import FamilySum, Missing

AGAIN_S: Final = 5.0
"""Interval at which the family is looked for again, which visits all processes."""
_MOST_A_FAULT: Final = 2.0
"""Pages by which a sum can rise with one fault: of two sharers of a page, one copies it, and then each has its own."""
MOST: Final = 256
"""A larger family is not summed: its readings would be too far apart."""


class FamilySums:
    """The families of a few processes, and what each takes together."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._of: dict[ProcessKey, tuple[float, list[ProcessKey]]] = {}
        """When each was found, and its members."""

    def members(self, key: ProcessKey) -> list[ProcessSample]:
        """The process and its fork relatives that live; empty if it has none."""
        sample, now_s = self._collector.sample, self._collector.now_s
        if sample is None:
            return []
        if key not in self._of or not 0 <= now_s - self._of[key][0] < AGAIN_S:
            self._of = {one: known for one, known in self._of.items() if self._collector.seen(one) is not None}
            found = family_of(sample.processes, key.pid) if self._collector.seen(key) is not None else []
            self._of[key] = now_s, [one.key for one in found]
        living = [seen for one in self._of[key][1] if (seen := self._collector.seen(one)) is not None and seen.statm]
        return living if len(living) > 1 else []

    def to_read(self, key: ProcessKey) -> list[ProcessSample]:
        """The members whose readings are needed for :meth:`sum`."""
        members = self.members(key)
        return members if len(members) <= MOST else []

    def sum(self, key: ProcessKey) -> FamilySum | None:
        """What the family takes now; None if it has no relatives.

        PSS without the pages of files. Where PSS is not known, as where pagemap is read, it is estimated.
        """
        members = self.members(key)
        if not members:
            return None
        if len(members) > MOST:
            return FamilySum(len(members), None, None, "", Missing.TOO_MANY)
        records = [self._collector.records.get(seen.key) for seen in members]
        read = [one for one in records if one is not None and one.rollup is not None]
        if len(read) < len(members):
            reasons = [one.missing for one in records if one is not None and one.rollup is None]
            worst = next((one for one in reasons if one not in (Missing.NOTHING, Missing.UNREAD)), Missing.UNREAD)
            return FamilySum(len(members), None, None, "", worst)
        at_s = max(one.rollup_s for one in read)
        for measure, size_of in (("PSS", _pss_bytes), (ESTIMATED_PSS, _estimated_bytes)):
            size_bytes = size_of([one.rollup for one in read])
            if size_bytes is not None:
                since_bytes = _since_bytes(members, read, size_of)
                now_s = at_s if since_bytes is None else self._collector.now_s
                return FamilySum(len(members), now_s, size_bytes + (since_bytes or 0), measure, Missing.NOTHING)
        return FamilySum(len(members), None, None, "", Missing.ABSENT)


_SizeOf = Callable[[Sequence[Rollup | None]], int | None]
"""The size of a family from a reading of each member; None if one is not known."""


def _since_bytes(members: Iterable[ProcessSample], read: Sequence[ProcessReadings], size_of: _SizeOf) -> int | None:
    """What the members have taken since their readings, by their minor faults; None before one was read twice."""
    twice = [one.rollup_before is not None for one in read]
    before = size_of([one.rollup_before or one.rollup for one in read])
    now = size_of([one.rollup for one in read])
    between = [_faults(one.rollup_before_minflt, one.rollup_minflt) for one in read]
    faulted = sum(faults or 0 for faults, known in zip(between, twice, strict=True) if known) * page_bytes()
    since = [
        _faults(one.rollup_minflt, seen.stat.minflt if seen.stat is not None else None)
        for seen, one in zip(members, read, strict=True)
    ]
    if not faulted or None in since or before is None or now is None:
        return None
    share = min(_MOST_A_FAULT, max(0.0, (now - before) / faulted))
    return round(share * page_bytes() * sum(one for one in since if one is not None))


def _faults(before: int | None, now: int | None) -> int | None:
    return max(0, now - before) if before is not None and now is not None else None


def _pss_bytes(rollups: Sequence[Rollup | None]) -> int | None:
    """PSS without page cache, as far as the kernel tells it apart (since Linux 5.4)."""
    return _sum(None if one is None else _own_pss_bytes(one) for one in rollups)


def _own_pss_bytes(rollup: Rollup) -> int | None:
    anon = rollup.pss_anon_bytes
    return rollup.pss_bytes if anon is None else anon + (rollup.number("Pss_Shmem") or 0)


def _estimated_bytes(rollups: Sequence[Rollup | None]) -> int | None:
    known = [
        (own, max(0, anon - own))
        for one in rollups
        if one is not None and (anon := one.anonymous_bytes) is not None and (own := one.uss_bytes) is not None
    ]
    return estimated_pss_bytes(known) if len(known) == len(rollups) else None


def _sum(sizes: Iterable[int | None]) -> int | None:
    known = list(sizes)
    return None if None in known else sum(one for one in known if one is not None)

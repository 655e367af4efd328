"""Finds programs and cgroups that grow as a whole: pools of workers that come and go, or that all grow a little.

The sums of programs are needed often only while the anonymous memory of the machine rises.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nlargest
from operator import attrgetter
from types import MappingProxyType
from typing import Final, NamedTuple

from memtop.analysis.limits.heap_use import HeapUse
from memtop.analysis.trend.rising import Rise, follow_rise, most_quiet_s
from memtop.engine.assessment.growing_group import GrowingGroup
from memtop.engine.groups.group_growth import GroupGrowth
from memtop.engine.groups.kept_totals import KeptTotals, Members, members_of
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.sample import Sample

RISING_S: Final = 2.0
"""How often the sums of programs are computed while the anonymous memory of the machine rises."""
MOST: Final = 4
"""Groups that are named."""
_MACHINE_BYTES: Final = 8 << 20
"""A rise of the anonymous memory of the machine counts from here on."""
_FOLLOWED_BYTES: Final = 16 << 20
"""The rise of a program from which on the sums are computed often, whatever the machine does."""
_LEAST_BYTES: Final = 4 << 20
"""Programs with less are not followed, and smaller rises are not handed on."""
_KEPT_SHARE: Final = 0.5
"""The machine, and the cgroups of its members, must have gained so much of what the sum has gained."""
_VERDICT_S: Final = 60.0
"""The time over which that is asked of growth that is confirmed."""
_FEWEST: Final = 2
"""Members of what grows as a whole: where there is one, it is that process that grows."""
_LOADING_S: Final = 10.0
"""A process that has started loads for so long: what it takes then is no growth of its group."""
_FILLED_S: Final = 4.0
"""A pool goes on to start for so long after its number of members was last a new high: what takes the place of a member
later, and is larger, is growth."""
_MORE: Final = 1.25
"""A number of members is a new high if it is so many times the one before."""
_STORM: Final = 8
"""Unless so many new members live at least, that began at different times: then their number grows."""
_STORM_S: Final = 20.0
_STORM_SHARE: Final = 0.25
"""At least so much of them is of each half of that time."""
_CLK_TCK: Final = os.sysconf("SC_CLK_TCK")
_ALONE_SHARE: Final = 0.5
"""A member that grows so much of it alone explains the growth of a group."""

_START_TICKS: Final = attrgetter("start_ticks")


class _Starts(NamedTuple):
    """What has started since the rise of a program began."""

    since_s: float
    """The beginning of that rise."""
    most: int
    """The highest number of members ..."""
    full_s: float
    """... and when it was reached."""
    sizes: dict[ProcessKey, int]
    """Anonymous memory of each member that belongs to the start, after it had loaded or as last seen."""


class PoolWatch:
    """:meth:`note_machine` at every sample; :meth:`note` with the sums of programs, as often as they are computed."""

    def __init__(self, growth: GroupGrowth) -> None:
        self._growth = growth
        self._machine: tuple[float, int] | None = None
        """Time and anonymous memory of the machine at the sample before."""
        self._machine_rise: Rise | None = None
        self._before_s: float | None = None
        self._before: dict[GroupKey, int] = {}
        """Anonymous memory of each program that has a notable amount, as of the sums before."""
        self._members_before: dict[GroupKey, int] = {}
        """Number of its members then."""
        self._rises: dict[GroupKey, Rise] = {}
        self._members_from: dict[GroupKey, int] = {}
        """Number of members of each program at the beginning of its rise."""
        self._starts: dict[GroupKey, _Starts] = {}
        """Of what rises."""
        self.growing: tuple[GrowingGroup, ...] = ()
        """As of the latest sums."""

    @property
    def keys(self) -> list[GroupKey]:
        """The groups that grow."""
        return [one.key for one in self.growing]

    def note_machine(self, sample: Sample) -> bool:
        """Whether the sums of programs are of interest now: one rises notably, or the machine's anonymous memory does,
        or is unknown."""
        meminfo, now_s = sample.system.meminfo, sample.mono_s
        size_bytes = meminfo.anon_bytes if meminfo is not None else None
        if size_bytes is None:
            return True
        rise = self._machine_rise
        if self._machine is not None:
            rise = follow_rise(rise, *self._machine, now_s, size_bytes)
            if rise is not None and now_s - rise.high_s > most_quiet_s(now_s - self._machine[0]):
                rise = None
        self._machine, self._machine_rise = (now_s, size_bytes), rise
        if rise is not None and rise.size_bytes >= _MACHINE_BYTES:
            return True
        return any(one.size_bytes >= _FOLLOWED_BYTES for one in self._rises.values())

    def note(
        self,
        sums: KeptTotals,
        rows: Mapping[int, ProcessRow],
        alone: Mapping[ProcessKey, float],
        cgroups: CgroupSample,
        now_s: float,
        *,
        heaps: Mapping[ProcessKey, HeapUse] = MappingProxyType({}),
    ) -> None:
        """The sums of programs; ``alone`` has the processes that grow themselves, in bytes a second, ``heaps`` those
        that are being used for the first time."""
        totals = sums.totals(By.PROGRAM)
        now = {key: one.anon_bytes for key, one in totals.items() if one.anon_bytes >= _LEAST_BYTES}
        members_from: dict[GroupKey, int] = {}
        before_s = self._before_s
        if before_s is not None and before_s < now_s:
            quiet_s = most_quiet_s(now_s - before_s)
            rises = {}
            for key in now.keys() | self._rises.keys():
                size = now.get(key, 0)
                old = self._rises.get(key)
                rise = follow_rise(old, before_s, self._before.get(key, 0), now_s, size)
                if rise is not None and now_s - rise.high_s <= quiet_s:
                    rises[key] = rise
                    known = self._members_from if old is not None and old.since_s == rise.since_s else {}
                    members_from[key] = known.get(key, self._members_before.get(key, 0))
            self._rises, self._members_from = rises, members_from
        self._before_s, self._before = now_s, now
        self._members_before = {key: totals[key].members for key in now}
        several = {key for key, one in totals.items() if one.members >= _FEWEST}
        notable = {
            key
            for key, rise in self._rises.items()
            if key in several and rise.steps > 1 and rise.size_bytes >= _LEAST_BYTES
        }
        found = {key: self._bytes_per_s(key) for key in {*notable, *self._alarmed(cgroups)}}

        def members(key: GroupKey) -> Members:
            return sums.members(key) if key.by is By.PROGRAM else _members_in(key.name, rows, cgroups)

        self.growing = tuple(self._growing(found, members, rows, alone, cgroups, now_s=now_s, heaps=heaps))

    def _is_real(self, key: GroupKey, rise: Rise | None, charged: bool | None) -> bool:
        """Whether a rise of a sum is one of memory: pages that forked processes still share count in each of them.

        The machine has gained as much; or it has not, because others have freed memory, and the cgroups of the members
        have. ``charged`` says that; None if it is not known.
        """
        if charged is not None and key.by is By.PROGRAM and not charged:
            return False
        if rise is None or self._machine is None:
            return True
        machine_bytes = self._machine_rise.size_bytes if self._machine_rise is not None else 0
        return bool(charged) or machine_bytes >= max(_LEAST_BYTES, _KEPT_SHARE * rise.size_bytes)

    def _alarmed(self, cgroups: CgroupSample) -> Iterable[GroupKey]:
        """Programs and cgroups whose growth is confirmed; of cgroups inside each other the innermost."""
        alarmed = [key for key in self._growth.alarmed() if key.by is not By.USER]
        paths = {key.name for key in alarmed if key.by is By.CGROUP}
        outer = {path for path in paths for other in paths if other.startswith(path + "/")}
        return [
            key for key in alarmed if key.by is By.PROGRAM or (key.name not in outer and key.name in cgroups.latest)
        ]

    def _bytes_per_s(self, key: GroupKey) -> float:
        rise, verdict = self._rises.get(key), self._growth.verdict(key)
        slope = verdict.standing.slope_bytes_per_s if verdict is not None and verdict.alarm else None
        return max(rise.bytes_per_s if rise is not None else 0.0, slope or 0.0)

    def _is_charged(self, key: GroupKey, chains: Iterable[tuple[str, ...]], now_s: float) -> bool | None:
        """Whether the cgroups of the members have gained what the sum has: else it counts pages that they share.

        ``chains`` are those cgroups, each with those above it. None where the charge of one is not known, and where
        there is none.
        """
        rise, verdict = self._rises.get(key), self._growth.verdict(key)
        since_s = rise.since_s if rise is not None else now_s - _VERDICT_S
        size_bytes = 0.0 if rise is None else float(rise.size_bytes)
        if rise is None and verdict is not None:
            size_bytes = _VERDICT_S * (verdict.standing.slope_bytes_per_s or 0.0)
        gained_bytes = 0
        paths = {chain[0] for chain in chains}
        for path in paths:
            track = self._growth.track(GroupKey(By.CGROUP, path))
            if track is None or not len(track):
                return None
            then, last = track.at(since_s) or track.point(0), track.point(-1)
            gained_bytes += (last.rss_bytes - last.shr_bytes) - (then.rss_bytes - then.shr_bytes)
        return gained_bytes >= _KEPT_SHARE * size_bytes if paths else None

    def _growing(
        self,
        found: Mapping[GroupKey, float],
        members: Callable[[GroupKey], Members],
        rows: Mapping[int, ProcessRow],
        alone: Mapping[ProcessKey, float],
        cgroups: CgroupSample,
        *,
        now_s: float,
        heaps: Mapping[ProcessKey, HeapUse],
    ) -> Iterable[GrowingGroup]:
        """Those of ``found`` that no member explains alone, with what they consist of; the fastest first."""
        named: set[str] = set()
        """The cgroups of those that are handed on, and of all above them."""
        starts, self._starts = self._starts, {}
        for key in nlargest(MOST, found, key=lambda one: (one.by is By.PROGRAM, found[one])):
            if key.by is By.CGROUP and key.name in named:
                continue  # a program in it is the story
            of = members(key)
            if of.oldest is None or len(of.keys) < _FEWEST:
                continue
            verdict = self._growth.verdict(key)
            confirmed = verdict if verdict is not None and verdict.alarm else None
            rise = self._without_starts(key, of, rows, starts.get(key), now_s)
            if rise is None and confirmed is None:
                continue
            own = found[key] if confirmed is not None or rise is None else rise.bytes_per_s
            if max((rate for one, rate in alone.items() if one in of.keys), default=0.0) >= _ALONE_SHARE * own:
                continue
            chains = [chain for one in of.one_of_each_cgroup if (chain := cgroups.chains.get(one))]
            charged = self._is_charged(key, chains, now_s)
            if not self._is_real(key, self._rises.get(key) if confirmed is None else None, charged):
                continue
            named.update(*chains)
            shown = cgroups.labels.get(key.name, key.name) if key.by is By.CGROUP else key.name
            inside = tuple(heap for one, heap in heaps.items() if one in of.keys)
            yield GrowingGroup(key, shown, len(of.keys), of.oldest, _places(chains), rise, confirmed, inside)

    def _without_starts(
        self, key: GroupKey, members: Members, rows: Mapping[int, ProcessRow], before: _Starts | None, now_s: float
    ) -> Rise | None:
        """The rise without what members that began during it took at their start; None where nothing notable is left.

        A member that took the place of another one is growth where it is larger. Where the number of members grows all
        the time, their starts are the growth.
        """
        rise = self._rises.get(key)
        if rise is None:
            return None
        number = len(members.keys)
        more = number - self._members_from.get(key, 0)
        from_ticks, to_ticks = (rise.since_s - _LOADING_S) * _CLK_TCK, now_s * _CLK_TCK
        first, end = (bisect_right(members.by_start, at, key=_START_TICKS) for at in (from_ticks, to_ticks))
        young = members.by_start[first:end]
        if before is None or before.since_s != rise.since_s:
            before = _Starts(rise.since_s, 0, now_s, {})
        full_s = now_s if number > _MORE * before.most else before.full_s
        sizes = before.sizes if more > 0 else {}  # where there are no more than at first, none were added
        for one in young if more > 0 else ():
            started_s = one.start_ticks / _CLK_TCK
            if started_s <= full_s + _FILLED_S and (one not in sizes or now_s - started_s < _LOADING_S):
                sizes[one] = rows[one.pid].anon_bytes or 0
        sizes = {key: sizes[key] for key in nlargest(max(0, more), sizes, key=sizes.__getitem__)}
        self._starts[key] = _Starts(rise.since_s, max(before.most, number), full_s, sizes)
        at_start = sum(sizes.values())
        if _is_storm(rise, young):
            return rise
        least_bytes = rise.from_bytes + at_start
        return rise._replace(from_bytes=least_bytes) if rise.high_bytes - least_bytes >= _LEAST_BYTES else None


def _is_storm(rise: Rise, young: Sequence[ProcessKey]) -> bool:
    """Whether the number of members grows all the time: ``young`` are those that began during the rise."""
    if len(young) < _STORM or rise.span_s < _STORM_S:
        return False
    half_ticks = (rise.since_s + rise.span_s / 2) * _CLK_TCK
    late = sum([one.start_ticks > half_ticks for one in young])
    return min(late, len(young) - late) >= _STORM_SHARE * len(young)


def _places(chains: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """The cgroups that all processes in these chains are in."""
    return frozenset(chains[0]).intersection(*chains[1:]) if chains else frozenset()


def _members_in(path: str, rows: Mapping[int, ProcessRow], cgroups: CgroupSample) -> Members:
    """The processes in a cgroup, with those in the cgroups below it."""
    return members_of(row for row in rows.values() if path in cgroups.chains.get(row.key, ()))

"""Series of groups: their sums, charges, limits and growth, noted at every sample."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from memtop.analysis.limits.heap_use import HeapUse
from memtop.analysis.limits.memory_limits import host_ceiling
from memtop.engine.assessment.growing_group import GrowingGroup
from memtop.engine.groups.charge import Charge, ceiling_of, charge_of
from memtop.engine.groups.group_growth import GroupGrowth
from memtop.engine.groups.kept_totals import KeptTotals
from memtop.engine.groups.limit_past import LimitPast
from memtop.engine.groups.naming import Naming, Places, kinds_of
from memtop.engine.groups.pools import RISING_S, PoolWatch
from memtop.engine.groups.sums import Totals
from memtop.history.rings import Gap
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.meminfo import Meminfo
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample, TimedReading
from memtop.sampling.sample import Sample

SUMS_EVERY_S: Final = 5.0
"""How often the sums of programs or, in turn, of users are noted while no view shows them."""
MOST_REMOVED: Final = 64
"""Cgroups without members whose last readings are kept."""


class GroupSeries:
    """Owned by the table of groups, which gives it the ``places`` of groups that have gone."""

    def __init__(self, gaps: deque[Gap], places: Places) -> None:
        """``gaps`` are the stretches of time in which nothing was read."""
        self.growth = GroupGrowth(gaps)
        self.limits = LimitPast()
        self.kinds: frozenset[By] = frozenset({By.CGROUP, By.USER, By.PROGRAM})
        """Kinds of groups that there are."""
        self.removed: dict[str, TimedReading] = {}
        """Last readings of cgroups that have no members anymore."""
        self._places = places
        self._read_s: dict[str, float] = {}
        """When the reading of each cgroup was made that was noted last."""
        self._charges: dict[str, tuple[CgroupReading, Charge | None]] = {}
        self._fresh: set[str] = set()
        """Cgroups that were read since these were last taken."""
        self._summed_s: float | None = None
        self._summed = By.USER
        """The kind of groups whose sums were noted last."""
        self._totals = KeptTotals()
        self._pools = PoolWatch(self.growth)
        self._before = CgroupSample()
        """Of the sample before."""

    def note(
        self,
        sample: Sample,
        rows: Mapping[int, ProcessRow],
        *,
        delay_s: float,
        looked_at: Sequence[GroupKey] = (),
        alone: Mapping[ProcessKey, float] = MappingProxyType({}),
        heaps: Mapping[ProcessKey, HeapUse] = MappingProxyType({}),
        take_touched: Callable[[], Iterable[int]] | None = None,
    ) -> None:
        """One sample.

        ``rows`` are those of all processes by pid, ``looked_at`` the groups that are judged first, ``alone`` the
        processes that grow themselves, in bytes a second, ``heaps`` those that are being used for the first time.
        ``take_touched`` gives the PIDs of the rows that have changed since it was called last.
        """
        cgroups, now_s = sample.cgroups or CgroupSample(), sample.mono_s
        for path in cgroups.remade:
            self.growth.forget(GroupKey(By.CGROUP, path))
        for path in self._killed_in(cgroups):
            self.growth.end(GroupKey(By.CGROUP, path), now_s)
        for path, timed in cgroups.latest.items():
            if self._read_s.get(path) != timed.at_s:
                self._read_s[path] = timed.at_s
                self._fresh.add(path)
                self.limits.note(path, timed.at_s, ceiling_of(path, cgroups, sample.system.meminfo))
                charge = self.charge(path, timed.reading)
                if charge is not None and charge.used_bytes is not None:
                    series = charge.charge_bytes, charge.working_set_bytes, charge.used_bytes
                    self.growth.note(GroupKey(By.CGROUP, path), timed.at_s, *series)
        for path in self._read_s.keys() - cgroups.latest.keys() if len(self._read_s) > len(cgroups.latest) else ():
            del self._read_s[path]
            self._charges.pop(path, None)
            if (last := self._before.latest.get(path)) is not None:
                self.removed[path] = last
        while len(self.removed) > MOST_REMOVED:
            del self.removed[next(iter(self.removed))]
        if len(self.limits) > len(cgroups.latest) + MOST_REMOVED:
            self.limits.forget_others({*cgroups.latest, *self.removed})
        self._places.note(sample.gone, self._before)
        self._before = cgroups
        rises = self._pools.note_machine(sample)
        since_s = None if self._summed_s is None else now_s - self._summed_s
        if since_s is None or since_s >= SUMS_EVERY_S or (rises and since_s >= RISING_S):
            self._totals.update(rows, take_touched() if take_touched is not None else None)
            self._note_sums(By.PROGRAM if rises else self._other_kind(), rows, sample, alone, heaps)
        meminfo, first = sample.system.meminfo, [*looked_at, *self._pools.keys]
        self.growth.look(
            now_s,
            delay_s,
            first,
            lambda key: self._room_bytes(key, cgroups, meminfo),
            lambda key: self._heaps_of(key, heaps, rows, cgroups),
        )

    @property
    def growing(self) -> tuple[GrowingGroup, ...]:
        """The programs and cgroups that grow as a whole, while no single member explains it."""
        return self._pools.growing

    def charge(self, path: str, reading: CgroupReading) -> Charge | None:
        """What a reading of a cgroup charges, computed once for each reading."""
        known = self._charges.get(path)
        if known is None or known[0] is not reading:
            known = self._charges[path] = reading, charge_of(reading)
        return known[1]

    def take_fresh(self) -> set[str]:
        """The cgroups that were read since this was last called."""
        fresh, self._fresh = self._fresh, set()
        return fresh

    def _killed_in(self, cgroups: CgroupSample) -> set[str]:
        """The cgroups in or below which the OOM killer has killed since the sample before."""
        found: set[str] = set()
        if cgroups.kills is not self._before.kills:
            known = self._before.kills
            for path in [path for path, count in cgroups.kills.items() if count > known.get(path, count)]:
                above = path
                while above and above not in found:
                    found.add(above)
                    above = above.rpartition("/")[0]
        return found

    def _other_kind(self) -> By:
        return By.USER if self._summed is By.PROGRAM else By.PROGRAM

    def _note_sums(
        self,
        by: By,
        rows: Mapping[int, ProcessRow],
        sample: Sample,
        alone: Mapping[ProcessKey, float],
        heaps: Mapping[ProcessKey, HeapUse],
    ) -> None:
        cgroups, now_s = sample.cgroups or CgroupSample(), sample.mono_s
        self._summed_s, self._summed = now_s, by
        self.kinds = kinds_of(sample.names.values())
        self.note_totals(by, self._totals.totals(by), now_s)
        if by is By.PROGRAM:
            self._pools.note(self._totals, rows, alone, cgroups, now_s, heaps=heaps)

    def note_totals(self, by: By, totals: Mapping[GroupKey, Totals], now_s: float) -> None:
        """The sums of groups without a cgroup; those that have no members now have nothing."""
        for key, (virt, rss, anon, _) in totals.items():
            self.growth.note(key, now_s, virt, rss, anon)
        if by is By.CGROUP:
            return
        for key in [key for key in self.growth.keys() if key.by is by and key not in totals]:  # noqa: SIM118
            if (track := self.growth.track(key)) is not None and track.point(-1).virt_bytes:
                self.growth.note(key, now_s, 0, 0, 0)

    def _room_bytes(self, key: GroupKey, cgroups: CgroupSample, meminfo: Meminfo | None) -> float | None:
        """What the limit that binds a group leaves: that of its cgroup or the machine."""
        found = ceiling_of(key.name, cgroups, meminfo) if key.by is By.CGROUP else None
        host = host_ceiling(meminfo) if meminfo is not None else None
        rooms = [one.headroom_max_bytes for one in (found, host) if one is not None]
        return float(max(0, min(rooms))) if rooms else None

    def _heaps_of(
        self, key: GroupKey, heaps: Mapping[ProcessKey, HeapUse], rows: Mapping[int, ProcessRow], cgroups: CgroupSample
    ) -> list[HeapUse]:
        """Those of its members."""
        if not heaps:
            return []
        if key.by is By.CGROUP:
            return [heap for one, heap in heaps.items() if key.name in cgroups.chains.get(one, ())]
        naming = Naming(key.by, cgroups, rows, self._places)
        return [heap for one, heap in heaps.items() if one.pid in rows and naming.group_of(rows[one.pid]).key == key]

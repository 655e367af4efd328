"""Follows all cgroups with a limit: use, gain, throttling by memory.high, and the largest process in each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from memtop.analysis.incidents import BrakeFacts, CgroupFacts
from memtop.analysis.incidents.cgroups import is_thrash
from memtop.analysis.ledger.cgroup import CgroupPart, cgroup_ledger, unsure_bytes
from memtop.analysis.limits.heap_use import HeapUse
from memtop.analysis.limits.memory_limits import (
    CgroupUse,
    ceiling,
    high_ceiling,
    swap_free_at_limit,
    swap_free_bytes,
    swap_room,
)
from memtop.analysis.trend.rising import QUIET_S, High, Rise, beyond, follow_rise, latest_high
from memtop.engine.assessment.limit_names import limit_file, limit_name
from memtop.engine.assessment.process_names import process_name
from memtop.engine.assessment.step_input import StepInput
from memtop.history.rates import per_s
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED
from memtop.sampling.cgroup_reading import CgroupReading, TimedReading

REPORTED_PERCENT: Final = 70.0
"""Facts are given of cgroups fuller than this, and of those that rise."""
REPORTED_RISE: Final = 0.01
"""A rise counts from this part of the limit on."""
REPORTED_REFAULTS_PER_S: Final = 50.0
_HIGH_SHARE: Final = 0.9
NEAR_HIGH_SHARE: Final = 0.75
"""Of a memory.high, from which on facts are given of it."""
BRAKED_S: Final = 15.0
"""A cgroup is slowed down for so long after its counter was seen to rise, which is read every 12 s at most."""
MEMBERS_TICKS: Final = 5
"""Ticks after which the largest process of each is looked for again ..."""
NEW_TICKS: Final = 3
"""... and where another cgroup has come: it goes through all processes."""


@dataclass(slots=True)
class _Watched:
    timed: TimedReading
    limit_bytes: int | None = None
    """None where it has no limit that can be compared."""
    used_bytes: int = 0
    """What cannot be reclaimed."""
    rise: Rise | None = None
    """The part of :attr:`followed` that is beyond what was in use within the last minutes before it."""
    followed: Rise | None = None
    high: High | None = None
    """What was in use at most in the last minutes, before that rise."""
    refaults: int | None = None
    refault_per_s: float | None = None
    thrashes_from_s: float | None = None
    """Since when pages that were evicted at its limit come back all the time; None while they do not."""
    high_events: int | None = None
    braked_s: float | None = None
    """When its tasks were found to be slowed down last."""
    high_room_bytes: int | None = None
    """What is left to memory.high after all that can be reclaimed; None without one."""


class CgroupWatch:
    """:meth:`take` once a tick, then :meth:`facts`."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._reported: dict[str, _Watched] = {}
        """Those of which the facts are given."""
        self._braked: dict[str, _Watched] = {}
        """Those that were slowed down, or near that, at their latest readings."""
        self._largest: dict[str, tuple[ProcessKey, str]] = {}
        self._largest_of: frozenset[str] = frozenset()
        self._tick = self._found_tick = -MEMBERS_TICKS

    def take(self, step: StepInput) -> None:
        """The next sample: only cgroups that were read again are visited."""
        self._tick += 1
        latest, watched = step.cgroups.latest, self._watched
        total_bytes = step.meminfo.total_bytes if step.meminfo is not None else None
        for path in step.cgroups.remade:
            watched.pop(path, None)
        for path, timed in latest.items():
            if path in step.cgroups.removed:
                continue
            old = watched.get(path)
            if old is None or old.timed is not timed:
                one = watched[path] = _follow(old, timed, total_bytes)
                if one.limit_bytes is not None and _is_reported(one):
                    self._reported[path] = one
                else:
                    self._reported.pop(path, None)
                if (one.braked_s is not None and step.now_s - one.braked_s <= BRAKED_S) or _is_near_high(one):
                    self._braked[path] = one
                else:
                    self._braked.pop(path, None)
        removed = step.cgroups.removed
        if removed or len(watched) > len(latest):
            for path in [path for path in watched if path not in latest or path in removed]:
                del watched[path]
                self._reported.pop(path, None)
                self._braked.pop(path, None)
        reported = self._reported.keys() | self._braked.keys()
        if reported and self._tick - self._found_tick >= (MEMBERS_TICKS if reported <= self._largest_of else NEW_TICKS):
            self._find_largest(step, reported)

    def facts(
        self, step: StepInput, heaps: Mapping[ProcessKey, HeapUse] = MappingProxyType({})
    ) -> tuple[CgroupFacts, ...]:
        """Of those that are nearly full, that rise, or that have evicted pages come back.

        ``heaps`` are those of processes that are being used for the first time.
        """
        found = []
        for path, one in self._reported.items():
            assert one.limit_bytes is not None
            key, name = self._largest_in(path, step)
            reading = one.timed.reading
            free_bytes = swap_free_bytes(step.meminfo)
            swappiness = step.cgroups.policy.swappiness if reading.v2 else reading.swappiness
            free_bytes = swap_free_at_limit(free_bytes, swappiness)
            found.append(
                CgroupFacts(
                    path,
                    limit_name(path, step),
                    one.limit_bytes,
                    one.limit_bytes - one.used_bytes,
                    swap_room(_with_those_above(path, step), free_bytes, zswap=step.cgroups.policy.zswap),
                    one.rise,
                    key,
                    name,
                    *_no_process_has(reading),
                    one.refault_per_s,
                    0.0 if one.thrashes_from_s is None else one.timed.at_s - one.thrashes_from_s,
                    undivided=_is_undivided(reading),
                    heaps=tuple(heap for one, heap in heaps.items() if path in step.chain(one)),
                    read_s=one.timed.at_s,
                    file=limit_file(path, step),
                    above_bytes=self._room_above(path),
                )
            )
        return tuple(found)

    def _room_above(self, path: str) -> int | None:
        """The least room of the cgroups above it."""
        rooms = []
        while path := path.rpartition("/")[0]:
            above = self._watched.get(path)
            if above is not None and above.limit_bytes is not None:
                rooms.append(above.limit_bytes - above.used_bytes)
        return min(rooms, default=None)

    def brakes(self, step: StepInput) -> tuple[BrakeFacts, ...]:
        """Of those that memory.high slows down, or soon will."""
        found = []
        for path, one in self._braked.items():
            reading = one.timed.reading
            if reading.high_bytes is not None:
                stall = reading.pressure.some if reading.pressure is not None else None
                waits = stall.avg10_percent if stall is not None else None
                largest = self._largest_in(path, step)
                slow = one.braked_s is not None and step.now_s - one.braked_s <= BRAKED_S
                room_bytes = None if slow else one.high_room_bytes
                found.append(BrakeFacts(path, limit_name(path, step), reading.high_bytes, waits, *largest, room_bytes))
        return tuple(found)

    def _largest_in(self, path: str, step: StepInput) -> tuple[ProcessKey | None, str]:
        """The largest process of a cgroup, and its name where all are read."""
        key, name = self._largest.get(path, (None, ""))
        if key is None or step.row(key) is None:
            return None, ""
        return key, name if step.everybody else ""

    def _find_largest(self, step: StepInput, paths: Collection[str]) -> None:
        self._found_tick, self._largest_of = self._tick, frozenset(paths)
        processes = step.sample.processes
        largest: dict[str, tuple[int, ProcessKey]] = {}
        for key, chain in step.cgroups.chains.items():
            inside = [path for path in chain if path in paths]
            seen = processes.get(key.pid) if inside else None
            if seen is None or seen.statm is None or seen.key != key:
                continue
            for path in inside:
                if path not in largest or seen.statm.rss_bytes > largest[path][0]:
                    largest[path] = seen.statm.rss_bytes, key
        rows = {path: step.row(key) for path, (_, key) in largest.items()}
        self._largest = {path: (row.key, process_name(row)) for path, row in rows.items() if row is not None}


def _with_those_above(path: str, step: StepInput) -> list[CgroupUse]:
    """A cgroup and its ancestors, as far as they were read: swap counts for the limits of all of them."""
    found = []
    while path:
        if (timed := step.cgroups.latest.get(path)) is not None:
            found.append(timed.reading.use)
        path = path.rpartition("/")[0]
    return found


def _is_undivided(reading: CgroupReading) -> bool:
    """Whether memory.stat says nothing, so that all of the use may be reclaimable or not."""
    if not reading.usage_bytes:
        return False
    return unsure_bytes(cgroup_ledger(reading.usage_bytes, reading.stat)) >= reading.usage_bytes


def _no_process_has(reading: CgroupReading) -> tuple[int, int]:
    """Shared memory, and kernel memory that cannot certainly be reclaimed, of what it uses."""
    if reading.usage_bytes is None:
        return 0, 0
    ledger = cgroup_ledger(reading.usage_bytes, reading.stat)
    kernel_bytes = ledger.size_of(CgroupPart.KERNEL, CgroupPart.KERNEL_AND_SLAB, CgroupPart.SOCK)
    return ledger.size_of(CgroupPart.SHMEM) or 0, kernel_bytes or 0


def _is_reported(one: _Watched) -> bool:
    limit_bytes = one.limit_bytes or 0
    if one.used_bytes >= REPORTED_PERCENT / 100 * limit_bytes:
        return True
    rises = one.rise is not None and one.rise.size_bytes >= REPORTED_RISE * limit_bytes
    return rises or (one.refault_per_s or 0.0) >= REPORTED_REFAULTS_PER_S


def _follow(old: _Watched | None, timed: TimedReading, total_bytes: int | None) -> _Watched:
    """What is known of a cgroup after one more reading."""
    new, events = _filled(old, timed, total_bytes), timed.reading.high_events
    if is_thrash(new.refault_per_s, timed.reading.usage_bytes, new.limit_bytes):
        known_s = old.thrashes_from_s if old is not None else None
        new.thrashes_from_s = timed.at_s if known_s is None else known_s
    new.high_events = events
    if old is not None:
        rose = events is not None and old.high_events is not None and events > old.high_events
        rose = rose and _is_over_high(timed.reading)
        new.braked_s = timed.at_s if rose else old.braked_s
    return new


def _is_near_high(one: _Watched) -> bool:
    high_bytes, room_bytes = one.timed.reading.high_bytes, one.high_room_bytes
    return high_bytes is not None and room_bytes is not None and room_bytes <= (1 - NEAR_HIGH_SHARE) * high_bytes


def _is_over_high(reading: CgroupReading) -> bool:
    """Whether the use is near memory.high: the counter counts in the cgroups above too."""
    high_bytes, usage_bytes = reading.high_bytes, reading.usage_bytes
    if high_bytes is None or usage_bytes is None or high_bytes >= UNLIMITED:
        return False
    return usage_bytes >= _HIGH_SHARE * high_bytes


def _filled(old: _Watched | None, timed: TimedReading, total_bytes: int | None) -> _Watched:
    """How full it is, and what it gains."""
    reading, at_s = timed.reading, timed.at_s
    if old is not None and reading is old.timed.reading:  # the use has not moved
        still = old.followed if old.followed is not None and at_s - old.followed.high_s <= QUIET_S else None
        same = _Watched(timed, old.limit_bytes, old.used_bytes, high_room_bytes=old.high_room_bytes)
        same.refaults, same.refault_per_s = old.refaults, 0.0 if old.refaults else None
        _take_rise(same, old, still, at_s)
        return same
    limit, high = ceiling(reading.use, total_bytes), high_ceiling(reading.use, total_bytes)
    high_room_bytes = high.headroom_max_bytes if high is not None else None
    if limit is None:
        return _Watched(timed, high_room_bytes=high_room_bytes)
    new = _Watched(timed, limit.limit_bytes, max(0, limit.unreclaimable_bytes), high_room_bytes=high_room_bytes)
    if (stat := reading.stat) is not None and (stat.refault_anon is not None or stat.refault_file is not None):
        new.refaults = (stat.refault_anon or 0) + (stat.refault_file or 0)
    if old is None or old.limit_bytes is None or old.timed.at_s >= at_s:
        return new
    elapsed_s = at_s - old.timed.at_s
    new.refault_per_s = per_s(new.refaults, old.refaults, elapsed_s)
    rise = follow_rise(old.followed, old.timed.at_s, old.used_bytes, at_s, new.used_bytes)
    _take_rise(
        new, old, rise if rise is not None and at_s - rise.high_s <= max(QUIET_S, 2.5 * elapsed_s) else None, at_s
    )
    return new


def _take_rise(new: _Watched, old: _Watched, rise: Rise | None, at_s: float) -> None:
    new.followed, new.high = rise, latest_high(old.high, old.followed, rise, at_s)
    new.rise = beyond(rise, new.high.size_bytes if new.high is not None else None) if rise is not None else None

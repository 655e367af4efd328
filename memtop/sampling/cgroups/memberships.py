"""Memory cgroup of each process: looked up soon after the process is first seen, and again from time to time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, nlargest
from typing import Final, TypeGuard

from memtop.errors import MemtopError, NotRecorded, ProcessGone
from memtop.process_key import ProcessKey
from memtop.procfs.membership import CgroupNames
from memtop.procfs.stat import parse_stat
from memtop.sampling.cgroups.cgroup_files import RARELY_TICKS
from memtop.sampling.cgroups.cgroup_finder import CgroupFinder, Found
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source

LOOKUPS: Final = 128
"""Processes whose cgroup is looked up at one instant, in addition to those needed at once. It limits the first
sample."""
LOOKUPS_FOR_ALL: Final = 512
"""The same while the cgroups of all processes are on screen. Each takes about 0.07 ms."""
AGAIN: Final = 16
"""Processes that are looked up again at one instant even if there are many new ones."""
YOUNG_S: Final = 10.0
"""Age below which a process may still be moved by what has started it."""
CLK_TCK: Final = os.sysconf("SC_CLK_TCK")
GROWN_BYTES: Final = 4 << 20
"""A process is looked up again when its RES has doubled and risen by so much."""
SETTLED_TICKS: Final = 5
"""A process is looked up again after this many ticks, because it is often moved to its cgroup a moment after its
start."""


@dataclass(slots=True)
class _Membership:
    """The memory cgroup of a process."""

    raw: bytes
    found: Found
    tick: int
    version: int
    """Of the mounts by which it was found."""
    execs: int = 0
    """Execs of the process when it was looked up."""
    rss_bytes: int = 0
    """Its RES then."""


class CgroupMemberships:
    """Finds the cgroups of processes through a Source, and keeps the results."""

    def __init__(
        self, source: Source, finder: CgroupFinder, on_chain: Callable[[Found], None], *, replaying: bool
    ) -> None:
        """``on_chain`` is called with each chain of cgroups that a process was found in."""
        self._source = source
        self._finder = finder
        self._on_chain = on_chain
        self._replaying = replaying
        self._tick = -1
        self._now_s = 0.0
        self._memberships: dict[ProcessKey, _Membership] = {}
        self.chains: dict[ProcessKey, tuple[str, ...]] = {}
        """Memory cgroup and ancestors of each process, nearest first."""
        self.names: dict[ProcessKey, CgroupNames] = {}
        """Path of the cgroup of each process, and its container, pod and unit."""
        self.moved: set[ProcessKey] = set()
        """Processes whose cgroup was found or has changed at this tick."""
        self.left: set[str] = set()
        """Cgroups that a process was found to have left at this tick."""
        self.unread: dict[ProcessKey, str] = {}
        """Why the cgroup of a process is unknown."""
        self._seen: set[int] = set()
        """PIDs that were looked up, or have no memory."""
        self._soon: deque[tuple[int, ProcessKey]] = deque()
        """Processes to be looked up a second time, with the tick."""
        self._again: deque[ProcessKey] = deque()
        self._queue: list[tuple[int, ProcessKey]] = []
        """A heap of the new processes that wait for their turn, with their RES, negative: the largest comes first."""
        self._queued: set[int] = set()
        """Their PIDs."""
        self._missing: set[ProcessKey] = set()
        """Processes that had ended at the latest sweep."""
        self.pids: set[int] = set()
        """PIDs of the living processes whose cgroup was looked up."""
        self._looked_up: set[ProcessKey] = set()
        """Processes that were looked up at this tick."""

    def found(self, key: ProcessKey) -> Found | None:
        """The memory cgroup of a process; None if it was not looked up."""
        membership = self._memberships.get(key)
        return membership.found if membership is not None else None

    def unknown(self, keys: Iterable[ProcessKey]) -> list[ProcessKey]:
        """Those of ``keys`` that were not looked up yet."""
        return [key for key in keys if key not in self._memberships]

    def known(self) -> Iterable[Found]:
        """All processes that are kept."""
        return (membership.found for membership in self._memberships.values())

    def waiting(self, processes: Mapping[int, ProcessSample]) -> int:
        """Number of the processes that were not looked up yet, or of which a recording does not say it."""
        if not self._replaying:
            return len(self._queued)
        return sum(
            one.statm is not None and one.key not in self._memberships and pid not in self._seen
            for pid, one in processes.items()
        )

    def begin(self, now_s: float, gone: Iterable[ProcessKey] = ()) -> None:
        """A new instant, on the clock of Instant.mono_s; ``gone`` have ended since the last one."""
        self.pids.difference_update(key.pid for key in gone)
        self._now_s = now_s
        self._tick += 1
        self.moved, self.left = set(), set()
        self._looked_up.clear()

    def read(
        self,
        wanted: Iterable[ProcessKey],
        processes: Mapping[int, ProcessSample],
        gone: Iterable[ProcessKey],
        *,
        changed: Iterable[int] = (),
        most: int = LOOKUPS,
    ) -> None:
        """Look up one tick: ``wanted`` if they are new, the largest of all other new ones, and some again.

        ``most`` is how many of the other new ones may be looked up. Of those that have ``changed``, the ones that run
        another program or have grown are looked up again first: what moves a process does so before the program begins,
        and memory is charged to where it is when it grows.
        """
        for key in gone:
            self._seen.discard(key.pid)
            self._queued.discard(key.pid)
        if self._replaying:
            for one in processes.values():
                if one.statm is not None:
                    self.find(one.key, one.folder)
            return
        for key in wanted:
            if key not in self._memberships:
                self._first(processes[key.pid])
        count = self._read_new(processes, most)
        for one in nlargest(AGAIN, filter(self._is_another, map(processes.get, changed)), key=_rss):
            self._look_up(one)
        for one in self._due(processes, max(AGAIN, LOOKUPS - count)):
            self.find(one.key, one.folder)
            self._again.append(one.key)

    def find_members(self, removed: AbstractSet[str], processes: Mapping[int, ProcessSample]) -> None:
        """Look up the processes that were in cgroups that do not exist anymore: they have been moved."""
        members = [key for key, chain in self.chains.items() if not removed.isdisjoint(chain)] if removed else []
        for key in members:
            for one in _living(key, processes):
                self.find(key, one.folder)

    def sweep(self, processes: Mapping[int, ProcessSample], judged: Iterable[ProcessKey]) -> set[ProcessKey]:
        """Drop processes that ended before the previous sweep. Returns those that have ended and are still kept.

        The report of an exit needs them and may be due at this tick, so each is kept until the next sweep.
        """
        alive = {one.key for one in processes.values()}.union(judged)
        before, self._missing = self._missing, self._memberships.keys() - alive
        for key in before & self._missing:
            del self._memberships[key], self.chains[key]
            self.names.pop(key, None)
            self.unread.pop(key, None)
        return alive | self._missing

    def find(self, key: ProcessKey, folder: str) -> None:
        """Look up a process.

        What was known stays if it cannot be read again, or if the process is ending, because its file says ``/`` then.
        """
        if key in self._looked_up:
            return
        self._looked_up.add(key)
        membership = self._memberships.get(key)
        try:
            raw = self._source.read(f"{folder}/cgroup")
        except ProcessGone:
            self._seen.add(key.pid)
            return
        except NotRecorded:
            return
        except MemtopError as error:
            if membership is None:
                self._settle(key, b"", self._finder.refused(error))
            return
        if membership is not None and membership.raw == raw and not self._is_stale(membership):
            return
        if membership is not None and membership.raw != raw and self._ending(folder):
            return
        found = self._finder.find(folder, raw)
        self._settle(key, self._finder.shared(raw), found)

    def _ending(self, folder: str) -> bool:
        """Whether a process is ending now: it may have begun to after it was sampled."""
        try:
            return parse_stat(self._source.read(f"{folder}/stat")).ending
        except NotRecorded:
            return False
        except MemtopError:
            return True

    def _due(self, processes: Mapping[int, ProcessSample], most_young: int) -> list[ProcessSample]:
        """The processes that are looked up again now.

        Those that have ended do not count: where many come and go, they would pile up.
        """
        young: list[ProcessSample] = []
        while self._soon and self._soon[0][0] <= self._tick and len(young) < most_young:
            young += _living(self._soon.popleft()[1], processes)
        others: list[ProcessSample] = []
        for _ in range(len(self._again)):
            if len(others) == AGAIN:
                break
            others += _living(self._again.popleft(), processes)
        return young + others

    def _is_stale(self, membership: _Membership) -> bool:
        """Whether a cgroup that was not found may be found now."""
        old = self._tick - membership.tick >= RARELY_TICKS or membership.version != self._finder.version
        return old and bool(membership.found.unread)

    def _first(self, process: ProcessSample) -> None:
        self._seen.add(process.key.pid)
        self._look_up(process)
        if self._now_s - process.key.start_ticks / CLK_TCK < YOUNG_S:
            self._soon.append((self._tick + SETTLED_TICKS, process.key))
        else:
            self._again.append(process.key)

    def _read_new(self, processes: Mapping[int, ProcessSample], most: int) -> int:
        """Look up the largest of the processes that were not looked up yet. Returns how many."""
        for pid in processes.keys() - self._seen - self._queued:
            one = processes[pid]
            if one.statm is None:
                self._seen.add(pid)
            else:
                self._queued.add(pid)
                heappush(self._queue, (-one.statm.rss_bytes, one.key))
        if len(self._queue) > 2 * len(self._queued) + LOOKUPS:  # most have ended before it was their turn
            self._queue = [entry for entry in self._queue if _living(entry[1], processes)]
            heapify(self._queue)
        count = 0
        while self._queue and count < most:
            key = heappop(self._queue)[1]
            self._queued.discard(key.pid)
            for found in _living(key, processes) if key not in self._memberships else ():
                self._first(found)
                count += 1
        if not self._queued:
            self._queued = set()  # one that was large stays large
        return count

    def _look_up(self, process: ProcessSample) -> None:
        self.find(process.key, process.folder)
        if (membership := self._memberships.get(process.key)) is not None:
            membership.execs, membership.rss_bytes = process.execs, _rss(process)

    def _is_another(self, process: ProcessSample | None) -> TypeGuard[ProcessSample]:
        """Whether a process has become another program, or has grown, since it was looked up."""
        membership = self._memberships.get(process.key) if process is not None and process.statm is not None else None
        if process is None or membership is None:
            return False
        return process.execs != membership.execs or _rss(process) > 2 * membership.rss_bytes + GROWN_BYTES

    def _settle(self, key: ProcessKey, raw: bytes, found: Found) -> None:
        membership = self._memberships.get(key)
        if membership is not None and membership.found == found:
            membership.raw, membership.tick, membership.version = raw, self._tick, self._finder.version
            return
        if membership is not None:
            self.left.update(membership.found.chain)
        self._memberships[key] = _Membership(raw, found, self._tick, self._finder.version)
        self.pids.add(key.pid)
        self.chains[key] = found.chain
        self.names[key] = found.names
        self.moved.add(key)
        if found.unread:
            self.unread[key] = found.unread
        else:
            self.unread.pop(key, None)
        self._on_chain(found)


def _living(key: ProcessKey, processes: Mapping[int, ProcessSample]) -> tuple[ProcessSample, ...]:
    """The process with this key; empty if it has ended."""
    found = processes.get(key.pid)
    return (found,) if found is not None and found.key == key else ()


def _rss(process: ProcessSample) -> int:
    return process.statm.rss_bytes if process.statm is not None else 0


def living(keys: Iterable[ProcessKey], processes: Mapping[int, ProcessSample]) -> list[ProcessKey]:
    """Those of ``keys`` that are alive and have memory, each once."""
    found = ((key, processes.get(key.pid)) for key in dict.fromkeys(keys))
    return [key for key, one in found if one is not None and one.key == key and one.statm is not None]

"""Memory cgroup of each process: found soon after the process is first seen, found again now and then, kept a while."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest
from typing import Final

from memtop.analysis.limits.cgroup_owner import CgroupNames
from memtop.errors import MemtopError, NotRecorded, ProcessGone
from memtop.process_key import ProcessKey
from memtop.sampling.cgroups.cgroup_files import RARELY_TICKS
from memtop.sampling.cgroups.cgroup_finder import CgroupFinder, Found
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source

LOOKUPS: Final = 128
"""Processes whose cgroup is looked up at one instant, beside those wanted at once: the first look must be no jump."""
AGAIN: Final = 16
"""Processes at one instant that are looked up again though there are many new ones."""
SETTLED_TICKS: Final = 5
"""What starts a process often moves it to its cgroup a moment later: it is looked up again after so many."""


@dataclass(slots=True)
class _Home:
    """Where a process is accounted."""

    raw: bytes
    found: Found
    tick: int


class CgroupHomes:
    """Finds the cgroups of processes through a Source, and keeps what was found."""

    def __init__(
        self, source: Source, finder: CgroupFinder, on_chain: Callable[[Found], None], *, replaying: bool
    ) -> None:
        """``on_chain`` is called with each chain of cgroups that a process was found in."""
        self._source = source
        self._finder = finder
        self._on_chain = on_chain
        self._replaying = replaying
        self._tick = -1
        self._homes: dict[ProcessKey, _Home] = {}
        self.chains: dict[ProcessKey, tuple[str, ...]] = {}
        """Memory cgroup and ancestors of each process, nearest first."""
        self.names: dict[ProcessKey, CgroupNames] = {}
        """Path of the cgroup of each process, and its container, pod and unit."""
        self.moved: set[ProcessKey] = set()
        """Processes whose names were found, or have changed, at this tick."""
        self.unread: dict[ProcessKey, str] = {}
        """Why the cgroup of a process is not known."""
        self._seen: set[int] = set()
        """Pids that were looked up, or have no memory to be accounted."""
        self._soon: deque[tuple[int, ProcessKey]] = deque()
        """Processes to be looked up a second time, and the tick at which."""
        self._again: deque[ProcessKey] = deque()
        self._missing: set[ProcessKey] = set()
        """Processes that had ended at the latest sweep."""

    def found(self, key: ProcessKey) -> Found | None:
        """Where a process is accounted; None where it was not looked up."""
        home = self._homes.get(key)
        return home.found if home is not None else None

    def known(self) -> Iterable[Found]:
        """Of all processes that are kept."""
        return (home.found for home in self._homes.values())

    def begin(self) -> None:
        """A new instant."""
        self._tick += 1
        self.moved = set()

    def read(
        self, wanted: Iterable[ProcessKey], processes: Mapping[int, ProcessSample], gone: Iterable[ProcessKey]
    ) -> None:
        """One tick: find ``wanted`` where they are new, of all other new ones the largest, and some again."""
        self._seen.difference_update(key.pid for key in gone)
        if self._replaying:
            for one in processes.values():
                if one.statm is not None:
                    self.find(one.key, one.folder)
            return
        for key in wanted:
            if key not in self._homes:
                self._first(processes[key.pid])
        new = [one for pid in processes.keys() - self._seen if self._is_new(one := processes[pid])]
        first = nlargest(LOOKUPS, new, key=_rss) if len(new) > LOOKUPS else new
        for one in first:
            self._first(one)
        most = min(len(self._soon), max(AGAIN, LOOKUPS - len(first)))
        due = [self._soon.popleft()[1] for _ in range(most) if self._soon[0][0] <= self._tick]
        due += [self._again.popleft() for _ in range(min(AGAIN, len(self._again)))]
        for key in due:
            found = processes.get(key.pid)
            if found is not None and found.key == key:
                self.find(key, found.folder)
                self._again.append(key)

    def sweep(self, processes: Mapping[int, ProcessSample], judged: Iterable[ProcessKey]) -> set[ProcessKey]:
        """Forget what has ended before the sweep before, and give those that are still kept though they have ended.

        The report of an exit needs them, and it may be due at this very tick: so each is kept until the next sweep.
        """
        alive = {one.key for one in processes.values()}.union(judged)
        before, self._missing = self._missing, self._homes.keys() - alive
        for key in before & self._missing:
            del self._homes[key], self.chains[key]
            self.names.pop(key, None)
            self.unread.pop(key, None)
        return alive | self._missing

    def find(self, key: ProcessKey, folder: str) -> None:
        """Where a process is accounted. What was known stays where it cannot be read again: the file of a zombie says
        ``/``."""
        home = self._homes.get(key)
        try:
            raw = self._source.read(f"{folder}/cgroup")
        except (ProcessGone, NotRecorded):
            return
        except MemtopError as error:
            if home is None:
                self._settle(key, b"", self._finder.refused(error))
            return
        if home is not None and home.raw == raw and not (home.found.unread and self._tick - home.tick >= RARELY_TICKS):
            return
        self._settle(key, raw, self._finder.find(folder, raw))

    def _first(self, process: ProcessSample) -> None:
        self._seen.add(process.key.pid)
        self.find(process.key, process.folder)
        self._soon.append((self._tick + SETTLED_TICKS, process.key))

    def _is_new(self, process: ProcessSample) -> bool:
        if process.statm is None:
            self._seen.add(process.key.pid)
            return False
        return True

    def _settle(self, key: ProcessKey, raw: bytes, found: Found) -> None:
        home = self._homes.get(key)
        if home is not None and home.found == found:
            home.raw, home.tick = raw, self._tick
            return
        self._homes[key] = _Home(raw, found, self._tick)
        self.chains[key] = found.chain
        if home is None or home.found.names != found.names:
            self.names[key] = found.names
            self.moved.add(key)
        if found.unread:
            self.unread[key] = found.unread
        else:
            self.unread.pop(key, None)
        self._on_chain(found)


def _rss(process: ProcessSample) -> int:
    return process.statm.rss_bytes if process.statm is not None else 0


def living(keys: Iterable[ProcessKey], processes: Mapping[int, ProcessSample]) -> list[ProcessKey]:
    """Those of ``keys`` that live and have memory, each once."""
    found = ((key, processes.get(key.pid)) for key in dict.fromkeys(keys))
    return [key for key, one in found if one is not None and one.key == key and one.statm is not None]

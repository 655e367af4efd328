"""Keeps the latest reading of every cgroup that has members, within a budget of readings per second.

A cgroup near its limit is read at every tick, a cgroup on screen almost at every tick, and the others in turn. The use
is one small file. memory.stat costs five times as much and is read only if the use has changed, or where that stands
still because a limit is reached and one page takes the place of another. Limits and event counters rarely change, so
they are read again only after some turns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from memtop.analysis.limits.memory_limits import ceiling, high_ceiling
from memtop.sampling.cgroup_reading import CgroupReading, TimedReading, filled
from memtop.sampling.cgroups.cgroup_files import CgroupFiles, is_full
from memtop.sampling.cgroups.turns import Turns

BUDGET_A_S: Final = 160.0
"""Cost of the files read per second. That of 1 is about 8 us."""
BUDGET_EACH_A_S: Final = 0.05
"""So much more for every cgroup: of ten thousand each has its first turn within two minutes."""
STAT_COST: Final = 4
REST_COST: Final = 8
"""Swap, counters of events, pressure, kernel memory."""
REST_TURNS: Final = 4
"""Turns after which they are read again ..."""
LIMIT_TURNS: Final = 8
"""... and after which the limits are, unless it is near its limit: then a limit that is raised shows at once."""
NEAR_PERCENT: Final = 75.0
"""A cgroup fuller than this is near its limit ..."""
NEAR_S: Final = 300.0
"""... and so is one that would be full so soon if it went on as between its last two readings."""
SHOWN_A_TICK: Final = 40
"""Of the cgroups on screen so many are read at each tick."""
OTHERS_S: Final = 3.0
"""A cgroup that is not near its limit and not on screen is read no more often."""
MOST_BUDGET_S: Final = 5.0
"""Time between two ticks counts only so far: a pause must not be followed by a jump."""


@dataclass(slots=True)
class _Known:
    v2: bool
    latest: TimedReading | None = None
    turns: int = 0
    near: bool = False
    """Whether it was near its limit at the last reading."""


class AllCgroups:
    """Latest readings by path. :meth:`read` makes those that are due."""

    def __init__(self, files: CgroupFiles, *, replaying: bool) -> None:
        self._files = files
        self._replaying = replaying
        """In a replay, every reading that was recorded at an instant is taken, because the plan was made during the
        recording."""
        self._known: dict[str, _Known] = {}
        self._turns = Turns()
        self._full: set[str] = set()
        """Those whose use has reached their limit, by their last readings."""
        self.removed: set[str] = set()
        """Those whose use could be read and now cannot: most have been removed. Their last readings stay."""
        self._read_s: float | None = None
        self._tick = -1

    @property
    def latest(self) -> dict[str, TimedReading]:
        """The latest reading of all cgroups that were read, by path."""
        return {path: one.latest for path, one in self._known.items() if one.latest is not None}

    def add(self, path: str, *, v2: bool) -> None:
        """Add a directory that has members, or descendants with members."""
        if path not in self._known:
            # Of cgroups that are found together some read the rest at each of their turns, or ticks would be uneven.
            self._known[path] = _Known(v2, turns=len(self._known) % LIMIT_TURNS)
            self._turns.add(path)

    def keep_only(self, paths: Collection[str]) -> None:
        """Drop those that have no members anymore."""
        for path in self._known.keys() - set(paths):
            del self._known[path]
        self.removed &= self._known.keys()
        self._full &= self._known.keys()
        self._turns.keep_only(paths)

    def read(
        self,
        now_s: float,
        given: Mapping[str, CgroupReading],
        shown: Sequence[str],
        mem_total_bytes: int | None,
        *,
        at_once: bool = False,
    ) -> None:
        """One tick: ``given`` was read already, ``shown`` are on screen; ``at_once`` reads all, whatever it costs."""
        elapsed_s = min(now_s - self._read_s, MOST_BUDGET_S) if self._read_s is not None else MOST_BUDGET_S
        self._read_s, self._tick = now_s, self._tick + 1
        for path, reading in given.items():
            if (known := self._known.get(path)) is not None and reading.usage_bytes is not None:
                self._identify(path, known, now_s)
                self._take(known, reading, now_s)
        if self._replaying or at_once:
            for path in self._known:
                self._read(path, now_s, whole=at_once)
            return
        budget_a_s = BUDGET_A_S + BUDGET_EACH_A_S * len(self._known)
        budget = budget_a_s * elapsed_s
        shown = [path for path in shown if path in self._known]
        # If there are more on screen than this, they take turns too.
        start = self._tick * SHOWN_A_TICK % max(1, len(shown))
        for path in [*shown, *shown][start : start + min(SHOWN_A_TICK, len(shown))]:
            budget -= self._read(path, now_s)
        for path in self._turns.take(max(budget, budget_a_s / 2), elapsed_s / OTHERS_S):
            known = self._known[path]
            before = known.latest
            cost = self._read(path, now_s)
            if known.latest is not None and (before is None or known.latest.usage_bytes_per_s != 0):
                known.near = _is_near(known.latest, mem_total_bytes)
            self._turns.put_back(path, cost, near=known.near)

    def _read(self, path: str, now_s: float, *, whole: bool = False) -> int:
        """Read one directory, unless it was read at this tick. Returns the cost, in files."""
        known = self._known[path]
        if known.latest is not None and known.latest.at_s == now_s:
            return 0
        self._identify(path, known, now_s)
        old = known.latest.reading if known.latest is not None else None
        limits = self._replaying or known.near or known.turns % LIMIT_TURNS == 0
        rest = self._replaying or whole or known.turns % REST_TURNS == REST_TURNS - 1
        full = self._is_in_full(path)
        reading = self._files.read_use(path, known.v2, old, limits=limits, rest=rest, stat=full)
        if reading is None:
            return 1
        known.turns += 1
        if reading.usage_bytes is not None or old is None or old.usage_bytes is None:
            self._take(known, reading, now_s)
            self.removed.discard(path)
            (self._full.add if is_full(reading) else self._full.discard)(path)
        else:
            self.removed.add(path)
        stat = full or old is None or reading.stat is not old.stat
        return 1 + STAT_COST * stat + REST_COST * rest + 2 * limits

    def _identify(self, path: str, known: _Known, now_s: float) -> None:
        """Forget the reading of another cgroup that had this name."""
        if self._files.identify(path) and known.latest is not None and known.latest.at_s != now_s:
            known.latest, known.turns, known.near = None, 0, False
            self._full.discard(path)

    def _is_in_full(self, path: str) -> bool:
        """Whether it or one above it has reached its limit."""
        while self._full and path:
            if path in self._full:
                return True
            path = path.rpartition("/")[0]
        return False

    def _take(self, known: _Known, reading: CgroupReading, now_s: float) -> None:
        latest = known.latest
        if latest is None:
            known.latest = TimedReading(now_s, reading)
        elif latest.at_s != now_s:
            if reading is not latest.reading:
                reading = filled(reading, latest.reading)
            known.latest = TimedReading(now_s, reading, latest.at_s, latest.reading.usage_bytes)


def _is_near(latest: TimedReading, mem_total_bytes: int | None) -> bool:
    """Whether its limit or memory.high is nearly reached, or soon will be."""
    use, rate = latest.reading.use, max(0.0, latest.usage_bytes_per_s or 0.0)
    ends = [one for one in (ceiling(use, mem_total_bytes), high_ceiling(use, mem_total_bytes)) if one is not None]
    return any(one.headroom_max_bytes < rate * NEAR_S or one.used_percent >= NEAR_PERCENT for one in ends)

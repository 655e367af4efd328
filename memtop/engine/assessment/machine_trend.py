"""What the parts of the machine's RAM have gained within the last minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from operator import gt
from typing import Final, NamedTuple

from memtop.analysis.ledger.machine import MachinePart, Reclaim, counted_bytes, reclaim_of
from memtop.analysis.trend.machine_room import Highs, MachineRoom, Peaks, machine_room
from memtop.analysis.trend.rising import Rise, beyond
from memtop.engine.assessment.step_input import StepInput
from memtop.procfs.meminfo import Meminfo
from memtop.procfs.statm import page_bytes

WINDOW_S: Final = 60.0
MOST_SAMPLES: Final = 120
LEAST_BYTES: Final = 8 << 20
"""A smaller gain is none."""
_KEPT_SHARE: Final = 0.5
"""A gain of which less is left is over."""
_DENTRY_BYTES: Final = 192
_USED: Final = "used"
_SWAP: Final = "swap"
_POOL: Final = "pool"
_POOL_SIZE: Final = "pool size"
_OF_POOL: Final = (MachinePart.HUGETLB_USED, MachinePart.HUGETLB_RESERVED, MachinePart.HUGETLB_FREE)
_WATCHED: Final = frozenset(
    part for part in MachinePart if reclaim_of(part) not in (Reclaim.IS_FREE, Reclaim.DROP, Reclaim.WRITE)
) - {MachinePart.UNACCOUNTED}
"""The remainder holds free pages of the CPUs, which come and go: it counts only where much falls."""
_NAMES: Final = {part: part.value for part in sorted(_WATCHED)}
"""The names under which their sizes are kept."""
_RISING: Final = {**_NAMES, MachinePart.UNACCOUNTED: MachinePart.UNACCOUNTED.value}


class MachineTrend:
    """Sizes of the last minute; :meth:`take` once a tick."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=MOST_SAMPLES)
        self._sizes: dict[str, deque[int | None]] = {}
        self._dentries: deque[tuple[int, int] | None] = deque(maxlen=MOST_SAMPLES)
        self._used_lately: deque[tuple[float, int]] = deque(maxlen=MOST_SAMPLES)
        self._available_bytes: int | None = None
        self._most_bytes = 0
        """The largest MemTotal: a balloon of the hypervisor takes from it."""
        self._peaks = Peaks()
        self._highs: dict[str, Highs] = {}
        self._floors: dict[str, int] = {}
        """No size of the window is smaller: of most parts that tells that they have not risen."""
        self._parts: dict[MachinePart, Rise] | None = None
        """The rises of the parts at the latest sample; None until they are asked for."""

    def take(self, step: StepInput) -> None:
        """The next sample."""
        self._parts = None
        meminfo, vmstat = step.meminfo, step.sample.system.vmstat
        zspages = vmstat.zspages if vmstat is not None else None
        found: dict[str, int | None] = {}
        if meminfo is not None:
            counted = counted_bytes(meminfo, zspages_bytes=None if zspages is None else zspages * page_bytes())
            found = {name: counted[name] for name in _NAMES.values() if name in counted}
            if meminfo.total_bytes is not None:
                found[MachinePart.UNACCOUNTED.value] = max(0, meminfo.total_bytes - sum(counted.values()))
            if meminfo.total_bytes is not None and meminfo.available_bytes is not None:
                self._most_bytes = max(self._most_bytes, meminfo.total_bytes)
                found[_USED] = self._most_bytes - meminfo.available_bytes
            if meminfo.swap_total_bytes and meminfo.swap_free_bytes is not None:
                found[_SWAP] = meminfo.swap_total_bytes - meminfo.swap_free_bytes
            taken = pool_of(meminfo)
            if taken is not None:
                found[_POOL] = taken.size_bytes - taken.left_bytes
                found[_POOL_SIZE] = taken.size_bytes
        self._available_bytes = meminfo.available_bytes if meminfo is not None else None
        if (used := found.get(_USED)) is not None:
            self._peaks.add(step.now_s, used + (found.get(_SWAP) or 0))
            self._used_lately.append((step.now_s, used + (found.get(_SWAP) or 0)))
        self._times_s.append(step.now_s)
        dentries = step.sample.system.dentries
        self._dentries.append((dentries.total, dentries.negative or 0) if dentries is not None else None)
        length = len(self._times_s)
        for name in found.keys() | self._sizes.keys():
            series = self._sizes.setdefault(name, deque([None] * (length - 1), maxlen=MOST_SAMPLES))
            size = found.get(name)
            series.append(size)
            if size is not None:
                self._highs.setdefault(name, Highs()).add(step.now_s, size)
                self._floors[name] = min(size, self._floors.get(name, size))
        while self._times_s and step.now_s - self._times_s[0] > WINDOW_S:
            self._times_s.popleft()
            self._dentries.popleft()
            for one in self._sizes.values():
                one.popleft()
        while self._used_lately and step.now_s - self._used_lately[0][0] > WINDOW_S:
            self._used_lately.popleft()

    @property
    def used(self) -> Rise | None:
        """The rise of RAM that is not available; None while it does not rise."""
        return self._rise(_USED)

    @property
    def used_lately(self) -> tuple[tuple[float, int], ...]:
        """RAM that is not available and swap in use, together, with the time of each sample where that is known."""
        return tuple(self._used_lately)

    @property
    def swap_used(self) -> Rise | None:
        """The rise of swap in use; None while it does not rise."""
        return self._rise(_SWAP)

    @property
    def pool_used(self) -> Rise | None:
        """The rise of the huge pages of the pool that are in use or reserved; None while it does not rise."""
        return self._rise(_POOL)

    @property
    def room(self) -> MachineRoom:
        """What it leaves to those that grow."""
        nothing = [None] * len(self._times_s)
        used, swap = self._sizes.get(_USED, nothing), self._sizes.get(_SWAP, nothing)
        return machine_room(tuple(self._times_s), tuple(used), tuple(swap), self._available_bytes, self._peaks.rate())

    @property
    def largest_part(self) -> tuple[MachinePart, int] | None:
        """The largest part that no process has for itself and that cannot be dropped at once, and its size in bytes."""
        sizes = ((MachinePart(name), series[-1]) for name, series in self._sizes.items() if name in _WATCHED)
        known = [(size, part) for part, size in sizes if size is not None and part is not MachinePart.ANONYMOUS]
        if not known:
            return None
        size, part = max(known)
        return part, size

    @property
    def parts(self) -> dict[MachinePart, Rise]:
        """Of the parts that cannot be dropped at once, and of what no counter has. What processes take from a pool of
        huge pages is none: the machine has lost it since the pool was made."""
        if self._parts is None:
            found = ((part, self._rise(name)) for part, name in _RISING.items())
            self._parts = {part: rise for part, rise in found if rise is not None}
            pool = self._rise(_POOL_SIZE) if not self._parts.keys().isdisjoint(_OF_POOL) else None
            gained_bytes = pool.size_bytes if pool is not None else 0
            for part in _OF_POOL:
                if part in self._parts and gained_bytes < _KEPT_SHARE * self._parts[part].size_bytes:
                    del self._parts[part]
        return self._parts

    def slab_holds(self, rise: Rise) -> str:
        """What most of the slab gained in ``rise`` is, in words; empty where that is not known."""
        index = next((at for at, time_s in enumerate(self._times_s) if time_s >= rise.since_s), None)
        then, now = self._dentries[index] if index is not None else None, self._dentries[-1] if self._dentries else None
        if then is None or now is None:
            return ""
        total, negative = now[0] - then[0], now[1] - then[1]
        if total * _DENTRY_BYTES < 0.5 * rise.size_bytes:
            return ""
        return "negative dentries" if negative > 0.5 * total else "dentries"

    def _rise(self, name: str) -> Rise | None:
        series = self._sizes.get(name)
        if series is None or (last := series[-1]) is None or last - self._floors[name] < LEAST_BYTES:
            return None
        lowest = self._floors[name] = min([size for size in series if size is not None])
        rise = rise_within(self._times_s, series) if last - lowest >= LEAST_BYTES else None
        if rise is None:
            return None
        high = self._highs[name].before(rise.since_s)
        return beyond(rise, high[1] if high is not None else None)


class HugePool(NamedTuple):
    """The pool of huge pages (hugetlb) of the default size."""

    size_bytes: int
    left_bytes: int
    """What is neither in use nor promised to a mapping."""


def pool_of(meminfo: Meminfo) -> HugePool | None:
    """None where there is none."""
    size, total, free = meminfo.huge_page_bytes, meminfo.huge_pages_total, meminfo.huge_pages_free
    if not size or not total or free is None:
        return None
    return HugePool(total * size, max(0, min(free, total) - (meminfo.huge_pages_reserved or 0)) * size)


def rise_within(times_s: Sequence[float], sizes: Sequence[int | None]) -> Rise | None:
    """From the lowest size to the highest after it; None where nothing rose, or most of the gain is lost again."""
    known = [(time_s, size) for time_s, size in zip(times_s, sizes, strict=True) if size is not None]
    values = [size for _, size in known]
    if not values or (lowest := min(values)) == values[-1]:
        return None
    start = len(values) - 1 - values[::-1].index(lowest)
    after = values[start:]
    high = max(after)
    if after[-1] - lowest < _KEPT_SHARE * (high - lowest):
        return None
    end = after.index(high)
    steps = sum(map(gt, after[1 : end + 1], after))
    return Rise(known[start][0], lowest, high, known[start + end][0], steps)

"""What the machine's memory leaves to those that grow: its room without noise, and how fast it is used up.

MemAvailable of one instant swings with whatever other programs do. Those that fill the machine meet its low points.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.analysis.trend.forecast import Beside
from memtop.analysis.trend.robust import Trend, theil_sen, widened

LOW_S: Final = 15.0
"""The room is the lowest of so many seconds: what was freed for good counts soon, what comes and goes does not."""
SEEN_S: Final = 20.0
"""How fast it is used up is not known sooner."""
PEAK_S: Final = 5.0
"""The highest use of so many seconds at a time decides about the rate ..."""
PEAKS: Final = 36
"""... over so many of them: what swings within minutes is no fall."""
_SWAPS_S: Final = 15.0
_SWAPS_BYTES: Final = 4 << 20
_LEAST_SHARE: Final = 0.1
"""A smaller part of what is known to grow is no news."""


class MachineRoom(NamedTuple):
    """The machine's memory as those that grow meet it."""

    low_bytes: int | None = None
    """Lowest MemAvailable of the last seconds; None if it is unknown."""
    use: Trend | None = None
    """Rate of all that is in use, in RAM that is not available and on swap, in bytes per second over the last minutes;
    None if that is not known yet."""
    seen_s: float = 0.0
    """For how long that was seen."""
    swaps: bool = False
    """Whether memory has gone to swap within the last seconds, and more than came back: then it is swap that fills."""

    def beside(self, known_bytes_per_s: float) -> Beside | None:
        """What uses memory up beside processes that grow by so much together; None if nothing is known to."""
        if self.use is None or self.use.low <= known_bytes_per_s:
            return None
        rest = self.use.slope - known_bytes_per_s
        return Beside(rest, self.seen_s) if rest > _LEAST_SHARE * known_bytes_per_s else None


HIGH_SLOT_S: Final = 5.0
HIGH_SLOTS: Final = 60
"""The highest sizes of each few seconds of the last minutes: what was as large within them swings."""


class Highs:
    """The highest size of each few seconds of the last five minutes."""

    __slots__ = ("_sizes", "_slot", "_times_s")

    def __init__(self) -> None:
        self._slot: int | None = None
        self._times_s = array("d")
        self._sizes = array("q")
        """As arrays: there is one of these for each part of the machine's RAM."""

    def add(self, now_s: float, size_bytes: int) -> None:
        """The next sample."""
        slot = int(now_s / HIGH_SLOT_S)
        if slot != self._slot:
            self._slot = slot
            self._times_s.append(now_s)
            self._sizes.append(size_bytes)
            del self._times_s[:-HIGH_SLOTS], self._sizes[:-HIGH_SLOTS]
        elif size_bytes >= self._sizes[-1]:
            self._times_s[-1], self._sizes[-1] = now_s, size_bytes

    def before(self, time_s: float) -> tuple[float, int] | None:
        """The highest size before a time, and when that was; None if nothing is known of before."""
        until = bisect_left(self._times_s, time_s)
        if not until:
            return None
        size_bytes = max(self._sizes[:until])
        return self._times_s[self._sizes.index(size_bytes)], size_bytes


class Peaks:
    """The highest use of each few seconds of the last minutes."""

    def __init__(self) -> None:
        self._slot: int | None = None
        self._points: deque[tuple[float, int]] = deque(maxlen=PEAKS)
        self._from_s: float | None = None
        self._now_s = 0.0
        self._rate: tuple[int | None, Trend] | None = None
        """As computed last, and in which slot: once for each is enough."""

    def add(self, now_s: float, use_bytes: int) -> None:
        """The next sample: RAM that is not available, and swap in use."""
        slot = int(now_s / PEAK_S)
        if slot != self._slot:
            self._slot = slot
            self._points.append((now_s, use_bytes))
        elif use_bytes > self._points[-1][1]:
            self._points[-1] = now_s, use_bytes
        self._from_s = now_s if self._from_s is None else max(self._from_s, now_s - PEAKS * PEAK_S)
        self._now_s = now_s

    def rate(self) -> tuple[Trend, float] | None:
        """The rate in bytes per second, and for how long it was seen; None if that is too short."""
        if self._from_s is None or self._now_s - self._from_s < SEEN_S:
            return None
        if self._rate is None or self._rate[0] != self._slot:
            times_s, sizes = [time_s for time_s, _ in self._points], [float(size) for _, size in self._points]
            self._rate = self._slot, widened(theil_sen(times_s, sizes), times_s, sizes)
        return self._rate[1], self._now_s - self._from_s


def machine_room(
    times_s: Sequence[float],
    used: Sequence[int | None],
    swap: Sequence[int | None],
    available_bytes: int | None,
    rate: tuple[Trend, float] | None,
) -> MachineRoom:
    """From RAM that is not available and use of swap in bytes, one of each at every time, the latest last.

    ``rate`` is that of both together, of :class:`Peaks`.
    """
    if not times_s or available_bytes is None or used[-1] is None:
        return MachineRoom()
    now_s, last = times_s[-1], used[-1]
    recent = [size for time_s, size in zip(times_s, used, strict=True) if now_s - time_s <= LOW_S and size is not None]
    low_bytes = max(0, available_bytes - (max(recent) - last))
    use, seen_s = rate if rate is not None else (None, 0.0)
    return MachineRoom(low_bytes, use, seen_s, _swaps(times_s, swap))


def _swaps(times_s: Sequence[float], swap: Sequence[int | None]) -> bool:
    recent = [size for time_s, size in zip(times_s, swap, strict=True) if times_s[-1] - time_s <= _SWAPS_S]
    known = [size for size in recent if size is not None]
    return len(known) > 1 and known[-1] - known[0] >= _SWAPS_BYTES

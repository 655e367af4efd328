"""What the machine's memory leaves to those that grow: its room without noise, and how fast it is used up.

MemAvailable of one instant swings with whatever other programs do. Those that fill the machine meet its low points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.analysis.trend.forecast import Beside
from memtop.analysis.trend.robust import Trend, theil_sen, widened

LOW_S: Final = 15.0
"""The room is the lowest of so many seconds: what was freed for good counts soon, what comes and goes does not."""
SEEN_S: Final = 20.0
"""How fast it is used up is not known sooner."""
_PEAKS: Final = 12
"""The highest uses of so many equal parts of the time decide about the rate."""
_SWAPS_S: Final = 15.0
_SWAPS_BYTES: Final = 4 << 20
_LEAST_SHARE: Final = 0.1
"""A smaller part of what is known to grow is no news."""


class MachineRoom(NamedTuple):
    """The machine's memory as those that grow meet it."""

    low_bytes: int | None = None
    """Lowest MemAvailable of the last seconds; None if it is unknown."""
    use: Trend | None = None
    """Rate of all that is in use, in RAM that is not available and on swap, in bytes per second; None if that is not
    known yet."""
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


def machine_room(
    times_s: Sequence[float], used: Sequence[int | None], swap: Sequence[int | None], available_bytes: int | None
) -> MachineRoom:
    """From RAM that is not available and use of swap in bytes, one of each at every time, the latest last."""
    if not times_s or available_bytes is None or used[-1] is None:
        return MachineRoom()
    now_s, last = times_s[-1], used[-1]
    recent = [size for time_s, size in zip(times_s, used, strict=True) if now_s - time_s <= LOW_S and size is not None]
    low_bytes = max(0, available_bytes - (max(recent) - last))
    paired = zip(times_s, used, swap, strict=True)
    both = [(time_s, size + (swapped or 0)) for time_s, size, swapped in paired if size is not None]
    seen_s = now_s - both[0][0]
    return MachineRoom(low_bytes, _rate(both) if seen_s >= SEEN_S else None, seen_s, _swaps(times_s, swap))


def _rate(points: Sequence[tuple[float, int]]) -> Trend | None:
    first_s, span_s = points[0][0], points[-1][0] - points[0][0]
    tops: dict[int, tuple[float, int]] = {}
    for time_s, size in points:
        part = min(_PEAKS - 1, int((time_s - first_s) / span_s * _PEAKS))
        if part not in tops or size > tops[part][1]:
            tops[part] = time_s, size
    if len(tops) < _PEAKS // 2:
        return None
    times_s, sizes = [time_s for time_s, _ in tops.values()], [float(size) for _, size in tops.values()]
    return widened(theil_sen(times_s, sizes), times_s, sizes)


def _swaps(times_s: Sequence[float], swap: Sequence[int | None]) -> bool:
    recent = [size for time_s, size in zip(times_s, swap, strict=True) if times_s[-1] - time_s <= _SWAPS_S]
    known = [size for size in recent if size is not None]
    return len(known) > 1 and known[-1] - known[0] >= _SWAPS_BYTES

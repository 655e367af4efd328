"""Classifies a series of used memory: growing, flat, sawtooth, staircase; the growth verdict.

The series is anonymous + shared + swapped memory of one process (or a runtime's heap after collection), never RES,
because page cache is not growth. The floor counts: garbage above it comes and goes. A verdict describes the shape of a
curve. No curve can say whether it is a leak.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from memtop.analysis.trend.floor import (
    BLOCKS,
    Floor,
    blocks,
    low_point,
    lowest_of_runs,
    measure_floor,
    rose_once,
    saturates,
)
from memtop.analysis.trend.forecast import time_to
from memtop.analysis.trend.pause import Pause, find_pause
from memtop.analysis.trend.robust import noise
from memtop.analysis.trend.sawtooth import Sawtooth, find_saw
from memtop.analysis.trend.steps import find_stairs, find_step

LEAST_POINTS: Final = 30
LEAST_SPAN_S: Final = 60.0
_SMALLEST_BYTES: Final = float(1 << 20)
_SMALLEST_SHARE: Final = 0.02
_MOST_FLOORS: Final = 40
_EVEN: Final = 0.8
"""A rise continues if its end is at least this steep, compared with its beginning. No warm-up or cache of the lab
is."""
_RETURNS: Final = 2
_MOSTLY_TOP: Final = 0.8
_GIVEN_BACK: Final = 0.1
"""Above its lowest point by no more than this part of its rise, memory has been given back."""
_CREEPING_Z: Final = 3.0
"""One series of noise in 700 has such a score."""
_CREEPING_SHARE: Final = 0.25
"""A smaller part of the smallest change that is reported is nothing."""
_LARGEST: Final = float(1 << 63)
"""No valid size or time is larger."""


class Shape(Enum):
    """The shape of the series."""

    FLAT = "flat"
    NOISY = "noisy"
    LEAK = "leak"
    LEAK_GC = "leak_gc"
    SAWTOOTH = "sawtooth"
    STEP = "step"
    STAIRS = "stairs"
    WARMUP = "warmup"
    SPIKE = "spike"
    GROWTH = "growth"
    SHRINK = "shrink"
    INSUFFICIENT = "insufficient"

    @property
    def alarming(self) -> bool:
        """Whether the floor itself keeps rising."""
        return self in (Shape.LEAK, Shape.LEAK_GC)


RISES: Final = frozenset({Shape.LEAK, Shape.LEAK_GC, Shape.GROWTH, Shape.STAIRS, Shape.WARMUP})


class Growth(NamedTuple):
    """The verdict and its evidence. Numbers are None if there were too few points."""

    kind: Shape
    points: int
    span_s: float
    slope_bytes_per_s: float | None = None
    """Slope of the floor."""
    slope_low_bytes_per_s: float | None = None
    """Lower end of the slope's 90 % interval."""
    slope_high_bytes_per_s: float | None = None
    z: float | None = None
    """Mann-Kendall score of the floor: above 2.33 it rises, below 1.28 nothing indicates a rise."""
    smallest_bytes: float | None = None
    """The smallest change of this series that is reported."""
    level_bytes: float | None = None
    """Median."""
    floor_bytes: float | None = None
    """The floor now: the latest valley, or the low point of the last tenth."""
    rise_bytes: float | None = None
    """Rise of the floor over the span; for a step, the size of the jump."""
    floors: int = 0
    floors_above: int = 0
    """Number of later floors that are clearly above the first one."""
    low_bytes: float | None = None
    """Second percentile, the lower end of the swings."""
    high_bytes: float | None = None
    """98th percentile."""
    peak_bytes: float | None = None
    """The recent peak: in the last tenth of the span, or in two periods of a sawtooth."""
    period_s: float | None = None
    """Period of a sawtooth."""
    drops: int = 0
    """Number of drops of a sawtooth."""
    change_at_s: float | None = None
    """Time of the step, the last stair or the spike, on the clock of the given times."""
    limit_s: tuple[float, float] | None = None
    """Seconds from the last point until the room is used up, earliest and latest; None without such growth."""
    slow_s: tuple[float, float] | None = None
    """The same until page cache in use begins to be reclaimed; None where that is not earlier."""
    soon: bool = False
    """Whether that limit is met soon, as :func:`is_soon` remembers it; only of confirmed growth."""
    pause: Pause | None = None
    """The rest at the end, of a series that has risen; None while it goes on to rise, and if it swings."""

    @property
    def creeps(self) -> bool:
        """Whether it is called flat, and yet rises steadily, by less than what is reported: a longer look decides."""
        if self.kind is not Shape.FLAT or self.z is None or self.rise_bytes is None or self.smallest_bytes is None:
            return False
        return self.z >= _CREEPING_Z and self.rise_bytes >= _CREEPING_SHARE * self.smallest_bytes


def judge(
    times_s: Sequence[float],
    used_bytes: Sequence[float],
    room_bytes: float | None = None,
    collections: int | None = None,
    speed_room_bytes: float | None = None,
) -> Growth:
    """Judge the shape of ``used_bytes`` at ``times_s``.

    Order and duplicate instants do not matter (the last of a millisecond counts). Points that are not finite, or beyond
    2**63, are skipped. ``room_bytes`` is the room under the limit at the last point; ``speed_room_bytes`` is the part
    of it before page cache in use is reclaimed. ``collections`` is the number of garbage collections of a managed
    runtime in this span; with fewer than two, a rise means nothing yet. Raises ValueError if the lengths differ.
    """
    times, values = _measured(times_s, used_bytes)
    times, values = _after_gap(times, values)
    span = times[-1] - times[0] if times else 0.0
    if len(times) < LEAST_POINTS or span < LEAST_SPAN_S:
        return Growth(Shape.INSUFFICIENT, len(times), span)
    growth, floor, saw = _classify(times, values)
    growth = _paused(growth, times, values)
    if not growth.kind.alarming:
        return growth
    first = len(times) - growth.points  # after a warm-up only the later half was judged
    times, values = times[first:], values[first:]
    if collections is not None and collections < 2:
        return growth._replace(kind=Shape.INSUFFICIENT)
    if growth.pause is not None and growth.pause.unusual:
        return growth
    if room_bytes is None or not math.isfinite(room_bytes) or floor.low <= 0:
        return growth
    if growth.rise_bytes is not None and values[-1] - min(values) <= _GIVEN_BACK * growth.rise_bytes:
        return growth  # it is where the rise began, as a cgroup is after an OOM kill: nothing goes on from the peak
    slow = speed_room_bytes is not None and speed_room_bytes < room_bytes
    return growth._replace(
        limit_s=time_to(room_bytes, times, values, saw),
        slow_s=time_to(speed_room_bytes, times, values, saw) if slow and speed_room_bytes is not None else None,
    )


def _paused(growth: Growth, times: list[float], values: list[float]) -> Growth:
    """The same with the rest at its end, after which a rise is over."""
    if growth.kind not in RISES or (pause := find_pause(times, values)) is None:
        return growth
    if not pause.unusual and not pause.over:
        return growth._replace(pause=pause)
    # Its rate over the whole span says too much of a rise that has ended within it.
    rise_bytes = max(0.0, values[-1] - min(values))
    open_rise = growth.kind is Shape.GROWTH or (pause.over and growth.kind.alarming)
    return growth._replace(pause=pause, rise_bytes=rise_bytes, kind=Shape.WARMUP if open_rise else growth.kind)


def _measured(times_s: Sequence[float], used_bytes: Sequence[float]) -> tuple[list[float], list[float]]:
    """Points ascending in time, one value for each millisecond."""
    known = {
        round(time, 3): float(value)
        for time, value in zip(times_s, used_bytes, strict=True)
        if abs(time) <= _LARGEST and abs(value) <= _LARGEST  # false for NaN
    }
    times = sorted(known)
    return times, [known[time] for time in times]


def _after_gap(times: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """The points after the last long gap, if gaps leave too few tenths of the span with any point in them."""
    if len(times) < LEAST_POINTS or len(list(blocks(times))) > BLOCKS * 0.6:
        return times, values
    longest = (times[-1] - times[0]) / BLOCKS
    cut = max((i for i, (a, b) in enumerate(pairwise(times), 1) if b - a > longest), default=0)
    return times[cut:], values[cut:]


def _classify(times: list[float], values: list[float]) -> tuple[Growth, Floor, Sawtooth | None]:
    ordered = sorted(values)
    n = len(values)
    level = median(ordered)
    low, high = ordered[int(0.02 * (n - 1))], ordered[math.ceil(0.98 * (n - 1))]
    if ordered[0] == ordered[-1]:  # as of most processes: what follows would find the same in ten times as long
        return _constant(times, level)
    smallest = max(_SMALLEST_BYTES, _SMALLEST_SHARE * abs(level), 4 * noise(values))
    lowest = [low_point(values, block) for block in blocks(times)]
    floor = measure_floor(times, values, lowest, smallest)
    flat = high - low < smallest
    saw = None if flat else _saw(times, values, floor.slope, smallest)
    if saw and len(saw.valleys) >= 4:
        floor = measure_floor(
            times, values, lowest_of_runs(values, saw.valleys, _MOST_FLOORS), max(smallest, _hidden(times, values, saw))
        )
    recent_s = max((times[-1] - times[0]) / BLOCKS, 2 * saw.period_s if saw else 0.0)
    growth = Growth(
        kind=Shape.FLAT,
        points=n,
        span_s=times[-1] - times[0],
        slope_bytes_per_s=floor.slope,
        slope_low_bytes_per_s=floor.low,
        slope_high_bytes_per_s=floor.high,
        z=floor.z,
        smallest_bytes=smallest,
        level_bytes=level,
        floor_bytes=floor.values[-1],
        rise_bytes=floor.rise,
        floors=len(floor.values),
        floors_above=sum(value > floor.values[0] + smallest for value in floor.values[1:]),
        low_bytes=low,
        high_bytes=high,
        peak_bytes=max(value for time, value in zip(times, values, strict=True) if time >= times[-1] - recent_s),
        period_s=saw.period_s if saw else None,
        drops=saw.drops if saw else 0,
    )
    if flat:
        return growth, floor, saw
    if saw is None and (jumped := _jumped(growth, times, values, floor)):
        return jumped, floor, saw
    kind = _trend(floor, saw, smallest, came_back=_came_back(values, floor, smallest))
    if kind is Shape.WARMUP and (later := _after_warmup(times, values)):
        return later
    return growth._replace(kind=kind), floor, saw


def _constant(times: list[float], level: float) -> tuple[Growth, Floor, None]:
    """A series of one value."""
    at = [times[block.start] for block in blocks(times)]
    floor = Floor(at, [level] * len(at), rising=False, z=0.0, slope=0.0, low=0.0, high=0.0, rise=0.0)
    growth = Growth(
        kind=Shape.FLAT,
        points=len(times),
        span_s=times[-1] - times[0],
        slope_bytes_per_s=0.0,
        slope_low_bytes_per_s=0.0,
        slope_high_bytes_per_s=0.0,
        z=0.0,
        smallest_bytes=max(_SMALLEST_BYTES, _SMALLEST_SHARE * abs(level)),
        level_bytes=level,
        floor_bytes=level,
        rise_bytes=0.0,
        floors=len(at),
        low_bytes=level,
        high_bytes=level,
        peak_bytes=level,
    )
    return growth, floor, None


def _after_warmup(times: list[float], values: list[float]) -> tuple[Growth, Floor, Sawtooth | None] | None:
    """The later half judged by itself, if it keeps rising evenly: a leak behind the warm-up. Otherwise None."""
    half = len(times) // 2
    times, values = times[half:], values[half:]
    if len(times) < LEAST_POINTS or times[-1] - times[0] < LEAST_SPAN_S:
        return None
    growth, floor, saw = _classify(times, values)
    return (growth, floor, saw) if growth.kind.alarming and not saturates(floor, _EVEN) else None


def _saw(times: list[float], values: list[float], slope: float, smallest: float) -> Sawtooth | None:
    """The sawtooth in the series itself, or in what remains after a straight rise is subtracted."""
    level = [value - slope * (time - times[0]) for time, value in zip(times, values, strict=True)]
    found = (
        find_saw(times, values, max(smallest, 0.35 * (max(values) - min(values))), 3),
        find_saw(times, level, max(smallest, 0.45 * (max(level) - min(level))), 4),
    )
    return max((saw for saw in found if saw), key=lambda saw: saw.drops, default=None)


def _hidden(times: list[float], values: list[float], saw: Sawtooth) -> float:
    """How far above the true valley a sample may be: the climb of the sawtooth between two samples."""
    swings = [b - a for a, b in pairwise(values) if b > a]
    return median(swings) if saw.period_s < 12 * (times[-1] - times[0]) / len(times) and swings else 0.0


def _jumped(growth: Growth, times: list[float], values: list[float], floor: Floor) -> Growth | None:
    """A change of level, a spike or stairs; None if there is none."""
    smallest = growth.smallest_bytes or 0.0
    step = find_step(values, smallest)
    if step:
        kind = Shape.STEP if step.size > 0 else Shape.SHRINK
        return growth._replace(kind=kind, rise_bytes=step.size, change_at_s=times[step.index])
    top = max(range(len(values)), key=values.__getitem__)
    spread = values[top] - min(values)
    above_ends = values[top] - max(values[0], values[-1])
    at_top = (growth.level_bytes or 0.0) - min(values) > _MOSTLY_TOP * spread  # then it dips, and does not peak
    ends_alike = abs(values[-1] - values[0]) < 0.35 * spread
    if not floor.rising and not at_top and ends_alike and above_ends > max(smallest, 0.5 * spread):
        return growth._replace(kind=Shape.SPIKE, change_at_s=times[top])
    stairs = find_stairs(values, smallest)
    if stairs:
        return growth._replace(kind=Shape.STAIRS, rise_bytes=stairs.size, change_at_s=times[stairs.index])
    return None


def _came_back(values: list[float], floor: Floor, smallest: float) -> bool:
    """Whether the later half was down at the first floor again, more than once.

    Single low points are left out of a floor as outliers. If they recur, nothing has risen.
    """
    later = sorted(values[len(values) // 2 :])
    return later[_RETURNS - 1] < floor.values[0] + smallest


def _trend(floor: Floor, saw: Sawtooth | None, smallest: float, *, came_back: bool) -> Shape:
    """The shape of the floor, if nothing jumped. ``came_back``: memory was at the first floor again later."""
    if floor.rising:
        if saturates(floor):
            return Shape.WARMUP
        return Shape.LEAK_GC if saw else Shape.LEAK
    if saw:
        return Shape.SAWTOOTH
    if floor.z < -2.33 and floor.rise < -smallest:
        return Shape.SHRINK
    if came_back:
        return Shape.NOISY
    if floor.rise > smallest and floor.z > 1.28:
        return Shape.WARMUP if saturates(floor) else Shape.GROWTH
    return Shape.WARMUP if rose_once(floor, smallest) else Shape.NOISY

"""Axes of the charts: scale, range and ticks. Numbers only, no drawing.

Ticks are whole rows apart, so a range has few possible sizes and does not move while values change within it. The range
follows the largest value of the whole window, so it does not shrink as soon as a peak has passed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

BIGGEST_BYTES: Final = 1e18
"""Larger values are drawn as this one, because plotext overflows on them."""
OWN_ABOVE: Final = 8.0
"""Ratio of VIRT to RES from which a common scale would flatten RES."""
BACK_BELOW: Final = 7.0
"""Ratio of VIRT to RES below which the common scale returns. It is lower than OWN_ABOVE to avoid flapping."""
_MIB: Final = 1024.0**2
_ROWS_PER_TICK: Final = 3
"""The least distance of ticks, if there are enough rows ..."""
_MOST_TICKS: Final = 8
"""... and the most ticks above the lowest one."""
_TIME_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_CELLS_PER_TIME_LABEL: Final = 13


class Scale(Enum):
    """How VIRT and RES share the chart. The value is the text in the title."""

    AUTO = "auto"
    ONE = "one scale"
    OWN = "VIRT and RES each on its own scale"
    RES_ONLY = "RES alone, zoomed in"
    LOG = "logarithmic"

    @property
    def of_cgroup(self) -> str:
        """The same text for a cgroup, of which charge and working set are drawn."""
        return self.value.replace("VIRT", "CHARGE").replace("RES", "WSET")


class Axis(NamedTuple):
    """A range of bytes, and its ticks."""

    low_bytes: float
    high_bytes: float
    ticks: tuple[float, ...]
    """Values in bytes, rising."""
    log: bool = False

    def place(self, value_bytes: float) -> float:
        """The place of a value: 0 at the bottom, 1 at the top, beyond both if it is out of range."""
        if self.log:
            low, high = math.log2(self.low_bytes), math.log2(self.high_bytes)
            return (math.log2(max(value_bytes, self.low_bytes)) - low) / (high - low)
        return (value_bytes - self.low_bytes) / (self.high_bytes - self.low_bytes)

    def places(self, values_bytes: Sequence[float | None]) -> list[float | None]:
        """The places of values; None where a value is."""
        if self.log:
            return [None if value is None else self.place(value) for value in values_bytes]
        low, range_ = self.low_bytes, self.high_bytes - self.low_bytes
        return [None if value is None else (value - low) / range_ for value in values_bytes]

    def labels(self) -> list[tuple[float, str]]:
        """Place and text of each tick."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 and not self.log else 0.0
        return [(self.place(tick), tick_label(tick, step)) for tick in self.ticks]


class TimeSpan(NamedTuple):
    """The time that a chart shows, from its first point to its last; 0 is now, or the chart's right edge."""

    past_s: float
    ahead_s: float = 0.0
    """Seconds of the future, right of now."""

    def place(self, at_s: float) -> float:
        """The place of an instant: 0 left, 1 right; nan if there is no such place."""
        whole_s = self.past_s + self.ahead_s
        return (at_s + self.past_s) / whole_s if whole_s > 0 and math.isfinite(whole_s) else math.nan

    def at_s(self, place: float) -> float:
        """The instant at a place."""
        return place * (self.past_s + self.ahead_s) - self.past_s


def tick_label(value_bytes: float, step_bytes: float = 0.0) -> str:
    """``256M``, ``1.5G``, ``12.06G``: with just enough digits to distinguish neighbors ``step_bytes`` apart."""
    unit, letter = 1.0, ""
    for letter_above in "KMGTPE":
        if value_bytes < unit * 1024:
            break
        unit, letter = unit * 1024, letter_above
    decimals = 2 if step_bytes <= 0 else min(3, max(0, math.ceil(-math.log10(step_bytes / unit))))
    text = f"{value_bytes / unit:.{max(decimals, 1)}f}".rstrip("0").rstrip(".")
    return text + letter


@lru_cache(maxsize=16)
def known(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
    """The values that a chart can draw: finite, not negative, at most BIGGEST_BYTES; None for all others.

    They are cached, because the charts of one frame ask for each series two or three times.
    """
    there = [value for value in values if value is not None]
    if not there or (math.isfinite(sum(there)) and min(there) >= 0 and max(there) <= BIGGEST_BYTES):
        return values
    return tuple(
        None if value is None or not math.isfinite(value) else min(max(value, 0.0), BIGGEST_BYTES) for value in values
    )


def settle(scale: Scale, virt_bytes: float, rss_bytes: float, before: Scale = Scale.ONE) -> Scale:
    """The scale for the highest VIRT and RES of the window. AUTO becomes ONE or OWN.

    ``before`` is the scale drawn last. Near the border it is kept.
    """
    if scale is not Scale.AUTO:
        return scale
    ratio = BACK_BELOW if before is Scale.OWN else OWN_ABOVE
    return Scale.OWN if virt_bytes > ratio * rss_bytes > 0 else Scale.ONE


def linear(low_bytes: float, high_bytes: float, rows: int) -> Axis:
    """An axis from low to high whose ticks, multiples of a power of two, are a whole number of rows apart.

    ``rows`` is the height of the plot. The topmost tick may be below the top row.
    """
    if high_bytes <= 0:
        high_bytes = _MIB
    step = 1.0
    while (apart := _rows_apart(step, high_bytes - math.floor(low_bytes / step) * step, rows)) is None:
        step *= 2
    first, gaps = math.floor(low_bytes / step), max(1, rows - 1)
    ticks = tuple(step * (first + number) for number in range(gaps // apart + 1))
    return Axis(ticks[0], ticks[0] + step * gaps / apart, ticks)


def _rows_apart(step: float, range_: float, rows: int) -> int | None:
    """The number of rows between ticks with which the range just fits; None if that is too few."""
    gaps = max(1, rows - 1)
    least = max(min(_ROWS_PER_TICK, rows // 2), gaps // (_MOST_TICKS + 1) + 1)
    apart = int(step * gaps / max(range_, step))
    return apart if apart >= least else None


def close_up(values_bytes: Sequence[float], rows: int) -> Axis:
    """An axis for one series alone. It starts at 0 if the values change much. It never magnifies noise.

    The range is at least 2 % of the level and 1 MiB, so that a change of 0.1 % stays small.
    """
    low, high = min(values_bytes, default=0.0), max(values_bytes, default=0.0)
    if low < high / 2:
        return linear(0.0, high * 1.02, rows)
    margin = max(0.02 * high, _MIB, (high - low) * 1.2) / 2
    middle = (low + high) / 2
    return linear(max(0.0, middle - margin), middle + margin, rows)


def logarithmic(values_bytes: Iterable[float], rows: int) -> Axis:
    """An axis from a power of four below the smallest positive value to beyond the largest; ticks as for linear."""
    positive = [value for value in values_bytes if value >= 1]
    low = math.floor(math.log2(min(positive, default=1024.0)) / 2)
    high = max(low + 2, math.ceil(math.log2(max(positive, default=_MIB) * 1.05) / 2))
    stride = 1
    while (apart := _rows_apart(stride, high - low, rows)) is None:
        stride += 1
    gaps = max(1, rows - 1)
    ticks = tuple(4.0 ** (low + stride * number) for number in range(gaps // apart + 1))
    return Axis(ticks[0], 4.0 ** (low + stride * gaps / apart), ticks, log=True)


def time_ticks(span: TimeSpan, right_edge_s: float | None, columns: int) -> list[tuple[float, str]]:
    """Place (0 left, 1 right) and text of the ticks of a time axis.

    If ``right_edge_s`` is None, labels are relative: ``-5 min`` to ``now`` and on to ``+1 min``. If it is a wall time,
    that of ``span``'s 0, labels are clock times.
    """
    whole_s = span.past_s + span.ahead_s
    if not (math.isfinite(whole_s) and whole_s > 0):
        return []
    most = max(1, columns // _CELLS_PER_TIME_LABEL)
    least = 1800 if whole_s > 7200 else 60 if whole_s > 120 else 1  # so that labels are whole minutes, half hours
    steps = (step for step in _TIME_STEPS_S if whole_s / step <= most and step >= least)
    step = next(steps, math.ceil(whole_s / most))
    half_cell_s = whole_s / max(1, 2 * columns)  # the first point may be one dot right of a label's instant
    if right_edge_s is None:
        first = -int((span.past_s + 2 * half_cell_s) / step)
        last = int((span.ahead_s + half_cell_s) / step)
        return [
            (min(max(span.place(number * step), 0.0), 1.0), _away(number * step, step))
            for number in range(first, last + 1)
        ]
    zone_s = time.localtime(right_edge_s).tm_gmtoff
    left_s = right_edge_s - span.past_s
    tick_s = math.ceil((left_s + zone_s) / step) * step - zone_s
    ticks = []
    while tick_s <= right_edge_s + span.ahead_s:
        ticks.append((span.place(tick_s - right_edge_s), clock(tick_s, seconds=step < 60)))
        tick_s += step
    return ticks


def _away(from_now_s: float, step_s: float) -> str:
    if from_now_s == 0:
        return "now"
    if step_s < 60:
        return f"{from_now_s:+g} s"
    return f"{from_now_s / 60:+g} min" if step_s < 1800 else f"{from_now_s / 3600:+g} h"


def clock(wall_s: float, *, seconds: bool = True) -> str:
    """Local time of day of a wall time."""
    return time.strftime("%H:%M:%S" if seconds else "%H:%M", time.localtime(wall_s))


def slope_sign(slope_bytes_per_min: float | None, rss_bytes: float | None) -> int:
    """1 rising, -1 falling, 0 steady or unknown. Steady is less than 0.5 % of RES or 64 KiB a minute."""
    if slope_bytes_per_min is None or not math.isfinite(slope_bytes_per_min):
        return 0
    if abs(slope_bytes_per_min) < max(0.005 * (rss_bytes or 0), 65536):
        return 0
    return 1 if slope_bytes_per_min > 0 else -1

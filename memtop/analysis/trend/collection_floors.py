"""Floors of a runtime's heap: the lowest values after garbage collections, or in tenths of the time."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

from memtop.analysis.trend.floor import Floor, blocks, low_point, lowest_of_runs, measure_floor, saturates

LEAST_CYCLES: Final = 5
LEAST_SPAN_S: Final = 20.0
"""Programs fill their first tables in their first seconds, so there is no verdict on a shorter span."""
MOST_FLOORS: Final = 40
_LEAST_POINTS: Final = 10
_LEAST_SCATTERED: Final = 8
_CLEAR: Final = 3.0
"""Standard score of the order. Chance alone reaches it once in 700 series."""
_NOTABLE_SHARE: Final = 0.25
_NOTABLE_BYTES: Final = 16 << 20
"""A rise by less of its size, or by less than this, if it is one, is called level."""

Series = Sequence[tuple[float, int | None]]
"""(time in seconds, value), oldest first; None if the figure was not reported."""


def cycle_floor(series: Series, smallest: float, share: float, most: int = MOST_FLOORS) -> Floor | None:
    """The floor through the values after each collection; None if they are too few or the span is too short.

    It rises only by more than ``smallest`` and more than ``share`` of its middle. If there are more collections than
    ``most``, the lowest of each run of neighbors is used.
    """
    times, values = _known(series)
    if len(values) < LEAST_CYCLES or times[-1] - times[0] < LEAST_SPAN_S:
        return None
    at = lowest_of_runs(values, range(len(values)), most)
    return _measured(times, values, at, max(smallest, share * abs(median(values))))


def block_floor(series: Series, smallest: float, share: float) -> Floor | None:
    """The floor of a figure that no collection lowers, by tenths of the time; None if it is too few or too short."""
    times, values = _known(series)
    if len(values) < _LEAST_POINTS or times[-1] - times[0] < LEAST_SPAN_S:
        return None
    at = [low_point(values, block) for block in blocks(times)]
    return _measured(times, values, at, max(smallest, share * abs(median(values))))


def rises(floor: Floor | None) -> bool:
    """Whether a floor is known, rises, and has not almost stopped rising."""
    return floor is not None and floor.times_s[-1] > floor.times_s[0] and floor.rising and not saturates(floor)


def may_rise(floor: Floor) -> bool:
    """Whether a size scatters so much that it may rise by a notable part, whichever way it seems to go. In bytes."""
    span_s = floor.times_s[-1] - floor.times_s[0]
    return floor.high * span_s > max(_NOTABLE_BYTES, _NOTABLE_SHARE * median(floor.values))


def slope(floor: Floor | None) -> float | None:
    """Units per second; None if no floor is known."""
    return None if floor is None else floor.slope


def _measured(times: list[float], values: list[float], at: Sequence[int], smallest: float) -> Floor:
    """The floor. It also rises if its increments scatter, but order and interval leave no doubt.

    Collections come at irregular times, so floors after them scatter more than those of a smooth curve.
    """
    floor = measure_floor(times, values, at, smallest)
    clear = len(at) >= _LEAST_SCATTERED and floor.z > _CLEAR and floor.low > 0 and floor.rise > smallest
    return floor._replace(rising=floor.rising or clear)


def _known(series: Series) -> tuple[list[float], list[float]]:
    known = [(time, float(value)) for time, value in series if value is not None]
    return [time for time, _ in known], [value for _, value in known]

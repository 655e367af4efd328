"""Forecast of the time to a limit, from the rate at which the floor rises and the room that is left."""

from __future__ import annotations

import math
from typing import Final

from memtop.analysis.trend.floor import Floor
from memtop.analysis.trend.robust import theil_sen
from memtop.analysis.trend.sawtooth import Sawtooth

HORIZON_S: Final = 86_400.0
"""A limit that is more than a day away gets no forecast."""
_LEAST_PEAKS: Final = 5
_MOST_PEAKS: Final = 40


def time_to(
    room_bytes: float, times: list[float], values: list[float], floor: Floor, saw: Sawtooth | None
) -> tuple[float, float] | None:
    """Seconds until the peaks use up the room, earliest and latest; None beyond a day."""
    now, slope, low, high = times[-1], floor.slope, floor.low, floor.high
    if saw and len(saw.peaks) >= _LEAST_PEAKS:
        # Garbage grows with live memory, so the peaks climb faster than the floor.
        some = saw.peaks[:: math.ceil(len(saw.peaks) / _MOST_PEAKS)]
        peaks = theil_sen([times[i] for i in some], [values[i] for i in some])
        if peaks.low > 0:
            slope, low, high = peaks
    above = sorted(value + slope * (now - time) - values[-1] for time, value in zip(times, values, strict=True))
    usual = above[int((0.75 if saw else 0.5) * (len(above) - 1))]
    early = max(0.0, (room_bytes - above[-1]) / high)
    late = max(0.0, (room_bytes - usual) / low) + (saw.period_s if saw else 0.0)
    return (early, late) if early < HORIZON_S else None

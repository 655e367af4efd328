"""Forecast of the time to a limit: a range that held the end of nine in ten trial runs.

Three extrapolations of the peaks (the whole window, its later half, a power law through both halves, which bends as
they do) give the middle. How far they and the data disagree gives the width, by normalized conformal prediction
(Papadopoulos et al. 2002; Lei et al. 2018): the factors are quantiles over simulated runs. ``python -m
tests.lab.forecasts`` measures them again, on other simulated runs and on real ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median, pvariance
from typing import Final, NamedTuple

from memtop.analysis.trend.robust import noise, theil_sen
from memtop.analysis.trend.sawtooth import Sawtooth

HORIZON_S: Final = 86_400.0
"""A limit that is further away than a day is no forecast."""
HELD_PERCENT: Final = 90
"""Share of the ranges in the lab that held the end, at least."""
_PEAKS: Final = 24
_MOST_PEAKS: Final = 40
_LEAST_PEAKS: Final = 6
_LAG: Final = 4
"""Steps between peaks over which random portions add up, and noise does not."""
_EARLY: Final = 1.7
"""Quantile of how much earlier than the middle the end came, in units of the spread ..."""
_LATE: Final = 1.25
"""... and how much later."""
_LEAST_SPREAD: Final = 0.05
_APART_WEIGHT: Final = 2.0
_AHEAD_SPREAD: Final = 0.1
"""Spread of the logarithm of the time for each window that it lies ahead."""
_MOST_AHEAD: Final = 9.0
_LEAST_RATE: Final = 0.15
"""No extrapolation is slower than this share of the rate over the whole window."""
_FASTER: Final = 3.0
"""The rise is expected to become at most so many times as fast as it is. A curve over a minute that seems to bend would
otherwise fill a limit that is hours away within minutes."""
_GOES_ON: Final = 4.0
"""What grows beside is expected to go on for at most so many times as long as it has been seen."""
_LIMIT_SHARE: Final = 0.01
"""Share of the limit by which the kernel acts earlier or later than the numbers say."""
_NOISE_SHARE: Final = 0.3
_POWERS: Final = (0.25, 3.5)
"""Bounds of the exponent of the power law."""


class Room(NamedTuple):
    """What a limit leaves to a process. Bytes."""

    end_bytes: float
    """Until the limit takes effect: all that can be reclaimed is."""
    speed_bytes: float
    """Until page cache in use begins to be reclaimed, which costs speed; never more than :attr:`end_bytes`."""


class Beside(NamedTuple):
    """Another process whose growth is confirmed, and which uses the same room."""

    bytes_per_s: float
    seen_s: float
    """For how long its growth has been seen."""


def own_share(room_bytes: float, bytes_per_s: float, others: Iterable[Beside]) -> float:
    """The bytes of a room that a process itself uses up, while others use the rest.

    Each of the others is expected to go on for a few times as long as it has been seen, so that one which has grown
    for a minute does not decide about hours. The whole room where the process itself does not grow.
    """
    if bytes_per_s <= 0:
        return room_bytes
    left, past_s = room_bytes, 0.0
    ends = sorted((_GOES_ON * max(0.0, one.seen_s), one.bytes_per_s) for one in others if one.bytes_per_s > 0)
    rate = bytes_per_s + sum(rate for _, rate in ends)
    for end_s, others_rate in ends:
        if past_s + left / rate <= end_s:
            break
        left -= rate * (end_s - past_s)
        past_s, rate = end_s, rate - others_rate
    return bytes_per_s * (past_s + left / max(rate, bytes_per_s))


class _Rates(NamedTuple):
    """Bytes per second of the peaks, and what disturbs them."""

    whole: float
    earlier: float
    """Of the first half."""
    later: float
    window_s: float
    diffusion: float
    """Variance of random portions, in bytes squared per second."""
    top_bytes: float
    """The peaks' level at the last point."""


def time_to(
    room_bytes: float, times: Sequence[float], values: Sequence[float], saw: Sawtooth | None
) -> tuple[float, float] | None:
    """Seconds until the peaks use the room up, earliest and latest; None beyond a day, or without a rise.

    ``room_bytes`` is what the limit leaves at the last point.
    """
    rates = _rates(_peaks(times, values, saw), times[-1], values[-1])
    if rates is None:
        return None
    room = room_bytes - (rates.top_bytes - values[-1])
    limit = max(0.0, values[-1] + room_bytes)
    slack = _LIMIT_SHARE * limit + _NOISE_SHARE * noise(values)
    reach = max(room, 0.0) + slack
    slowest = _LEAST_RATE * rates.whole
    guesses = (
        (1, reach / rates.whole),
        (1, reach / max(rates.later, slowest)),
        (4, min(_power_law_s(reach, rates), reach / slowest)),
    )
    logs = [(weight, math.log(guess)) for weight, guess in guesses]
    middle = sum(weight * log for weight, log in logs) / 6
    apart = sum(weight * (log - middle) ** 2 for weight, log in logs) / 6
    ahead = min(math.exp(middle) / rates.window_s, _MOST_AHEAD)
    portions = rates.diffusion / (rates.whole * reach) * (1 + ahead)
    spread = math.sqrt(_LEAST_SPREAD**2 + _APART_WEIGHT * apart + portions + (_AHEAD_SPREAD * ahead) ** 2)
    slack_s = slack / rates.whole
    early = max(0.0, math.exp(middle) - 2 * slack_s) * math.exp(-_EARLY * spread)
    early = max(early, (reach - 2 * slack) / (_FASTER * max(rates.whole, rates.later)))
    late = max(early, (math.exp(middle) + slack_s) * math.exp(_LATE * spread), room / max(rates.whole, rates.later))
    return (early, late) if early < HORIZON_S else None


def settled(before: tuple[float, float], fresh: tuple[float, float]) -> tuple[float, float]:
    """What is shown after a newer range, both in seconds from the same instant: neither end moves further than the
    range is wide before or after.

    Ranges that overlap are averaged, so that they do not flicker. Of two that do not, both are shown until the next
    one says which holds.
    """
    (early, late), (fresh_early, fresh_late) = before, fresh
    if fresh_early > late or fresh_late < early:
        return min(early, fresh_early), max(late, fresh_late)
    return (early + fresh_early) / 2, (late + fresh_late) / 2


def _peaks(times: Sequence[float], values: Sequence[float], saw: Sawtooth | None) -> list[tuple[float, float]]:
    """(time, value) of the peaks: of a sawtooth its own, else the highest point of each part of the window."""
    if saw and len(saw.peaks) >= 8:
        found = [(times[i], values[i]) for i in saw.peaks]
        run = math.ceil(len(found) / _MOST_PEAKS)
        return [max(found[i : i + run], key=lambda point: point[1]) for i in range(0, len(found), run)]
    span = times[-1] - times[0]
    parts = min(_PEAKS, max(_LEAST_PEAKS, int(span / saw.period_s))) if saw and saw.period_s > 0 else _PEAKS
    tops: dict[int, tuple[float, float]] = {}
    for time, value in zip(times, values, strict=True):
        part = min(parts - 1, int((time - times[0]) / span * parts)) if span > 0 else 0
        if part not in tops or value > tops[part][1]:
            tops[part] = time, value
    return list(tops.values())


def _rates(peaks: list[tuple[float, float]], now_s: float, last_bytes: float) -> _Rates | None:
    """None where the peaks are too few or do not rise."""
    if len(peaks) < _LEAST_PEAKS:
        return None
    times, tops = [time for time, _ in peaks], [top for _, top in peaks]
    whole = theil_sen(times, tops).slope
    half = len(peaks) // 2
    window_s = times[-1] - times[0]
    if whole <= 0 or window_s <= 0:
        return None
    later = theil_sen(times[half:], tops[half:]).slope
    recent = peaks[-max(4, len(peaks) // 3) :]
    level = median([top + max(0.0, later) * (now_s - time) for time, top in recent])
    return _Rates(
        whole,
        theil_sen(times[: half + 1], tops[: half + 1]).slope,
        later,
        window_s,
        _diffusion(tops, window_s),
        max(level, last_bytes),
    )


def _diffusion(tops: list[float], window_s: float) -> float:
    """Variance per second of a sum of random portions: what the variance over several steps has beyond that of one."""
    lag = _LAG if len(tops) >= 3 * _LAG else max(2, len(tops) // 4)
    one = pvariance([b - a for a, b in pairwise(tops)])
    several = pvariance([b - a for a, b in zip(tops, tops[lag:], strict=False)])
    return max(0.0, several - one) / (lag - 1) / (window_s / (len(tops) - 1))


def _power_law_s(reach: float, rates: _Rates) -> float:
    """Seconds until a rise by ``reach`` where the rate goes on changing as from the first half to the second."""
    if rates.later <= 0:
        return math.inf
    change = min(rates.later / max(rates.earlier, 0.05 * rates.later), 20.0)
    # The rate of t ** power at three quarters of the window over that at one quarter is 3 ** (power - 1).
    power = min(max(1 + math.log(change) / math.log(3), _POWERS[0]), _POWERS[1])
    return rates.window_s * float((1 + reach / (rates.whole * rates.window_s)) ** (1 / power) - 1)

"""Simulated runs into a limit: used memory second by second, and when the limit was met.

Each kind of growth is drawn with its own level, rate, noise and limit. ``fudge`` stands for what a cgroup does beyond
the model: the kernel kills a little before or after the room is used up, as page cache and slab yield or do not.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

MIB: Final = float(1 << 20)
LONGEST_S: Final = 3600
"""Runs that last longer are drawn again."""
SHORTEST_S: Final = 150


@dataclass(frozen=True, slots=True)
class LimitRun:
    """One run into a limit."""

    kind: str
    step_s: float
    """Between two samples."""
    used_bytes: list[float]
    room_bytes: list[float]
    """What the limit left at each sample, as memtop would compute it."""

    @property
    def end_s(self) -> float:
        """When the limit was met, from the first sample on."""
        return self.step_s * (len(self.used_bytes) - 1)


def _log(rng: random.Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _ar1(rng: random.Random, sigma: float, memory: float) -> Iterator[float]:
    kick, state = sigma * math.sqrt(1 - memory * memory), rng.gauss(0, sigma)
    while True:
        state = memory * state + rng.gauss(0, kick)
        yield state


Rise = Callable[[random.Random, float, float], Callable[[int], float]]
"""(generator, rise in bytes, time in s at which it is reached) -> bytes above the level at each second."""


def _steady(rng: random.Random, rise: float, end_s: float) -> Callable[[int], float]:
    return lambda second: rise * second / end_s


def _accelerating(rng: random.Random, rise: float, end_s: float) -> Callable[[int], float]:
    if rng.random() < 0.5:
        power = rng.uniform(1.2, 2.2)
        return lambda second: rise * (second / end_s) ** power
    fold = rng.uniform(0.5, 2.5)
    return lambda second: rise * math.expm1(fold * second / end_s) / math.expm1(fold)


def _decelerating(rng: random.Random, rise: float, end_s: float) -> Callable[[int], float]:
    if rng.random() < 0.5:
        power = rng.uniform(0.5, 0.9)
        return lambda second: rise * (second / end_s) ** power
    fold = rng.uniform(0.5, 4)
    return lambda second: rise * math.log1p(fold * second / end_s) / math.log1p(fold)


def _staircase(rng: random.Random, rise: float, end_s: float) -> Callable[[int], float]:
    steps, regular = rng.randint(12, 60), rng.random() < 0.5
    heights: dict[int, float] = {}
    at, height, second = 0.0, 0.0, 0
    while second <= LONGEST_S:
        gap = end_s / steps
        at += gap * max(0.2, rng.gauss(1, 0.15)) if regular else rng.expovariate(1 / gap)
        while second < at and second <= LONGEST_S:
            heights[second] = height
            second += 1
        height += rise / steps * _log(rng, 0.6, 1.6)
    return lambda second: heights[second]


def _walk(rng: random.Random, rise: float, end_s: float) -> Callable[[int], float]:
    kick, state = rise / end_s * rng.uniform(2, 6), [0.0]
    while len(state) <= LONGEST_S:
        state.append(state[-1] + rise / end_s + rng.gauss(0, kick))
    return state.__getitem__


def _two_rates(rng: random.Random, rise: float, end_s: float) -> Callable[[int], float]:
    bend, change = rng.uniform(0.2, 0.8) * end_s, _log(rng, 0.5, 2.5)
    return lambda second: rise / end_s * (min(second, bend) + change * max(0.0, second - bend))


def _collected(rng: random.Random, rise: float, end_s: float) -> Callable[[int], float]:
    period, height = rng.uniform(5, 30), rise * rng.uniform(0.1, 0.5)
    return lambda second: rise * second / end_s + height * (second % period) / period


KINDS: Final[dict[str, Rise]] = {
    "steady": _steady,
    "noisy": _steady,
    "staircase": _staircase,
    "accelerating": _accelerating,
    "decelerating": _decelerating,
    "random portions": _walk,
    "rate changes": _two_rates,
    "garbage collected": _collected,
}


def simulated(kind: str, rng: random.Random, *, cache: bool) -> LimitRun:
    """A run of one kind; with ``cache`` the room is read as a cgroup with page cache in it shows it."""
    while True:
        level, end_s = _log(rng, 20, 2000) * MIB, _log(rng, 200, 2000)
        rise = level * _log(rng, 0.3, 3)
        height = KINDS[kind](rng, rise, end_s)
        share = _log(rng, 0.02, 0.1) if kind == "noisy" else _log(rng, 0.0005, 0.01)
        noise = _ar1(rng, share * rise, rng.uniform(0, 0.8))
        limit = level + rise * rng.uniform(0.95, 1.05)
        fudge = limit * (rng.uniform(-0.01, 0.01) if cache else rng.uniform(-0.002, 0.002))
        late = _ar1(rng, 0.003 * rise, 0.5)
        used: list[float] = []
        room: list[float] = []
        for second in range(LONGEST_S):
            used.append(max(0.0, level + height(second) + next(noise)))
            room.append(limit - used[-1] + (next(late) if cache else 0.0))
            if used[-1] >= limit + fudge:
                break
        if SHORTEST_S <= len(used) < LONGEST_S:
            return LimitRun(f"{kind}, with page cache" if cache else kind, 1.0, used, room)


def simulated_runs(seed: int, each: int) -> Iterator[LimitRun]:
    """So many runs of each kind, half of them with page cache."""
    for kind in KINDS:
        for number in range(each):
            rng = random.Random(f"{seed} {kind} {number}")
            yield simulated(kind, rng, cache=number % 2 == 1)

"""How good the growth verdicts are, on curves whose truth is known: ``python -m tests.lab.growth [RUNS] [SEED]``.

Prints for the tuning, the held-out and the fresh family (see :mod:`tests.lab.curves`) what the verdicts of single
looks were; how often the 90 % interval holds the true slope and the forecast the true time; and what comes of watching
each curve for two windows with the confirmation on top. An exclamation mark is a bound that was missed.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from memtop.analysis.trend.classify import Shape, judge
from memtop.analysis.trend.hysteresis import DIRECTIONS, Confirmation, Direction, agree
from tests.lab.curves import FRESH, HELD_OUT, TUNING, Class, Curve, Pen, Truth

TUNING_SEED = 1
HELD_OUT_SEED = 20_260
BOUNDS_PERCENT = {Truth.LEAK: 95.0, Truth.LEAK_GC: 85.0, Truth.NONE: 1.0, Truth.WALK: 3.0}
"""Least share recognised for leaks, most false alarms for the rest."""


@dataclass(slots=True)
class Score:
    """What single looks at many curves of one class said."""

    kinds: Counter[Shape] = field(default_factory=Counter)
    intervals: list[bool] = field(default_factory=list)
    """Whether the 90 % interval holds the true slope."""
    forecasts: list[bool] = field(default_factory=list)
    """Whether the true time to the limit is in the range."""
    widths: list[float] = field(default_factory=list)
    """Late end of the range over its early end."""

    @property
    def runs(self) -> int:
        return self.kinds.total()

    def percent(self, *kinds: Shape) -> float:
        return 100 * sum(self.kinds[kind] for kind in kinds) / self.runs

    @property
    def alarm_percent(self) -> float:
        return self.percent(Shape.LEAK, Shape.LEAK_GC)

    def meets(self, truth: Truth) -> bool:
        """Whether the bound of the class is kept."""
        if truth is Truth.LEAK:
            return self.percent(Shape.LEAK) >= BOUNDS_PERCENT[truth]
        if truth is Truth.LEAK_GC:
            return self.percent(Shape.LEAK_GC) >= BOUNDS_PERCENT[truth]
        return truth is Truth.HARD or self.alarm_percent <= BOUNDS_PERCENT[truth]


def curves(kind: Class, runs: int, seed: int) -> Iterator[tuple[Curve, random.Random]]:
    """The same curves for the same seed, whatever else is drawn."""
    for run in range(runs):
        rng = random.Random(f"{seed}/{kind.name}/{run}")
        yield kind.draw(rng), rng


def look(kind: Class, runs: int, seed: int) -> Score:
    """One look at each curve, after its first window."""
    score = Score()
    for curve, rng in curves(kind, runs, seed):
        n, slope = curve.window, curve.slope_bytes_per_s
        times, used = curve.times_s[:n], curve.used_bytes[:n]
        limit = max(used) + (slope or 0.0) * (times[-1] - times[0]) * rng.uniform(0.2, 1.2)
        growth = judge(times, used, limit - used[-1] if slope else None)
        score.kinds[growth.kind] += 1
        if slope is None or not growth.kind.alarming:
            continue
        assert growth.slope_low_bytes_per_s is not None and growth.slope_high_bytes_per_s is not None
        score.intervals.append(growth.slope_low_bytes_per_s <= slope <= growth.slope_high_bytes_per_s)
        hit = next((i for i in range(n, len(curve.used_bytes)) if curve.used_bytes[i] >= limit), None)
        if growth.limit_s and hit:
            early, late = growth.limit_s
            # The truth lies between two samples.
            after, before = curve.times_s[hit] - times[-1], curve.times_s[hit - 1] - times[-1]
            score.forecasts.append(early <= after and before <= late)
            score.widths.append(late / max(early, 1e-3))
    return score


@dataclass(slots=True)
class Watched:
    """What came of watching curves of one class from their start for two windows; counts of curves."""

    alarm_ever: int = 0
    alarm_later: int = 0
    """Began after the first window."""
    alarm_last: int = 0
    rising_ever: int = 0
    """Whose sign ever led upwards, alarm or not."""
    unknown_last: int = 0
    """Without a sign at the end."""
    changes: int = 0
    """Changes of the sign, all curves together."""


def watch(kind: Class, runs: int, seed: int) -> Watched:
    """A look every sixtieth of the window, with the confirmation on top."""
    found = Watched()
    for curve, _ in curves(kind, runs, seed):
        states = [Confirmation()]
        later = False
        for end in range(30, 2 * curve.window, max(1, curve.window // 60)):
            begin = max(0, end - curve.window)
            times = curve.times_s[begin:end]
            states.append(agree(states[-1], judge(times, curve.used_bytes[begin:end]), times[-1]))
            later = later or (begin > 0 and states[-1].alarm and not states[-2].alarm)
        found.alarm_ever += any(state.alarm for state in states)
        found.alarm_later += later
        found.alarm_last += states[-1].alarm
        found.rising_ever += any(DIRECTIONS[state.kind] is Direction.RISING for state in states)
        found.unknown_last += states[-1].kind is Shape.INSUFFICIENT
        found.changes += sum(a.kind is not b.kind for a, b in pairwise(states))
    return found


def report(title: str, family: Sequence[Class], runs: int, seed: int) -> bool:
    """Print the matrix of one family; whether all its bounds hold."""
    print(f"\n{title}: single looks, {runs} runs of each class, seed {seed}")
    columns = [kind for kind in Shape if kind is not Shape.INSUFFICIENT]
    print(f"{'':25}" + "".join(f"{kind.value:>9}" for kind in columns) + f"{'alarm %':>9} interval forecast width")
    fine = True
    for kind in family:
        score = look(kind, runs, seed)
        fine = fine and score.meets(kind.truth)
        cells = "".join(f"{score.kinds[column] or '':>9}" for column in columns)
        extra = ""
        if score.intervals:
            extra += f"{100 * sum(score.intervals) / len(score.intervals):8.0f}%"
        if score.forecasts:
            width = sorted(score.widths)[len(score.widths) // 2]
            extra += f"{100 * sum(score.forecasts) / len(score.forecasts):8.0f}% x{width:.2f}"
        print(f"{kind.name:25}{cells}{score.alarm_percent:9.1f}{extra}{'' if score.meets(kind.truth) else '  !'}")
    return fine


def report_watch(title: str, family: Sequence[Class], runs: int, seed: int) -> None:
    """Print what the confirmation makes of it."""
    print(f"\n{title}: watched for two windows with a look every sixtieth, {runs} runs, in %; changes of sign per run")
    print(f"{'':25}{'alarm':>9}{'in 2nd':>9}{'at end':>9}{'rising':>9}{'no sign':>9}{'changes':>9}")
    for kind in family:
        found = watch(kind, runs, seed)
        counts = (found.alarm_ever, found.alarm_later, found.alarm_last, found.rising_ever, found.unknown_last)
        cells = "".join(f"{100 * count / runs:9.1f}" for count in counts)
        print(f"{kind.name:25}{cells}{found.changes / runs:9.1f}")


def smallest(runs: int, seed: int) -> None:
    """Print the share of straight leaks recognised, by their size."""
    print("\nStraight leak with AR(1) noise of 0.03 to 0.5 % of the level, recognised by its size in the window")
    for rise in (0.02, 0.03, 0.05, 0.1):
        kind = Class(f"leak {rise}", Truth.LEAK, partial(straight, rise=rise))
        print(f"{rise:6.0%} of the level: {look(kind, runs, seed).percent(Shape.LEAK):5.1f} %")


def straight(rng: random.Random, rise: float) -> Curve:
    """A leak of this share of the level in the window."""
    pen = Pen(rng)
    shape, slope = pen.leak(rise, rise)
    return pen.curve(shape, None, slope)


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else HELD_OUT_SEED
    begun = time.monotonic()
    families = (("Tuning", TUNING, TUNING_SEED), ("Held out", HELD_OUT, seed), ("Fresh", FRESH, seed))
    fine = [report(title, family, runs, start) for title, family, start in families]
    smallest(runs, seed)
    for title, family, start in families:
        report_watch(title, family, max(20, runs // 10), start)
    print(f"\n{'All bounds hold.' if all(fine) else 'A bound was missed.'} {time.monotonic() - begun:.0f} s")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    raise SystemExit(main())

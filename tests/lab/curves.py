"""Made-up memory curves with a known truth.

Three families: ``TUNING`` holds the classes the thresholds were tuned on; ``HELD_OUT`` other shapes and other noise, on
which the method is judged with seeds of their own (with other seeds they showed defects, which were mended); ``FRESH``
was first run when the method was finished. Every curve is a function of a random generator and of how many points the
window has; it goes on for ``HORIZON`` windows so that forecasts can be checked.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

MIB: Final = float(1 << 20)
HORIZON: Final = 3
"""Windows that a curve lasts."""


class Truth(Enum):
    """What a curve is, and so what is asked of the verdict."""

    LEAK = "leak"
    LEAK_GC = "leak_gc"
    NONE = "no leak"
    WALK = "random walk"
    HARD = "hard"
    """No bound is set: the window does not hold the answer."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One simulated process."""

    window: int
    """Points of the first look."""
    times_s: list[float]
    used_bytes: list[float]
    slope_bytes_per_s: float | None
    """Of the floor, where it is the same all along."""


@dataclass(frozen=True, slots=True)
class Class:
    """One row of the confusion matrix."""

    name: str
    truth: Truth
    draw: Callable[[random.Random], Curve]


class Pen:
    """Draws one curve: sampling, level and noise are chosen at random."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.n = rng.randint(150, 450)
        self.step_s = rng.choice((0.5, 1.0, 2.0, 5.0))
        self.total = self.n * HORIZON
        self.level = self.log(30, 2000) * MIB
        self.times = [i * self.step_s for i in range(self.total)]

    def log(self, low: float, high: float) -> float:
        return math.exp(self.rng.uniform(math.log(low), math.log(high)))

    @property
    def span_s(self) -> float:
        """Of the window."""
        return self.step_s * self.n

    def x(self) -> Iterator[float]:
        """Time in windows: 0 to 1 is the first window."""
        return (time / self.span_s for time in self.times)

    def ar1(self, low: float = 0.0003, high: float = 0.005, memory: float | None = None) -> list[float]:
        """Noise that remembers, its standard deviation a share of the level."""
        a = self.rng.uniform(0, 0.8) if memory is None else memory
        sigma = self.log(low, high) * self.level
        kick, state, out = sigma * math.sqrt(1 - a * a), self.rng.gauss(0, sigma), []
        for _ in range(self.total):
            state = a * state + self.rng.gauss(0, kick)
            out.append(state)
        return out

    def heavy(self) -> list[float]:
        """Student's t with three degrees of freedom."""
        sigma = self.log(0.0003, 0.004) * self.level
        gauss = self.rng.gauss
        return [sigma * gauss(0, 1) / math.sqrt(sum(gauss(0, 1) ** 2 for _ in range(3)) / 3) for _ in range(self.total)]

    def walk(self, share: float) -> list[float]:
        """Integrated noise whose standard deviation after one window is a share of the level."""
        kick, state, out = share * self.level / math.sqrt(self.n), 0.0, []
        for _ in range(self.total):
            state += self.rng.gauss(0, kick)
            out.append(state)
        return out

    def curve(self, shape: list[float], noise: list[float] | None, slope: float | None = None) -> Curve:
        """``shape`` is bytes above the level."""
        noise = self.ar1() if noise is None else noise
        values = [max(0.0, self.level + a + b) for a, b in zip(shape, noise, strict=True)]
        return Curve(self.n, self.times, values, slope)

    def leak(self, low: float = 0.05, high: float = 2.0) -> tuple[list[float], float]:
        """A straight rise by a share of the level in the window, and its slope."""
        rise = self.log(low, high) * self.level
        return [rise * x for x in self.x()], rise / self.span_s

    def saw(self, periods: tuple[int, int], amplitude: float, jitter: float, fall: float = 0.0) -> list[float]:
        """Garbage above a floor: rises to about ``amplitude`` of the level, then is collected."""
        period = self.span_s / self.rng.uniform(*periods)
        out: list[float] = []
        start, length, height = -self.rng.random() * period, period, amplitude * self.level
        for time in self.times:
            while time >= start + length:
                start += length
                length = period * max(0.3, self.rng.gauss(1, jitter))
                height = amplitude * self.level * max(0.3, self.rng.gauss(1, jitter))
            phase = (time - start) / length
            out.append(height * (phase / (1 - fall) if phase < 1 - fall else (1 - phase) / fall))
        return out

    def steps(self, changes: list[tuple[float, float]]) -> list[float]:
        """Level changes: (when in windows, size in bytes)."""
        return [sum(size for when, size in changes if x >= when) for x in self.x()]


def _sum(*parts: list[float]) -> list[float]:
    return [math.fsum(values) for values in zip(*parts, strict=True)]


# ---- the tuning family: the classes of the design's table


def _idle(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve([0.0] * pen.total, pen.ar1(0.0003, 0.003))


def _leak(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(*_leak_parts(pen))


def _leak_parts(pen: Pen) -> tuple[list[float], None, float]:
    shape, slope = pen.leak()
    return shape, None, slope


def _sawtooth(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(pen.saw((5, 30), pen.log(0.1, 1.5), 0.1), None, 0.0)


def _sawtooth_leak(rng: random.Random) -> Curve:
    pen = Pen(rng)
    amplitude = pen.log(0.1, 1.0)
    shape, slope = pen.leak(max(0.05, 0.3 * amplitude), 3 * amplitude)
    return pen.curve(_sum(shape, pen.saw((6, 30), amplitude, 0.1)), None, slope)


def _step(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(pen.steps([(rng.uniform(0.1, 0.9), pen.log(0.05, 2) * pen.level)]), None)


def _warmup(rng: random.Random) -> Curve:
    pen = Pen(rng)
    tau, rise = rng.uniform(0.05, 0.3), pen.log(0.1, 3) * pen.level
    return pen.curve([rise * (1 - math.exp(-x / tau)) for x in pen.x()], None)


def _spike(rng: random.Random) -> Curve:
    pen = Pen(rng)
    size, start = pen.log(0.1, 2) * pen.level, rng.uniform(0.15, 0.7)
    return pen.curve(pen.steps([(start, size), (start + rng.uniform(0.02, 0.15), -size)]), None)


def _cache(rng: random.Random) -> Curve:
    pen = Pen(rng)
    full, rise = rng.uniform(0.3, 0.7), pen.log(0.1, 3) * pen.level
    return pen.curve([rise * min(1.0, x / full) for x in pen.x()], None)


def _noise(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve([0.0] * pen.total, pen.ar1(0.005, 0.05, 0.0))


def _walk(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(pen.walk(pen.log(0.02, 0.5)), pen.ar1(0.0003, 0.001))


def _cosine(rng: random.Random) -> Curve:
    pen = Pen(rng)
    size, phase = pen.log(0.1, 0.5) * pen.level, rng.uniform(-0.1, 0.1)
    return pen.curve([size * (1 - math.cos(2 * math.pi * (x + phase))) for x in pen.x()], None)


def _load(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve([0.0] * pen.total, pen.ar1(0.02, 0.2, rng.uniform(0.9, 0.99)))


def _doubling(rng: random.Random) -> Curve:
    pen = Pen(rng)
    base, speed = pen.log(0.02, 0.2) * pen.level, pen.log(0.3, 3) * pen.level
    return pen.curve([base * 2 ** math.ceil(math.log2(max(1.0, speed * x / base))) for x in pen.x()], None)


def _late_leak(rng: random.Random) -> Curve:
    pen = Pen(rng)
    start, rise = rng.uniform(0.2, 0.6), pen.log(0.1, 2) * pen.level
    return pen.curve([rise * max(0.0, x - start) for x in pen.x()], None)


def _warm_leak(rng: random.Random) -> Curve:
    pen = Pen(rng)
    tau, warm, rise = rng.uniform(0.02, 0.15), pen.log(0.1, 0.5) * pen.level, pen.log(0.1, 1) * pen.level
    return pen.curve([warm * (1 - math.exp(-x / tau)) + rise * x for x in pen.x()], None)


def _slow_saw(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(pen.saw((1, 2), pen.log(0.1, 1), 0.1), None)


TUNING: Final = (
    Class("idle", Truth.NONE, _idle),
    Class("leak", Truth.LEAK, _leak),
    Class("sawtooth", Truth.NONE, _sawtooth),
    Class("sawtooth, rising", Truth.LEAK_GC, _sawtooth_leak),
    Class("step", Truth.NONE, _step),
    Class("warm-up", Truth.NONE, _warmup),
    Class("spike", Truth.NONE, _spike),
    Class("bounded cache", Truth.NONE, _cache),
    Class("noise", Truth.NONE, _noise),
    Class("cosine load", Truth.NONE, _cosine),
    Class("load AR(1)", Truth.NONE, _load),
    Class("random walk", Truth.WALK, _walk),
    Class("doubling", Truth.HARD, _doubling),
    Class("leak starts late", Truth.HARD, _late_leak),
    Class("warm-up, leak", Truth.HARD, _warm_leak),
    Class("GC slower than window", Truth.HARD, _slow_saw),
)


# ---- the held-out family: other shapes, other noise


def _idle_heavy(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve([0.0] * pen.total, pen.heavy())


def _idle_quantised(rng: random.Random) -> Curve:
    pen = Pen(rng)
    curve = pen.curve([0.0] * pen.total, pen.ar1(0.0003, 0.01))
    return _quantise(curve, rng.choice((4096.0, 65536.0, 2 * MIB)))


def _quantise(curve: Curve, unit: float) -> Curve:
    return Curve(
        curve.window, curve.times_s, [round(v / unit) * unit for v in curve.used_bytes], curve.slope_bytes_per_s
    )


def _idle_walk(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(pen.walk(pen.log(0.001, 0.008)), pen.ar1(0.0003, 0.002))


def _leak_heavy(rng: random.Random) -> Curve:
    pen = Pen(rng)
    shape, slope = pen.leak()
    return pen.curve(shape, pen.heavy(), slope)


def _leak_diurnal(rng: random.Random) -> Curve:
    """The leak is a share of the traffic, and the traffic swings."""
    pen = Pen(rng)
    rise, depth, cycles, phase = pen.log(0.08, 2) * pen.level, rng.uniform(0.3, 0.7), rng.uniform(1.5, 8), rng.random()
    swing = pen.log(0.005, 0.1) * rise

    def wave(x: float) -> float:
        return math.sin(2 * math.pi * (cycles * x + phase)) * depth / (2 * math.pi * cycles)

    return pen.curve(
        [rise * (x + wave(x) - wave(0)) + swing * (1 + math.cos(2 * math.pi * (cycles * x + phase))) for x in pen.x()],
        None,
        rise / pen.span_s,
    )


def _leak_bursts(rng: random.Random) -> Curve:
    """Poisson arrivals of leaks of exponential size, 25 to 150 in the window."""
    pen = Pen(rng)
    rise, bursts = pen.log(0.08, 2) * pen.level, rng.uniform(25, 150)
    shape, level, due = [], 0.0, rng.expovariate(bursts)
    for x in pen.x():
        while x >= due:
            level += rng.expovariate(bursts / rise)
            due += rng.expovariate(bursts)
        shape.append(level)
    return pen.curve(shape, None, rise / pen.span_s)


def _leak_quantised(rng: random.Random) -> Curve:
    pen = Pen(rng)
    shape, slope = pen.leak(0.08, 2)
    return _quantise(pen.curve(shape, None, slope), rng.choice((4096.0, 65536.0, MIB)))


def _leak_irregular(rng: random.Random) -> Curve:
    return _irregular(rng, _leak(rng))


def _irregular(rng: random.Random, curve: Curve) -> Curve:
    """A third of the samples is missing, and there is one gap of up to a tenth of the window."""
    window_s = curve.times_s[curve.window]
    gap = rng.uniform(0.1, 0.8) * window_s
    gap_end = gap + rng.uniform(0, 0.1) * window_s
    kept = [i for i, time in enumerate(curve.times_s) if rng.random() > 0.33 and not gap <= time < gap_end]
    window = sum(i < curve.window for i in kept)
    times = [curve.times_s[i] for i in kept]
    return Curve(window, times, [curve.used_bytes[i] for i in kept], curve.slope_bytes_per_s)


def _leak_spiky(rng: random.Random) -> Curve:
    """A leak under requests that come and go."""
    pen = Pen(rng)
    shape, slope = pen.leak(0.08, 2)
    size = pen.log(0.02, 0.5) * pen.level
    spikes = [size * rng.expovariate(1) if rng.random() < 0.08 else 0.0 for _ in range(pen.total)]
    return pen.curve(_sum(shape, spikes), None, slope)


def _sawtooth_jitter(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(pen.saw((4, 40), pen.log(0.05, 2), rng.uniform(0.2, 0.4)), None, 0.0)


def _sawtooth_slow_fall(rng: random.Random) -> Curve:
    """Incremental collection: the fall takes up to a fifth of the period."""
    pen = Pen(rng)
    return pen.curve(pen.saw((4, 20), pen.log(0.05, 2), 0.15, rng.uniform(0.05, 0.2)), None, 0.0)


def _sawtooth_fast(rng: random.Random) -> Curve:
    """Two to six samples per period, no jitter: the sampling beats against it."""
    pen = Pen(rng)
    periods = pen.n / rng.uniform(2, 6)
    amplitude, start = pen.log(0.05, 1) * pen.level, rng.random()
    return pen.curve([amplitude * ((start + periods * x) % 1) for x in pen.x()], None, 0.0)


def _sawtooth_load(rng: random.Random) -> Curve:
    """The live set above which garbage collects swings by itself."""
    pen = Pen(rng)
    return pen.curve(pen.saw((8, 30), pen.log(0.2, 1), 0.15), pen.ar1(0.005, 0.02, 0.95), 0.0)


def _sawtooth_leak_jitter(rng: random.Random) -> Curve:
    pen = Pen(rng)
    amplitude = pen.log(0.1, 1.5)
    shape, slope = pen.leak(max(0.06, 0.4 * amplitude), 5 * amplitude)
    return pen.curve(_sum(shape, pen.saw((7, 35), amplitude, rng.uniform(0.1, 0.3))), None, slope)


def _sawtooth_leak_slow_fall(rng: random.Random) -> Curve:
    pen = Pen(rng)
    amplitude = pen.log(0.1, 1.0)
    shape, slope = pen.leak(max(0.06, 0.4 * amplitude), 4 * amplitude)
    saw = pen.saw((7, 25), amplitude, 0.15, rng.uniform(0.05, 0.2))
    return pen.curve(_sum(shape, saw), None, slope)


def _sawtooth_leak_factor(rng: random.Random) -> Curve:
    """As Go does with GOGC=50: the heap grows to half again the live set before it is collected."""
    pen = Pen(rng)
    rise, cycles = pen.log(0.1, 1.5) * pen.level, rng.uniform(7, 30)
    out, heap = [], 0.0
    per_point = cycles * 0.5 * (pen.level + rise / 2) / pen.n
    for x in pen.x():
        live = rise * x
        heap += per_point
        if heap >= 0.5 * (pen.level + live):
            heap = 0.0
        out.append(live + heap)
    return pen.curve(out, pen.ar1(0.0003, 0.002), rise / pen.span_s)


def _two_slopes(rng: random.Random) -> Curve:
    """Fast start, slower second stage, then full."""
    pen = Pen(rng)
    knee, full = rng.uniform(0.05, 0.25), rng.uniform(0.4, 0.7)
    first, second = pen.log(0.2, 3) * pen.level, pen.log(0.05, 0.5)
    return pen.curve(
        [first * (min(x, knee) / knee + second * min(1.0, max(0.0, x - knee) / (full - knee))) for x in pen.x()], None
    )


def _logistic(rng: random.Random) -> Curve:
    pen = Pen(rng)
    middle, width, rise = rng.uniform(0.2, 0.5), rng.uniform(0.02, 0.08), pen.log(0.1, 3) * pen.level
    return pen.curve([rise / (1 + math.exp(-(x - middle) / width)) for x in pen.x()], None)


def _double_step(rng: random.Random) -> Curve:
    pen = Pen(rng)
    a, b = pen.log(0.05, 1) * pen.level, pen.log(0.05, 1) * pen.level
    return pen.curve(pen.steps([(rng.uniform(0.1, 0.45), a), (rng.uniform(0.5, 0.9), b)]), None)


def _triple_step(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(
        pen.steps(
            [(rng.uniform(*where), pen.log(0.05, 0.5) * pen.level) for where in ((0.1, 0.3), (0.4, 0.6), (0.7, 0.9))]
        ),
        None,
    )


def _steps_down(rng: random.Random) -> Curve:
    pen = Pen(rng)
    return pen.curve(
        pen.steps([(rng.uniform(0.1, 0.9), -pen.log(0.05, 0.3) * pen.level) for _ in range(rng.randint(1, 2))]), None
    )


def _ramped_step(rng: random.Random) -> Curve:
    """A step that takes a while: a file being loaded."""
    pen = Pen(rng)
    start, takes, rise = rng.uniform(0.1, 0.6), rng.uniform(0.01, 0.15), pen.log(0.05, 2) * pen.level
    return pen.curve([rise * min(1.0, max(0.0, (x - start) / takes)) for x in pen.x()], None)


def _spike_train(rng: random.Random) -> Curve:
    pen = Pen(rng)
    size, rate, length = pen.log(0.1, 2) * pen.level, rng.uniform(2, 12), rng.uniform(0.005, 0.04)
    starts, due = [], rng.expovariate(rate)
    while due < HORIZON:
        starts.append((due, size * max(0.2, rng.gauss(1, 0.3))))
        due += length + rng.expovariate(rate)
    return pen.curve([max((s for at, s in starts if at <= x < at + length), default=0.0) for x in pen.x()], None)


def _cache_zipf(rng: random.Random) -> Curve:
    """An LRU cache under skewed keys: distinct keys grow as a power until it is full."""
    pen = Pen(rng)
    full, power, rise = rng.uniform(0.2, 0.65), rng.uniform(0.4, 0.9), pen.log(0.1, 3) * pen.level
    return pen.curve([rise * min(1.0, (x / full) ** power) for x in pen.x()], None)


def _cache_coupon(rng: random.Random) -> Curve:
    """Every key seen once: fills exponentially, with bursts."""
    pen = Pen(rng)
    tau, rise = rng.uniform(0.08, 0.25), pen.log(0.1, 3) * pen.level
    share, out = 0.0, []
    for _ in range(pen.total):
        share += (1 - share) * rng.expovariate(1) / (tau * pen.n)
        out.append(rise * min(1.0, share))
    return pen.curve(out, None)


def _cache_evicting(rng: random.Random) -> Curve:
    """Filled steadily, then swept by a tenth whenever it is full."""
    pen = Pen(rng)
    full, rise, sweep = rng.uniform(0.2, 0.5), pen.log(0.1, 2) * pen.level, rng.uniform(0.02, 0.2)
    filled, out = 0.0, []
    for _ in range(pen.total):
        filled += 1 / (full * pen.n)
        if filled >= 1:
            filled -= sweep
        out.append(rise * filled)
    return pen.curve(out, None)


def _load_square(rng: random.Random) -> Curve:
    """Batch jobs: on and off at random."""
    pen = Pen(rng)
    size, on, out = pen.log(0.1, 1) * pen.level, False, []
    for _ in range(pen.total):
        if rng.random() < 8 / pen.n:
            on = not on
        out.append(size if on else 0.0)
    return pen.curve(out, None)


def _walk_steps(rng: random.Random) -> Curve:
    """Integrated noise that moves seldom: an allocator that gets and returns arenas."""
    pen = Pen(rng)
    share, state, out = pen.log(0.03, 0.4), 0.0, []
    rate = rng.uniform(20, 100)
    for _ in range(pen.total):
        if rng.random() < rate / pen.n:
            state += rng.gauss(0, share * pen.level / math.sqrt(rate))
        out.append(state)
    return pen.curve(out, pen.ar1(0.0003, 0.002))


def _walk_heavy(rng: random.Random) -> Curve:
    pen = Pen(rng)
    state, out = 0.0, []
    for kick in pen.heavy():
        state += kick
        out.append(state)
    return pen.curve(out, [0.0] * pen.total)


def _walk_reverting(rng: random.Random) -> Curve:
    """Memory that follows the load, slower than the window."""
    pen = Pen(rng)
    return pen.curve([0.0] * pen.total, pen.ar1(0.02, 0.3, rng.uniform(0.99, 0.998)))


def _accelerating(rng: random.Random) -> Curve:
    pen = Pen(rng)
    rise, power = pen.log(0.1, 2) * pen.level, rng.uniform(1.5, 3)
    return pen.curve([rise * x**power for x in pen.x()], None)


def _slowing(rng: random.Random) -> Curve:
    pen = Pen(rng)
    rise, power = pen.log(0.1, 2) * pen.level, rng.uniform(0.5, 0.9)
    return pen.curve([rise * x**power for x in pen.x()], None)


def _few_bursts(rng: random.Random) -> Curve:
    pen = Pen(rng)
    size, bursts = pen.log(0.02, 0.3) * pen.level, rng.randint(5, 15)
    return pen.curve(pen.steps([(rng.random() * HORIZON, size) for _ in range(bursts * HORIZON)]), None)


def _cache_unfinished(rng: random.Random) -> Curve:
    pen = Pen(rng)
    full, rise = rng.uniform(0.8, 1.5), pen.log(0.1, 3) * pen.level
    return pen.curve([rise * min(1.0, x / full) for x in pen.x()], None)


HELD_OUT: Final = (
    Class("leak", Truth.LEAK, _leak),
    Class("leak, heavy tails", Truth.LEAK, _leak_heavy),
    Class("leak, diurnal", Truth.LEAK, _leak_diurnal),
    Class("leak in bursts", Truth.LEAK, _leak_bursts),
    Class("leak, quantised", Truth.LEAK, _leak_quantised),
    Class("leak, irregular, gap", Truth.LEAK, _leak_irregular),
    Class("leak under requests", Truth.LEAK, _leak_spiky),
    Class("saw rising, jitter", Truth.LEAK_GC, _sawtooth_leak_jitter),
    Class("saw rising, slow fall", Truth.LEAK_GC, _sawtooth_leak_slow_fall),
    Class("saw rising, heap x 1.5", Truth.LEAK_GC, _sawtooth_leak_factor),
    Class("idle, heavy tails", Truth.NONE, _idle_heavy),
    Class("idle, quantised", Truth.NONE, _idle_quantised),
    Class("idle, small walk", Truth.NONE, _idle_walk),
    Class("saw, jitter", Truth.NONE, _sawtooth_jitter),
    Class("saw, slow fall", Truth.NONE, _sawtooth_slow_fall),
    Class("saw, 2-6 samples", Truth.NONE, _sawtooth_fast),
    Class("saw, live set swings", Truth.NONE, _sawtooth_load),
    Class("warm-up, two slopes", Truth.NONE, _two_slopes),
    Class("warm-up, logistic", Truth.NONE, _logistic),
    Class("double step", Truth.NONE, _double_step),
    Class("triple step", Truth.NONE, _triple_step),
    Class("steps down", Truth.NONE, _steps_down),
    Class("slow step", Truth.NONE, _ramped_step),
    Class("spike train", Truth.NONE, _spike_train),
    Class("cache, power law", Truth.NONE, _cache_zipf),
    Class("cache, coupons", Truth.NONE, _cache_coupon),
    Class("cache, swept", Truth.NONE, _cache_evicting),
    Class("load, on and off", Truth.NONE, _load_square),
    Class("walk, seldom", Truth.WALK, _walk_steps),
    Class("walk, heavy tails", Truth.WALK, _walk_heavy),
    Class("walk, reverting", Truth.WALK, _walk_reverting),
    Class("accelerating leak", Truth.HARD, _accelerating),
    Class("slowing leak", Truth.HARD, _slowing),
    Class("leak in 5-15 bursts", Truth.HARD, _few_bursts),
    Class("cache not yet full", Truth.HARD, _cache_unfinished),
)


# ---- the fresh family: first run when the method was finished


def _idle_mixture(rng: random.Random) -> Curve:
    """Quiet and busy hours: the noise itself changes."""
    pen = Pen(rng)
    quiet, busy, edge = pen.ar1(0.0003, 0.001), pen.ar1(0.002, 0.008), rng.random()
    return pen.curve(
        [b if x % 1 > edge else a for x, a, b in zip(pen.x(), quiet, busy, strict=True)], [0.0] * pen.total
    )


def _leak_seasonal(rng: random.Random) -> Curve:
    """A leak in working sets that come and go in squares."""
    pen = Pen(rng)
    shape, slope = pen.leak(0.15, 2)
    size, cycles = pen.log(0.01, 0.05) * pen.level, rng.uniform(12, 30)
    return pen.curve([a + size * ((x * cycles) % 1 > 0.5) for a, x in zip(shape, pen.x(), strict=True)], None, slope)


def _leak_laplace(rng: random.Random) -> Curve:
    """Garbage above a leak: noise that is only ever upwards."""
    pen = Pen(rng)
    shape, slope = pen.leak(0.08, 1.5)
    size = pen.log(0.002, 0.03) * pen.level
    return pen.curve(shape, [rng.expovariate(1 / size) for _ in range(pen.total)], slope)


def _saw_two_generations(rng: random.Random) -> Curve:
    """Small collections on the back of large ones, above a constant floor."""
    pen = Pen(rng)
    large = pen.saw((4, 10), pen.log(0.3, 1.5), 0.1)
    return pen.curve(_sum(large, pen.saw((40, 70), pen.log(0.02, 0.1), 0.1)), None, 0.0)


def _saw_two_generations_leak(rng: random.Random) -> Curve:
    pen = Pen(rng)
    amplitude = pen.log(0.2, 1)
    shape, slope = pen.leak(0.6 * amplitude, 4 * amplitude)
    small = pen.saw((40, 70), 0.1 * amplitude, 0.1)
    return pen.curve(_sum(shape, pen.saw((8, 20), amplitude, 0.15), small), None, slope)


def _warmup_wavy(rng: random.Random) -> Curve:
    """Michaelis-Menten saturation under a swinging load."""
    pen = Pen(rng)
    half, rise, swing = rng.uniform(0.02, 0.06), pen.log(0.2, 2) * pen.level, pen.log(0.005, 0.02) * pen.level
    return pen.curve([rise * x / (x + half) + swing * math.sin(40 * x) for x in pen.x()], None)


def _staircase_settling(rng: random.Random) -> Curve:
    """Pools that double until they are large enough."""
    pen = Pen(rng)
    size = pen.log(0.03, 0.1) * pen.level
    starts = sorted(rng.uniform(0.05, 0.6) for _ in range(4))
    return pen.curve(pen.steps([(at, size * 2**i) for i, at in enumerate(starts)]), None)


def _step_with_saw(rng: random.Random) -> Curve:
    """A second data set is loaded into a collected heap."""
    pen = Pen(rng)
    step = pen.steps([(rng.uniform(0.2, 0.8), pen.log(0.1, 1) * pen.level)])
    return pen.curve(_sum(step, pen.saw((8, 30), pen.log(0.1, 1), 0.15)), None)


def _triangle_load(rng: random.Random) -> Curve:
    """Load that climbs and falls, whole cycles only."""
    pen = Pen(rng)
    size, cycles = pen.log(0.05, 1) * pen.level, rng.randint(1, 6)
    return pen.curve([size * abs((x * cycles) % 1 - 0.5) * -2 + size for x in pen.x()], None)


def _walk_bounded(rng: random.Random) -> Curve:
    """A random walk between two walls."""
    pen = Pen(rng)
    wall, state, out = pen.log(0.05, 0.3) * pen.level, 0.0, []
    for _ in range(pen.total):
        state = max(-wall, min(wall, state + rng.gauss(0, wall / 8)))
        out.append(state)
    return pen.curve(out, None)


FRESH: Final = (
    Class("leak, square load", Truth.LEAK, _leak_seasonal),
    Class("leak, one-sided noise", Truth.LEAK, _leak_laplace),
    Class("two generations, rising", Truth.LEAK_GC, _saw_two_generations_leak),
    Class("idle, changing noise", Truth.NONE, _idle_mixture),
    Class("two generations", Truth.NONE, _saw_two_generations),
    Class("warm-up, wavy", Truth.NONE, _warmup_wavy),
    Class("pools that settle", Truth.NONE, _staircase_settling),
    Class("saw with a step", Truth.NONE, _step_with_saw),
    Class("triangle load", Truth.NONE, _triangle_load),
    Class("walk between walls", Truth.WALK, _walk_bounded),
)

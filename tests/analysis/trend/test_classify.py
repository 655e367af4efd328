"""Verdicts on series of used memory: a table, properties, and a small fast version of the lab."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from memtop.analysis.trend.classify import LEAST_POINTS, Growth, Shape, judge
from tests.lab.curves import FRESH, HELD_OUT, TUNING, Class, Truth
from tests.lab.growth import look

MIB = 1 << 20
N = 300


def series(shape: Callable[[int], float], noise_bytes: float = 0.2 * MIB, seed: int = 7) -> list[float]:
    """200 MiB, plus a shape in MiB, plus a little noise."""
    rng = random.Random(seed)
    return [(200 + shape(i)) * MIB + rng.gauss(0, noise_bytes) for i in range(N)]


def seconds(n: int = N) -> list[float]:
    return [float(i) for i in range(n)]


TABLE: list[tuple[str, Callable[[int], float], set[Shape]]] = [
    ("nothing happens", lambda i: 0, {Shape.FLAT}),
    ("a straight rise", lambda i: 0.2 * i, {Shape.LEAK}),
    ("a fall", lambda i: -0.2 * i, {Shape.SHRINK}),
    ("a step up", lambda i: 50 * (i > 120), {Shape.STEP}),
    ("a step down", lambda i: -50 * (i > 120), {Shape.SHRINK}),
    ("three steps up", lambda i: 30 * (i > 60) + 25 * (i > 150) + 35 * (i > 240), {Shape.STAIRS}),
    ("a spike that came back", lambda i: 80 * (100 < i < 120), {Shape.SPIKE}),
    ("saturation", lambda i: 100 * (1 - math.exp(-i / 40)), {Shape.WARMUP}),
    ("a cache that is full at two thirds", lambda i: 0.5 * min(i, 200), {Shape.WARMUP}),
    ("a warm-up with a leak behind it", lambda i: 150 * (1 - math.exp(-i / 30)) + 0.15 * i, {Shape.LEAK}),
    ("a sawtooth", lambda i: i % 20 * 3, {Shape.SAWTOOTH}),
    ("a sawtooth whose floor rises", lambda i: i % 20 * 3 + 0.3 * i, {Shape.LEAK_GC}),
    ("a small sawtooth on a long rise", lambda i: i % 20 + i, {Shape.LEAK_GC}),
    ("load up and down at random", lambda i: 20 * math.sin(i * 0.5) * math.sin(i * 0.031), {Shape.NOISY, Shape.SPIKE}),
]


@pytest.mark.parametrize(("name", "shape", "kinds"), TABLE, ids=[row[0] for row in TABLE])
def test_each_shape_gets_its_name(name: str, shape: Callable[[int], float], kinds: set[Shape]) -> None:
    assert judge(seconds(), series(shape)).kind in kinds


@pytest.mark.parametrize("level", [0.0, 64.0 * MIB, 200.0 * MIB])
def test_a_series_of_one_value_has_the_numbers_of_one_that_hardly_moves(level: float) -> None:
    constant, nearly = judge(seconds(), [level] * N), judge(seconds(), [level] * (N - 1) + [level + 1e-3])
    assert constant.kind is nearly.kind is Shape.FLAT
    for one, other in zip(constant[1:], nearly[1:], strict=True):
        assert one == pytest.approx(other, abs=0.01)


DIPS = [0, 7, 0, 7, *[7] * 8, 0, *[7] * 5, 0, *[7] * 10, 0, *[7] * 38, 2, 7, 0, 7, 0, *[7] * 10, 0, *[7] * 8, 0, 7]
"""A Go program's memory in MiB above 125, second by second: its collector gives a little back for a moment."""


@pytest.mark.parametrize("end", range(LEAST_POINTS * 2 + 12, len(DIPS)))
def test_a_level_with_dips_that_recur_is_no_rise_and_no_spike(end: int) -> None:
    used = [(125 + dip) * MIB for dip in DIPS[:end]]
    assert judge(seconds(end), used).kind is Shape.NOISY


def test_a_leak_has_the_slope_the_rise_and_the_floors_that_it_has() -> None:
    growth = judge(seconds(), series(lambda i: 0.2 * i))
    assert growth.slope_bytes_per_s == pytest.approx(0.2 * MIB, rel=0.05)
    assert growth.rise_bytes == pytest.approx(60 * MIB, rel=0.05)
    assert growth.floors == 10
    assert growth.floors_above == 9
    assert growth.floor_bytes == pytest.approx(255 * MIB, rel=0.03)
    assert (growth.points, growth.span_s) == (300, 299)


def test_of_a_leak_behind_a_warmup_the_later_half_is_told_and_forecast() -> None:
    growth = judge(seconds(), series(lambda i: 150 * (1 - math.exp(-i / 30)) + 0.15 * i), room_bytes=30 * MIB)
    assert growth.slope_bytes_per_s == pytest.approx(0.15 * MIB, rel=0.1)
    assert (growth.points, growth.span_s) == (150, 149)
    assert growth.limit_s is not None
    assert growth.limit_s[0] <= 200 <= growth.limit_s[1] < 3 * growth.limit_s[0]


def test_a_sawtooth_tells_its_period_its_swings_and_its_drops() -> None:
    growth = judge(seconds(), series(lambda i: i % 20 * 3))
    assert growth.period_s == pytest.approx(20, abs=1)
    assert growth.drops in (14, 15)
    assert growth.low_bytes == pytest.approx(200 * MIB, rel=0.01)
    assert growth.high_bytes == pytest.approx(257 * MIB, rel=0.01)


def test_a_step_tells_how_large_and_when() -> None:
    growth = judge(seconds(), series(lambda i: 50 * (i > 120)))
    assert growth.rise_bytes == pytest.approx(50 * MIB, rel=0.01)
    assert growth.change_at_s == 121


@pytest.mark.parametrize(("points", "step_s"), [(29, 10.0), (300, 0.1), (0, 1.0), (1, 1.0)])
def test_too_few_points_or_too_short_a_span_is_no_verdict(points: int, step_s: float) -> None:
    growth = judge([i * step_s for i in range(points)], [i * MIB for i in range(points)], 1e9)
    assert growth.kind is Shape.INSUFFICIENT
    assert growth.slope_bytes_per_s is None
    assert growth.limit_s is None


def test_a_rise_of_a_managed_heap_waits_for_two_collections() -> None:
    used = series(lambda i: 0.2 * i)
    assert judge(seconds(), used, collections=1).kind is Shape.INSUFFICIENT
    assert judge(seconds(), used, collections=2).kind is Shape.LEAK


def test_the_time_to_the_limit_holds_the_truth() -> None:
    used = series(lambda i: 0.2 * i)
    limit_s = judge(seconds(), used, room_bytes=360 * MIB - used[-1]).limit_s
    assert limit_s is not None
    assert limit_s[0] <= 501 <= limit_s[1]  # 200 MiB + 0.2 MiB/s reach it at 800 s
    assert limit_s[1] < 2 * limit_s[0]


def test_room_of_a_sawtooth_is_measured_from_its_peaks() -> None:
    used = series(lambda i: i % 20 * 3 + 0.3 * i)[:282]  # ends just after a drop, 57 MiB below the peaks
    limit_s = judge(seconds(282), used, room_bytes=87 * MIB).limit_s
    assert limit_s is not None
    assert 50 < limit_s[0] <= 118 <= limit_s[1] < 400


@pytest.mark.parametrize("shape", [row[1] for row in TABLE if not any(kind.alarming for kind in row[2])])
def test_without_confirmed_growth_there_is_no_time_to_the_limit(shape: Callable[[int], float]) -> None:
    assert judge(seconds(), series(shape), room_bytes=10 * MIB).limit_s is None


def test_a_limit_more_than_a_day_away_is_no_forecast() -> None:
    assert judge(seconds(), series(lambda i: 0.2 * i), room_bytes=1e12).limit_s is None


@pytest.mark.parametrize("room_bytes", [None, math.nan, math.inf])
def test_without_a_known_limit_there_is_no_time_to_it(room_bytes: float | None) -> None:
    assert judge(seconds(), series(lambda i: 0.2 * i), room_bytes).limit_s is None


def test_no_room_left_means_now() -> None:
    limit_s = judge(seconds(), series(lambda i: 0.2 * i), room_bytes=0.0).limit_s
    assert limit_s is not None
    assert limit_s[0] == 0


def test_order_and_repeated_instants_do_not_matter() -> None:
    used = series(lambda i: 0.2 * i)
    pairs = list(zip(seconds(), used, strict=True))
    mixed = pairs + pairs[::3]
    random.Random(3).shuffle(mixed)
    assert judge([t for t, _ in mixed], [v for _, v in mixed], 1e9) == judge(seconds(), used, 1e9)


def test_points_that_are_no_measurements_are_passed_over() -> None:
    used = series(lambda i: 0.2 * i)
    odd = [math.nan, math.inf, -math.inf, 1e300]
    times = [*seconds(), 1.5, 2.5, 3.5, 4.5, math.nan, math.inf]
    assert judge(times, [*used, *odd, 1.0, 1.0]) == judge(seconds(), used)


def test_lengths_that_differ_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        judge([1.0, 2.0], [1.0])


def test_only_what_follows_a_long_gap_is_judged() -> None:
    times = [*seconds(100), *(10_000.0 + i for i in range(200))]
    used = series(lambda i: 100.0 if i >= 100 else 0.2 * i)
    growth = judge(times, used)
    assert growth.kind is Shape.FLAT
    assert growth.points == 200


def test_a_short_gap_changes_nothing() -> None:
    used = series(lambda i: 0.2 * i)
    times = [t for t in seconds() if not 100 <= t < 140]
    assert judge(times, [used[int(t)] for t in times]).kind is Shape.LEAK


def test_three_hundred_points_take_under_five_milliseconds() -> None:
    used = [series(shape) for _, shape, _ in TABLE] + [series(lambda i: i % 3 * 30 + i)]
    times = seconds()

    def once(values: list[float]) -> float:
        begun = time.process_time()
        judge(times, values, 1e9)
        return time.process_time() - begun

    assert max(min(once(values) for _ in range(7)) for values in used) < 0.005


finite = st.floats(allow_nan=False, allow_infinity=False)
sizes = st.one_of(st.floats(0, 2**40), finite)


@given(st.lists(st.tuples(finite, finite), max_size=80), st.one_of(st.none(), finite))
def test_no_finite_series_makes_it_raise(points: list[tuple[float, float]], room_bytes: float | None) -> None:
    sound(judge([t for t, _ in points], [v for _, v in points], room_bytes))


@given(st.lists(sizes, min_size=30, max_size=120), st.floats(2, 1e6), st.one_of(st.none(), finite))
def test_no_regular_series_makes_it_raise(used: list[float], step_s: float, room_bytes: float | None) -> None:
    sound(judge([i * step_s for i in range(len(used))], used, room_bytes))


def sound(growth: Growth) -> None:
    """What holds for every verdict."""
    low, slope, high = growth.slope_low_bytes_per_s, growth.slope_bytes_per_s, growth.slope_high_bytes_per_s
    if growth.kind is not Shape.INSUFFICIENT:
        assert low is not None and slope is not None and high is not None
        assert low <= slope <= high
    if growth.limit_s is not None:
        assert growth.kind.alarming
        assert low is not None and low > 0
        assert 0 <= growth.limit_s[0] <= growth.limit_s[1]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), power=st.integers(1, 20), shift_s=st.integers(-(10**6), 10**6))
def test_the_verdict_does_not_depend_on_scale_or_on_the_clock(seed: int, power: int, shift_s: int) -> None:
    curve = HELD_OUT[seed % len(HELD_OUT)].draw(random.Random(seed))
    times, used = curve.times_s[: curve.window], curve.used_bytes[: curve.window]
    plain = judge(times, used)
    assume(plain.level_bytes is not None and plain.level_bytes > 64 * MIB)  # under this, 1 MiB decides
    assert plain.slope_bytes_per_s is not None
    factor = 2.0**power
    moved = judge([t + shift_s for t in times], [v * factor for v in used])
    assert moved.kind is plain.kind
    assert moved.slope_bytes_per_s == pytest.approx(plain.slope_bytes_per_s * factor)
    assert moved.points == plain.points


@pytest.mark.parametrize("kind", [*TUNING, *HELD_OUT, *FRESH], ids=lambda kind: f"{kind.name} ({kind.truth.value})")
def test_the_lab_in_small(kind: Class) -> None:
    score = look(kind, 30, seed=411)
    if kind.truth in (Truth.NONE, Truth.WALK):
        assert score.alarm_percent <= 3.4  # one of thirty
    elif kind.truth is not Truth.HARD:
        assert score.meets(kind.truth)


@pytest.mark.parametrize(("gone", "foretold"), [(0, True), (1, False)])
def test_what_has_been_given_back_has_no_time_to_the_limit(gone: int, *, foretold: bool) -> None:
    """As a cgroup after an OOM kill: its peaks end with the process that had them."""
    used = series(lambda i: 1.2 * i if i < 300 - gone else 0.0)
    growth = judge(seconds(), used, room_bytes=600 * MIB - used[-1])
    assert growth.kind.alarming and (growth.limit_s is not None) is foretold

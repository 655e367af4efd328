"""The axes of the charts: scales, ticks and their labels."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.tui.chart.axes import Scale, TimeSpan, close_up, known, linear, logarithmic, settle, tick_label, time_ticks
from tests.rows import GIB, MIB


@pytest.mark.parametrize(
    ("asked", "virt", "rss", "before", "drawn"),
    [
        (Scale.AUTO, 8.0, 1.0, Scale.ONE, Scale.ONE),
        (Scale.AUTO, 8.1, 1.0, Scale.ONE, Scale.OWN),
        (Scale.AUTO, 7.5, 1.0, Scale.OWN, Scale.OWN),
        (Scale.AUTO, 6.9, 1.0, Scale.OWN, Scale.ONE),
        (Scale.AUTO, 5.0, 0.0, Scale.ONE, Scale.ONE),
        (Scale.LOG, 9.0, 1.0, Scale.ONE, Scale.LOG),
        (Scale.RES_ONLY, 1.0, 1.0, Scale.ONE, Scale.RES_ONLY),
    ],
)
def test_auto_takes_own_scales_beyond_eight_times_and_does_not_flap(
    asked: Scale, virt: float, rss: float, before: Scale, drawn: Scale
) -> None:
    assert settle(asked, virt, rss, before) is drawn


@given(st.floats(0, 1e18), st.integers(1, 60))
def test_a_linear_axis_holds_its_values_in_few_steps_of_a_power_of_two(high: float, rows: int) -> None:
    axis = linear(0.0, high, rows)
    assert axis.low_bytes == 0 and axis.high_bytes >= high
    assert 2 <= len(axis.ticks) <= 9
    assert math.log2(axis.ticks[1]).is_integer()
    assert 0 <= axis.place(high) <= 1
    if rows > 4 and high >= 2:
        assert axis.place(high) > 0.5, "at least half of the height is used"


@given(st.floats(1, 1e15), st.floats(1, 1e15), st.integers(2, 60))
def test_ticks_stand_equally_many_rows_apart(one: float, other: float, rows: int) -> None:
    """On a screen of 60 lines they were four and three rows apart in turn."""
    for axis in (linear(0.0, one, rows), close_up([one, one * 0.9], rows), logarithmic([one, other], rows)):
        places = [axis.place(tick) * (rows - 1) for tick in axis.ticks]
        apart = round(places[1])
        assert apart >= min(3, rows // 2)
        assert places == pytest.approx([number * apart for number in range(len(places))], abs=1e-6)


def test_small_movements_do_not_move_the_axis() -> None:
    assert linear(0.0, 212.0 * MIB, 13) == linear(0.0, 250.0 * MIB, 13)
    assert [text for _, text in linear(0.0, 212.0 * MIB, 13).labels()] == ["0", "64M", "128M", "192M", "256M"]


def test_a_close_up_does_not_magnify_noise() -> None:
    level = 200.0 * MIB
    axis = close_up([level, level * 1.001], 13)
    assert axis.high_bytes - axis.low_bytes >= 0.02 * level
    assert close_up([10.0, 11.0], 13).high_bytes >= MIB / 2
    assert close_up([level, level / 4], 13).low_bytes == 0


def test_neighboring_ticks_of_a_close_up_have_different_labels() -> None:
    labels = [text for _, text in close_up([12.0 * GIB, 12.01 * GIB], 16).labels()]
    assert len(set(labels)) == len(labels) and all(len(text) <= 6 for text in labels)


@given(st.lists(st.floats(0, 1e18), max_size=5), st.integers(1, 60))
def test_a_logarithmic_axis_holds_every_positive_value(values: list[float], rows: int) -> None:
    axis = logarithmic(values, rows)
    assert all(0 <= axis.place(one) <= 1 for one in values)
    assert len(axis.ticks) <= 9


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0"), (256 * MIB, "256M"), (1.5 * GIB, "1.5G"), (GIB, "1G"), (4096, "4K")]
)
def test_ticks_are_short(size: float, text: str) -> None:
    assert tick_label(size) == text


def test_only_drawable_values_are_kept() -> None:
    assert known((None, math.nan, math.inf, -math.inf, -3.0, 1e308, 5.0)) == (None, None, None, None, 0.0, 1e18, 5.0)


@pytest.mark.parametrize(("edge_s", "ahead_s"), [(None, 0.0), (None, 100.0), (1_763_700_007.5, 0.0)])
def test_time_labels_never_touch(edge_s: float | None, ahead_s: float) -> None:
    for window_s, columns in itertools.product((30, 60, 120, 300, 600, 1800, 3600, 14400), (20, 70, 110, 190)):
        ticks = time_ticks(TimeSpan(window_s, ahead_s), edge_s, columns)
        places = [place * columns for place, _ in ticks]
        longest = max(len(text) for _, text in ticks)
        assert all(0 <= place <= columns for place in places)
        assert all(after - before > longest for before, after in itertools.pairwise(places))
        if edge_s is None and not ahead_s:
            assert ticks[-1] == (1.0, "now")

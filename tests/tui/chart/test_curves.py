"""Columns drawn before are taken again, and give the same chart as drawing all of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtop.tui.chart import curves
from memtop.tui.chart.chart_styles import ChartStyle, Glyphs
from memtop.tui.chart.curves import Cells, Curve, DrawnCurves, draw, spread

COLUMNS, ROWS = 30, 8
POINTS = 2 * COLUMNS
places = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=POINTS + 12, max_size=POINTS + 12)


def chart(values: Sequence[float | None], drawn: DrawnCurves, look: Glyphs = Glyphs.SHADED) -> list[Cells]:
    across = [index / (POINTS - 1) for index in range(POINTS)]
    half = [None if value is None else value / 2 for value in values]
    return draw(
        COLUMNS,
        ROWS,
        lines=[Curve(across, [1.0] * POINTS, ChartStyle.VIRT), Curve(across, values, ChartStyle.RES)],
        areas=[Curve(across, half, ChartStyle.ANON), Curve(across, values, ChartStyle.FILE)],
        look=look,
        drawn=drawn,
    )


@pytest.fixture
def plotted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many columns plotext was asked for, call by call."""
    asked: list[int] = []
    plot: Any = curves.plotext()

    class Counted(plot):  # type: ignore[misc]
        def set_size(self, size: list[int]) -> None:
            asked.append(size[0] - 1)  # without the one that lines are only led to
            super().set_size(size)

    monkeypatch.setattr(curves, "plotext", lambda: Counted)
    return asked


@settings(max_examples=60, deadline=None)
@given(places, st.integers(0, 6), st.sampled_from(Glyphs))
def test_a_chart_that_has_moved_on_is_the_one_drawn_from_nothing(
    values: list[float | None], moved: int, look: Glyphs
) -> None:
    drawn = DrawnCurves()
    chart(values[:POINTS], drawn, look)
    later = values[2 * moved : 2 * moved + POINTS]
    assert chart(later, drawn, look) == chart(later, DrawnCurves(), look)


def test_only_the_newest_columns_are_drawn_when_time_moves_on(plotted: list[int]) -> None:
    values = [((index * index) % 61) / 61 for index in range(POINTS + 6)]
    drawn = DrawnCurves()
    chart(values[:POINTS], drawn)
    chart(values[6:], drawn)
    assert plotted == [COLUMNS, 4]  # three new ones, and the one whose line leads to them


def test_another_look_takes_nothing_from_the_chart_before(plotted: list[int]) -> None:
    drawn = DrawnCurves()
    chart([0.5] * POINTS, drawn)
    chart([0.5] * POINTS, drawn, Glyphs.ASCII)
    assert plotted == [COLUMNS, COLUMNS]


def test_no_more_is_remembered_than_one_chart() -> None:
    drawn = DrawnCurves()
    for shift in range(0, 12, 2):
        chart([((index + shift) * 7 % 50) / 50 for index in range(POINTS)], drawn)
        assert len(drawn.columns) <= COLUMNS


def test_a_column_shows_the_highest_of_its_points_and_joins_distant_ones() -> None:
    assert spread([0.0, 0.01, 1.0], [1.0, 5.0, 1.0], 3) == [5.0, 3.0, 1.0]
    assert spread([0.0, 0.5, 1.0], [1.0, None, 3.0], 3) == [1.0, None, 3.0]


def test_under_a_line_that_stays_level_only_areas_are_drawn_again(plotted: list[int]) -> None:
    across = [index / (POINTS - 1) for index in range(POINTS)]
    line, drawn = Curve(across, [0.9] * POINTS, ChartStyle.VIRT), DrawnCurves()
    for shift in range(3):
        area = Curve(across, [(index + 4 * shift) % 40 / 60 for index in range(POINTS)], ChartStyle.ANON)
        cells = draw(COLUMNS, ROWS, lines=[line], areas=[area], look=Glyphs.SHADED, drawn=drawn)
        fresh = draw(COLUMNS, ROWS, lines=[line], areas=[area], look=Glyphs.SHADED, drawn=DrawnCurves())
        assert cells == fresh
    assert plotted == [COLUMNS] * 4  # once for the first, and for each that was drawn from nothing
    assert len(drawn.plotted) <= COLUMNS


def test_plotext_keeps_what_draws_while_another_thread_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    class Meanwhile(str):
        """The name of a module; whenever it is looked at, another module is imported."""

        def partition(self, sep: str) -> tuple[str, str, str]:
            sys.modules.setdefault("imported_meanwhile", ModuleType("imported_meanwhile"))
            return super().partition(sep)

    monkeypatch.setitem(sys.modules, Meanwhile("one"), ModuleType("one"))
    try:
        plot = curves.plotext.__wrapped__()()
    finally:
        sys.modules.pop("imported_meanwhile", None)
    assert not any(name.startswith("plotext") for name in sys.modules)
    plot.set_size([12, 4])
    plot.draw([0, 1], [0, 1])
    plot.build_plot()
    assert len(plot.matrix.marker) == 4

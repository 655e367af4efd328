"""What the screen draws, keeps and says at most, whatever it is given."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from rich.segment import Segment
from textual.strip import Strip

from memtop.model.row import ProcessRow
from memtop.tui.chart.axes import close_up, known, linear, logarithmic
from memtop.tui.drawing.cell_text import fit
from memtop.tui.panels.machine import machine_lines
from memtop.tui.table.row_painter import Painter, Paintings
from memtop.tui.terminal import crash_report
from tests.engine.test_machine_view import PANEL, world
from tests.fakes import MIB_PAGES, FakeProcess, frame_after
from tests.rows import proc_row

GIB = 1 << 30


def test_values_that_plotext_overflows_on_are_drawn_as_the_largest() -> None:
    assert known((1e30, 5.0, None)) == (1e18, 5.0, None)


@pytest.mark.parametrize("rows", [8, 40, 200, 1000])
def test_an_axis_has_few_ticks_however_high_it_is(rows: int) -> None:
    for axis in (linear(0.0, 7 * GIB, rows), close_up([6 * GIB, 7 * GIB], rows), logarithmic([1.0, 1e18], rows)):
        assert 2 <= len(axis.ticks) <= 9


def test_of_a_text_without_width_few_characters_are_measured() -> None:
    assert len(fit("a" + "\u0301" * 100_000, 10)) < 60


def test_the_line_of_an_internal_error_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    said = crash_report.write(ValueError("x" * 5000))
    assert said.count("x") <= 200 and str(tmp_path) in said


def test_of_a_part_of_the_machine_three_holders_are_named() -> None:
    source, engine = world()
    for number in range(8):
        source.add(FakeProcess(100 + number, cmdline=b"holder\0", rss_pages=(60 + number) * MIB_PAGES))
    lines = machine_lines(frame_after(engine, PANEL, 3), 300)
    assert max(line.text.count("holder") for line in lines) == 3


def test_painted_rows_are_kept_of_a_few_screens() -> None:
    paintings = Paintings(cast(Painter, SimpleNamespace(row=lambda row, *how: Strip([Segment(str(row.pid))]))))
    rows = [proc_row(pid) for pid in range(1, 201)]

    def painted(some: list[ProcessRow]) -> list[Strip]:
        return [paintings.row(row, None, False, False) for row in some]

    before = painted(rows[:40])
    paintings.keep_only(frozenset(row.key for row in rows[:10]))
    assert all(again is strip for again, strip in zip(painted(rows[:40]), before, strict=True)), "four screens"
    painted(rows)
    paintings.keep_only(frozenset(row.key for row in rows[:10]))
    after = painted(rows[:40])
    assert [again is strip for again, strip in zip(after, before, strict=True)] == [True] * 10 + [False] * 30

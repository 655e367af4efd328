"""The Status panel, as lines; and what panels say while there is no process to speak of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memtop.model.frame import Frame
from memtop.procfs.status import PidStatus
from memtop.tui.drawing.text_lines import Line
from memtop.tui.panels.limits import limit_lines
from memtop.tui.panels.sharing import sharing_lines
from memtop.tui.panels.status import FACTS, status_lines
from tests.rows import MIB, proc_row
from tests.tui.details import make_detail
from tests.tui.frames import frame


def told(width: int) -> list[str]:
    values: dict[str, Any] = dict.fromkeys(PidStatus._fields, 100 * MIB)
    status = PidStatus(**values)
    shown: Frame = frame(detail=make_detail()._replace(status=status))
    return [line.text for line in status_lines(shown, width)]


@pytest.mark.parametrize("width", [28, 58, 78, 118, 198])
def test_every_word_is_told_whatever_the_width(width: int) -> None:
    """The last ones were cut on a screen of 80 columns."""
    lines = told(width)
    assert all(len(line) <= width for line in lines)
    shown = " ".join(" ".join(lines).split())
    assert [says for *_, says in FACTS if says not in shown] == []


def test_a_fact_has_a_line_of_its_own_on_a_screen_of_80_columns() -> None:
    assert len(told(76)) == len(FACTS), "also beside a scroll bar"


@pytest.mark.parametrize("lines_of", [limit_lines, sharing_lines, status_lines])
def test_a_panel_asks_for_a_choice_only_where_nothing_is_being_read(
    lines_of: Callable[[Frame, int], list[Line]],
) -> None:
    assert lines_of(frame([proc_row(42)]), 78) == [Line("Reading …")], "the first process is about to be shown"
    assert lines_of(frame([]), 78) == [Line("Select a process.")]

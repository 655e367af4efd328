"""The Status panel, as lines."""

from __future__ import annotations

from typing import Any

import pytest

from memtop.frame import Frame
from memtop.procfs.status import PidStatus
from memtop.tui.status_panel import FACTS, status_lines
from tests.tui.details import make_detail
from tests.tui.frames import MIB, frame


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
    assert len(told(78)) == len(FACTS)

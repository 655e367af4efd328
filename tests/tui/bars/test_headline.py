"""The headline: as much of the sentence as fits, its sign, and how many more."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from memtop.tui.bars.headline_parts import headline_parts
from memtop.tui.drawing.line_parts import placed

WHO = "orders-api (4242) grows 60 MiB/min"
WHEN = "container shop (300 MiB) is full in 2 to 3 min"


def line(width: int, *clauses: str, sign: str = "▲", more: int = 0, live: bool = True) -> str:
    text = ""
    for x, part in placed(*headline_parts(clauses, width, sign=sign, more=more, live=live), width):
        text += " " * (x - cell_len(text)) + part.text
    return text


def test_the_last_clauses_go_first_where_it_is_narrow() -> None:
    assert line(120, WHO, WHEN).startswith(f" ▲ {WHO}; {WHEN} ")
    assert line(80, WHO, WHEN).rstrip() == f" ▲ {WHO}; container shop is full in 2 to 3 min"
    assert line(66, WHO, WHEN).rstrip() == f" ▲ {WHO}; limit full in 2 to 3 min", "that is why it is red"
    assert line(60, WHO, WHEN).startswith(f" ▲ {WHO} ")
    ram = "this machine's memory (16.0 GiB) full in about 5 min, with 6 others that grow"
    assert line(66, WHO, ram).rstrip() == f" ▲ {WHO}; RAM full in about 5 min"
    falls = "this machine's memory (16.0 GiB) full in about 5 min, as fast as available memory falls"
    assert line(90, WHO, falls).rstrip() == f" ▲ {WHO}; RAM full in about 5 min as available memory falls"
    assert "RAM full" not in line(66, WHO, falls), "not as if it filled the RAM alone"
    assert line(20, WHO, WHEN) == " ▲ orders-api (424…"


def test_the_number_of_others_stays_as_long_as_the_first_clause_fits() -> None:
    assert line(120, WHO, WHEN, more=3).endswith("! 3 more")
    assert line(60, WHO, WHEN, more=3).endswith("! 3 more")
    assert "more" not in line(40, WHO, WHEN, more=3)
    assert line(120, WHO, sign="") == f" {WHO}", "without an incident there is no list"


def test_it_speaks_of_now_while_the_screen_shows_the_past() -> None:
    assert line(120, WHO, live=False).startswith(f" ▲ now: {WHO}")


@pytest.mark.parametrize("width", [0, 1, 2, 5, 10, 59, 60, 200])
def test_it_never_leaves_its_line(width: int) -> None:
    assert cell_len(line(width, "長い名前 " * 50, WHEN, more=7)) <= max(width, 4)

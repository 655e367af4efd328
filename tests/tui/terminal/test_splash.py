"""The picture painted before Textual is there."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from rich.cells import cell_len

from memtop.model.frame import Frame
from memtop.model.row import Note
from memtop.settings import Settings
from memtop.tui.bars.header import HeaderBar
from memtop.tui.bars.header_parts import state_of
from memtop.tui.bars.headline import HeadlineBar
from memtop.tui.screen_layout import LOW_BELOW
from memtop.tui.terminal import splash
from memtop.view_state import View
from tests.rows import proc_row
from tests.tui.app.test_app import board
from tests.tui.frames import frame

MOVE = re.compile(r"\x1b\[(\d+);1H")
LIST = Settings(delay_s=60.0)
STYLE = re.compile(r"\x1b\[[0-9;]*m")
ONLY_ROW = 38
"""The line of a list's only row on a screen of 40: below it are a blank line and the footer."""


def lines(painted: str) -> dict[int, str]:
    """What stands on each line, without styles."""
    _, *parts = MOVE.split(STYLE.sub("", painted))
    return dict(zip(map(int, parts[::2]), parts[1::2], strict=True))


def paint(shown: Frame, size: tuple[int, int] = (120, 40), *, color: bool = True, settings: Settings = LIST) -> str:
    """The painting of a run with these settings."""
    return splash.paint(shown, View.of(settings), *size, color=color, state=state_of(settings))


def test_the_header_and_the_table_stand_where_they_will_stand() -> None:
    rows = [proc_row(pid) for pid in range(100, 200)]
    drawn = lines(paint(frame(rows)))
    assert drawn[1].startswith(" 8.30 GiB available")
    assert drawn[2].startswith(" memtop")
    assert "15.2 of 23.5G   avail 8.30G" in drawn[2]
    heading = 1 + 2 + 17  # headline and header, then 45 % of the 39 lines that the footer leaves
    assert "PID" in drawn[heading]
    assert "RES▼" in drawn[heading]
    assert [int(drawn[line].split()[0]) for line in range(heading + 1, 40)] == list(range(100, 100 + 40 - heading - 1))
    assert max(drawn) == 39  # the last line is the footer's


def test_its_rows_are_the_rows_of_the_real_table() -> None:
    drawn = lines(paint(frame([proc_row(42)])))
    assert "     42 app      S  1.17G   212M   190M  22.0M" in drawn[ONLY_ROW]
    assert "proc-42 --serve" in drawn[ONLY_ROW]


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (0, 0), (10, 3), (59, 40), (60, 16), (80, 24), (300, 60), (1000, 5)])
def test_it_never_leaves_the_screen(size: tuple[int, int]) -> None:
    rows = [proc_row(pid, command="長い名前 " * 50) for pid in range(100)]
    drawn = lines(paint(frame(rows), size))
    assert max(drawn) <= max(1, size[1])
    assert max(cell_len(text) for text in drawn.values()) <= max(0, size[0])


@pytest.mark.parametrize("name", ["plain", "日本語", "䷀䷁", "a…b"])
def test_a_column_begins_in_the_same_cell_whatever_stands_before_it(name: str) -> None:
    drawn = lines(paint(frame([proc_row(42, user=name)])))
    assert cell_len(drawn[ONLY_ROW].partition("proc-42")[0]) == drawn[ONLY_ROW - 1].index("COMMAND")


def test_without_colour_there_are_no_styles() -> None:
    painted = paint(frame([proc_row(1), proc_row(2, note=Note.KERNEL)]), color=False)
    assert not STYLE.search(painted)
    assert STYLE.search(paint(frame([proc_row(1)])))


@pytest.mark.parametrize("pids", [(), (10,)], ids=["all", "one"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (100, 31), (61, 17)], ids=str)
async def test_what_comes_after_it_stands_in_the_same_place(size: tuple[int, int], pids: tuple[int, ...]) -> None:
    settings = LIST._replace(pids=pids)
    async with board(settings, size=size) as on:
        assert on.app.frame is not None
        drawn = lines(paint(on.app.frame, size, settings=settings))
        if pids and size[1] < LOW_BELOW:  # the chart has the place of the only row
            await on.until(lambda: on.app.table.region.height == 0, "the table gives way")
            assert not any(" PID " in text for text in drawn.values())
        else:
            await on.until(lambda: on.app.table.region.height > 1, "the table has its place")
            heading = next(number for number, text in drawn.items() if " PID " in text)
            assert heading - 1 == on.app.table.region.y
            assert drawn[heading].rstrip() == on.app.table.render_line(0).text.rstrip()
        shown = on.app.query_one(HeadlineBar).render_line(0).text.rstrip()
        assert drawn[1].partition(";")[0].rstrip() == shown.partition(";")[0]
        header = on.app.query_one(HeaderBar)
        assert (2 in drawn) == header.display
        if header.display:
            assert drawn[2].rstrip() == header.render_line(0).text.rstrip()


def test_of_textual_and_rich_only_the_widths_of_characters_are_imported_for_it() -> None:
    code = (
        "import sys, memtop.tui.terminal.splash, memtop.tui.terminal.lifecycle, memtop.engine.sampler_thread\n"
        "import memtop.preflight\n"
        "drawing = ('textual', 'plotext', 'rich.segment', 'rich.style', 'rich.text', 'rich.console')\n"
        "print([name for name in drawing if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"

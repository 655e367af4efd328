"""The plot of what is watched has ten rows or more at every size from 60x18 up: the rest of the screen gives way."""

from __future__ import annotations

import pytest

from memtop.demo.progress import Step
from memtop.settings import Settings
from memtop.tui.app.app import MemtopApp
from memtop.tui.panels.switcher import Panels
from memtop.tui.table.column_layout import table_room
from tests.fakes import FakeProcess, FakeSource
from tests.tui.app.test_app import LONG_S, board
from tests.tui.frames import line

SIZES = ((60, 18), (60, 23), (80, 24), (160, 29), (60, 30), (99, 38), (100, 30), (80, 56))
"""Both sides of the borders at which the layout changes."""
STEP = Step(2, 7, "Map 500 MB", "It maps 500 MB and touches none of it, so VIRT jumps and RES does not.", "VIRT", "")


def plot_rows(app: MemtopApp) -> int:
    """Rows of the plot beside the left axis, as they are on the screen."""
    return sum(line(app.chart, y)[6:7] in ("│", "┤") for y in range(app.chart.size.height))


async def thin(settings: Settings, sizes: list[tuple[int, int]], *keys: str, panel: str = "") -> list[str]:
    """The sizes at which the plot has fewer than ten rows."""
    found = []
    async with board(settings, size=sizes[0]) as it:
        await it.press(*keys)
        for size in sizes:
            if it.app.query_one(Panels).display is not bool(panel):
                await it.press(panel or it.app.view.panel)
            await it.pilot.resize_terminal(*size)
            await it.pilot.pause()
            if plot_rows(it.app) < 10:
                found.append(f"{size}: {plot_rows(it.app)}")
    return found


def sizes(least_height: int) -> list[tuple[int, int]]:
    return [size for size in SIZES if size[1] >= least_height]


async def test_one_process() -> None:
    assert not await thin(Settings(delay_s=LONG_S, pids=(10,)), sizes(18))


@pytest.mark.parametrize("panel", ["1", "6"])
async def test_one_process_with_a_panel(panel: str) -> None:
    assert not await thin(Settings(delay_s=LONG_S, pids=(10,)), sizes(24), panel=panel)


async def test_one_process_of_the_list() -> None:
    assert not await thin(Settings(delay_s=LONG_S), sizes(24), "enter")


async def test_several_processes() -> None:
    assert not await thin(Settings(delay_s=LONG_S, pids=(10, 20, 30)), sizes(24))


@pytest.mark.parametrize("panel", ["", "1", "6"])
async def test_all_processes(panel: str) -> None:
    """On fewer lines the list, or the panel, is what is watched."""
    assert not await thin(Settings(delay_s=LONG_S), sizes(30), panel=panel)


async def test_a_long_list_has_the_lines_that_are_computed_for_it() -> None:
    """From them follows whether a list is short, and leaves its place to the chart."""
    many = FakeSource(*(FakeProcess(number, b"worker") for number in range(10, 60)))
    async with board(source=many, size=(80, 24)) as it:
        for size in ((80, 24), (120, 24), (120, 38), (80, 30), (160, 56)):
            await it.pilot.resize_terminal(*size)
            await it.pilot.pause()
            assert it.app.table.region.height == table_room(*size), size


async def test_a_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """On fewer lines its commentary would not be in view."""
    build = MemtopApp.__init__
    monkeypatch.setattr(
        MemtopApp, "__init__", lambda app, *parts, **more: build(app, *parts, **more, commentary=lambda: STEP)
    )
    assert not await thin(Settings(delay_s=LONG_S, pids=(10,)), sizes(24))

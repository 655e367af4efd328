"""The plot of what is watched has ten rows or more at every size from 60x18 up: the rest of the screen gives way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from memtop.cli.kept_past import looking_back_on
from memtop.cli.playback import player_on
from memtop.demo.progress import Step
from memtop.settings import Settings
from memtop.sources.recording.replay import Replay
from memtop.tui.app.app import MemtopApp
from memtop.tui.bars.footer import StatusBar
from memtop.tui.bars.header import HeaderBar
from memtop.tui.bars.headline import HeadlineBar
from memtop.tui.panels.switcher import Panels
from memtop.tui.screen_layout import GivenWay, given_way, table_room
from memtop.tui.side.side_panel import SidePanel
from memtop.view_state import View
from tests.fakes import FakeProcess, FakeSource
from tests.tui.app.test_app import LONG_S, Board, board
from tests.tui.bars.test_timeline_bar import recording
from tests.tui.frames import line

SIZES = (
    (60, 18),
    (99, 19),
    (60, 20),
    (100, 18),
    (60, 23),
    (80, 24),
    (160, 29),
    (60, 30),
    (99, 38),
    (100, 30),
    (80, 56),
)
"""Both sides of the borders at which the layout changes."""
LOW = ((60, 18), (100, 18), (60, 20), (80, 24))
"""Those with the least lines to spare."""
STEP = Step(2, 7, "Map 500 MB", "It maps 500 MB and touches none of it, so VIRT jumps and RES does not.", "VIRT", "")
ONE = Settings(delay_s=LONG_S, pids=(10,))
ALL = Settings(delay_s=LONG_S)


def plot_rows(app: MemtopApp) -> int:
    """Rows of the plot beside the left axis, as they are on the screen."""
    return sum(line(app.chart, y)[6:7] in ("│", "┤") for y in range(app.chart.size.height))


async def thin(it: Board, sizes: Sequence[tuple[int, int]]) -> list[str]:
    """The sizes at which the plot has fewer than ten rows."""
    found = []
    for size in sizes:
        await it.pilot.resize_terminal(*size)
        await it.pilot.pause()
        await it.until(lambda: plot_rows(it.app), "there is a plot")
        if plot_rows(it.app) < 10:
            found.append(f"{size}: {plot_rows(it.app)}")
    return found


async def thin_with(settings: Settings, sizes: Sequence[tuple[int, int]], *keys: str, panel: str = "") -> list[str]:
    """Those with a panel open, or with none, after the keys were pressed."""
    async with board(settings, size=sizes[0]) as it:
        await it.press(*keys)
        if it.app.query_one(Panels).display is not bool(panel):
            await it.press(panel or it.app.view.panel)
        return await thin(it, sizes)


def sizes(least_height: int) -> list[tuple[int, int]]:
    return [size for size in SIZES if size[1] >= least_height]


async def test_one_process() -> None:
    assert not await thin_with(ONE, SIZES)


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        (ONE, "m"),
        (ONE, "m left"),
        (ONE, "space"),
        (ALL, "enter"),
        (ALL, "enter m"),
        (ALL, "enter left"),
        (ALL, "t enter"),
        (ALL, "b enter enter"),
        (ALL, "slash a enter enter"),
        (ALL, "slash a enter enter m left"),
    ],
    ids=lambda part: part if isinstance(part, str) else "one" if part.pids else "all",
)
async def test_one_process_whatever_else_is_on_the_screen(settings: Settings, keys: str) -> None:
    assert not await thin_with(settings, LOW, *keys.split())


@pytest.mark.parametrize("panel", ["1", "6"])
@pytest.mark.parametrize(("settings", "keys"), [(ONE, ()), (ALL, ("enter",))], ids=["one", "all"])
async def test_one_process_with_a_panel(panel: str, settings: Settings, keys: tuple[str, ...]) -> None:
    """On fewer lines the panel is what is watched."""
    assert not await thin_with(settings, sizes(24), *keys, panel=panel)


async def test_several_processes() -> None:
    """On fewer lines the list of those that were asked for is what is watched."""
    assert not await thin_with(Settings(delay_s=LONG_S, pids=(10, 20, 30)), sizes(23))


@pytest.mark.parametrize("panel", ["", "1", "6"])
async def test_all_processes(panel: str) -> None:
    """On fewer lines the list, or the panel, is what is watched."""
    assert not await thin_with(ALL, sizes(30), panel=panel)


@pytest.mark.parametrize("keys", ["", "slash a enter"])
async def test_a_replay_of_one_process(tmp_path: Path, keys: str) -> None:
    replay = Replay(str(recording(tmp_path / "r")))
    settings = Settings(delay_s=LONG_S, replay=str(tmp_path / "r"), pids=(10,))
    app = MemtopApp(looking_back_on(replay, player_on(replay, "")), settings, View.of(settings))
    async with app.run_test(size=SIZES[0]) as pilot:
        it = Board(app, pilot, FakeSource())
        await it.until(lambda: app.has_class("-timeline"), "the timeline is there")
        await it.press(*keys.split())
        assert not await thin(it, LOW)
    replay.close()


async def test_a_long_list_has_the_lines_that_are_computed_for_it() -> None:
    """From them follows whether a list is short, and leaves its place to the chart."""
    many = FakeSource(*(FakeProcess(number, b"worker") for number in range(10, 60)))
    async with board(source=many, size=(80, 24)) as it:
        for size in ((80, 24), (120, 24), (120, 38), (80, 30), (160, 56)):
            await it.pilot.resize_terminal(*size)
            await it.pilot.pause()
            assert it.app.table.region.height == table_room(*size), size


@pytest.mark.parametrize("keys", ["", "m", "space"])
async def test_a_demo(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    build = MemtopApp.__init__
    monkeypatch.setattr(
        MemtopApp, "__init__", lambda app, *parts, **more: build(app, *parts, **more, commentary=lambda: STEP)
    )
    assert not await thin_with(ONE, LOW, *keys.split())


@pytest.mark.parametrize(
    ("height", "bars", "stays", "gone"),
    [
        (21, 0, False, GivenWay()),
        (20, 0, False, GivenWay(table=True)),
        (18, 0, False, GivenWay(table=True, header=True)),
        (18, 0, True, GivenWay(table=True, sentences=3)),
        (18, 1, False, GivenWay(table=True, header=True, sentences=3)),
        (18, 2, False, GivenWay(table=True, header=True, sentences=2)),
        (18, 2, True, GivenWay(table=True, sentences=1)),
        (16, 2, True, GivenWay(table=True, sentences=1)),
    ],
)
def test_table_header_and_sentences_give_way_in_this_order(height: int, bars: int, stays: bool, gone: GivenWay) -> None:
    """Four lines of sentences: the answers, and a mark."""
    assert given_way(60, height, wanted=4, bars=bars, header_stays=stays) == gone


async def test_headline_first_answer_and_footer_stay() -> None:
    async with board(size=(60, 18)) as it:
        await it.press("slash", "a", "enter", "enter")
        assert line(it.app.query_one(HeadlineBar), 0).strip()
        assert line(it.app.query_one(SidePanel), 0).strip().startswith("· Growing")
        assert line(it.app.query_one(StatusBar), 0).strip().startswith("? Help")
        assert not it.app.query_one(HeaderBar).region


async def test_keys_act_on_the_process_in_view_while_the_list_is_not() -> None:
    async with board(size=(80, 24)) as it:
        await it.shows(40, 20, 30, 10)
        await it.press("enter", "down")
        assert it.selected == 20 and it.app.watched is not None and it.app.watched.pid == 40, "the list is in view"
        await it.pilot.resize_terminal(80, 18)
        await it.until(lambda: not it.app.table.region.height, "the list has given way")
        assert it.selected == 40, "the one in view"
        footer = line(it.app.query_one(StatusBar), 0)
        assert "Filter" not in footer and "Back" in footer and "All" not in footer
        await it.press("down")
        await it.until(lambda: it.app.watched is not None and it.app.watched.pid == 20, "the next one is in view")
        assert it.selected == 20
        await it.press("escape")
        await it.until(lambda: bool(it.app.table.region.height), "the list is back")


async def test_a_state_that_the_header_says_is_in_view() -> None:
    async with board(ONE, size=(60, 18)) as it:
        header = it.app.query_one(HeaderBar)
        await it.press("m")
        await it.until(lambda: not header.region, "the mark has its line")
        await it.press("space")
        await it.until(lambda: bool(header.region) and "PAUSED" in line(header, 0), "it is said")
        await it.press("space")
        await it.until(lambda: not header.region, "it has given way again")


@pytest.mark.parametrize("size", [(60, 18), (80, 20), (120, 20)])
async def test_a_panel_that_only_says_why_it_is_empty_leaves_the_chart_in_view(size: tuple[int, int]) -> None:
    async with board(ONE, size=size) as it:
        await it.press("1")
        panels = it.app.query_one(Panels)
        await it.until(lambda: it.app.has_class("-words") and bool(panels.region), "it says why")
        await it.pilot.pause()
        assert plot_rows(it.app) >= 5
        assert panels.region.bottom == size[1] - 1 and "No mappings" in line(panels, 1)

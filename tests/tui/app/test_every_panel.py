"""Every panel of the table opens by its key and is drawn, frame after frame."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from memtop.settings import Settings
from memtop.tui.bars.footer import StatusBar
from memtop.tui.bars.header import HeaderBar
from memtop.tui.panels.switcher import PANELS, Panels, Tabs, panel_of
from tests.fakes import FakeProcess, FakeSource
from tests.tui.app.test_app import LONG_S, Board, board, sampling_held_up, world
from tests.tui.frames import line


@pytest.mark.parametrize("number", range(1, len(PANELS) + 1))
async def test_a_panel_opens_and_takes_frames(number: int) -> None:
    async with board() as it:
        await it.press(str(number))
        await it.until(lambda: it.app.view.panel == PANELS[number - 1].name, "the panel is open")
        await it.tick()
        await it.pilot.pause()
        layouts: list[object] = []
        it.app.screen.screen_layout_refresh_signal.subscribe(it.app, layouts.append, immediate=True)
        await it.tick()
        await it.tick()
        await it.pilot.pause()
        assert not layouts, "a frame of the same shape lays out the screen again"
        assert it.app.query_one(f"#panel-{PANELS[number - 1].name}").display


async def test_no_panel_leaves_blank_lines_between_the_list_and_the_keys() -> None:
    many = FakeSource(*(FakeProcess(number, b"worker") for number in range(10, 50)))
    async with board(source=many, size=(80, 24)) as it:
        for groups in (False, True):
            for number, kind in enumerate(PANELS, 1):
                await it.press(str(number))
                await it.until(lambda kind=kind: it.app.view.panel == kind.name, "the panel is open")  # type: ignore[misc]
                await it.tick()
                await it.pilot.pause()
                panels, table = it.app.query_one("#panels"), it.app.query_one("#table")
                assert panels.region.bottom == table.region.y, (kind.name, groups)
                assert table.region.bottom == it.app.query_one("#status").region.y, (kind.name, groups)
            await it.press("b")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
@pytest.mark.parametrize("pids", [(), (40,)], ids=["list", "one"])
async def test_z_leaves_the_panel_in_focus_alone_on_the_screen(size: tuple[int, int], pids: tuple[int, ...]) -> None:
    async with board(Settings(delay_s=LONG_S, pids=pids), size=size) as it:
        await it.press("6")
        await it.until(lambda: bool(it.app.query_one(Panels).size.height), "the panel is open")
        while it.app.focused is None or panel_of(it.app.focused) is None:
            await it.press("tab")
        upper, table = it.app.query_one("#upper"), it.app.table
        before = upper.region, table.region
        await it.press("z")
        await it.until(lambda: it.app.zoomed, "it is maximized")
        await it.until(
            lambda: not it.app.table.region and not it.app.query_one("#upper").region, "nothing else is there"
        )
        await it.press("z")
        await it.until(lambda: (upper.region, table.region) == before, "the rest is back in its place")


@pytest.mark.parametrize("part", ["table", "upper"])
async def test_z_leaves_another_part_alone_on_the_screen_beside_an_open_panel(part: str) -> None:
    async with board(size=(120, 40)) as it:
        await it.press("3")
        panels = it.app.query_one(Panels)
        await it.until(lambda: bool(panels.region), "the panel is open")
        it.app.set_focus(it.app.table if part == "table" else it.app.chart)
        await it.press("z")
        others = [it.app.query_one(f"#{name}") for name in {"table", "upper", "panels"} - {part}]
        await it.until(lambda: not any(other.region for other in others), "nothing else is there")
        await it.press("z")
        await it.until(lambda: all(other.region for other in others), "the rest is back")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
async def test_enter_on_the_ram_in_the_header_opens_the_machine_panel(size: tuple[int, int]) -> None:
    async with board(size=size) as it:
        header = it.app.query_one(HeaderBar)
        while not header.has_focus:
            await it.press("shift+tab")
        cursor = [text.text for text in header.render_line(0) if text.style is not None and text.style.reverse]
        assert "RAM" in "".join(cursor), "the cursor is on the RAM"
        await it.press("enter")
        await it.until(lambda: it.app.view.panel == "machine", "the panel is open")
        await it.press("tab")
        assert it.app.focused is not header and header not in it.app.screen.focus_chain, "Tab passes it by"
        assert not [one for one in header.render_line(0) if one.style is not None and one.style.reverse]


async def test_enter_on_the_ram_says_so_in_the_footer() -> None:
    async with board() as it:
        await it.press("tab", "shift+tab", "shift+tab", "tab", "shift+tab")
        assert isinstance(it.app.focused, HeaderBar)
        await it.until(lambda: "Enter Machine" in it.app.query_one(StatusBar).render_line(0).text, "the footer says so")


async def test_a_panel_that_is_opened_again_is_marked_again() -> None:
    async with board(size=(120, 40)) as it:
        panels = it.app.query_one(Panels)
        for _ in range(2):
            await it.press("2")
            await it.until(lambda: panels.display and "[2 Sharing]" in line(panels, 0), "it is open and marked")
            await it.press("2")
            await it.until(lambda: not panels.display, "it is closed")


MAPPINGS = gzip.decompress((Path(__file__).parents[2] / "data" / "smaps" / "go" / "smaps.gz").read_bytes())


@pytest.mark.parametrize("moved", [False, True], ids=["waits", "moves on in the list"])
async def test_the_keys_go_to_the_mappings_as_soon_as_they_are_read_and_to_the_list_until_then(moved: bool) -> None:
    source = world()
    source.files |= {"proc/40/smaps": MAPPINGS, "proc/20/smaps": MAPPINGS}
    async with board(source=source, size=(80, 24)) as it:
        async with sampling_held_up(it):
            await it.press("1")
            await it.until(lambda: bool(it.app.query("#regions-table")), "the panel is open")
            await it.pilot.pause()
            assert it.app.focused is it.app.table
            if moved:
                await it.press("down")
                assert it.selected == 20
        regions = it.app.query_one("#regions-table")
        await it.until(lambda: bool(regions.region), "the mappings are read")
        await it.pilot.pause()
        assert it.app.focused is (it.app.table if moved else regions)
        assert line(regions, 0).startswith("KIND"), "it has its heading"


async def test_the_list_has_the_keys_again_when_the_mappings_have_gone() -> None:
    source = world()
    source.files["proc/40/smaps"] = MAPPINGS
    async with board(source=source, size=(80, 24)) as it:
        await it.press("1")
        await it.until(lambda: it.app.focused is not None and it.app.focused.id == "regions-table", "they have them")
        await it.tick()
        it.app.choose_readings(delay_s=1.0)
        await it.press("left")
        await it.until(lambda: it.app.has_class("-words"), "the panel says that mappings of the past are not kept")
        await it.until(lambda: it.app.focused is it.app.table, "the list has them")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("pids", [(), (40,)], ids=["list", "one"])
async def test_the_keys_go_to_each_panel_that_is_opened_and_back_when_it_is_closed(
    size: tuple[int, int], pids: tuple[int, ...]
) -> None:
    source = world()
    source.files["proc/40/smaps"] = MAPPINGS
    async with board(Settings(delay_s=LONG_S, pids=pids), source=source, size=size) as it:
        for number, kind in enumerate(PANELS, 1):
            key = str(number)
            if it.app.view.panel == kind.name:  # the first one opens by itself where there is room
                await it.press(key)
            await it.press(key)
            await it.until(lambda kind=kind: kind.takes_keys in focused_ids(it), f"{kind.title} has the keys")  # type: ignore[misc]
            says = f"[{key} {kind.title}]"
            await it.until(lambda says=says: reversed_text(it) == says, "its tab says so")  # type: ignore[misc]
            before = it.selected
            await it.press("down", "pagedown", "G", "g")
            assert it.selected == before, "the list has not moved"
            await it.press("z")
            assert it.app.has_class("-zoom-panels"), "the panel is maximized"
            await it.press("z", key)
            await it.until(lambda: it.app.focused is it.app.table, "the list has them again")


async def test_the_list_of_groups_keeps_the_keys_beside_a_panel_that_shows_no_group() -> None:
    async with board(size=(80, 24)) as it:
        await it.press("b")
        await it.until(lambda: it.app.frame is not None and it.app.frame.group is not None, "a group is shown")
        for number, kind in enumerate(PANELS, 1):
            await it.press(str(number))
            await it.until(lambda kind=kind: it.app.query(f"#panel-{kind.name}"), "the panel is there")  # type: ignore[misc]
            await it.tick()
            assert (it.app.focused is it.app.table) is not kind.of_machine, kind.title


async def test_a_panel_is_seen_that_is_opened_while_another_part_is_maximized() -> None:
    async with board(size=(80, 24)) as it:
        await it.press("z", "3")
        panels = it.app.query_one(Panels)
        await it.until(lambda: bool(panels.region), "the panel is on the screen")
        await it.press("z", "3")
        await it.until(lambda: bool(it.app.table.region) and not it.app.zoomed, "a closed one leaves no empty screen")


async def test_end_returns_to_now_from_a_panel_that_scrolls() -> None:
    async with board(size=(80, 24)) as it:
        await it.press("5")
        await it.until(lambda: "panel-status" in focused_ids(it), "the panel has the keys")
        await it.tick()
        it.app.choose_readings(delay_s=1.0)
        for key, is_back in (("left", True), ("end", False)):
            await it.press(key)
            assert (it.app.view.window.cursor_s is not None) is is_back
        panel, selected = it.app.query_one("#panel-status"), it.selected
        await it.press("end")
        await it.until(lambda: panel.scroll_y == panel.max_scroll_y > 0, "its last line is in view")
        assert it.selected == selected, "the list has not moved"


def reversed_text(it: Board) -> str:
    return "".join(
        part.text for part in it.app.query_one(Tabs).render_line(0) if part.style is not None and part.style.reverse
    )


def focused_ids(it: Board) -> set[str | None]:
    return set() if it.app.focused is None else {it.app.focused.id}

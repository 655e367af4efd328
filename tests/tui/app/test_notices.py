"""Notices take the place of the keys: they hide no row, no chart and no legend, at any size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widget import Widget
from textual.widgets import OptionList

from memtop.engine.engine import Engine
from memtop.settings import Settings
from memtop.tui.app.app import MemtopApp
from memtop.tui.bars.footer import StatusBar
from memtop.tui.dialogs.keys_line import KeysLine
from memtop.view_state import View
from tests.tui.app.test_app import LONG_S, Board, world

SIZES = ((60, 18), (80, 24), (120, 40), (200, 60))
PARTS = "#headline, #header, #upper, #table"
LONG = "the file could not be written: " + "no space is left on the device, " * 12


@asynccontextmanager
async def board(size: tuple[int, int]) -> AsyncIterator[Board]:
    """The application with notices, which Textual leaves out of tests unless asked."""
    settings, source = Settings(delay_s=LONG_S), world()
    app = MemtopApp(Engine(source), settings, View.of(settings))
    async with app.run_test(size=size, notifications=True) as pilot:
        it = Board(app, pilot, source)
        await it.until(lambda: app.frame is not None, "there is a first frame")
        await it.tick()
        yield it


def notices(it: Board) -> list[Widget]:
    """The notices, from above."""
    return sorted(it.app.screen.query("Toast"), key=lambda one: one.region.y)


@pytest.mark.parametrize("size", SIZES)
async def test_a_notice_of_one_line_takes_the_place_of_the_keys_and_moves_nothing(size: tuple[int, int]) -> None:
    async with board(size) as it:
        before = {part.id: part.region for part in it.app.query(PARTS)}
        it.app.say("copied 42")
        await it.until(lambda: notices(it) and notices(it)[0].region.height, "the notice is there")
        assert notices(it)[0].region == it.app.query_one(StatusBar).region
        assert {part.id: part.region for part in it.app.query(PARTS)} == before
        at = notices(it)[0].region
        assert it.app.screen.get_widget_at(at.x + 2, at.y)[0] is notices(it)[0], "it is on top"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [(), ("1",), ("enter",), ("enter", "6")], ids=str)
async def test_a_long_notice_hides_nothing(size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async with board(size) as it:
        await it.press(*keys)
        it.app.say(LONG)
        await it.until(lambda: notices(it) and notices(it)[0].region.height > 1, "the notice is there")
        await it.pilot.pause()
        for part in it.app.query(f"{PARTS}, #panels"):
            assert not part.region.overlaps(notices(it)[0].region) or not part.display, part.id
        assert it.app.table.region.bottom <= notices(it)[0].region.y


async def test_a_newer_notice_replaces_one_that_a_key_asked_for_and_no_error() -> None:
    async with board((80, 24)) as it:
        for text in ("first", "second"):
            it.app.say(text)
            await it.until(lambda: it.said[-1:] == [text], "it is said")  # noqa: B023
            assert it.said == [text], "it is alone"
        it.app.say("the disk is full", severity="error")
        await it.until(lambda: it.said == ["▲ the disk is full"], "the error is said")
        it.app.say("third")
        await it.until(lambda: it.said == ["▲ the disk is full", "third"], "the error is still there")


async def test_notices_that_were_replaced_leave_no_row_that_hides_later_ones() -> None:
    async with board((80, 24)) as it:
        for number in range(12):
            if number == 6:  # the notices of a dialog are on its own screen
                await it.press("d")
            if number == 8:
                await it.press("escape")
            it.app.say(f"number {number}")
            await it.until(lambda: it.said[-1:] == [f"number {number}"] and notices(it), "it is said")  # noqa: B023
            await it.until(lambda: notices(it)[-1].region.height == 1, "it is laid out")
            assert notices(it)[-1].region.y == 23, f"notice {number} is in the last line"


async def test_behind_a_dialog_there_are_no_keys_that_do_nothing() -> None:
    async with board((80, 24)) as it:
        status = it.app.query_one(StatusBar)
        assert status.visible
        await it.press("s")
        await it.until(lambda: not status.visible, "the keys are gone")
        it.app.say("copied 42")
        await it.until(lambda: notices(it) and notices(it)[0].region.bottom == 24, "notices are shown on the dialog")
        await it.press("escape")
        await it.until(lambda: status.visible, "they are back")


@pytest.mark.parametrize("text", ["copied 42", LONG])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_a_notice_leaves_the_keys_of_a_dialog_in_view(text: str, before: bool) -> None:
    async with board((60, 18)) as it:
        if before:
            it.app.say(text)
        await it.press("s")
        if not before:
            it.app.say(text)
        await it.until(lambda: notices(it) and notices(it)[0].region.height, "the notice is there")
        keys = it.app.screen.query_one(KeysLine)
        await it.until(lambda: 0 < keys.region.bottom < notices(it)[0].region.y, "the keys are above it")
        choices = it.app.screen.query_one(OptionList)
        assert choices.region.bottom <= keys.region.y and choices.region.height >= 3

"""Dialogs and the palette survive any size of the screen, and page keys at any moment."""

from __future__ import annotations

from textual.events import Click

from memtop.tui.dialogs.dialog import Choice, Menu
from memtop.tui.dialogs.keys_line import KeysLine
from tests.tui.app.test_app import SIZE, board


async def test_a_dialog_waits_where_it_has_no_room() -> None:
    async with board() as it:
        for dialog in ("s", "c", "u", "ctrl+p"):
            await it.pilot.resize_terminal(*SIZE)
            await it.press(dialog)
            await it.until(lambda: len(it.app.screen_stack) == 2, f"the dialog of {dialog} is open")
            for width in range(12, 0, -1):
                await it.pilot.resize_terminal(width, max(1, width - 6))
                await it.press("pagedown", "pageup")
            await it.press("escape")
            await it.until(it.at_rest, f"the dialog of {dialog} is closed")
            await it.press(dialog)
            await it.until(lambda: len(it.app.screen_stack) == 2, f"the dialog of {dialog} opens in one cell")
            await it.press("escape")
            await it.until(it.at_rest, f"the dialog of {dialog} is closed in one cell")


async def test_a_page_key_in_one_burst_with_the_palette_waits_for_its_list() -> None:
    async with board() as it:
        for key in ("ctrl+p", "pagedown", "pageup"):
            it.app.simulate_key(key)
        await it.until(lambda: len(it.app.screen_stack) == 2, "the palette is open")
        await it.press("pagedown", "escape")
        await it.until(it.at_rest, "the palette is closed")


async def test_the_keys_of_a_dialog_stay_on_screen_and_its_list_scrolls() -> None:
    async with board() as it:
        for size in ((61, 18), (60, 16), (80, 24)):
            await it.pilot.resize_terminal(*size)
            choices = [
                Choice(f"SIG{number:<8} what it does to the process that gets it", number) for number in range(12)
            ]
            await it.app.push_screen(Menu("Send a signal?", choices, "app --serve " * 15, verb="send"))
            for _ in range(3):
                await it.pilot.pause()
            keys = it.app.screen.query_one(KeysLine)
            assert keys.region.bottom < size[1] and "Enter send" in keys.render_line(0).text, size
            await it.press("escape")
            await it.until(it.at_rest, "the dialog is closed")


async def test_a_click_that_the_palette_meets_after_the_screen_became_smaller_ends_nothing() -> None:
    async with board() as it:
        await it.press("ctrl+p")
        await it.until(lambda: len(it.app.screen_stack) == 2, "the palette is open")
        for size in ((61, 18), SIZE):
            await it.pilot.resize_terminal(*size)
            x, y = 71, size[1] + 1
            click = Click(it.app.screen, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)
            it.app.screen.post_message(click)
            await it.pilot.pause()
        await it.press("escape")
        await it.until(it.at_rest, "the palette hears keys, and is closed")

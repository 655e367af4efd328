"""Dialogs and the palette survive any size of the screen, and page keys at any moment."""

from __future__ import annotations

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

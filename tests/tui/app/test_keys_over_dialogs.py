"""While a dialog is open, keys of the screen below do nothing, and Esc closes the dialog."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from tests.tui.app.test_app import board

DIALOGS = ("question_mark", "e", "s", "u", "c", "p", "d", "U", "ctrl+p")
KEYS_BELOW = ("slash", "f4", "backslash", "ctrl+p", "f2", "f5", "f6", "1")


async def test_no_key_opens_anything_behind_a_dialog() -> None:
    async with board() as it:
        for dialog in DIALOGS:
            await it.press(dialog)
            await it.until(lambda: len(it.app.screen_stack) == 2, f"the dialog of {dialog} is open")
            opened = it.screen
            before = it.app.view
            for key in KEYS_BELOW:
                await it.press(key)
                assert it.screen is opened, (dialog, key)
                assert not it.app.query_one("#filter-line").has_class("-open"), (dialog, key)
            assert it.app.view._replace(readings=before.readings) == before, dialog
            await it.press("escape")
            if not it.at_rest():  # the search of the help was open
                await it.press("escape")
            await it.until(it.at_rest, f"the dialog of {dialog} is closed")
            await it.press("slash")
            assert isinstance(it.app.focused, Input), dialog
            await it.press("escape")
            assert not isinstance(it.app.focused, Input), dialog


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
@pytest.mark.parametrize("dialog", ["question_mark", "s"])
async def test_the_quit_keys_quit_from_a_dialog(dialog: str, key: str) -> None:
    async with board() as it:
        await it.press(dialog)
        await it.until(lambda: len(it.app.screen_stack) == 2, "the dialog is open")
        await it.pilot.press(key)
        await it.until(lambda: not it.app.is_running, "it has quit")

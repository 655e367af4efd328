"""A click on a line of a list that has gone since it was drawn."""

from __future__ import annotations

from rich.style import Style
from textual import events
from textual.widgets import OptionList

from tests.tui.app.test_app import board


async def test_a_click_on_a_line_that_is_gone_chooses_nothing() -> None:
    async with board() as it:
        for key in ("s", "ctrl+p"):
            await it.press(key)
            dialog = it.app.screen
            lines = dialog.query_one(OptionList)
            gone = Style(meta={"option": 10_000})
            x, y = lines.region.offset
            lines.post_message(
                events.Click(lines, 1, 1, 0, 0, 1, False, False, False, screen_x=x + 1, screen_y=y + 1, style=gone)
            )
            await it.pilot.pause()
            assert it.app.screen is dialog
            await it.press("escape")
            await it.until(it.at_rest, f"the dialog of {key} is closed")

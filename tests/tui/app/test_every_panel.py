"""Every panel of the table opens by its key and is drawn, frame after frame."""

from __future__ import annotations

import pytest

from memtop.tui.panels.switcher import PANELS
from tests.tui.app.test_app import board


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

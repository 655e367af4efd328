"""Two sizes at once do not chase each other: the screen comes to rest at the last one."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.geometry import Size

from tests.tui.app.test_app import board

LAYOUTS = 30
"""Far more than two sizes need, and reached in a moment where they chase each other."""


@pytest.mark.parametrize("keys", [(), ("question_mark",), ("d",), ("e",), ("ctrl+p",)], ids=str)
async def test_an_outdated_size_is_not_obeyed(keys: tuple[str, ...]) -> None:
    async with board() as it:
        await it.press(*keys)
        layouts: list[object] = []
        screen = it.app.screen_stack[0]
        screen.screen_layout_refresh_signal.subscribe(it.app, layouts.append, immediate=True)
        with it.app.batch_update():  # as while a dialog is being mounted: then Textual draws by a callback
            for width in (100, 60, 100, 60):
                screen.post_message(events.Resize(Size(width, 30), Size(width, 30)))
                screen.call_later(lambda: None)  # so that one size does not take the place of the other
            await asyncio.sleep(0.5)  # as long as they would chase each other
        assert len(layouts) < LAYOUTS
        assert screen.outer_size == it.app.size


async def test_an_outdated_size_that_takes_the_place_of_the_last_one_does_not_cost_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with board() as it:
        old = it.app.size
        new = Size(old.width - 10, old.height - 2)
        monkeypatch.setattr(type(it.app), "size", new)
        screen = it.app.screen_stack[0]
        for size in (new, old):  # Textual drops the first one of two that wait
            screen.post_message(events.Resize(size, size))
        await it.pilot.pause()
        assert screen.outer_size == new

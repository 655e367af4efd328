"""The palette and dialogs that are closed while they are being composed, and more than once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.screen import ModalScreen

from memtop.tui.dialogs.dialog import Choice, Menu
from memtop.tui.dialogs.palette import Palette
from tests.tui.app.test_app import board

FOREVER_S = 20.0


@pytest.mark.parametrize("screen", [Palette, lambda: Menu("Sort by", [Choice("RES", "rss")])])
async def test_one_that_is_closed_while_it_is_composed_closes_and_keys_go_on(
    screen: Callable[[], ModalScreen[None]],
) -> None:
    async with board() as it:

        async def opened(turns: int) -> ModalScreen[None]:
            """One that has been composed for so many turns of the event loop; -1 for until it is there."""
            new = screen()
            it.app.push_screen(new)
            while turns and not new.is_mounted:
                await asyncio.sleep(0)
                turns -= 1
            most.append(-turns)
            return new

        async def closed(one: ModalScreen[None]) -> None:
            async with asyncio.timeout(FOREVER_S):
                one.dismiss()
                one.dismiss()
                while one in it.app.screen_stack or one.is_running:
                    await asyncio.sleep(0)
                answered = asyncio.get_running_loop().create_future()
                it.app.call_later(answered.set_result, None)
                await answered
            assert len(it.app.screen_stack) == 1

        most: list[int] = []
        await closed(await opened(-1))
        in_all = most[0] - 1
        for turns in (0, in_all // 2, in_all - 3, in_all - 2, in_all - 1):
            await closed(await opened(turns))


@pytest.mark.parametrize("screen", [Palette, lambda: Menu("Sort by", [Choice("RES", "rss")])])
async def test_an_answer_that_is_found_when_another_screen_is_above_closes_neither(
    screen: Callable[[], ModalScreen[None]],
) -> None:
    async with board() as it:
        below, above = screen(), Palette()
        await it.app.push_screen(below)
        await it.app.push_screen(above)
        below.dismiss()
        await it.pilot.pause()
        assert it.app.screen_stack[1:] == [below, above]
        await it.press("escape")
        await it.until(lambda: it.app.screen_stack[1:] == [below], "the upper one is closed")
        await it.press("escape")
        await it.until(lambda: len(it.app.screen_stack) == 1, "the lower one is closed")

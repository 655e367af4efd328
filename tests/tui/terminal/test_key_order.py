"""Keys that are typed faster than they act do what they do when typed slowly."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import ClassVar

import pytest
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from memtop.tui.terminal.safe_app import SafeApp
from tests.tui.app.test_app import Board, board


def burst(it: Board, *names: str) -> None:
    """Type faster than anything can act."""
    for name in names:
        it.app.post_message(events.Key(name, name if len(name) == 1 else None))


def shows(it: Board, text: str) -> bool:
    """Whether this is the filter, and the line of the filter has it."""
    return it.app.query_one("#filter", Input).value == it.app.view.query.text == text


async def test_a_filter_typed_right_behind_a_dialog_and_escape_is_a_filter() -> None:
    async with board() as it:
        line = it.app.query_one("#filter", Input)
        for number, dialog in enumerate(("question_mark", "e", "c", "ctrl+p", "slash")):
            burst(it, dialog, "escape", "escape", "slash", *"cef", str(number))
            await it.until(partial(shows, it, f"cef{number}"), f"the filter behind {dialog}")
            assert (it.at_rest(), it.app.focused) == (True, line), dialog
            await it.press("escape")


async def test_a_filter_typed_right_behind_an_answer_is_a_filter() -> None:
    async with board() as it:
        line = it.app.query_one("#filter", Input)
        for number, answer in enumerate(("s", "c", "slash")):
            burst(it, answer, "enter", "slash", *"cef", str(number))
            await it.until(partial(shows, it, f"cef{number}"), f"the filter behind {answer}")
            assert (it.at_rest(), it.app.focused) == (True, line), answer
            await it.press("escape")


async def test_what_is_typed_after_a_pause_goes_on_with_the_filter_and_a_new_one_replaces_it() -> None:
    async with board() as it:
        burst(it, "slash", *"ce")
        await it.until(partial(shows, it, "ce"), "the filter")
        await it.pilot.pause()
        await it.press("f")
        await it.until(partial(shows, it, "cef"), "its third letter")
        await it.press("enter", "slash", "d")
        await it.until(partial(shows, it, "d"), "a new filter")


async def test_a_click_acts_before_the_keys_behind_it() -> None:
    async with board() as it:
        x, y = it.app.query_one("#status").region.offset
        for kind in (events.MouseDown, events.MouseUp):
            it.app.post_message(kind(None, x + 2, y, 0, 0, 1, False, False, False))
        burst(it, "escape", "slash", *"cef")
        await it.until(partial(shows, it, "cef"), "the filter behind the click")
        assert it.at_rest()
        await it.pilot.pause()


async def test_what_follows_a_paste_stays_behind_it() -> None:
    async with board() as it:
        burst(it, "slash", "a")
        it.app.post_message(events.Paste("bc"))
        burst(it, "d", "left", "e")
        await it.until(partial(shows, it, "abced"), "all that was typed")
        await it.pilot.pause()


class Hanging(Static, can_focus=True):
    """A widget that never answers Enter."""

    BINDINGS: ClassVar = [("enter", "answer")]

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Event()

    def action_answer(self) -> None:
        self.call_later(self.released.wait)


class Counting(SafeApp):
    """An application that counts a key."""

    BINDINGS: ClassVar = [Binding("x", "count")]
    count = 0

    def compose(self) -> ComposeResult:
        yield Hanging()

    def action_count(self) -> None:
        self.count += 1


async def test_an_answer_that_never_comes_does_not_lock_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtop.tui.terminal.key_order.PATIENCE_S", 0.01)
    app = Counting()
    async with app.run_test():
        app.post_message(events.Key("enter", "\r"))
        app.post_message(events.Key("x", "x"))
        async with asyncio.timeout(20):
            while not app.count:
                await asyncio.sleep(0.001)
        app.query_one(Hanging).released.set()


class Asking(SafeApp):
    """An application with a dialog that goes on after it has been closed."""

    def on_mount(self) -> None:
        self.push_screen(Late())


class Late(ModalScreen[None]):
    """Looks for a widget when it has none left, as Textual's palette does."""

    def compose(self) -> ComposeResult:
        yield Static("words")

    async def key_x(self) -> None:
        self.dismiss()
        self.call_later(self.look)

    async def look(self) -> None:
        await self.query_one(Static).remove()
        self.query_one(Static)


async def test_a_dialog_that_looks_for_its_widgets_after_it_was_closed_ends_nothing() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("x")
        await pilot.pause()
        assert len(app.screen_stack) == 1

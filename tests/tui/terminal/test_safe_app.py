"""What the application does where Textual loses calls."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.worker import WorkerFailed

from memtop.tui.terminal.safe_app import SafeApp


async def test_a_timer_calls_even_if_the_processor_was_away_while_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    app = SafeApp()
    called: list[bool] = []
    async with app.run_test() as pilot:
        monkeypatch.setattr("textual._time.get_time", count().__next__)  # a second from one look to the next
        app.set_timer(1 / 120, lambda: called.append(True))
        await pilot.pause()
    assert called == [True]


class Slow(ModalScreen[None]):
    """A dialog with a worker that looks for one of its widgets when the test says, as the palette does."""

    def __init__(self, goes_on: asyncio.Event) -> None:
        super().__init__()
        self._goes_on = goes_on

    def on_mount(self) -> None:
        self.run_worker(self._look())

    async def _look(self) -> None:
        try:
            await self._goes_on.wait()
        except asyncio.CancelledError:
            self.query_one("#gone")  # what Textual does before it looks whether it was canceled
        self.query_one("#gone")


async def test_a_worker_of_a_dialog_that_has_closed_may_find_its_widgets_gone() -> None:
    app, goes_on = SafeApp(), asyncio.Event()
    async with app.run_test() as pilot:
        await app.push_screen(Slow(goes_on))
        app.pop_screen()
        goes_on.set()
        await pilot.pause()
        await pilot.pause()
        assert app.is_running


async def test_a_worker_of_an_open_dialog_may_not() -> None:
    app, goes_on = SafeApp(), asyncio.Event()
    with pytest.raises((NoMatches, WorkerFailed)):
        async with app.run_test() as pilot:
            await app.push_screen(Slow(goes_on))
            goes_on.set()
            await pilot.pause()
            await pilot.pause()

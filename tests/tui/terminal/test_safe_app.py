"""What the application does where Textual loses calls."""

from __future__ import annotations

from itertools import count

import pytest

from memtop.tui.terminal.safe_app import SafeApp


async def test_a_timer_calls_even_if_the_processor_was_away_while_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    app = SafeApp()
    called: list[bool] = []
    async with app.run_test() as pilot:
        monkeypatch.setattr("textual._time.get_time", count().__next__)  # a second from one look to the next
        app.set_timer(1 / 120, lambda: called.append(True))
        await pilot.pause()
    assert called == [True]

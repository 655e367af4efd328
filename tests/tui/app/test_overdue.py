"""A sampler that hangs, or fails again and again, is said across the screen, with the age of what it shows."""

from __future__ import annotations

import re
import threading

import pytest
from textual.widgets import Label

from memtop.settings import Settings
from memtop.sources.protocol import Instant
from tests.fakes import FakeSource
from tests.tui.app.test_app import Board, board, world

FAST_S = 0.1
"""Between samples; so fast a sampler is overdue after one and a half seconds."""


def said(it: Board) -> str:
    """What stands across the screen; empty where nothing does."""
    label = it.app.query_one("#overdue", Label)
    return str(label.content) if label.display else ""


class Hanging(FakeSource):
    """A world that stops answering, or fails, when the test says."""

    def __init__(self, hangs: threading.Event, answers: threading.Event, error: Exception | None) -> None:
        super().__init__(*world().processes.values())
        self._hangs, self._answers, self._error = hangs, answers, error

    def begin(self) -> Instant:
        if self._hangs.is_set() and not self._answers.is_set():
            if self._error is not None:
                raise self._error
            self._answers.wait(20)
        return super().begin()


@pytest.mark.parametrize(
    ("error", "cause"),
    [(None, "A read from /proc or /sys hangs"), (RuntimeError("broken"), "Taking samples fails")],
    ids=["it hangs", "it fails"],
)
async def test_samples_that_do_not_come_are_said_with_the_age_of_what_is_shown(
    error: Exception | None, cause: str
) -> None:
    hangs, answers = threading.Event(), threading.Event()
    try:
        async with board(Settings(delay_s=FAST_S), Hanging(hangs, answers, error)) as it:
            assert said(it) == ""
            hangs.set()
            await it.until(lambda: said(it), "it is said")
            assert re.search(r"NO SAMPLE FOR [2-9] s: the screen is that old", said(it))
            await it.until(lambda: cause in said(it), "why is said")
            answers.set()
            await it.until(lambda: not said(it), "samples come again")
    finally:
        answers.set()


async def test_a_pause_is_no_lateness() -> None:
    async with board() as it:
        it.app.sampler_thread.pause_stepping = True
        it.app.sampler_thread.delay_s = FAST_S
        await it.pilot.pause(2.0)  # longer than a sampler that is not paused may take
        assert said(it) == ""

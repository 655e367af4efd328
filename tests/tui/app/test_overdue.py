"""A sampler that hangs, or fails again and again, is said across the screen, with the age of what it shows."""

from __future__ import annotations

import re
import threading
import time

import pytest
from textual.widgets import Label

from memtop.settings import Settings
from memtop.sources.protocol import Instant
from memtop.tui.app.overdue import EVERY_S, Overdue
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


class Idle:
    """What tells a read that hangs from a lack of processor time, with the answer that a test wants of it."""

    share = 1.0

    def idle_s(self, seconds: float) -> float:
        return self.share * seconds


class Busy(Idle):
    share = 0.0


@pytest.mark.parametrize(
    ("error", "processor", "cause"),
    [
        (None, Idle, "A read from /proc or /sys hangs"),
        (None, Busy, "memtop gets too little processor time"),
        (RuntimeError("broken"), Idle, "Taking samples fails"),
    ],
    ids=["it hangs", "it starves", "it fails"],
)
async def test_samples_that_do_not_come_are_said_with_the_age_of_what_is_shown(
    error: Exception | None, processor: type[Idle], cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtop.tui.app.overdue.Starvation", processor)  # the machine of the test may be busy
    hangs, answers = threading.Event(), threading.Event()
    try:
        async with board(Settings(delay_s=FAST_S), Hanging(hangs, answers, error)) as it:
            assert said(it) == ""
            before_s = time.monotonic()
            hangs.set()
            await it.until(lambda: said(it), "it is said")
            age = re.search(r"NO SAMPLE FOR (\d+) s: the screen is that old", said(it))
            assert age is not None and 2 <= int(age[1]) <= time.monotonic() - before_s + 2
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


async def test_while_samples_come_no_timer_looks_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    words = Overdue.words

    def noted(self: Overdue, *, known: bool) -> str:
        looks.append(time.monotonic())
        return words(self, known=known)

    async with board(Settings(delay_s=60.0)) as it:
        monkeypatch.setattr(Overdue, "words", noted)
        await it.pilot.pause(EVERY_S + 0.2)
        assert not looks
        it.app.sampler_thread.step_once()
        await it.until(lambda: looks, "with a sample it is looked")

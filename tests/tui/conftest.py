"""For all tests of the screen: a key has had its effect when the event loop has nothing left to do.

The process of the tests keeps its docstrings, and the garbage of an application that has ended: to go through all
objects of a test run costs more than the test.
"""

from __future__ import annotations

import gc

import pytest

from memtop.tui.terminal import memory_tuning
from tests.tui.idle_loop import until_idle


@pytest.fixture(autouse=True)
def pilots_wait_until_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot sleeps until the process uses little of the CPU: 40 ms a key, and luck on a busy machine."""
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", until_idle)


@pytest.fixture(autouse=True)
def memory_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What memtop does for its own memory once it is on screen is tested in processes of their own."""
    monkeypatch.setattr(memory_tuning, "settle", gc.freeze)
    for name in ("settle_again", "trim"):
        monkeypatch.setattr(memory_tuning, name, lambda: None)

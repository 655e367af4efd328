"""For all tests of the screen: a key has had its effect when the event loop has nothing left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.tui.idle_loop import IdleLoop, until_idle


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of these tests."""
    return {"idle": IdleLoop}


@pytest.fixture(autouse=True)
def pilots_wait_until_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot sleeps until the process uses little of the CPU: 40 ms a key, and luck on a busy machine."""
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", until_idle)

"""Any key at any time is harmless: a short run of the monkey. ``python -m tests.monkey`` is the long one."""

from __future__ import annotations

import pytest

from tests.monkey import trial

EVENTS = 120


@pytest.mark.parametrize("world", ["live", "pid", "replay", "command"])
def test_random_input_neither_ends_memtop_nor_locks_the_keyboard(world: str) -> None:
    outcome = trial(world, seed=1, count=EVENTS)
    assert outcome.fault == ""
    assert outcome.events == EVENTS

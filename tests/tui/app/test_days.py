"""Days of running: what is drawn again and again leaves nothing behind."""

from __future__ import annotations

import gc
from collections import Counter

from tests.tui.app.test_app import Board, board

WARM = 20
MEASURED = 20
WINDOWS = 4
DRAWN = ("textual", "rich", "memtop.tui")
"""Where the types of what is drawn come from; tests/engine/test_bounds.py is about the others."""


async def drawn(it: Board, count: int) -> Counter[str]:
    """Take so many samples, each of which moves the chart and the rows. The objects of the screen then, by type."""
    for number in range(count):
        it.source.processes[40].rss_pages += 1 if number % 2 else -1
        it.source.processes[20].cpu_ticks += 3
        await it.tick()
    gc.collect()
    return Counter(type(found).__qualname__ for found in gc.get_objects() if type(found).__module__.startswith(DRAWN))


async def test_what_is_drawn_again_and_again_leaves_nothing_behind() -> None:
    """A leak shows in every window of samples; a cache that fills later than the others, in one of them."""
    left: list[int] = []
    async with board() as it:
        before = await drawn(it, WARM)
        while len(left) < WINDOWS and (not left or left[-1] >= MEASURED):
            now = await drawn(it, MEASURED)
            left.append(now.total() - before.total())
            before = now
    assert min(left) < MEASURED, "less than one object for each picture"

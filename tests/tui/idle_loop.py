"""Event loop that says when it has nothing left to do, so that tests of the screen need not sleep."""

from __future__ import annotations

import asyncio
import selectors
from typing import Final

SOON_S: Final = 0.02
"""A timer due within this time belongs to what is going on: Textual draws what has changed 17 ms later at most."""
LONGEST_S: Final = 5.0
"""Something that always has a timer due soon is never idle."""


class _IdleSelector(selectors.DefaultSelector):
    """Wakes those who wait for an idle loop, when the loop would sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[asyncio.Future[None]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As in the base; ``timeout`` is the time to the next timer, 0 where something is ready to run."""
        if not self.waiting or (timeout is not None and timeout < SOON_S):
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            for future in self.waiting:
                if not future.done():
                    future.set_result(None)
            self.waiting.clear()
        return ready


class IdleLoop(asyncio.SelectorEventLoop):
    """See :func:`until_idle`."""

    def __init__(self) -> None:
        self.selector = _IdleSelector()
        super().__init__(self.selector)


async def until_idle(min_sleep: float = 0.0, max_sleep: float = LONGEST_S) -> None:
    """Wait until no callback is ready and no timer is due soon, for at most ``max_sleep`` seconds.

    Other threads are not waited for.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, IdleLoop)
    if min_sleep:
        await asyncio.sleep(min_sleep)
    future = loop.create_future()
    loop.selector.waiting.append(future)
    await asyncio.wait([future], timeout=max_sleep)

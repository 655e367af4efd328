"""Event loop that says when it has nothing left to do, so that tests of the screen need not sleep."""

from __future__ import annotations

import asyncio
import selectors
from typing import Final

SOON_S: Final = 0.02
"""A timer due within this time belongs to what is going on: Textual draws what has changed 17 ms later at most."""
PATIENCE_S: Final = 0.1
"""Sleep after which a timer that is always due soon no longer counts: a screen that ends can leave one running."""


class _IdleSelector(selectors.DefaultSelector):
    """Wakes those who wait for an idle loop, when the loop would sleep."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[asyncio.Future[None]] = []
        self._slept_s = 0.0
        """Since the first of them has waited; on a busy machine this takes longer, and means the same."""

    def wake_when_idle(self, future: asyncio.Future[None]) -> None:
        """Give it a result, see :func:`until_idle`."""
        if not self._waiting:
            self._slept_s = 0.0
        self._waiting.append(future)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As in the base; ``timeout`` is the time to the next timer, 0 or less where something is ready to run."""
        if not self._waiting:
            return super().select(timeout)
        if timeout is not None and timeout < SOON_S and self._slept_s < PATIENCE_S:
            self._slept_s += max(0.0, timeout)
            return super().select(timeout)
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            for future in self._waiting:
                if not future.done():
                    future.set_result(None)
            self._waiting.clear()
        return ready


class IdleLoop(asyncio.SelectorEventLoop):
    """See :func:`until_idle`."""

    def __init__(self) -> None:
        self.selector = _IdleSelector()
        super().__init__(self.selector)


async def until_idle(min_sleep: float = 0.0, max_sleep: float = 0.0) -> None:
    """Wait until no callback is ready and no timer is due soon. Other threads are not waited for.

    The parameters are those of Textual's ``wait_for_idle``; they have no effect.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, IdleLoop)
    idle = loop.create_future()
    loop.selector.wake_when_idle(idle)
    await idle

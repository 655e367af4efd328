"""Keys and pastes do their work in the order in which they were typed.

Textual gives every key at once to the widget that has the focus then, where it waits, and a key with priority acts
before those that wait. On a busy machine Esc followed by a filter finds the dialog still open: the key of the filter is
ignored, and the text of the filter acts as commands. Here a key has acted before the next one is looked at.

Textual 8 has no public method for this, so protected methods of its widgets are called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from textual import events
from textual._callback import invoke
from textual.app import App

if TYPE_CHECKING:
    from textual.dom import DOMNode

LOOK_S: Final = 0.005
"""How often to check whether a new screen is there, or a widget still is."""
PATIENCE_S: Final = 3.0
"""Longest wait for a new screen, or for an answer: nothing that hangs may lock the keyboard."""
ROUNDS: Final = 3
"""How often to follow an answer from its widget to the screen: Enter in the palette submits, chooses, and runs."""


class KeyOrder(App[None]):
    """An application whose keys wait for each other, and for the screens that they open."""

    async def on_event(self, event: events.Event) -> None:
        """Handle an event. Keys and pastes end here, all others go their way through the queues of the widgets."""
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded:
            await super().on_event(event)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._screen_is_ready()
        if isinstance(event, events.Paste):
            await self._handle(event, self.focused or self.screen)
            return
        self.app_focus = True
        if await self._check_bindings(event.key, priority=True):
            return
        target = self.focused or self.screen
        await self._handle(event, target)
        if event.key == "enter":
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._answer_has_arrived(target)

    async def _screen_is_ready(self) -> None:
        while self.screen_stack and not self.screen.is_mounted:
            await asyncio.sleep(LOOK_S)

    async def _handle(self, event: events.Key | events.Paste, target: DOMNode) -> None:
        """What the widgets' queues would do with an event, from ``target`` up to the application, but now."""
        event._set_forwarded()
        for node in target.ancestors_with_self:
            if not node.check_message_enabled(event):
                return
            if node is self:
                await super().on_event(event)
                return
            with node._context():
                for _, method in node._get_dispatch_methods(event.handler_name, event):
                    await invoke(method, event)
            if event._stop_propagation:
                return

    async def _answer_has_arrived(self, target: DOMNode) -> None:
        """A widget that was given Enter answers by a message: wait until that has reached the screen."""
        for _ in range(ROUNDS):
            await self._through(node for node in target.ancestors_with_self if node is not self)

    async def _through(self, nodes: Iterable[DOMNode]) -> None:
        """Wait until each in turn has handled the messages that it has now, or has been closed."""
        for node in nodes:
            reached = asyncio.get_running_loop().create_future()
            if node.call_later(reached.set_result, None):
                while not reached.done() and node.is_running:
                    await asyncio.wait((reached,), timeout=LOOK_S)

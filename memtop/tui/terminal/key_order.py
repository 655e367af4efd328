"""Keys, clicks and pastes do their work in the order in which they were made.

Textual gives every key at once to the widget that has the focus then, where it waits, and a key with priority acts
before those that wait. On a busy machine Esc followed by a filter finds the dialog still open: the key of the filter is
ignored, and the text of the filter acts as commands. Here a key or a click has acted before the next one is looked at.

Textual 8 has no public method for this, so protected methods of its widgets are called.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from textual import events
from textual._callback import invoke
from textual.app import App
from textual.errors import NoWidget

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.driver import Driver

LOOK_S: Final = 0.005
"""How often to check whether a new screen is there, or a widget still is."""
PATIENCE_S: Final = 3.0
"""Longest wait for a new screen, or for an answer: nothing that hangs may lock the keyboard."""
ROUNDS: Final = 3
"""How often to follow an answer from its widget to the screen: Enter in the palette submits, chooses, and runs."""


class KeyOrder(App[None]):
    """An application whose input waits for what the input before has caused, and for the screens that it opens."""

    _waiting: deque[events.Event]

    def __init__(self, driver_class: type[Driver]) -> None:
        super().__init__(driver_class=driver_class)
        self._waiting = deque()

    async def on_event(self, event: events.Event) -> None:
        """Handle an event. Input takes its turn behind the messages that the application has got."""
        if not isinstance(event, (events.InputEvent, events.Paste)) or event.is_forwarded:
            await super().on_event(event)
            return
        if isinstance(event, events.MouseMove) and self._waiting and isinstance(self._waiting[-1], events.MouseMove):
            self._waiting[-1] = event
            return
        self._waiting.append(event)
        if len(self._waiting) == 1:
            self.call_later(self._take)

    async def _take(self) -> None:
        """Handle the first event that waits."""
        event = self._waiting[0]
        try:
            await self._act(event)
        finally:
            self._waiting.popleft()
            if self._waiting:
                self.call_later(self._take)

    async def _act(self, event: events.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._screen_is_ready()
        if not self.screen_stack:
            return  # the end has begun
        target = self._target(event)
        if not isinstance(event, (events.Key, events.Paste)):
            await super().on_event(event)
        elif isinstance(event, events.Paste):
            await self._handle(event, target)
        else:
            self.app_focus = True
            if not await self._check_bindings(event.key, priority=True):
                await self._handle(event, self.focused or self.screen)
        if isinstance(event, events.MouseUp) or (isinstance(event, events.Key) and event.key == "enter"):
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._answer_has_arrived(target)

    def _target(self, event: events.Event) -> DOMNode:
        if isinstance(event, events.MouseEvent):
            with suppress(NoWidget):
                return self.get_widget_at(event.x, event.y)[0]
        return self.focused or self.screen

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
        """A widget answers Enter and a click by a message: wait until that has reached the screen."""
        for _ in range(ROUNDS):
            await self._through(node for node in target.ancestors_with_self if node is not self)

    async def _through(self, nodes: Iterable[DOMNode]) -> None:
        """Wait until each in turn has handled the messages that it has now, or has been closed."""
        for node in nodes:
            reached = asyncio.get_running_loop().create_future()
            if node.call_later(reached.set_result, None):
                while not reached.done() and node.is_running:
                    await asyncio.wait((reached,), timeout=LOOK_S)

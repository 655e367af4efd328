"""Base class of the application: a crash prints no Textual traceback, which would show local variables."""

from __future__ import annotations

from functools import partial
from typing import Final

from rich.console import RenderableType
from textual import events
from textual._context import active_message_pump
from textual.app import App, ScreenError
from textual.css.query import QueryError
from textual.dom import DOMNode, NoScreen
from textual.geometry import Size
from textual.timer import Timer, TimerCallback
from textual.widget import MountError
from textual.worker import WorkerFailed, active_worker

from memtop.sanitize import clean
from memtop.tui.drawing.part_styles import PartStylesheet
from memtop.tui.terminal.driver import SafeDriver
from memtop.tui.terminal.key_order import KeyOrder
from memtop.tui.terminal.lifecycle import Life

POLL_S: Final = 0.1
"""How often to check whether a program that was asked to end has ended."""


class SafeApp(KeyOrder):
    """An application that ``run`` can start and end.

    ``life`` is None only in tests, where a pilot runs it without a terminal and raises its exceptions again.
    """

    def __init__(self, life: Life | None = None) -> None:
        super().__init__(driver_class=SafeDriver)
        self.stylesheet = PartStylesheet(variables=self.stylesheet._variables)
        self.life = life
        self._waits_for_end: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Handle an event. A size of the terminal is read again: reports of it do not come in the order of the sizes.

        Textual 8 reports the size of its start through a task, which comes behind the report of a signal that arrives
        while the screen is being composed. The screen stayed at the old size.
        """
        if isinstance(event, events.Resize) and self.life is not None:
            event.size = event.virtual_size = event.container_size = Size(*self.life.terminal.size())
        await super().on_event(event)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End with ``return_code``. If the screen does not close in time, the process ends anyway."""
        super().exit(result, return_code, message)
        if self.life is not None:
            self.life.end(return_code)

    async def action_quit(self) -> None:
        """End. First ask the program that was started with the dashboard to end."""
        supervised = self.life.supervised if self.life is not None else None
        refused = supervised.ask_to_end() if supervised is not None else None
        if supervised is None or refused is None:
            self.exit()
            return
        self.notify(clean(refused), severity="warning", markup=False)
        if self._waits_for_end is None:
            self._waits_for_end = self.set_interval(POLL_S, lambda: None if supervised.running else self.exit())

    def set_timer(
        self, delay: float, callback: TimerCallback | None = None, *, name: str | None = None, pause: bool = False
    ) -> Timer:
        """Call a function once, after ``delay`` seconds.

        Textual 8 forgets the call where the kernel takes the processor away for ``delay`` while the timer starts. It
        waits 8 ms before it passes on a new size; where that was forgotten, no later size reached the screen either.
        """
        call = None if callback is None else partial(self.call_next, callback)
        timer = Timer(self, delay, name=name, callback=call, repeat=0, skip=False, pause=pause)
        timer._start()
        self._timers.add(timer)
        return timer

    def close_screen(self) -> None:
        """Leave the screen because the end has begun elsewhere. Called in the event loop."""
        if not self._exit:
            super().exit()

    def panic(self, *renderables: RenderableType) -> None:
        """Close the screen. Textual's own method would print the renderables: tracebacks with local variables."""
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """As :meth:`panic`. Textual 8 has no public hook between an exception and its printing."""
        self._close_messages_no_wait()

    def _handle_exception(self, error: Exception) -> None:
        """Every exception in a handler, a timer or a worker arrives here (Textual 8 has no public hook for it).

        While the application or a dialog closes, handlers that still run find widgets and screens gone: that is no
        error.
        """
        cause = error.error if isinstance(error, WorkerFailed) else error
        if isinstance(cause, (QueryError, ScreenError, MountError)) and (self._exit or self._in_a_closed_screen()):
            return
        if self.life is not None:
            self.life.fail(cause)
        super()._handle_exception(error)

    def _in_a_closed_screen(self) -> bool:
        """Whether the code that runs belongs to a widget of a screen that has been closed."""
        worker = active_worker.get(None)
        pump = active_message_pump.get(self) if worker is None else worker.node  # Textual says that it is the app's
        if isinstance(pump, App) or not isinstance(pump, DOMNode):
            return False
        try:
            return pump.screen not in self.screen_stack
        except NoScreen:
            return True

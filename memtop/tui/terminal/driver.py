"""Textual's Linux driver, made robust against terminals that vanish, stall or send broken input.

Fixed here, all measured with Textual 8.2.8:

- a terminal that vanishes: Textual loops on end-of-file forever; here the run ends;
- a terminal that stops reading: Textual's event loop blocks on a full queue; here output is dropped until the terminal
  reads again, and then everything is drawn again;
- two sizes in quick succession: Textual's handler asks for the size, the second signal interrupts it and reports the
  new size, and then the first one reports the old size; here the event loop asks for the size, and again when the
  report is handled, see ``safe_app``;
- a SIGCONT without a suspension: Textual starts a second set of threads; here the screen is drawn again;
- bytes that are not UTF-8 on the keyboard: Textual crashes; here they are replaced, see also ``key_parser``;
- output of others to descriptors 1 and 2: the picture is drawn through another descriptor.

Everything is done by overriding methods; nothing in Textual is replaced. Textual's own writer thread is still started
by start_application_mode and waits, idle, because write() does not feed it.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import termios
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from textual import constants, events
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from memtop.errors import starved
from memtop.tui.terminal.key_parser import PASTE_LIMIT_S, KeyParser
from memtop.tui.terminal.lifecycle import TERMINAL_LOST, Life
from memtop.tui.terminal.terminal_state import ENTER_ALTERNATE_SCREEN, background_allowed

if TYPE_CHECKING:
    from textual.app import App

BACKLOG_LIMIT_BYTES: Final = 262_144
"""Most output that waits for the terminal, about ten full screens. More is dropped."""
POLL_MS: Final = 100
"""How often the input thread checks for a lone escape key or the end of a paste; as in Textual."""
UNFINISHED_S: Final = max(PASTE_LIMIT_S, constants.ESCAPE_DELAY) + 1
"""How long after the last input there may be something to check for. Then the thread sleeps until more comes."""
CLOSE_S: Final = 0.3
"""Longest time for the last output when the driver closes."""


class LivingApp(Protocol):
    """The driver's interface to the application; see :class:`memtop.tui.terminal.safe_app.SafeApp`."""

    life: Life | None

    def close_screen(self) -> None:
        """Leave the screen because the end has begun elsewhere. Called in the event loop."""
        ...


class SafeWriter(threading.Thread):
    """Writes to a terminal that may be slow, stuck or gone, and never makes the caller wait."""

    def __init__(self, fd: int, on_lost: Callable[[], None], on_caught_up: Callable[[], None]) -> None:
        super().__init__(name="memtop-output", daemon=True)
        self._fd = fd
        self._on_lost = on_lost
        self._on_caught_up = on_caught_up
        self._changed = threading.Condition()
        self._waiting: list[bytes] = []
        self._backlog_bytes = 0
        self._left_out = False
        self._closing = False
        self._give_up_s = float("inf")

    def write(self, text: str) -> None:
        """Queue ``text``, unless too much is waiting already."""
        data = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._left_out or self._backlog_bytes + len(data) > BACKLOG_LIMIT_BYTES:
                self._left_out = True
                return
            self._waiting.append(data)
            self._backlog_bytes += len(data)
            self._changed.notify()

    def close(self) -> bool:
        """Write what is waiting, if the terminal takes it soon. Returns whether it took everything."""
        with self._changed:
            self._closing = True
            self._give_up_s = time.monotonic() + CLOSE_S
            self._changed.notify()
        self.join(2 * CLOSE_S)
        return not (self.is_alive() or self._left_out or self._backlog_bytes)

    def run(self) -> None:
        """Write until closed. Ends early if the terminal has gone."""
        try:
            while data := self._next():
                self._send(data)
        except OSError:
            self._on_lost()

    def _next(self) -> bytes:
        """What is waiting, as one piece; empty at the end."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            data = b"".join(self._waiting)
            self._waiting.clear()
            return data

    def _send(self, data: bytes) -> None:
        poller = select.poll()
        poller.register(self._fd, select.POLLOUT)
        rest = memoryview(data)
        while rest and time.monotonic() < self._give_up_s:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                poller.poll(POLL_MS)
        with self._changed:
            self._backlog_bytes -= len(data) - len(rest)
            caught_up = self._left_out and not self._waiting and not self._closing
            self._left_out = self._left_out and not caught_up
        if caught_up:
            self._on_caught_up()


class PolledEvent(threading.Event):
    """An Event that a poll can wait for, too: its descriptor is readable while it is set."""

    def __init__(self) -> None:
        super().__init__()
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """Its descriptor."""
        return self._fd

    def set(self) -> None:
        """See Event."""
        super().set()
        os.eventfd_write(self._fd, 1)

    def clear(self) -> None:
        """See Event."""
        super().clear()
        with suppress(BlockingIOError):  # it was not set
            os.eventfd_read(self._fd)


class SafeDriver(LinuxDriver):
    """The driver of a ``SafeApp``, which creates it."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        life = cast(LivingApp, app).life
        if life is None:
            raise RuntimeError("a SafeApp is started by memtop.tui.terminal.lifecycle.run")
        self._life = life
        self._terminal = life.terminal
        self.fileno = self._terminal.in_fd
        self.input_tty = os.isatty(self.fileno)
        self.exit_event: PolledEvent = PolledEvent()
        self._writer: SafeWriter | None = None
        self._modes_undone = False

    @property
    def _in_application_mode(self) -> bool:
        return self._key_thread is not None and self._key_thread.is_alive()

    # Output

    def write(self, data: str) -> None:
        """Queue ``data`` for writing. Never waits."""
        if data == ENTER_ALTERNATE_SCREEN and self._terminal.painted:
            # The first picture is shown already, and terminals clear the alternate screen when it is entered again.
            return
        if self._writer is not None:
            self._writer.write(data)

    def _get_terminal_size(self) -> tuple[int, int]:
        return self._terminal.size()

    # Input

    def run_input_thread(self) -> None:
        """Read keys until the driver is stopped or the terminal has gone."""
        parser = KeyParser(self._accepts)
        decode = getincrementaldecoder("utf-8")("replace").decode
        poller = select.poll()
        poller.register(self.fileno, select.POLLIN)
        poller.register(self.exit_event, select.POLLIN)
        heard_s = time.monotonic()
        while not self.exit_event.is_set():
            ready = poller.poll(POLL_MS if time.monotonic() - heard_s < UNFINISHED_S else None)
            if any(fd == self.fileno for fd, _ in ready):
                heard_s = time.monotonic()
                try:
                    raw = os.read(self.fileno, 4096)
                except BlockingIOError:
                    continue
                except OSError:
                    raw = b""
                if not raw:
                    self._lost()
                    return
                if text := decode(raw):
                    self._process(parser.feed(text))
            elif not ready:  # time is up only where nothing more has come: more may lie there since memtop was slow
                self._process(parser.tick())

    def _process(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def _accepts(self, report: events.Resize) -> bool:
        """Whether to believe what was sent as the terminal's size."""
        return self._in_band_window_resize and report.size == self._terminal.size()

    def _run_input_thread(self) -> None:
        # Textual's wrapper prints a traceback with local variables for an exception; threading.excepthook does better.
        self.run_input_thread()

    # Start and stop

    def start_application_mode(self) -> None:
        """Set the terminal's modes and start the threads, unless the end has begun while Textual was starting."""
        if self._life.ending:
            self._life.screen_is_up(self._close_screen)
            return
        self._terminal.enter()
        self._modes_undone = False
        self._writer = SafeWriter(self._terminal.out_fd, self._lost, self._redraw_screen)
        self._writer.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGWINCH, self._on_sigwinch)
        if self._terminal.attributes is not None:
            self.attrs_before = self._terminal.attributes  # those from before the first picture
        self._loop.set_debug(False)  # PYTHONASYNCIODEBUG is for other programs
        self._loop.set_exception_handler(self._callback_failed)
        self._life.screen_is_up(self._close_screen)

    def stop_application_mode(self) -> None:
        """Undo the modes, unless that was done already."""
        if not self._in_application_mode:
            return
        if not self._terminal.in_foreground():
            self.attrs_before = None  # the shell has set its own
        with background_allowed():
            super().stop_application_mode()
        self._modes_undone = True

    def _disable_mouse_support(self) -> None:
        """Also undo reports in pixels, which Textual sets when the terminal answers and leaves on."""
        super()._disable_mouse_support()
        self.write("\x1b[?1016l")

    def disable_input(self) -> None:
        """Stop reading keys."""
        with background_allowed():
            super().disable_input()

    def close(self) -> None:
        """End the writer. If it could not write everything, Terminal.restore mends the terminal."""
        super().close()
        if self._writer is not None:
            if self._writer.close() and self._modes_undone:
                self._terminal.left()
            self._writer = None

    def _callback_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End if the event loop itself lacks something, such as memory. It would say so for each event, at length."""
        error = context.get("exception")
        if isinstance(error, Exception) and starved(error):
            self._life.fail(error)
        else:
            loop.default_exception_handler(context)

    def _close_screen(self) -> None:
        self._loop.call_soon_threadsafe(cast(LivingApp, self._app).close_screen)

    def _lost(self) -> None:
        if not self.exit_event.is_set():
            self._life.end(TERMINAL_LOST)

    def _on_sigwinch(self, *_: int | FrameType | None) -> None:
        with suppress(RuntimeError):  # the event loop has been closed
            self._loop.call_soon_threadsafe(self._report_size)

    def _report_size(self) -> None:
        size = Size(*self._terminal.size())
        self._app.post_message(events.Resize(size, size))

    # Job control. The handlers only schedule work, because it takes locks that the interrupted code may hold.

    def _sigtstp_application(self, *_: int | FrameType | None) -> None:
        self._loop.call_soon_threadsafe(super()._sigtstp_application)

    def _sigcont_application(self, *_: int | FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._continue)

    def _continue(self) -> None:
        """After a SIGCONT: come back from a suspension, or repair what a shell did after a SIGSTOP."""
        if self._life.ending:
            return
        if not self._in_application_mode:
            super()._sigcont_application()
        elif self._terminal.in_foreground():
            with suppress(termios.error):
                attributes = termios.tcgetattr(self.fileno)
                attributes[0] = self._patch_iflag(attributes[0])
                attributes[3] = self._patch_lflag(attributes[3])
                termios.tcsetattr(self.fileno, termios.TCSANOW, attributes)
        self._redraw_screen()

    def _redraw_screen(self) -> None:
        """Have the whole screen drawn again. Any thread may call this."""
        with suppress(RuntimeError):  # the event loop has been closed
            self._loop.call_soon_threadsafe(partial(self._app.call_later, partial(self._app.refresh, layout=True)))

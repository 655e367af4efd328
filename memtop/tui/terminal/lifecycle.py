"""Starts and stops the dashboard: signals, exit codes, restoring the terminal.

Exit codes: 0 for q and the ctrl+c key, 128 + n for signal n, 129 for a vanished terminal, 1 for an internal error. It
imports neither Textual nor Rich, so all this already works while they are being imported.

One thread waits for the first order to end. Signal handlers and other threads only put an order into its queue
(SimpleQueue.put may be called from a signal handler), so no handler ever takes a lock. That thread asks the screen to
close. If that does not happen in time, it restores the terminal and ends the process itself.

Python runs signal handlers in the main thread only, which may hang in a call that no signal interrupts. So the number
of each signal also comes through a pipe, into which the interpreter writes it in whatever thread the kernel has chosen.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Final, Protocol

from memtop.ending_signals import ENDING
from memtop.errors import MemtopError, starved
from memtop.sanitize import clean
from memtop.tui.terminal.terminal_state import Terminal

GRACE_S: Final = 1.0
"""Time for the screen to close by itself after the order."""
EARLY_GRACE_S: Final = 0.2
"""The same while there is no screen yet."""
LIMIT_S: Final = 1.7
"""Time from the first order to the end, whatever hangs. Two seconds are promised."""
PRINTING_S: Final = 0.5
"""Time to show the output of a program that is supervised. A terminal that does not read takes longer."""
TERMINAL_LOST: Final = 128 + signal.SIGHUP
INTERNAL_ERROR: Final = 1
_IGNORED: Final = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that users send by hand to see what a program does. They are no reason to leave the screen."""
TALK_LINES: Final = 40
"""Most lines shown at the end of what libraries and children wrote meanwhile."""


class Runnable(Protocol):
    """An application that draws until its end; see :class:`memtop.tui.terminal.safe_app.SafeApp`."""

    def run(self, *, mouse: bool = True) -> object:
        """Draw until the end. ``mouse`` is whether clicks are reported."""
        ...


class Supervised(Protocol):
    """A program that was started together with the dashboard, and whose end memtop reports."""

    conclude_s: float
    """Longest time that :meth:`conclude` waits for it."""

    @property
    def running(self) -> bool:
        """Whether it has begun and has not ended."""
        ...

    @property
    def exit_code(self) -> int | None:
        """Its exit code as a shell reports it; None while it runs or if it has not begun."""
        ...

    def ask_to_end(self) -> str | None:
        """Ask it to end, more forcefully each time. None after it has ended, otherwise a sentence for the user."""
        ...

    def conclude(self, code: int, *, failed: bool) -> int:
        """End it, or report that it still runs. Turns memtop's exit code into the final one. It may print.

        Two threads may call it; the second one waits for the first.
        """
        ...


class Life:
    """One run of the dashboard, from before the first picture until after the last callback.

    Within its ``with`` block signals are handled, descriptors 1 and 2 do not reach the screen, and an exception becomes
    a short report. A MemtopError is no internal error and is passed to the caller.
    """

    def __init__(self, terminal: Terminal, supervised: Supervised | None = None) -> None:
        self.terminal = terminal
        self.supervised = supervised
        """Concluded last, after the terminal has been restored."""
        self.at_end = ExitStack()
        """``at_end.callback(f)``: f is called once, the last registered first, however the run ends."""
        self.at_end.push(self._note_exception)  # pushed first, so it sees the exceptions of all others
        self.code = 0
        """The exit code, once the end has begun."""
        self._error: BaseException | None = None
        self._failed = False
        """Whether there was an internal error."""
        self._ran_out: str | None = None
        """What there was too little of, if that has ended the run."""
        self._orders: SimpleQueue[tuple[int, BaseException | None]] = SimpleQueue()
        self._wake: tuple[int, int] | None = None
        """Both ends of the pipe that wakes the thread which waits for an order; None if there is no descriptor left."""
        self._close_screen: Callable[[], None] | None = None
        self._decided = threading.Event()
        self._screen_closed = threading.Event()

    def end(self, code: int) -> None:
        """Begin the end.

        The first order counts. Any thread and any signal handler may call this; it returns at once.
        """
        self._order(code, None)

    def fail(self, error: BaseException) -> None:
        """Begin the end because of an internal error. Any thread may call this; it returns at once."""
        self._order(code_of(error), error)

    @property
    def ending(self) -> bool:
        """Whether the end has begun."""
        return self._decided.is_set()

    def screen_is_up(self, close: Callable[[], None]) -> None:
        """Register the screen. ``close``, which another thread calls, asks it to close."""
        self._close_screen = close

    def __enter__(self) -> Life:
        with suppress(OSError):
            self._wake = os.pipe()
            os.set_blocking(self._wake[1], False)
            signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="memtop-shutdown", daemon=True).start()
        threading.excepthook = self._thread_died
        for number in ENDING:
            signal.signal(number, self._on_signal)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        self.terminal.divert()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.end(0)
        self._decided.wait()
        self._screen_closed.set()
        self.terminal.restore()
        handled = self.at_end.__exit__(kind, error, trace)
        self._tell()
        self._conclude()
        if self._ran_out:
            os._exit(self.code)  # Python's own end would need what there is too little of, and say so at length
        for number in ENDING:  # otherwise the interpreter restores the default at its end, which changes the exit code
            signal.signal(number, signal.SIG_IGN)
        return bool(handled)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.end(128 + number)

    def _thread_died(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and args.exc_type is not SystemExit:
            self.fail(args.exc_value)

    def _note_exception(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Answer an internal error with a report. Returns True for such an exception."""
        if not isinstance(error, Exception) or isinstance(error, MemtopError):
            return False
        self._error = self._error or error
        self.code = self.code or code_of(error)
        return True

    def _order(self, code: int, error: BaseException | None) -> None:
        self._orders.put((code, error))
        if self._wake is not None:
            with suppress(BlockingIOError):  # it is full, so the thread wakes anyway
                os.write(self._wake[1], b"\0")

    def _first_order(self) -> tuple[int, BaseException | None]:
        """Wait for it."""
        if self._wake is None:
            return self._orders.get()
        ending: list[int] = []
        while self._orders.empty() and not ending:
            ending = [number for number in os.read(self._wake[0], 64) if number in ENDING]
        return (128 + ending[0], None) if self._orders.empty() else self._orders.get()

    def _watch(self) -> None:
        """Wait for the first order to end, then carry it out."""
        self.code, self._error = self._first_order()
        limit_s = time.monotonic() + LIMIT_S
        self._decided.set()
        closed = self._close_screen is None and self._screen_closed.wait(EARLY_GRACE_S)
        if not closed and self._close_screen is not None:
            with suppress(RuntimeError):  # the event loop has already been closed
                self._close_screen()
            closed = self._screen_closed.wait(GRACE_S)
        if closed:  # the main thread and the interpreter do the rest; both may hang
            time.sleep(max(0.0, limit_s - time.monotonic()))
        else:
            self.terminal.restore()
            # Textual may still capture what is printed.
            sys.stdout, sys.stderr = sys.__stdout__ or sys.stdout, sys.__stderr__ or sys.stderr
            last_words = threading.Thread(target=self._close_without_screen, daemon=True)
            last_words.start()
            last_words.join(max(0.0, limit_s - time.monotonic()))
        self._conclude_in_time()
        self.terminal.restore()
        os._exit(self.code)

    def _conclude_in_time(self) -> None:
        """Conclude the program that is supervised, if nothing has done so. What it prints may block."""
        if self.supervised is None:
            return
        conclusion = threading.Thread(target=self._conclude, daemon=True)
        conclusion.start()
        conclusion.join(self.supervised.conclude_s + PRINTING_S)
        if conclusion.is_alive():
            self.code = self.supervised.exit_code or self.code

    def _close_without_screen(self) -> None:
        self.at_end.close()
        self._tell()

    def _tell(self) -> None:
        """Write to standard error what could not be written while the screen was drawn."""
        talk = self.terminal.undivert().splitlines()[-TALK_LINES:]
        lines = [clean(line) for line in talk]
        if self._error is not None:
            self._failed = True
            error, self._error = self._error, None
            reason = self._ran_out = starved(error)
            lines.append(f"memtop: {reason}" if reason else _report(error))
        if self.terminal.was_raw:
            lines.append("memtop: this terminal was in raw mode before; memtop --reset-terminal repairs it")
        if lines:
            with suppress(OSError):  # the terminal may have gone
                os.write(2, ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))

    def _conclude(self) -> None:
        if self.supervised is not None:
            self.code = self.supervised.conclude(self.code, failed=self._failed)


def _report(error: BaseException) -> str:
    """Write the report of an internal error. Returns the line that names it."""
    from memtop.tui.terminal import crash_report  # noqa: PLC0415 (7 ms, which the first picture would wait for)

    return crash_report.write(error)


def code_of(error: BaseException) -> int:
    """The exit code after an unhandled exception: something has run out, or memtop has failed."""
    return MemtopError.exit_code if starved(error) else INTERNAL_ERROR


def run(make_app: Callable[[Life], Runnable], *, mouse: bool = True, supervised: Supervised | None = None) -> int:
    """Run the application that ``make_app`` creates, in the terminal on standard output. Returns the exit code.

    ``make_app`` may draw (``life.terminal.show``), import large modules, and register what must be closed
    (``life.at_end.callback``). Raises UsageError if there is no terminal, and any MemtopError of ``make_app``. Call it
    once, in the main thread, as the last thing that a process does: two seconds after the order to end, the process is
    gone.
    """
    life = Life(Terminal(), supervised)
    with life:
        app = make_app(life)
        if not life.ending:
            app.run(mouse=mouse)
    return life.code

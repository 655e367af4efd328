"""Terminal modes: saves them at start, sets those of the dashboard, and restores them.

It imports nothing large, so that a terminal is protected while Textual is still being imported. See termios(3),
tty_ioctl(4), console_codes(4), memfd_create(2).
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from memtop.errors import UsageError

ENTER_ALTERNATE_SCREEN: Final = "\x1b[?1049h"
RESET: Final = (
    "\x1b[?2026l"  # synchronized output
    "\x1b[?2004l"  # bracketed paste
    "\x1b[?7h"  # wrap at the right edge
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # mouse
    "\x1b[?2048l"  # resize reports
    "\x1b[<u"  # kitty's keyboard protocol; it belongs to the alternate screen, so it comes before that
    "\x1b[?1049l"  # alternate screen
    "\x1b[?25h"  # cursor
    "\x1b[?1004l"  # focus reports
    "\x1b[0m"
)
"""Undoes every mode that Textual 8 sets. It is harmless if a mode is not set."""
MOST_COLUMNS: Final = 1_000
MOST_LINES: Final = 400
"""Largest picture that is drawn: more than a wall of screens has."""
TALK_LIMIT_BYTES: Final = 65_536
"""Most bytes kept of what is written to descriptors 1 and 2 while the screen is drawn."""


def reset_terminal() -> None:
    """Repair a terminal that a killed program has left behind: modes off, and out of raw mode, see termios(3).

    Raises UsageError if there is no terminal.
    """
    fd = next((fd for fd in (1, 0, 2) if os.isatty(fd)), None)
    if fd is None:
        raise UsageError("there is no terminal to reset")
    attributes = termios.tcgetattr(fd)
    attributes[0] |= termios.ICRNL | termios.IXON
    attributes[1] |= termios.OPOST | termios.ONLCR
    attributes[3] |= termios.ISIG | termios.ICANON | termios.IEXTEN | termios.ECHO | termios.ECHOE | termios.ECHOK
    with background_allowed():
        termios.tcflush(fd, termios.TCIFLUSH)
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
        os.write(fd, RESET.encode())


def speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale allows more than ASCII. An unset locale does. See locale(7).

    Python itself turns a mere LANG=C into C.UTF-8 (PEP 538), so what remains are LC_ALL=C and old character sets.
    """
    said = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "utf-8"
    return "utf8" in said.lower().replace("-", "")


@contextmanager
def background_allowed() -> Iterator[None]:
    """A context in which a background job may change the terminal. Otherwise SIGTTOU would stop it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Terminal:
    """The terminal on standard output, through its own descriptor.

    Raises UsageError if standard output is no terminal.
    """

    def __init__(self) -> None:
        if sys.__stdin__ is None or not os.isatty(1):
            raise UsageError("the dashboard needs a terminal; use --json, --csv or -b without one")
        self.out_fd = _reopen(1)
        """It does not block, and is closed on exec."""
        self.in_fd = 0 if os.isatty(0) else self.out_fd
        """Keys come from the terminal even if standard input is something else, as with less(1)."""
        self.attributes: list[Any] | None = None
        """The result of tcgetattr before anything was changed; None while nothing was."""
        self.entered = False
        """Whether modes may be set that have to be undone."""
        self.painted = False
        """Whether the alternate screen was entered and shows the first picture."""
        self._diverted: dict[int, int] = {}
        self._talk_fd = -1

    def size(self) -> tuple[int, int]:
        """(columns, lines) to draw on; 80 x 24 if the terminal does not know.

        Anything can be set as the size, up to 65535 x 65535, which takes minutes to draw.
        """
        try:
            width, height = os.get_terminal_size(self.out_fd)
        except OSError:
            return 80, 24
        return min(width or 80, MOST_COLUMNS), min(height or 24, MOST_LINES)

    def in_foreground(self) -> bool:
        """Whether this process may use the terminal now; False while it is a background job of a shell."""
        try:
            return os.tcgetpgrp(self.in_fd) == os.getpgrp()
        except OSError:
            return True  # it is not our controlling terminal: there is no job control on it

    def enter(self) -> None:
        """Save the state of the terminal before modes are set."""
        if self.entered:
            return
        self.entered = True
        try:
            self.attributes = termios.tcgetattr(self.in_fd)
        except termios.error:
            self.attributes = None

    @property
    def was_raw(self) -> bool:
        """Whether the terminal was found without echo and line input, as a killed program leaves it."""
        return self.attributes is not None and not self.attributes[3] & (termios.ECHO | termios.ICANON)

    def left(self) -> None:
        """Another program has undone every mode."""
        self.entered = self.painted = False

    def show(self, text: str) -> None:
        """Draw ``text`` on the alternate screen, before Textual has been imported.

        What the terminal does not take at once is dropped. A background job draws nothing.
        """
        if not self.in_foreground():
            return
        self.enter()
        with suppress(termios.error):
            attributes = termios.tcgetattr(self.in_fd)
            # Keys typed from now on are not echoed over the picture, and wait for the application to read them.
            attributes[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
            termios.tcsetattr(self.in_fd, termios.TCSANOW, attributes)
        data = (ENTER_ALTERNATE_SCREEN + text).encode("utf-8", "backslashreplace")
        with suppress(OSError):
            self.painted = os.write(self.out_fd, data) > len(ENTER_ALTERNATE_SCREEN)

    def restore(self) -> None:
        """Undo every mode. Never waits and never raises. Any thread may call it, more than once."""
        if not self.entered:
            return
        self.entered = False
        with background_allowed():
            _send_at_once(self.out_fd, RESET.encode())
            with suppress(termios.error):
                termios.tcflush(self.in_fd, termios.TCIFLUSH)  # mouse reports must not reach the shell
                if self.attributes is not None and self.in_foreground():
                    termios.tcsetattr(self.in_fd, termios.TCSANOW, self.attributes)

    def divert(self) -> None:
        """Keep what C code and children write to descriptors 1 and 2 from now on, instead of drawing it."""
        self._talk_fd = _bounded_file()
        _flush_streams()
        try:
            for fd in (1, 2):
                if os.isatty(fd):
                    self._diverted[fd] = os.dup(fd)
                    os.dup2(self._talk_fd, fd)
        except OSError:  # too many open files: both are as before
            self.undivert()
            raise

    def undivert(self) -> bytes:
        """Restore descriptors 1 and 2. Returns what was written to them meanwhile."""
        if self._talk_fd < 0:
            return b""
        _flush_streams()
        while self._diverted:
            fd, original = self._diverted.popitem()
            os.dup2(original, fd)
            os.close(original)
        talk_fd, self._talk_fd = self._talk_fd, -1
        try:
            return os.pread(talk_fd, TALK_LIMIT_BYTES, 0).rstrip(b"\0")
        finally:
            os.close(talk_fd)


def _reopen(fd: int) -> int:
    """Open our own description of the same terminal, because O_NONBLOCK on a dup would affect the shell's as well."""
    flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
    with suppress(OSError):
        return os.open(f"/proc/self/fd/{fd}", flags)
    with suppress(OSError):  # after su the terminal's file belongs to another user, but every user may open /dev/tty
        os.tcgetpgrp(fd)  # fails unless it is our controlling terminal
        return os.open("/dev/tty", flags)
    return os.dup(fd)


def _send_at_once(fd: int, data: bytes) -> None:
    """Write ``data`` without waiting. It replaces output that the terminal has not taken yet."""
    with suppress(OSError, termios.error):
        blocking = os.get_blocking(fd)
        os.set_blocking(fd, False)
        try:
            try:
                sent = os.write(fd, data)
            except BlockingIOError:
                sent = 0
            if sent < len(data):
                termios.tcflush(fd, termios.TCOFLUSH)
                os.write(fd, data)
        finally:
            os.set_blocking(fd, blocking)


def _bounded_file() -> int:
    """Create a file in memory that cannot grow: a library that writes without end must not use up the memory."""
    try:
        fd = os.memfd_create("memtop-talk", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, TALK_LIMIT_BYTES)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
        except OSError:
            os.close(fd)
            raise
    except OSError:  # refused by a sandbox: the text is lost, the picture is not
        return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    return fd


def _flush_streams() -> None:
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()

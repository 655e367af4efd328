"""The pipe that a started program writes into, and the process that moves its content into the log.

A program could empty a file that is its standard output, and with it all that was written before: ``echo x >
/dev/stderr`` does that. Nothing is lost of what goes through a pipe. The process that reads it is not memtop's own: the
program would end by SIGPIPE with memtop. It ends when no process has the output open anymore.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import threading
import time
from contextlib import suppress
from mmap import mmap
from typing import Final

from memtop.cli.output_log import OutputLog
from memtop.preflight import restore_oom_score_adj

PIPE_BYTES: Final = 1 << 20
"""So much the program can write while the keeper gets no processor; 1 MiB is what every user may ask for."""
SETTLE_S: Final = 2.0
"""How long :meth:`OutputKeeper.settle` waits for what was written: a disk may hang."""
LAST_WRITER_S: Final = 0.3
"""Time in which processes of a program end that end with it."""
_POLL_S: Final = 0.005
_BUSY, _ENDED = 0, 1
"""Positions in the memory that memtop and the keeper share."""


class OutputKeeper:
    """Moves what is written to ``fd`` into a log, in a process of its own. Raises OSError if none can be started.

    If that process is killed, a thread of memtop takes its place.
    """

    def __init__(self, log: OutputLog) -> None:
        self._log = log
        self._state = mmap(-1, 2)
        self._out, self.fd = os.pipe()
        with suppress(OSError):  # the limit for pipes of this user is reached
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            self.pid = os.fork()
        except OSError:
            os.close(self._out)
            self.close()
            raise
        if self.pid == 0:
            try:
                self._keep()
            finally:
                os._exit(1)

    def close(self) -> None:
        """Close memtop's end of the pipe, after the program has got it."""
        os.close(self.fd)

    def watch(self) -> None:
        """Start the thread that takes the place of a process that is killed. RuntimeError if none can be started."""
        threading.Thread(target=self._take_its_place, name="memtop-log", daemon=True).start()

    def settle(self, last_writer_s: float) -> bool:
        """Wait until all that was written is in the log. Returns whether no process has the output open anymore.

        So long it waits for processes that end with the program.
        """
        began_s, moved_s = time.monotonic(), None
        while not self._state[_ENDED]:
            now_s = time.monotonic()
            if moved_s is None and self._is_empty():
                moved_s = now_s
            if now_s - began_s > SETTLE_S or (moved_s is not None and now_s - moved_s >= last_writer_s):
                return False
            time.sleep(_POLL_S)
        return True

    def _is_empty(self) -> bool:
        """Whether the pipe is empty and its last bytes are in the log. The keeper is busy before it reads."""
        (waiting,) = struct.unpack("i", fcntl.ioctl(self._out, termios.FIONREAD, b"\0" * 4))
        return not waiting and not self._state[_BUSY]

    def _take_its_place(self) -> None:
        with suppress(OSError):  # a sandbox refuses to wait
            os.waitpid(self.pid, 0)
            self._pump(self._out)

    # In the process

    def _keep(self) -> None:
        """Leave the terminal and its signals, hold nothing but the pipe and the log, and pump."""
        with suppress(OSError):
            os.setsid()
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
            with suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        restore_oom_score_adj()  # the program needs its reader
        null = os.open(os.devnull, os.O_RDWR)
        self._log.move_to(1)
        os.dup2(self._out, 0)
        os.dup2(null, 2)
        for name in os.listdir("/proc/self/fd"):  # by number it would take minutes where the limit is a billion
            if int(name) > 2:
                with suppress(OSError):
                    os.close(int(name))
        self._pump(0)
        self._log.discard_if_shown()
        os._exit(0)

    def _pump(self, source: int) -> None:
        """Move all that comes until no process can write anymore."""
        ready = select.poll()
        ready.register(source, select.POLLIN)
        while not self._state[_ENDED]:
            ready.poll()
            self._state[_BUSY] = 1
            data = os.read(source, PIPE_BYTES)
            if data:
                self._log.write(data)
            else:
                self._state[_ENDED] = 1
            self._state[_BUSY] = 0

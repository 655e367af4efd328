"""The started program as a child process: its exit status, whatever way the kernel permits to learn it, and signals."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Final

from memtop.errors import ParseError
from memtop.procfs.stat import parse_stat
from memtop.sources.live.bounded_read import read_file
from memtop.sources.live.exits import status_of
from memtop.sources.protocol import READ_LIMIT

POLL_S: Final = 0.02
"""How often the end is looked for where the kernel does not let a thread wait for it."""
UNKNOWN: Final = 1 << 8
"""The wait(2) status where another part of this process has collected it: a failure, because nothing says otherwise."""


class Child:
    """A child that :meth:`collect` waits for. ``status`` is its wait(2) status, None before it was collected."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self._collecting = threading.Lock()
        """Held while its status is collected, and while a signal is sent: until then no other process has its PID."""

    def collect(self) -> int:
        """Wait for its end, and return its status."""
        with suppress(OSError):  # a sandbox may refuse it: then the end is looked for again and again
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        while True:
            with self._collecting:
                self.status = status = _collected(self.pid)
            if status is not None:
                return status
            time.sleep(POLL_S)

    def send(self, number: signal.Signals) -> bool:
        """Send a signal unless its status was collected. Returns False if that is refused, as with sudo(8)."""
        with self._collecting:
            try:
                if self.status is None:
                    os.kill(self.pid, number)
            except OSError:
                return False
        return True


def _collected(pid: int) -> int | None:
    """The status of a child that has ended; None while it runs. A sandbox may refuse each way but the last."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except OSError:
        pass
    else:
        return status if ended else None
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
    except OSError:
        return _of_zombie(pid)
    return None if found is None else status_of(found)


def _of_zombie(pid: int) -> int | None:
    """What /proc/PID/stat says; the child stays a zombie until memtop ends."""
    try:
        stat = parse_stat(read_file("/", f"proc/{pid}/stat", READ_LIMIT))
    except (FileNotFoundError, ProcessLookupError):
        return UNKNOWN
    except (OSError, ParseError):
        return None
    return stat.exit_code if stat.state == "Z" else None

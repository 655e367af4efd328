"""``memtop -- COMMAND``: starts a program, watches it from its first page, and exits with its exit code.

The child waits on a pipe until memtop has taken its first samples, and becomes the program only then. On a screen its
output goes to a file, whose end is shown when the screen has gone; without a screen it keeps the streams it inherits.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from memtop.errors import UsageError
from memtop.preflight import restore_oom_score_adj
from memtop.sanitize import clean
from memtop.sources.live import exits

TAIL_LINES: Final = 40
"""Most lines of its output that are shown at the end."""
TAIL_BYTES: Final = 16_384
GRACE_S: Final = 1.0
"""For the program to end once memtop does."""
NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126


class Launch:
    """A program that has been prepared, runs, or has ended. Raises UsageError where it cannot be started."""

    def __init__(self, command: Sequence[str], *, quiet: bool) -> None:
        self.command = tuple(command)
        self.log: Path | None = None
        self._status: int | None = None
        self._ended = threading.Event()
        gate_out, self._gate = os.pipe()
        self._failure, failure_in = os.pipe()
        sink = None
        if quiet:
            sink, name = tempfile.mkstemp(prefix="memtop-", suffix=".log")
            self.log = Path(name)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _become(self.command, gate_out, self._gate, failure_in, sink)
        os.close(gate_out)
        os.close(failure_in)
        if sink is not None:
            os.close(sink)

    def go(self) -> None:
        """Let it begin; from now on it is waited for, so that its end can be told."""
        os.write(self._gate, b"!")
        os.close(self._gate)
        failed = os.read(self._failure, 16)
        os.close(self._failure)
        threading.Thread(target=self._wait, name="memtop-launch", daemon=True).start()
        if failed:
            self._ended.wait(GRACE_S)
            self.forget_output()
            raise UsageError(f"{clean(self.command[0])}: {os.strerror(int(failed))}")

    @property
    def exit_code(self) -> int | None:
        """As a shell tells it, 128 and the signal where one ended it; None while it runs."""
        if self._status is None:
            return None
        return 128 + os.WTERMSIG(self._status) if os.WIFSIGNALED(self._status) else os.WEXITSTATUS(self._status)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, after so long at most."""
        return self._ended.wait(seconds)

    def stop(self) -> None:
        """End it with memtop: SIGTERM, and a moment to obey."""
        if not self._ended.is_set():
            os.kill(self.pid, signal.SIGTERM)
            self._ended.wait(GRACE_S)

    def show_output(self) -> None:
        """The last lines of what it wrote, on the streams of memtop, and where all of it is."""
        if self.log is None:
            return
        data = self.log.read_bytes()
        lines = data[-TAIL_BYTES:].splitlines()[-TAIL_LINES:]
        if len(lines) < len(data.splitlines()):
            print(f"memtop: the whole output is in {self.log}", file=sys.stderr)
        else:
            self.forget_output()
        for line in lines:
            print(clean(line))

    def forget_output(self) -> None:
        """Remove the file of its output."""
        if self.log is not None:
            self.log.unlink(missing_ok=True)
            self.log = None

    def _wait(self) -> None:
        while True:
            try:
                _, self._status = os.waitpid(self.pid, 0)
            except ChildProcessError:
                self._status = 0
            except InterruptedError:
                continue
            exits.collected[self.pid] = self._status  # the kernel tells it no more, unless it is 6.15 or newer
            self._ended.set()
            return


def _become(command: Sequence[str], gate: int, gate_in: int, failure: int, sink: int | None) -> None:
    """What the child does: wait, then become the program. Never returns."""
    code = NOT_EXECUTABLE
    try:
        os.close(gate_in)
        os.set_inheritable(failure, False)
        if sink is not None:
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        if os.read(gate, 1):  # nothing: memtop has gone
            restore_oom_score_adj()
            os.execvp(command[0], list(command))
    except OSError as error:
        code = NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
        os.write(failure, b"%d" % (error.errno or errno.EINVAL))
    finally:
        os._exit(code)

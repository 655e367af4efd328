"""``memtop -- COMMAND``: starts a program, watches it from its first page, and exits with its exit code.

The child waits on a pipe until memtop has taken its first samples; then it executes the program. On a screen its output
goes to a file, by way of a keeper, and the end of that file is shown after the screen has closed. Without a screen the
program keeps the streams that it inherits.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Final

from memtop import units
from memtop.cli.child import Child
from memtop.cli.output import say
from memtop.cli.output_keeper import LAST_WRITER_S, OutputKeeper
from memtop.cli.output_log import DEFAULT_LIMIT_BYTES, OutputLog
from memtop.ending_signals import ENDING
from memtop.errors import UsageError
from memtop.preflight import restore_oom_score_adj
from memtop.sanitize import clean
from memtop.sources.live import exits

GRACE_S: Final = 1.0
"""Time from SIGTERM to the report that the program still runs."""
KEY_GRACE_S: Final = 0.2
"""How long a key that quits waits for the program before the screen says that it still runs."""
KILLED_S: Final = 1.0
"""Time that the kernel has to end a program after SIGKILL."""
RUNS_ON: Final = 6
"""Exit code of memtop if the program did not end with it."""
NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
_PR_SET_PDEATHSIG: Final = 1
"""linux/prctl.h"""


class Launch:
    """A program that was prepared, runs, or has ended.

    ``kill_after_s`` is the time from SIGTERM to SIGKILL when memtop ends; None never sends SIGKILL. Raises UsageError
    if the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        quiet: bool,
        kill_after_s: float | None = None,
        log_limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.command = tuple(command)
        self.conclude_s = GRACE_S if kill_after_s is None else kill_after_s + KILLED_S
        """Longest time that :meth:`conclude` waits."""
        self._kill_after_s = kill_after_s
        self._begun = False
        self._asked_to_end = False
        self._concluded: int | None = None
        self._deciding = threading.RLock()
        """Held while the program begins, and while it is concluded: either it never begins or it is ended."""
        self._ended = threading.Event()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # one that came now would leave the file behind
        try:
            self._log = OutputLog(log_limit_bytes) if quiet else None
            self._keeper: OutputKeeper | None = None
            self._prepare(before)
            for number in ENDING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, self._end_early)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _prepare(self, mask: Iterable[int]) -> None:
        """Fork the child, which waits. Nothing is left behind if there are too many descriptors or processes."""
        try:
            if self._log is not None:
                self._keeper = OutputKeeper(self._log)
            gate_out, self._gate = os.pipe()
            self._failure, failure_in = os.pipe()
            sys.stdout.flush()
            sys.stderr.flush()
            # Where memtop was started with SIGCHLD ignored, the kernel would keep no status of its children.
            of_children = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._child = Child(os.fork())
            if self._child.pid == 0:
                signal.signal(signal.SIGCHLD, of_children)
                sink = None if self._keeper is None else self._keeper.fd
                _become(self.command, gate_out, self._gate, failure_in, sink=sink, mask=mask)
            os.close(gate_out)
            os.close(failure_in)
        except OSError:
            if self._log is not None:
                self._log.discard()
            raise
        finally:
            if self._keeper is not None:
                self._keeper.close()

    def _end_early(self, number: int, frame: FrameType | None) -> None:
        """Answer a signal until the screen or the batch output does."""
        os._exit(self.conclude(128 + number))

    def go(self) -> None:
        """Let the program begin, unless the end has begun. Raises UsageError if it cannot be executed.

        RuntimeError if no thread can be started; then the program has not begun.
        """
        with self._deciding:
            if self._concluded is not None:
                return
            if self._keeper is not None:
                self._keeper.watch()
            threading.Thread(target=self._wait, name="memtop-launch", daemon=True).start()
            self._begun = True
            with suppress(BrokenPipeError):  # the child was killed: its status says so
                os.write(self._gate, b"!")
        failed = os.read(self._failure, 16)
        if failed:
            self._ended.wait(GRACE_S)
            self._begun = False
            raise UsageError(f"{clean(self.command[0])}: {os.strerror(int(failed))}")

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.pid

    @property
    def started(self) -> bool:
        """Whether the program has begun. Then its exit status counts."""
        return self._begun

    @property
    def running(self) -> bool:
        """Whether the program has begun and has not ended."""
        return self._begun and not self._ended.is_set()

    @property
    def exit_code(self) -> int | None:
        """The exit code as a shell reports it: 128 + the number if a signal ended it. None while it runs."""
        status = self._child.status
        if status is None:
            return None
        return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

    def wait(self, seconds: float) -> bool:
        """Wait at most this time. Returns whether the program has ended."""
        return self._ended.wait(seconds)

    def ask_to_end(self) -> str | None:
        """Send SIGTERM at the first call and SIGKILL at the next.

        None when memtop can end: after the end of the program, or when asked again about one that may not be signaled.
        Otherwise a sentence for the user.
        """
        if not self.running:
            return None
        if self._asked_to_end:
            if not self._child.send(signal.SIGKILL):
                return None
            return None if self._ended.wait(KILLED_S) else f"{self._name()} has not ended after SIGKILL"
        self._asked_to_end = True
        if not self._terminate():
            return f"{self._name()} may not be sent a signal (not permitted); quit again to leave it running"
        if self._ended.wait(KEY_GRACE_S):
            return None
        return f"{self._name()} is still running after SIGTERM; quit again to send SIGKILL"

    def conclude(self, code: int, *, failed: bool = False) -> int:
        """End the program with memtop, show the end of its output, report if it still runs. Returns memtop's exit code.

        ``code`` is memtop's own, which counts only if the program never began. A program is left running if memtop
        itself has ``failed``. A second call waits for the first, and changes nothing.
        """
        with self._deciding:
            if self._concluded is None:
                self._concluded = self._conclude(code, failed=failed)
            return self._concluded

    def _conclude(self, code: int, *, failed: bool) -> int:
        if not self._begun:
            self._release()
            return code
        if not failed:
            self._stop()
        if self.running:
            say(f"{self._name()} is still running{self._where()}; memtop no longer watches it")
            return RUNS_ON
        self._show_output()
        return self.exit_code or 0

    def _stop(self) -> None:
        if self._ended.is_set() or not self._terminate():
            return
        self._ended.wait(GRACE_S if self._kill_after_s is None else self._kill_after_s)
        if not self._ended.is_set() and self._kill_after_s is not None:
            self._child.send(signal.SIGKILL)
            self._ended.wait(KILLED_S)

    def _terminate(self) -> bool:
        """Send SIGTERM, and SIGCONT: a stopped program would get no signal before it continues."""
        return self._child.send(signal.SIGTERM) and self._child.send(signal.SIGCONT)

    def _name(self) -> str:
        return f"{clean(self.command[0])} (pid {self.pid})"

    def _where(self) -> str:
        """Where the output of a program goes that still runs."""
        if self._log is None or self._keeper is None:
            return ""
        self._keeper.settle(0)
        link = f"/proc/{self._keeper.pid}/fd/1"
        was_removed = self._log.rescue()
        if self._log.path is None:
            return f", its output is in {link}"
        so_far = f", its output {'until now ' * was_removed}is in {self._log.path}"
        return so_far + f", what follows is in {link}" * was_removed

    def _show_output(self) -> None:
        """Show where the whole output is, then its last lines. The file is removed if those lines are all of it."""
        if self._log is None or self._keeper is None:
            return
        still_open = not self._keeper.settle(LAST_WRITER_S)
        size = self._log.size_bytes
        tail = self._log.tail()
        whole = tail.complete and not still_open
        if not whole:
            self._log.rescue()
            say(self._kept(still_open=still_open))
        if tail.lines and not _print_lines(tail.lines):
            say(self._kept(still_open=still_open))
        elif whole:
            self._log.discard()
        elif tail.complete:
            self._log.note_shown(size)

    def _kept(self, *, still_open: bool) -> str:
        """How much of the output is kept, and where."""
        assert self._log is not None and self._keeper is not None
        size, kept, lost, path = self._log.size_bytes, self._log.kept_bytes, self._log.lost_bytes, self._log.path
        if path is None and not still_open:
            return f"only the last lines of {units.long_size(size)} of output are kept: no directory is writable"
        if self._log.was_cut:
            text = f"another process has emptied the file of the output meanwhile; the rest is in {path}"
        elif lost:
            text = f"the disk was full: {units.long_size(lost)} of {units.long_size(size)} of output are lost"
            text += f", the rest is in {path}"
        elif kept < size:
            text = f"the last {units.long_size(kept)} of {units.long_size(size)} of output are in {path}"
        else:
            text = f"the complete output is in {path or f'/proc/{self._keeper.pid}/fd/1'}"
        return text + f"; processes that {clean(self.command[0])} has started can still write there" * still_open

    def _release(self) -> None:
        """End a child that has not begun. A signal may call it again meanwhile."""
        gate, self._gate = self._gate, -1
        if gate >= 0:
            os.close(gate)
        if not self._ended.is_set():
            self._child.collect()
        if self._log is not None:
            self._log.discard()

    def _wait(self) -> None:
        """Collect its status when it ends."""
        # The kernel reports it no more, unless it is Linux 6.15 or newer.
        exits.collected[self.pid] = self._child.collect()
        self._ended.set()


def _print_lines(lines: Sequence[str]) -> bool:
    """Write lines to standard output. Returns whether all were written."""
    try:
        sys.stdout.flush()
        text = "".join(f"{line}\n" for line in lines)
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding, "backslashreplace"))
        sys.stdout.flush()
    except (OSError, ValueError):
        return False
    return True


def _leave_terminal() -> None:
    """Let the program have no terminal: it could take the keys of the screen from memtop; see credentials(7).

    Where memtop leads the session, the kernel ends the program with it, and still does; prctl(2).
    """
    if os.getsid(0) == os.getppid():
        import ctypes  # noqa: PLC0415 (12 ms, which only the child pays, and seldom)

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)
    os.setsid()


def _become(
    command: Sequence[str], gate: int, gate_in: int, failure: int, *, sink: int | None, mask: Iterable[int]
) -> None:
    """Runs in the child: wait, then execute the program with this signal mask. Never returns."""
    code = NOT_EXECUTABLE
    try:
        os.close(gate_in)
        os.set_inheritable(failure, False)
        if sink is not None:
            _leave_terminal()
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
        for number in signal.valid_signals():  # what was ignored before memtop (nohup) stays ignored
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # ignored by Python itself
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if os.read(gate, 1):  # end of file: memtop has ended
            restore_oom_score_adj()
            os.execvp(command[0], list(command))
    except OSError as error:
        code = NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
        os.write(failure, b"%d" % (error.errno or errno.EINVAL))
    finally:
        os._exit(code)

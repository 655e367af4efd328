"""The exception types of memtop.

::

    MemtopError
    ├── ProcessGone      the process has ended, or was never there (ENOENT, ESRCH)
    ├── AccessDenied     the kernel does not let this user read it (EACCES, EPERM)
    ├── Unavailable      this kernel or mount does not have it
    │   ├── NotRecorded  the recording does not have it: it was not read when recorded
    │   └── RanOut       memtop itself lacks a thread, memory or an open file to read it
    ├── Blocked          a reading has not answered within its deadline
    ├── ParseError       bytes that are not what the manual page promises
    ├── RecordingError   a recording that cannot be written or read
    │   └── DamagedError    bytes of a recording that memtop has not written so
    ├── ReaderGone       the reader of a stream has closed it
    ├── ActionRefused    a signal or a renice that was not carried out
    └── UsageError       the command line asks for something impossible

``OSError`` becomes one of these in :mod:`memtop.sources.protocol`; no other room sees an errno.

What ends memtop gives the exit code, and each code has one meaning::

    0      done, or the process is fine
    1      bad: --check has found something, or the process ended badly; or memtop itself has failed, and says so in a
           report
    2      cannot be done as asked: wrong usage, or a file or stream that cannot be read or written
    3      no such process
    4      not permitted
    5      --check has not seen enough to say, or could not read a limit
    6      the program started by ``memtop -- COMMAND`` runs on without memtop
    128+n  ended by signal n; 129 also where the terminal has gone, 141 where the reader of a stream has
"""

import errno
import os
from collections.abc import Callable
from typing import Final

_RAN_OUT: Final = {
    errno.EMFILE: "too many open files: raise the limit (ulimit -n)",
    errno.ENFILE: "the machine has too many open files",
    errno.ENOMEM: "not enough memory",
    errno.EAGAIN: "no more processes or threads can be started (ulimit -u, or pids.max of the cgroup)",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would exceed the size limit (ulimit -f)",
    errno.EROFS: "the file system is read-only",
}
_REFUSED: Final = "the kernel, or a sandbox (seccomp), refuses a system call that memtop needs"


def starved(error: BaseException) -> str | None:
    """What this process has run out of or is refused, in words; None for an exception that has another cause."""
    if isinstance(error, MemoryError):
        return _RAN_OUT[errno.ENOMEM]
    if isinstance(error, OSError):
        if error.errno == errno.ENOSYS or (error.errno == errno.EPERM and error.filename is None):
            return _REFUSED
        return _RAN_OUT.get(error.errno or 0)
    said = str(error)
    if isinstance(error, ImportError) and ("failed to map segment" in said or os.strerror(errno.ENOMEM) in said):
        return _RAN_OUT[errno.ENOMEM]
    if (
        isinstance(error, SystemError) and "without exception set" in said
    ):  # what C code says whose MemoryError got lost
        return _RAN_OUT[errno.ENOMEM]
    if isinstance(error, RuntimeError) and "start new thread" in said:
        return "no thread can be started: not enough memory, or too many processes (ulimit -u, -v; pids.max)"
    return None


def failure_of(act: Callable[[], object]) -> Exception | None:
    """Call a function. Returns the exception that it raises; None for none.

    This is the only place that catches whatever is raised. It is for the bottom of a thread, which would end without a
    word and leave a screen that waits or lies, and for the bottom of memtop. Whoever calls it reports the exception.
    """
    try:
        act()
    except Exception as error:  # noqa: BLE001 (see above)
        return error
    return None


class MemtopError(Exception):
    """Any failure that memtop knows how to put into words."""

    exit_code = 2
    """The exit code of memtop if nothing handles this error."""


class ProcessGone(MemtopError):
    """The process has ended, or was never there."""

    exit_code = 3


class AccessDenied(MemtopError):
    """The kernel does not let this user read this file."""

    exit_code = 4


class Unavailable(MemtopError):
    """This kernel, mount or recording does not have this file."""


class NotRecorded(Unavailable):
    """This file was not read when the recording was made. memtop does not report that as a problem."""


NOT_RECORDED: Final = "not recorded"
"""The reason why such a file could not be read, in the views that name one for each file."""


class RanOut(Unavailable):
    """memtop itself lacks a thread, memory or an open file to read it; the file may well be there."""


class Blocked(MemtopError):
    """A reading has not answered within its deadline."""


class TerminalLost(MemtopError):
    """The terminal that shows the output has vanished."""

    exit_code = 129
    """The same as after SIGHUP, which has the same meaning."""


class ParseError(MemtopError):
    """The bytes of ``path`` are not what its manual page promises."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class RecordingError(MemtopError):
    """A recording that cannot be written or read."""


class DamagedError(RecordingError):
    """Bytes of a recording that memtop has not written so; the message says which."""


class ReaderGone(MemtopError):
    """The reader of a stream has closed it."""

    exit_code = 141
    """The same as after SIGPIPE, which has the same meaning."""


_MISSING: Final = tuple(map(os.strerror, (errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.ENXIO, errno.EOPNOTSUPP)))


def is_missing(error: MemtopError) -> bool:
    """Whether a file is not there, or this kernel does not support it; not so if it is there and cannot be read."""
    return isinstance(error, ProcessGone) or (isinstance(error, Unavailable) and str(error).endswith(_MISSING))


def reason_of(error: MemtopError) -> str:
    """Why a file could not be read, without its path, in lower case."""
    said = str(error).rpartition(": ")[2]
    return said[:1].lower() + said[1:]


class ActionRefused(MemtopError):
    """A signal or a renice that was not carried out; the message says why."""


class UsageError(MemtopError):
    """The command line asks for something impossible; the message says what is allowed."""

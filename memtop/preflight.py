"""Checks at start-up, before anything large is imported.

See proc_pid_oom_score_adj(5), pid_namespaces(7), credentials(7), stdin(3).
"""

from __future__ import annotations

import os
import resource
import sys
from io import TextIOWrapper
from os import PathLike
from typing import Final

from memtop.errors import Unavailable, UsageError

FIRST_VICTIM: Final = 1000
OWN_ADJ: Final = "/proc/self/oom_score_adj"
LEAST_BYTES: Final = 80 << 20
"""Addresses that memtop needs to take samples. Measured: with 65 MB some runs lack memory."""
SCREEN_BYTES: Final = 160 << 20
"""The same with a screen; at 100 MB it lacked memory."""
LEAST_DESCRIPTORS: Final = 12
"""Files that memtop opens at the same time to take samples and record, beside those that were open. Measured: 11."""
SCREEN_DESCRIPTORS: Final = 20
"""The same with a screen. Measured: 16."""
_inherited: int | None = None
"""oom_score_adj before this process changed it."""
_HIDES_NOTHING: Final = ("hidepid=0", "hidepid=off")


def fill_closed_streams() -> bool:
    """Open /dev/null for every standard stream that was closed. Returns whether standard output was open.

    Otherwise the next file that memtop opens gets the number of a closed stream, and messages are written into that
    file. Python also prints on standard output what it cannot print on a standard error that is None.
    """
    output_was_open = getattr(sys, "stdout", None) is not None
    # open(2) uses the lowest free number, which is the closed one.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8")
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    for stream in (sys.stdout, sys.stderr):  # a locale without the characters that memtop draws with
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return output_was_open


def drop_unwritten_messages() -> None:
    """Drop what standard error has not taken (a full disk, a lost terminal).

    Python would try again at exit and exit with code 120.
    """
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        with open(os.devnull, "wb", buffering=0) as null:
            os.dup2(null.fileno(), 2)


def make_first_victim(path: str | PathLike[str] = OWN_ADJ) -> int | None:
    """Ask the kernel to kill this process first when memory runs out. Returns the previous value.

    In a full container the kernel must not kill the watched program to make room for its monitor. The result is None if
    the kernel refuses or has no such file; memtop runs anyway.
    """
    global _inherited  # noqa: PLW0603 (a child that executes another program must be able to restore it)
    try:
        with open(path, "r+b", buffering=0, opener=_never_waiting) as file:
            before = int(file.read())
            file.seek(0)
            file.write(b"%d" % FIRST_VICTIM)
    except (OSError, ValueError):
        return None
    if path == OWN_ADJ:
        _inherited = before
    return before


def _never_waiting(path: str, flags: int) -> int:
    """Open a file of /proc where anything else may lie in its place."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def restore_oom_score_adj(path: str | PathLike[str] = OWN_ADJ) -> None:
    """Undo :func:`make_first_victim` in a child that is about to execute another program."""
    if _inherited is None:
        return
    try:
        with open(path, "wb", buffering=0, opener=_never_waiting) as file:
            file.write(b"%d" % _inherited)
    except OSError:
        return  # as above: memtop runs anyway


def check_platform(system: str = sys.platform, proc: str | PathLike[str] = "/proc") -> bool:
    """Whether the process ids in ``proc`` belong to the PID namespace of this process.

    In a foreign PID namespace (a container with the host's /proc) the answer is False. A PID seen there is another
    process here, so memtop must not send it a signal. Raises Unavailable if there is nothing to read, and UsageError if
    memtop runs with more privileges than its user has.
    """
    if system != "linux":
        raise Unavailable(f"memtop reads Linux's /proc, and this is {system}")
    if os.geteuid() != os.getuid() or os.getegid() != os.getgid():
        raise UsageError("memtop must not be installed setuid or setgid: it would show users what they may not read")
    try:
        own_pid = os.readlink(os.path.join(proc, "self"))
    except OSError as error:
        raise Unavailable(
            f"{os.fspath(proc)} is not mounted or cannot be read, and memtop reads everything from there"
        ) from error
    return own_pid == str(os.getpid())


def check_memory(least_bytes: int = LEAST_BYTES) -> None:
    """Raise Unavailable if a limit on addresses or on data (setrlimit(2)) is too small to work.

    CPython 3.11 does not survive it: a thread that finds no memory while it handles an exception tries again for ever,
    and holds the interpreter lock.
    """
    for kind, what in ((resource.RLIMIT_AS, "addresses (ulimit -v)"), (resource.RLIMIT_DATA, "data (ulimit -d)")):
        limit_bytes = resource.getrlimit(kind)[0]
        if 0 <= limit_bytes < least_bytes:
            raise Unavailable(
                f"not enough memory: the limit on {what} is {limit_bytes >> 20} MiB, and memtop needs"
                f" {least_bytes >> 20} MiB"
            )


def check_descriptors(least: int = LEAST_DESCRIPTORS) -> None:
    """Raise Unavailable if fewer than ``least`` more files can be opened (RLIMIT_NOFILE, setrlimit(2)).

    In the middle of the work it would be too late: a program that was started would run on without memtop.
    """
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))  # as far as memtop may raise it itself
        while len(opened) < least:
            opened.append(os.dup(0))
    except OSError as error:
        raise Unavailable(
            f"too many open files: the limit (ulimit -n) is {limits[1]}, and memtop needs {least - len(opened)} more"
        ) from error
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)  # a program that is started inherits it


def hidden_hint(mounts: str | PathLike[str] = "/proc/self/mounts") -> str:
    """The reason after "not permitted" if /proc hides processes of other users (hidepid, proc(5)); otherwise empty."""
    try:
        with open(mounts, encoding="utf-8", errors="replace", opener=_never_waiting) as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    fields = [line.split() for line in lines]
    proc = ",".join(field[3] for field in fields if len(field) > 3 and field[1:3] == ["/proc", "proc"])
    hides = any(option.startswith("hidepid=") and option not in _HIDES_NOTHING for option in proc.split(","))
    return ": /proc hides it from this user (hidepid)" if hides and os.geteuid() else ""

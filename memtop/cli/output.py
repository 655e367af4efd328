"""Writes standard output: a full disk becomes a one-line error, and a closed pipe is no error."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

from memtop.errors import MemtopError, TerminalLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")


def put(write: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that writes and raises OSError for no other reason. Raises MemtopError and BrokenPipeError."""
    try:
        answer = write(*args, **kwargs)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        terminal = stat.S_ISCHR(os.fstat(sys.stdout.fileno()).st_mode)
        discard()
        if terminal and error.errno == errno.EIO:
            raise TerminalLost("the terminal is gone") from error
        raise MemtopError(f"cannot write: {error.strerror}") from error
    return answer


def say(problem: str | None) -> None:
    """Print a problem on standard error; None prints nothing."""
    if problem:
        try:  # noqa: SIM105 (one sample does not need contextlib)
            print(f"memtop: {problem}", file=sys.stderr, flush=True)
        except (OSError, ValueError):  # a full disk, a closed pipe, a terminal that has gone
            pass


def discard() -> None:
    """Drop what is still buffered, so that Python does not try to write it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

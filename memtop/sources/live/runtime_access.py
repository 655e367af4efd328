"""Gives the readers of runtimes bounded access to files, on the blocking thread."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from memtop.errors import MemtopError, ParseError, Unavailable
from memtop.sources.live.bounded_read import failure, read_file

_SMALL_BYTES: Final = 1 << 20

RuntimeReader = Callable[["RuntimeAccess", int, str, str], bytes]
"""``(access, pid, name, argument)`` -> the answer to ``proc/PID/runtime/NAME#ARGUMENT``."""


def read_runtime(reader: RuntimeReader, prefix: str, path: str) -> bytes:
    """The answer to ``proc/PID/runtime/NAME``; see :mod:`memtop.sources.protocol`. Raises MemtopError."""
    place, _, argument = path.partition("#")
    _, pid, _, name = place.split("/", 3)
    try:
        return reader(RuntimeAccess(prefix), int(pid), name, argument)
    except ParseError as error:
        raise Unavailable(error.why) from error
    except OSError as error:
        raise failure(prefix, place, error) from error


class RuntimeAccess:
    """Reads files below one root. The methods raise OSError; see memtop.runtimes.protocol.Access."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def read(self, path: str, size: int) -> bytes:
        """Read at most ``size`` bytes of a file."""
        return read_file(self._prefix, path, size)

    def read_or_empty(self, path: str) -> bytes:
        """Read a small file. Empty if it cannot be read."""
        try:
            return read_file(self._prefix, path, _SMALL_BYTES)
        except (OSError, MemtopError):
            return b""

    def names(self, path: str) -> list[str]:
        """The names in a directory."""
        return os.listdir(self._prefix + path)

    def link(self, path: str) -> str:
        """The target of a symbolic link."""
        return os.readlink(self._prefix + path)

    @contextmanager
    def regular_file(self, path: str) -> Iterator[Callable[[int, int], bytes] | None]:
        """``(offset, size)`` -> slices of a regular file; None for anything else."""
        descriptor = os.open(self._prefix + path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            yield (lambda offset, size: os.pread(descriptor, size, offset)) if regular else None
        finally:
            os.close(descriptor)

    def read_below(self, root: str, parts: Sequence[str], size: int) -> bytes | None:
        """Open a regular file without following links, because every user can write to /tmp.

        None if there is no such file.
        """
        held = os.open(self._prefix + root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for place, part in enumerate(parts, 1):
                kind = os.O_DIRECTORY if place < len(parts) else os.O_NONBLOCK | os.O_NOCTTY
                inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=held)
                os.close(held)
                held = inner
            return os.pread(held, size, 0) if stat.S_ISREG(os.fstat(held).st_mode) else None
        except OSError:
            return None
        finally:
            os.close(held)

    def user_name(self, uid: int | None) -> str:
        """The login name of a user ID; ``root`` if it is not known."""
        try:
            return pwd.getpwuid(uid).pw_name if uid is not None else "root"
        except (KeyError, OverflowError):
            return "root"

    def fetch(self, url: str) -> tuple[str, bytes]:
        """(address without its query, body) of a URL that the user gave. Raises Unavailable and UsageError."""
        from memtop.sources.endpoint import parse_endpoint  # noqa: PLC0415 (as below)
        from memtop.sources.http_get import fetch  # noqa: PLC0415 (22 ms; it imports all of http, which most runs never need)

        endpoint = parse_endpoint(url)
        try:
            return endpoint.label, fetch(endpoint)
        except Unavailable as error:
            raise Unavailable(f"{endpoint.label}: {error}") from error
        except ParseError as error:
            raise Unavailable(f"{endpoint.label}: {error.why}") from error

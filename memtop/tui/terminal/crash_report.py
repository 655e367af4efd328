"""Reports an internal error: one line for the terminal, a traceback without local variables in a file."""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path
from typing import Final

from memtop import __version__
from memtop.sanitize import clean

LINE_LIMIT: Final = 200
"""Most characters of the error's own message on the terminal."""


def state_directory() -> Path | None:
    """``$XDG_STATE_HOME/memtop`` or ``~/.local/state/memtop``; None if there is no home directory."""
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not base.is_absolute():  # the specification says to ignore a relative path
        try:
            base = Path.home() / ".local" / "state"
        except RuntimeError:
            return None
    return base / "memtop" if base.is_absolute() else None


def write(error: BaseException) -> str:
    """Write the traceback of ``error`` to a file of mode 0600. Returns the line to show, which names that file."""
    said = clean(f"{type(error).__name__}: {error}")[:LINE_LIMIT]
    path = _write_file(error)
    where = f"the report is {clean(str(path))}" if path else "no report could be written"
    return f"memtop: internal error: {said}; {where}"


def text(error: BaseException) -> str:
    """Versions and traceback, every line cleaned. Local variables are never included."""
    kernel, libc = os.uname(), os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    system = f"{kernel.sysname} {kernel.release} {kernel.machine}, {libc or 'another C library'}"
    lines = [f"memtop {__version__}, Python {sys.version.split()[0]}, {system}"]
    for part in traceback.TracebackException.from_exception(error, capture_locals=False).format():
        lines += part.rstrip("\n").split("\n")
    return "\n".join(map(clean, lines)) + "\n"


def _write_file(error: BaseException) -> Path | None:
    directory = state_directory()
    if directory is None:
        return None
    path = directory / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(text(error))
    except OSError:
        return None
    return path

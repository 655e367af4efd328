"""Writes a report as a new file that only its owner may read, since it has command lines in it."""

from __future__ import annotations

import os
import shlex
import time

from memtop.errors import UsageError
from memtop.model.frame import Frame
from memtop.report.facts import report_of
from memtop.report.page import as_html


def write_report(frame: Frame, *, replay: str = "") -> str:
    """Write the frame as an HTML page into the current directory, and return the name of the file.

    ``replay`` is the recording that is being played. Raises UsageError where the file cannot be written.
    """
    pid = frame.detail.row.pid if frame.detail is not None else 0
    path = f"memtop-{pid}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(frame.shown_s))}.html"
    machine = os.uname()
    at = time.strftime("%H:%M:%S", time.localtime(frame.shown_s))
    again = f"memtop replay {shlex.quote(os.path.basename(replay))} --at {at}" if replay else ""
    host, kernel = ("", "") if replay else (machine.nodename, machine.release)
    write_new(
        path, as_html(report_of(frame, exits=tuple(reversed(frame.ended)), host=host, kernel=kernel, source=again))
    )
    return path


def write_new(path: str, text: str) -> None:
    """Write a text into a file that must not exist yet. Raises UsageError."""
    try:
        with open(path, "x", encoding="utf-8", opener=_private) as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

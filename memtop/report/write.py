"""Writes a report as a new file that only its owner may read, since it has command lines in it."""

from __future__ import annotations

import errno
import os
import shlex
import time
from contextlib import suppress

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
    again = replay_command(replay, frame) if replay else ""
    events = frame.timeline.events if frame.timeline is not None else ()
    events = tuple(one for one in events if one.at_s <= frame.shown_s)
    host, kernel = ("", "") if replay else (machine.nodename, machine.release)
    ends = tuple(reversed(frame.ended))
    write_new(path, as_html(report_of(frame, exits=ends, events=events, host=host, kernel=kernel, source=again)))
    return path


def replay_command(path: str, frame: Frame) -> str:
    """The command that shows a recording at the instant of a frame, with its process in focus."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(frame.shown_s))
    process = f" -p {frame.detail.row.pid}" if frame.detail is not None else ""
    return f"memtop replay {shlex.quote(os.path.basename(path))} --at '{at}'{process}"


def refuse_new(path: str) -> None:
    """Raise UsageError if a new file cannot have this name: at once, not after a process has been watched."""
    if os.path.lexists(path):
        raise UsageError(f"{path}: {os.strerror(errno.EEXIST)}")
    try:
        os.close(os.open(os.path.dirname(path) or ".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):  # a file system without such files
            raise UsageError(f"{path}: {error.strerror}") from error


def write_new(path: str, text: str) -> None:
    """Write a text into a file that must not exist yet. Raises UsageError; then there is no file."""
    created = False
    try:
        with open(path, "x", encoding="utf-8", opener=_private) as file:
            created = True
            file.write(text)
    except OSError as error:
        if created:  # a full disk: half a report is none, and would be in the way of the next
            with suppress(OSError):
                os.unlink(path)
        raise UsageError(f"{path}: {error.strerror}") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

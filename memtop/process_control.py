"""Sends signals to a process (kill) and renices it, and makes sure that it is the process that was shown.

The kernel may give a PID to another process after the dialog opens and before the user answers. Therefore a pidfd holds
the target when the dialog opens, and memtop checks its identity again before it sends anything.
"""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from memtop.errors import ActionRefused, ParseError
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.signal_masks import SignalMasks, parse_signal_masks
from memtop.procfs.stat import PidStat, parse_stat
from memtop.sources.live.bounded_read import read_file
from memtop.sources.protocol import READ_LIMIT

MEANT_TO_END: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGKILL})
"""Signals that are sent so that a process ends."""


@dataclass(slots=True)
class Target:
    """One process, held by pidfd. Use :func:`hold` to create it, and close it afterward."""

    key: ProcessKey
    name: str
    """The program that a person means: the script, module or main class rather than its interpreter."""
    command: str
    rss_bytes: int | None
    pidfd: int

    def copy(self) -> Target:
        """Another hold on the same process, to be closed on its own."""
        return replace(self, pidfd=os.dup(self.pidfd))

    def close(self) -> None:
        """Close the pidfd."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


def hold(row: ProcessRow) -> Target:
    """Open a pidfd for a process that is on screen. Raises ActionRefused with the reason."""
    if row.gone_s is not None:
        raise ActionRefused(f"{row.pid} has ended; nothing to send to")
    if row.note is Note.KERNEL:
        raise ActionRefused(f"{row.pid} is a kernel thread; signals do not reach it")
    if row.note is Note.ZOMBIE:
        raise ActionRefused(f"{row.pid} is a zombie; only its parent can remove it")
    if row.pid <= 1 or row.pid in _ourselves():
        raise ActionRefused(f"{row.pid} runs this session; memtop sends it nothing")
    if str(Path("/proc/self").readlink()) != str(os.getpid()):
        raise ActionRefused("/proc belongs to another PID namespace, where PIDs mean other processes")
    try:
        pidfd = os.pidfd_open(row.pid)
    except OSError as error:
        raise ActionRefused(f"{row.pid}: {error.strerror}") from error
    target = Target(row.key, row.program, row.command, row.rss_bytes, pidfd)
    try:
        _check(target)
    except ActionRefused:
        target.close()
        raise
    return target


def send(target: Target, number: signal.Signals) -> str:
    """Send a signal. Returns what happened, as a sentence. Raises ActionRefused."""
    _check(target)
    try:
        signal.pidfd_send_signal(target.pidfd, number)
    except ProcessLookupError as error:
        raise ActionRefused(f"{target.key.pid} has ended; nothing was sent") from error
    except PermissionError as error:
        raise ActionRefused(f"not permitted to send {number.name} to {target.key.pid}") from error
    return f"{number.name} sent to {target.key.pid} {target.name}"


def masks_of(target: Target) -> SignalMasks | None:
    """The signals that it ignores and blocks; None if that cannot be read."""
    try:
        return parse_signal_masks(read_file("/", f"proc/{target.key.pid}/status", READ_LIMIT))
    except (OSError, ParseError):
        return None


def why_it_runs(target: Target, number: signal.Signals) -> str:
    """What keeps a process running that was sent a signal, as the end of a sentence; empty if it has ended."""
    try:
        state = _check(target).state
    except ActionRefused:
        return ""
    if state == "D":
        return "it is in an uninterruptible wait (D), which no signal ends"
    masks = masks_of(target)
    if number is signal.SIGKILL:
        return "the kernel is still ending it"
    if state in {"T", "t"}:
        return "it is stopped; it acts on the signal after SIGCONT"
    if masks is not None and masks.ignores(number):
        return f"it ignores {number.name}; K sends SIGKILL"
    if masks is not None and masks.blocks(number):
        return f"it blocks {number.name}; K sends SIGKILL"
    return "it may be finishing its work; K sends SIGKILL"


def renice(target: Target, nice: int) -> str:
    """Set the nice value, -20 to 19. Returns what happened, as a sentence. Raises ActionRefused."""
    import psutil  # noqa: PLC0415 (7.5 ms and 0.8 MB, needed only to act on a process)

    _check(target)
    try:
        psutil.Process(target.key.pid).nice(nice)
    except psutil.AccessDenied as error:
        raise ActionRefused(f"not permitted to renice {target.key.pid} to {nice}") from error
    except psutil.NoSuchProcess as error:
        raise ActionRefused(f"{target.key.pid} has ended; nothing was changed") from error
    return f"{target.key.pid} {target.name} now has nice {nice}; this does not affect the OOM killer"


def nice_of(target: Target) -> int | None:
    """Its nice value, -20 to 19; None if it has ended."""
    try:
        return os.getpriority(os.PRIO_PROCESS, target.key.pid)
    except OSError:
        return None


def _check(target: Target) -> PidStat:
    """Check that the held process is alive and is still the process that was shown."""
    poll = select.poll()
    poll.register(target.pidfd, select.POLLIN)
    if poll.poll(0):
        raise ActionRefused(f"{target.key.pid} has ended; nothing was sent")
    try:
        stat = parse_stat(read_file("/", f"proc/{target.key.pid}/stat", READ_LIMIT))
    except (OSError, ParseError) as error:
        raise ActionRefused(f"{target.key.pid} has ended; nothing was sent") from error
    if stat.start_ticks != target.key.start_ticks:
        raise ActionRefused(f"{target.key.pid} is another process now; nothing was sent")
    return stat


def _ourselves() -> set[int]:
    """The PIDs of memtop and of all its ancestors."""
    import psutil  # noqa: PLC0415 (as in renice)

    process = psutil.Process()
    return {process.pid, *(parent.pid for parent in process.parents())}

"""Infers from public counters whether the kernel's OOM killer ended a process.

An exit status of 9 (137 in a shell) proves a SIGKILL, and no more. The counters of kills show who sent it.
"""

from __future__ import annotations

import os
import signal
from enum import Enum
from typing import Final

ASKS_TO_END: Final = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM})
"""Signals with which a user, a shell, a supervisor or a pipeline asks a process to end."""


class Oom(Enum):
    """How certain it is that the kernel's OOM killer ended it."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    NO = "no"
    UNKNOWN = "unknown"


class Clue(Enum):
    """Evidence for or against an OOM kill. The sentences are in ``explain/exits.toml``."""

    EXITED = "exited"
    """It ended by itself, or by a signal other than SIGKILL."""
    SIGKILL = "sigkill"
    SENT_BY_MEMTOP = "sent_by_memtop"
    """The user sent the signal that ended it, from memtop."""
    STATUS_UNKNOWN = "status_unknown"
    CGROUP_COUNTED = "cgroup_counted"
    """The count of OOM kills of its own cgroup has increased."""
    CGROUP_SILENT = "cgroup_silent"
    CGROUP_UNSURE = "cgroup_unsure"
    """The same, but the machine has counted a kill that no process and no cgroup explains: it may have been moved."""
    CGROUP_UNREADABLE = "cgroup_unreadable"
    MACHINE_COUNTED = "machine_counted"
    MACHINE_SILENT = "machine_silent"
    MACHINE_EXPLAINED = "machine_explained"
    """The machine's count increased for processes whose own cgroups counted them."""
    MACHINE_UNREADABLE = "machine_unreadable"
    OTHERS_AS_WELL = "others_as_well"
    """More processes ended than were counted as killed."""
    LARGEST = "largest"
    """It was the largest of those that ended, or one of the largest where several were killed."""
    LIMIT_NEAR = "limit_near"
    """Its cgroup was nearly full at its last reading."""


_KILLED: Final = int(signal.SIGKILL)


def exit_code(status: int | None) -> int | None:
    """The argument of exit(); None if a signal ended the process, or if unknown."""
    return os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None


def ending_signal(status: int | None) -> int | None:
    """The signal that ended it; None if it exited, or if unknown."""
    return os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None


def was_oom(
    status: int | None,
    *,
    cgroup_kills: int | None,
    machine_kills: int | None,
    explained: int = 0,
    vanished: int = 1,
    largest: bool | None = True,
    limit_near: bool = False,
) -> tuple[Oom, tuple[Clue, ...]]:
    """The judgment and its evidence.

    ``status`` is that of wait(2). ``cgroup_kills`` and ``machine_kills`` are the increases of the counts of OOM kills
    around its end; None if they cannot be read. ``explained`` of the machine's kills are known to have ended other
    processes, or were counted by other cgroups. ``vanished`` is the number of processes of its cgroup that ended then;
    it may be the ``largest`` of them, or one of as many as were killed; None where the size of some is unknown.
    ``limit_near`` says whether its cgroup was nearly full: where larger ones have ended elsewhere, that tells which was
    killed.
    """
    if status is not None and ending_signal(status) != _KILLED:
        return Oom.NO, (Clue.EXITED,)
    clues = [Clue.STATUS_UNKNOWN if status is None else Clue.SIGKILL]
    if cgroup_kills is None and machine_kills is None:
        return Oom.UNKNOWN, (*clues, Clue.CGROUP_UNREADABLE, Clue.MACHINE_UNREADABLE)
    if cgroup_kills:
        clues.append(Clue.CGROUP_COUNTED)
        if vanished > cgroup_kills:
            clues += [Clue.OTHERS_AS_WELL, Clue.LARGEST] if largest else [Clue.OTHERS_AS_WELL]
            return (Oom.UNKNOWN if largest is False else Oom.PROBABLE), tuple(clues)
        return (Oom.PROBABLE if status is None else Oom.CERTAIN), tuple(clues)
    if cgroup_kills == 0 and (machine_kills or 0) > explained:
        return Oom.UNKNOWN, (*clues, Clue.CGROUP_UNSURE, Clue.MACHINE_COUNTED)
    if cgroup_kills == 0:
        return Oom.NO, (*clues, Clue.CGROUP_SILENT)
    clues.append(Clue.CGROUP_UNREADABLE)
    if not machine_kills:
        return Oom.NO, (*clues, Clue.MACHINE_SILENT)
    if machine_kills <= explained:
        return Oom.NO, (*clues, Clue.MACHINE_EXPLAINED)
    clues.append(Clue.MACHINE_COUNTED)
    if largest:
        clues.append(Clue.LARGEST)
    if limit_near:
        clues.append(Clue.LIMIT_NEAR)
    return (Oom.PROBABLE if largest or limit_near else Oom.UNKNOWN), tuple(clues)

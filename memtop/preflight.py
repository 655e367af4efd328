"""Checks at start-up, before anything heavy is imported.

See proc_pid_oom_score_adj(5), pid_namespaces(7), credentials(7), stdin(3).
"""

from __future__ import annotations

import os
import sys
from os import PathLike
from typing import Final

from memtop.errors import Unavailable, UsageError

FIRST_VICTIM: Final = 1000
OWN_ADJ: Final = "/proc/self/oom_score_adj"
_inherited: int | None = None
"""oom_score_adj before this process changed its own."""
_HIDES_NOTHING: Final = ("hidepid=0", "hidepid=off")


def fill_closed_streams() -> bool:
    """Put /dev/null in the place of every standard stream that was closed; whether standard output was open.

    Otherwise the next file to be opened gets the number of a closed one, and what is said to people is written
    into it; and Python prints on standard output what it cannot print on a standard error that is None.
    """
    output_was_open = getattr(sys, "stdout", None) is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # the lowest free number is the one closed
        if getattr(sys, name) is None:
            stream = os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8")
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    return output_was_open


def make_first_victim(path: str | PathLike[str] = OWN_ADJ) -> int | None:
    """Ask the kernel to end this process before all others when memory runs out; the value it had before.

    In a full container the kernel must not kill the watched program to make room for its monitor.
    None where the kernel does not let us, or has no such file: that is no reason not to run.
    """
    global _inherited  # noqa: PLW0603 (a child that becomes another program must be able to have it back)
    try:
        with open(path, "r+b", buffering=0) as file:
            before = int(file.read())
            file.seek(0)
            file.write(b"%d" % FIRST_VICTIM)
    except (OSError, ValueError):
        return None
    if path == OWN_ADJ:
        _inherited = before
    return before


def restore_oom_score_adj(path: str | PathLike[str] = OWN_ADJ) -> None:
    """In a child that is about to become another program: the monitor's place in the queue is not that program's."""
    if _inherited is None:
        return
    try:
        with open(path, "wb", buffering=0) as file:
            file.write(b"%d" % _inherited)
    except OSError:
        return  # as above: no reason not to run


def check_platform(system: str = sys.platform, proc: str | PathLike[str] = "/proc") -> bool:
    """Whether the process ids in ``proc`` are those of this process's own world.

    False in a foreign pid namespace (a container with the host's /proc): a pid seen there is another process here,
    so nothing may be sent to it. Raises Unavailable where there is nothing to read, and UsageError where memtop
    runs with more rights than its user has.
    """
    if system != "linux":
        raise Unavailable(f"memtop reads Linux's /proc, and this is {system}")
    if os.geteuid() != os.getuid() or os.getegid() != os.getgid():
        raise UsageError("memtop must not be installed setuid or setgid: it shows what its user may not see")
    try:
        own_pid = os.readlink(os.path.join(proc, "self"))
    except OSError as error:
        raise Unavailable(
            f"{os.fspath(proc)} is not mounted or cannot be read, and memtop knows everything from there"
        ) from error
    return own_pid == str(os.getpid())


def hidden_hint(mounts: str | PathLike[str] = "/proc/self/mounts") -> str:
    """What to add to "no such process" where /proc hides those of other users (hidepid, proc(5)); else nothing."""
    try:
        with open(mounts, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    fields = [line.split() for line in lines]
    proc = ",".join(field[3] for field in fields if len(field) > 3 and field[1:3] == ["/proc", "proc"])
    hides = any(option.startswith("hidepid=") and option not in _HIDES_NOTHING for option in proc.split(","))
    return "; or it is another user's, which this /proc hides (hidepid)" if hides and os.geteuid() else ""

"""The first things memtop does, before it imports anything heavy.

See proc_pid_oom_score_adj(5), pid_namespaces(7), credentials(7).
"""

from __future__ import annotations

import os
import sys
from os import PathLike
from typing import Final

from memtop.errors import Unavailable, UsageError

FIRST_VICTIM: Final = 1000
_HIDES_NOTHING: Final = ("hidepid=0", "hidepid=off")


def make_first_victim(path: str | PathLike[str] = "/proc/self/oom_score_adj") -> int | None:
    """Ask the kernel to end this process before all others when memory runs out; the value it had before.

    In a full container the kernel must not kill the watched program to make room for its monitor.
    None where the kernel does not let us, or has no such file: that is no reason not to run.
    """
    try:
        with open(path, "r+b", buffering=0) as file:
            before = int(file.read())
            file.seek(0)
            file.write(b"%d" % FIRST_VICTIM)
    except (OSError, ValueError):
        return None
    return before


def check_platform(system: str = sys.platform, proc: str | PathLike[str] = "/proc") -> bool:
    """Whether the process ids in ``proc`` are those of this process's own world.

    False in a foreign pid namespace (a container with the host's /proc): a pid seen there is somebody else here,
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

"""The first things memtop does, before it imports anything heavy.

See proc_pid_oom_score_adj(5), pid_namespaces(7), credentials(7).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from memtop.errors import Unavailable, UsageError

FIRST_VICTIM: Final = 1000
_HIDES_NOTHING: Final = ("hidepid=0", "hidepid=off")


def make_first_victim(file: Path = Path("/proc/self/oom_score_adj")) -> int | None:
    """Ask the kernel to end this process before all others when memory runs out; the value it had before.

    In a full container the kernel must not kill the watched program to make room for its monitor.
    None where the kernel does not let us, or has no such file: that is no reason not to run.
    """
    try:
        before = int(file.read_bytes())
        file.write_bytes(b"%d" % FIRST_VICTIM)
    except (OSError, ValueError):
        return None
    return before


def check_platform(system: str = sys.platform, proc: Path = Path("/proc")) -> bool:
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
        own_pid = (proc / "self").readlink()
    except OSError as error:
        raise Unavailable(f"{proc} is not mounted or cannot be read, and memtop knows everything from there") from error
    return own_pid.name == str(os.getpid())


def hidden_hint(mounts: Path = Path("/proc/self/mounts")) -> str:
    """What to add to "no such process" where /proc hides those of other users (hidepid, proc(5)); else nothing."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    fields = [line.split() for line in lines]
    proc = ",".join(field[3] for field in fields if len(field) > 3 and field[1:3] == ["/proc", "proc"])
    hides = any(option.startswith("hidepid=") and option not in _HIDES_NOTHING for option in proc.split(","))
    return "; or it is another user's, which this /proc hides (hidepid)" if hides and os.geteuid() else ""

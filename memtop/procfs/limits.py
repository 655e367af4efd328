"""/proc/PID/limits, proc_pid_limits(5) and getrlimit(2): the resource limits that memory and threads meet."""

import re
from typing import Final, NamedTuple

from memtop.procfs.cgroup import UNLIMITED

_LINE = re.compile(rb"^Max (address space|data size|stack size|locked memory|processes) +(\d{1,20}|unlimited) ", re.M)


class PidLimits(NamedTuple):
    """Soft limits, in bytes unless said otherwise; UNLIMITED if there is none, None if the line is absent."""

    address_space_bytes: int | None
    """RLIMIT_AS, a limit on VIRT. Beyond it mmap and brk fail with ENOMEM."""
    data_bytes: int | None
    """RLIMIT_DATA, a limit on private writable mappings (VmData)."""
    stack_bytes: int | None = None
    """RLIMIT_STACK, a limit on the main thread's stack (VmStk). Beyond it the process gets SIGSEGV."""
    locked_bytes: int | None = None
    """RLIMIT_MEMLOCK, a limit on locked memory (VmLck). Beyond it mlock fails, unless the process has CAP_IPC_LOCK."""
    processes: int | None = None
    """RLIMIT_NPROC, a limit on the threads of its real user, a count. Beyond it no thread starts, except for root."""


UNREADABLE: Final = PidLimits(None, None)
"""Those of a file that could not be read."""


def parse_limits(data: bytes) -> PidLimits:
    """Parse one limits file. Absent or malformed lines become None."""
    found = {match[1]: _value(match[2]) for match in _LINE.finditer(data)}
    return PidLimits(
        found.get(b"address space"),
        found.get(b"data size"),
        found.get(b"stack size"),
        found.get(b"locked memory"),
        found.get(b"processes"),
    )


def _value(text: bytes) -> int:
    return UNLIMITED if text == b"unlimited" else min(int(text), UNLIMITED)

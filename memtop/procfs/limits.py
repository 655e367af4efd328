"""/proc/PID/limits, proc_pid_limits(5) and getrlimit(2): the two resource limits on memory that Linux enforces."""

import re
from typing import NamedTuple

from memtop.procfs.cgroup import UNLIMITED

_LINE = re.compile(rb"^Max (address space|data size) +(\d{1,20}|unlimited) ", re.M)


class PidLimits(NamedTuple):
    """Soft limits in bytes; UNLIMITED if there is none, None if the line is absent."""

    address_space_bytes: int | None
    """RLIMIT_AS, a limit on VIRT. Beyond it mmap and brk fail with ENOMEM."""
    data_bytes: int | None
    """RLIMIT_DATA, a limit on private writable mappings (VmData)."""


def parse_limits(data: bytes) -> PidLimits:
    """Parse one limits file. Absent or malformed lines become None."""
    found = {match[1]: _bytes(match[2]) for match in _LINE.finditer(data)}
    return PidLimits(found.get(b"address space"), found.get(b"data size"))


def _bytes(text: bytes) -> int:
    return UNLIMITED if text == b"unlimited" else min(int(text), UNLIMITED)

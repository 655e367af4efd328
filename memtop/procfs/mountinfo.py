"""/proc/PID/mountinfo, proc_pid_mountinfo(5): where file systems are mounted."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_ESCAPE = re.compile(rb"\\([0-3][0-7]{2})")


class Mount(NamedTuple):
    """One mount. Paths are raw bytes, unescaped."""

    root: bytes
    """The directory of the file system that is mounted here. A path with ``/..`` lies outside the reader's
    namespace."""
    point: bytes
    """The mount point, as seen from the reader's root."""
    fstype: bytes
    source: bytes
    super_options: tuple[bytes, ...]
    """Options of the file system: the controllers of cgroup v1, hidepid of proc."""


def parse_mountinfo(data: bytes) -> tuple[Mount, ...]:
    """Parse all mounts, in the file's order. Truncated and malformed lines are skipped."""
    mounts = []
    for line in data.split(b"\n"):
        # Spaces inside a path are escaped, so the dash that ends the optional fields stands alone.
        before, dash, after = line.partition(b" - ")
        place, kind = before.split(b" "), after.split(b" ")
        if not dash or len(place) < 6 or len(kind) < 3:
            continue
        mounts.append(
            Mount(
                root=unescape(place[3]),
                point=unescape(place[4]),
                fstype=kind[0],
                source=unescape(kind[1]),
                super_options=tuple(kind[2].split(b",")),
            )
        )
    return tuple(mounts)


def has_own_meminfo(mounts: Iterable[Mount]) -> bool:
    """Whether another file lies over /proc/meminfo: that of lxcfs, with the limit of a container as MemTotal, or one
    that a container was given. Then it says nothing of the machine."""
    return any(mount.point == b"/proc/meminfo" for mount in mounts)


def unescape(field: bytes) -> bytes:
    r"""Replace escapes such as ``\040`` with the bytes that they stand for."""
    return _ESCAPE.sub(lambda match: bytes((int(match[1], 8),)), field)

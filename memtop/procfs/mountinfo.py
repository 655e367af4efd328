"""/proc/PID/mountinfo, proc_pid_mountinfo(5): where file systems are mounted."""

import re
from typing import NamedTuple

_ESCAPE = re.compile(rb"\\([0-3][0-7]{2})")


class Mount(NamedTuple):
    """One mount. Paths are raw bytes, unescaped."""

    root: bytes
    """The directory of the file system that is mounted here; ``/..`` in it lies outside the reader's namespace."""
    point: bytes
    """Where, seen from the reader's root."""
    fstype: bytes
    source: bytes
    super_options: tuple[bytes, ...]
    """Of the file system: for cgroup v1 its controllers, for proc its hidepid."""


def parse_mountinfo(data: bytes) -> tuple[Mount, ...]:
    """All mounts in the file's order; lines that are cut off or odd are passed over."""
    mounts = []
    for line in data.split(b"\n"):
        # Spaces inside a path are escaped, so the dash that ends the optional fields stands alone.
        before, dash, after = line.partition(b" - ")
        place, kind = before.split(b" "), after.split(b" ")
        if not dash or len(place) < 6 or len(kind) < 3:
            continue
        mounts.append(
            Mount(
                root=_unescape(place[3]),
                point=_unescape(place[4]),
                fstype=kind[0],
                source=_unescape(kind[1]),
                super_options=tuple(kind[2].split(b",")),
            )
        )
    return tuple(mounts)


def _unescape(field: bytes) -> bytes:
    r"""``\040`` and the like as the byte they stand for."""
    return _ESCAPE.sub(lambda match: bytes((int(match[1], 8),)), field)

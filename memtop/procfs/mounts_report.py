"""The text that a source reports as ``machine/mounts``: use of the tmpfs mounts, and whose view of the machine this is.

statvfs(2) has no file, so the source calls it and writes one line for each mount: ``tmpfs USED SIZE PATH``. A line
``contained`` says that the reader is in a PID namespace other than the first, ``lxcfs`` that its /proc/meminfo is
that of lxcfs.
"""

from typing import NamedTuple

from memtop.procfs.mountinfo import unescape


class TmpfsMount(NamedTuple):
    """One tmpfs. Sizes in bytes."""

    path: bytes
    used_bytes: int
    size_bytes: int
    """The most it may hold."""


class MountsReport(NamedTuple):
    """The tmpfs mounts, and whose view this is."""

    tmpfs: tuple[TmpfsMount, ...] = ()
    """The largest first. Each file system stands once, at its first mount point."""
    contained: bool = False
    lxcfs: bool = False


def parse_mounts_report(data: bytes) -> MountsReport:
    """Parse the report. Malformed lines are skipped."""
    lines = data.split(b"\n")
    found = []
    for line in lines:
        kind, *fields = line.split(b" ", 3)
        if kind == b"tmpfs" and len(fields) == 3 and fields[0].isdigit() and fields[1].isdigit():
            found.append(TmpfsMount(unescape(fields[2]), int(fields[0]), int(fields[1])))
    found.sort(key=lambda mount: mount.used_bytes, reverse=True)
    return MountsReport(tuple(found), b"contained" in lines, b"lxcfs" in lines)

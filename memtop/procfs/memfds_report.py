r"""The text that a source reports as ``proc/PID/memfds``: the memfds that a process has open, memfd_create(2).

No file lists their sizes, so the source calls stat(2) of each and writes one line for it: ``INODE BYTES NAME``. In the
name a line feed is ``\012`` and a backslash is ``\134``. A last line ``cut`` says that there may be more.
"""

from collections.abc import Iterable
from typing import NamedTuple

from memtop.procfs.mountinfo import unescape


class Memfd(NamedTuple):
    """One file in memory that only descriptors and mappings keep."""

    inode: int
    """It tells memfds of one machine apart: all of them are in one file system."""
    size_bytes: int
    """Memory allocated to it, in RAM or in swap."""
    name: bytes
    """As the program has chosen it; it may hold any byte but NUL. Only its beginning where it is long."""


class MemfdsReport(NamedTuple):
    """The memfds of one process, the largest first. Those without memory are left out."""

    memfds: tuple[Memfd, ...] = ()
    is_cut: bool = False
    """Whether not all of its descriptors were looked at, or only the largest memfds are here."""


def format_memfds_report(report: MemfdsReport) -> bytes:
    """The text of a report."""
    return b"".join(_lines(report))


def _lines(report: MemfdsReport) -> Iterable[bytes]:
    for memfd in report.memfds:
        name = memfd.name.replace(b"\\", b"\\134").replace(b"\n", b"\\012")
        yield b"%d %d %b\n" % (memfd.inode, memfd.size_bytes, name)
    if report.is_cut:
        yield b"cut\n"


def parse_memfds_report(data: bytes) -> MemfdsReport:
    """Parse the report. Malformed lines are skipped, and so is a last one without its end."""
    found = []
    *lines, _ = data.split(b"\n")
    for line in lines:
        inode, *fields = line.split(b" ", 2)
        if len(fields) == 2 and inode.isdigit() and fields[0].isdigit():
            found.append(Memfd(int(inode), int(fields[0]), unescape(fields[1])))
    found.sort(key=lambda memfd: memfd.size_bytes, reverse=True)
    return MemfdsReport(tuple(found), b"cut" in lines)

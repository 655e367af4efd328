r"""The text that a source reports as ``proc/PID/memfds``: the memfds that a process has open, memfd_create(2).

No file lists their sizes, so the source calls stat(2) of each and writes one line for it: ``INODE BYTES NAME``. In the
name a line feed is ``\012`` and a backslash is ``\134``. A first line ``at SECONDS`` says when that was, a last line
``cut`` that there may be more.
"""

from collections.abc import Iterable
from typing import NamedTuple

from memtop.errors import ParseError
from memtop.procfs.lines import int_or_none
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

    at_s: float
    """When they were looked at, on the clock of Instant.mono_s: a recording answers with it at later instants too."""
    memfds: tuple[Memfd, ...] = ()
    is_cut: bool = False
    """Whether not all of its descriptors were looked at, or only the largest memfds are here."""


def format_memfds_report(report: MemfdsReport) -> bytes:
    """The text of a report."""
    return b"".join(_lines(report))


def _lines(report: MemfdsReport) -> Iterable[bytes]:
    yield b"at %.3f\n" % report.at_s
    for memfd in report.memfds:
        name = memfd.name.replace(b"\\", b"\\134").replace(b"\n", b"\\012")
        yield b"%d %d %b\n" % (memfd.inode, memfd.size_bytes, name)
    if report.is_cut:
        yield b"cut\n"


def parse_memfds_report(data: bytes) -> MemfdsReport:
    """Parse the report. Malformed lines are skipped, and so is a last one without its end.

    Raises ParseError if it does not say when that was.
    """
    found = []
    first, *lines = data.split(b"\n")[:-1] or [b""]
    word, _, at = first.partition(b" ")
    if word != b"at" or not at.replace(b".", b"", 1).isdigit():
        raise ParseError("memfds", "it does not say when that was")
    for line in lines:
        fields = line.split(b" ", 2)
        inode, size_bytes = int_or_none(fields[0]), int_or_none(fields[1] if len(fields) == 3 else None)
        if inode is not None and size_bytes is not None and size_bytes > 0:
            found.append(Memfd(inode, size_bytes, unescape(fields[2])))
    found.sort(key=lambda memfd: memfd.size_bytes, reverse=True)
    return MemfdsReport(float(at), tuple(found), b"cut" in lines)

r"""The text that a source reports as ``proc/PID/held``: memory that a process keeps by what it has open or has created.

RES has only the pages of it that the process maps. The first line ``at SECONDS`` says when that was. Then there is a
line for each kind: ``KIND NUMBER BYTES NAME``. BYTES is ``?`` where it is not known. The name is that of the largest;
in it a line feed is ``\012`` and a backslash is ``\134``. A line ``written BYTES`` has wchar of
/proc/PID/io, what its system calls have written until then. A last line ``cut`` says that there may be more.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, unique
from typing import Final, NamedTuple

from memtop.errors import ParseError
from memtop.procfs.lines import int_or_none
from memtop.procfs.mountinfo import unescape


@unique
class HeldKind(Enum):
    """What keeps the memory."""

    MEMFD = "memfd"
    """memfds, memfd_create(2)."""
    HUGE_MEMFD = "huge_memfd"
    """memfds of huge pages (hugetlb)."""
    UNLINKED = "unlinked"
    """Files on tmpfs whose name was removed."""
    TMPFS = "tmpfs"
    """Files on tmpfs that have a name, and that it has open for writing."""
    SYSV = "sysv"
    """System V segments that it has created, attached or not."""
    SOCKET = "socket"
    """Buffers of its sockets."""
    PIPE = "pipe"
    """Pipes. The kernel does not tell what is in them."""
    OTHER = "other"
    """All other descriptors, which take about a KiB of the kernel's memory each."""


_ABOUT_BYTES: Final = {HeldKind.PIPE: 64 << 10, HeldKind.SOCKET: 64 << 10, HeldKind.OTHER: 1 << 10}
"""The usual capacity of a pipe or socket, and what an open file takes."""


class HeldPart(NamedTuple):
    """All of one kind."""

    kind: HeldKind
    number: int
    size_bytes: int | None
    """Memory allocated, in RAM or in swap; None where it is not known."""
    name: bytes = b""
    """That of the largest; empty where it has none."""


class HeldReport(NamedTuple):
    """What one process keeps."""

    at_s: float
    """When it was looked at, on the clock of Instant.mono_s: a recording answers with it at later instants too."""
    parts: tuple[HeldPart, ...] = ()
    is_cut: bool = False
    """Whether not all of its descriptors were looked at."""
    written_bytes: int | None = None
    """All that its system calls have written; None where that cannot be read."""

    def number(self, kind: HeldKind) -> int:
        """How many of a kind there are."""
        return sum(part.number for part in self.parts if part.kind is kind)

    def size_bytes(self, kind: HeldKind) -> int | None:
        """What those of a kind take: 0 without any, None where it is not known."""
        return next((part.size_bytes for part in self.parts if part.kind is kind), 0)

    @property
    def known_bytes(self) -> int:
        """The sum of all that is known."""
        return sum(part.size_bytes or 0 for part in self.parts)

    @property
    def untold_number(self) -> int:
        """The number of descriptors of which the kernel does not tell what they keep."""
        return sum(part.number for part in self.parts if part.size_bytes is None)

    @property
    def untold_bytes(self) -> int:
        """About what the kernel may keep for descriptors of which it does not tell."""
        return sum(part.number * _ABOUT_BYTES.get(part.kind, 0) for part in self.parts if part.size_bytes is None)


_KINDS: Final = {kind.value.encode(): kind for kind in HeldKind}


def format_held_report(report: HeldReport) -> bytes:
    """The text of a report."""
    return b"".join(_lines(report))


def _lines(report: HeldReport) -> Iterable[bytes]:
    yield b"at %.3f\n" % report.at_s
    for kind, number, size_bytes, name in report.parts:
        size = b"?" if size_bytes is None else b"%d" % size_bytes
        safe = name.replace(b"\\", b"\\134").replace(b"\n", b"\\012")
        yield b"%b %d %b %b\n" % (kind.value.encode(), number, size, safe)
    if report.written_bytes is not None:
        yield b"written %d\n" % report.written_bytes
    if report.is_cut:
        yield b"cut\n"


def parse_held_report(data: bytes) -> HeldReport:
    """Parse the report. Malformed lines are skipped, and so is a last one without its end.

    Raises ParseError if it does not say when that was.
    """
    first, *lines = data.split(b"\n")[:-1] or [b""]
    word, _, at = first.partition(b" ")
    if word != b"at" or not at.replace(b".", b"", 1).isdigit():
        raise ParseError("held", "it does not say when that was")
    parts, written_bytes = [], None
    for line in lines:
        fields = line.split(b" ", 3)
        if fields[0] == b"written":
            written_bytes = int_or_none(fields[1] if len(fields) == 2 else None)
        number = int_or_none(fields[1]) if len(fields) == 4 else None
        if number is None or fields[0] not in _KINDS:
            continue
        size_bytes = int_or_none(fields[2])
        if size_bytes is not None or fields[2] == b"?":
            parts.append(HeldPart(_KINDS[fields[0]], number, size_bytes, unescape(fields[3])))
    return HeldReport(float(at), tuple(parts), b"cut" in lines, written_bytes)

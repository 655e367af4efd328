"""/proc/PID/statm, proc_pid_statm(5): VIRT, RES and shared pages; the cheapest file, readable by every user.

It counts in pages. Their size is here too, for everything else that the kernel counts in pages.
"""

import os
from typing import Final, NamedTuple

from memtop.errors import ParseError

OWN_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
"""Bytes of a page of this machine."""

_MOST_DIGITS: Final = 14
"""Number of digits with which every size fits in the 63 bits that history stores."""


class _Machine:
    """The machine whose kernel reported what is parsed: this one, or the one of a recording."""

    __slots__ = ("page_bytes",)

    def __init__(self) -> None:
        self.page_bytes = OWN_PAGE_BYTES


_machine: Final = _Machine()


def page_bytes() -> int:
    """Bytes of a page of the machine that reported what is parsed. It converts counts of pages and of faults."""
    return _machine.page_bytes


def use_page_bytes(size_bytes: int | None) -> None:
    """Set it, as the source of the samples says; None for this machine's."""
    _machine.page_bytes = size_bytes or OWN_PAGE_BYTES


class Statm(NamedTuple):
    """Sizes in bytes."""

    virt_bytes: int
    """VIRT: all address space promised to the process (VmSize)."""
    rss_bytes: int
    """RES: pages resident now. Shared pages count in full (VmRSS)."""
    shr_bytes: int
    """SHR: resident pages that are backed by a file or shared memory (RssFile + RssShmem)."""

    @property
    def anon_bytes(self) -> int:
        """RssAnon: resident pages of the process's own (heap, stacks, copies)."""
        return max(0, self.rss_bytes - self.shr_bytes)


def parse_statm(data: bytes, each_bytes: int | None = None) -> Statm:
    """Parse one statm file, which counts in pages. Their default size is that of the machine that reported it.

    Raises ParseError.
    """
    counts = data.split(maxsplit=3)[:3]
    if len(counts) < 3 or not b"".join(counts).isdigit() or max(map(len, counts)) > _MOST_DIGITS:
        raise ParseError("statm", "does not begin with three counts of pages")
    virt, rss, shr = map(int, counts)
    each_bytes = each_bytes or _machine.page_bytes
    return Statm(virt * each_bytes, rss * each_bytes, shr * each_bytes)

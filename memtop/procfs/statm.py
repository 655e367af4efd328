"""/proc/PID/statm, proc_pid_statm(5): VIRT, RES and shared pages; the cheapest file, readable by every user."""

from typing import Final, NamedTuple

from memtop.errors import ParseError
from memtop.procfs import page_size

_MOST_DIGITS: Final = 14
"""Number of digits with which every size fits in the 63 bits that history stores."""


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


def parse_statm(data: bytes, page_bytes: int | None = None) -> Statm:
    """Parse one statm file, which counts in pages. Their default size is that of the machine that reported it.

    Raises ParseError.
    """
    counts = data.split(maxsplit=3)[:3]
    if len(counts) < 3 or not b"".join(counts).isdigit() or max(map(len, counts)) > _MOST_DIGITS:
        raise ParseError("statm", "does not begin with three counts of pages")
    virt, rss, shr = map(int, counts)
    page_bytes = page_bytes or page_size.page_bytes()
    return Statm(virt * page_bytes, rss * page_bytes, shr * page_bytes)

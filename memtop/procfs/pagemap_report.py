"""Result of reading maps and pagemap, as a short text that can be recorded, and as mappings with sizes.

The first line has the facts of the reading. Each line after it describes one mapping by pairs of the highest byte of an
entry and the number of such pages: ``81=2048 80=12``. A dash is a mapping that was not read. The text of maps follows.
A process of 3 GiB with 300 mappings makes 30 KB, while its pagemap has 6 MB.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.errors import ParseError
from memtop.procfs.pagemap import EXCLUSIVE, ZERO_PAGE, Pages, Tally, sort_pages
from memtop.procfs.smaps import Smaps, parse_smaps

_HEAD: Final = re.compile(rb"pagemap 1 (\d{1,9}) (\d{1,9}) (\d{1,9}) (\d{1,9}) ([01])(?: (\d{1,9})( cut)?)?\Z")
_PAIR: Final = re.compile(rb"([0-9a-f]{2}|zero)=(\d{1,15})\Z")
_NOT_READ: Final = b"-"
_DEVICE: Final = (b"/dev/", b"/dev/zero", b"/dev/shm/")
_POOL: Final = b"/anon_hugepage"
_KERNEL: Final = (b"[vdso]", b"[vvar", b"[uprobes]", b"[vectors]", b"[sigpage]")


class PagemapReport(NamedTuple):
    """One reading of maps and pagemap."""

    page_bytes: int
    span_ms: int
    """Time from the first piece to the last. The pieces are from different instants."""
    longest_us: int
    """The longest time in one call. The target's own mmap calls may have waited that long."""
    zero_pages_known: bool
    """Whether the zero page was recognized (PAGEMAP_SCAN). If not, RSS of memory that was only read is too high."""
    tallies: Sequence[Tally | None]
    """One tally for each mapping; None if the mapping was not read."""
    maps: bytes
    sampled: int = 0
    """If pages were sampled, one in so many of a large mapping; otherwise 0. Which of its pages only this process maps,
    or belong to a file, is then an estimate."""
    cut: bool = False
    """Whether maps was longer than was read, so that there are more mappings."""


def format_report(report: PagemapReport) -> bytes:
    """Format a report as text; see the module."""
    head = b"pagemap 1 %d %d %d %d %d" % (
        len(report.tallies),
        report.page_bytes,
        report.span_ms,
        report.longest_us,
        report.zero_pages_known,
    )
    if report.sampled or report.cut:
        head += b" %d%b" % (report.sampled, b" cut" if report.cut else b"")
    return b"\n".join((head, *map(_format_tally, report.tallies), report.maps))


def _format_tally(tally: Tally | None) -> bytes:
    if tally is None:
        return _NOT_READ
    return b" ".join(
        b"zero=%d" % count if value == ZERO_PAGE else b"%02x=%d" % (value, count) for value, count in tally.items()
    )


def parse_report(data: bytes) -> PagemapReport:
    """Parse a report from text. Raises ParseError."""
    head, _, rest = data.partition(b"\n")
    match = _HEAD.match(head)
    if match is None:
        raise ParseError("pagemap", "no first line")
    *numbers, is_cut = match.groups(b"")
    count, page_bytes, span_ms, longest_us, known, sampled = (int(text or 0) for text in numbers)
    lines = rest.split(b"\n", count)
    if len(lines) <= count:
        raise ParseError("pagemap", "cut off")
    tallies = list(map(_tally, lines[:count]))
    return PagemapReport(page_bytes, span_ms, longest_us, bool(known), tallies, lines[count], sampled, bool(is_cut))


def _tally(line: bytes) -> Tally | None:
    if line == _NOT_READ:
        return None
    tally: Tally = {}
    for pair in line.split():
        match = _PAIR.match(pair)
        if match is None:
            raise ParseError("pagemap", "not a count of pages")
        tally[ZERO_PAGE if match[1] == b"zero" else int(match[1], 16)] = int(match[2])
    return tally


def mappings_of(report: PagemapReport, hugetlbfs: Sequence[bytes] = ()) -> Smaps:
    """The mappings with Rss, Swap, Anonymous, Private (USS), Guards and pooled huge pages. Other fields are absent.

    Private is also absent on kernels that do not say which pages only this process maps (before Linux 4.2). Every
    process has such a page, that of its stack. ``hugetlbfs`` are the mount points of that type. Fields of a mapping
    that was not read are None. Raises ParseError if maps and the tallies do not match.
    """
    smaps = parse_smaps(report.maps)
    if len(smaps) != len(report.tallies):
        raise ParseError("pagemap", "not as many counts as mappings")
    mounts = tuple(mount.rstrip(b"/") + b"/" for mount in hugetlbfs)
    known: dict[tuple[str, int, bytes], dict[str, bool]] = {}
    found: list[Pages | None] = []
    for perms, inode, name, tally in zip(smaps.perms, smaps.inodes, smaps.names, report.tallies, strict=True):
        if tally is None:
            found.append(None)
            continue
        key = (perms, inode, name)
        traits = known.get(key)
        if traits is None:
            traits = known[key] = _traits(perms, inode, name, mounts)
        found.append(sort_pages(tally, **traits))
    size = report.page_bytes
    knows_private = any(value & EXCLUSIVE for tally in report.tallies if tally for value in tally)
    columns = {
        "Rss": [None if one is None else one.resident * size for one in found],
        "Anonymous": [None if one is None else one.anonymous * size for one in found],
        "Swap": [None if one is None else one.swapped * size for one in found],
        "Guards": [None if one is None else one.guards * size for one in found],
        "Shared_Hugetlb": [None if one is None else (one.pool - one.pool_private) * size for one in found],
        "Private_Hugetlb": [None if one is None else one.pool_private * size for one in found],
    }
    if knows_private:
        columns["Private"] = [None if one is None else one.private * size for one in found]
    smaps.add_columns(columns.items())
    return smaps


def _traits(perms: str, inode: int, name: bytes, hugetlbfs: tuple[bytes, ...]) -> dict[str, bool]:
    """What the highest bytes of a mapping's entries mean; see :func:`sort_pages`."""
    private = perms.endswith("p")
    kernel = name.startswith(_KERNEL)
    beginning, *others = _DEVICE
    device = name.startswith(beginning) and not name.startswith(tuple(others))
    return {
        "anonymous": private and not inode and not kernel,
        "copies": private and not device and not kernel,
        "pool": name.startswith(_POOL) or (bool(hugetlbfs) and name.startswith(hugetlbfs)),
    }

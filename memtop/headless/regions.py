"""``memtop regions PID``: prints the mappings of a process once, by kind, largest first.

The mappings come from an engine, as for the Regions panel, which reads one process at one instant. If smaps would hold
the process up for more than 5 ms, pagemap is read in pieces instead, unless ``--smaps`` forces smaps.
"""

from __future__ import annotations

import json as json_format
import os
import sys
from typing import Final, TextIO

from memtop import units
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import Confidence, KindSum, Region, Regions, Sizes, Split
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, ProcessGone, Unavailable, UsageError
from memtop.explain.region_sentences import what_is_known, why_no_reading
from memtop.headless.remarks import remark
from memtop.model.detail import Detail
from memtop.model.request import Request, RowSelection
from memtop.procfs.stat import parse_stat
from memtop.sampling.request import Need, ReadingsRequest
from memtop.sampling.smaps.smaps_view import Missing, Reading, RegionsView
from memtop.sanitize import clean
from memtop.sources.protocol import Source

SORTS: Final = {
    "size": "size_bytes",
    "rss": "rss_bytes",
    "pss": "pss_bytes",
    "dirty": "private_dirty_bytes",
    "swap": "swap_bytes",
}
"""Value of ``-s`` -> field of ``Sizes``."""

_ATTEMPTS: Final = 3
_HAS_NO_MAPPINGS: Final = (Missing.ZOMBIE, Missing.KERNEL, Missing.ENDING)
"""That there is nothing to print is the answer, not a failure."""


def run(
    source: Source,
    pid: int,
    *,
    sort: str = "size",
    limit: int | None = None,
    kinds: bool = False,
    json: bool = False,
    smaps: bool = False,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Print the mappings of a process, or its kinds of mappings, to ``out``; remarks go to ``err``.

    Returns 0, 2 if it cannot be read, 3 if there is no such process, or 4 if this user may not read it. Raises
    UsageError for an unknown ``sort``.
    """
    out, err = out or sys.stdout, err or sys.stderr
    if sort not in SORTS:
        raise UsageError(f"cannot sort by {sort}: it may be {', '.join(SORTS)}")
    try:
        detail, view = _look(source, pid, smaps=smaps)
    except ProcessGone:
        remark(f"no process {pid}", err)
        return ProcessGone.exit_code
    except AccessDenied:
        remark(f"process {pid} is hidden (hidepid); only its user and root can see it", err)
        return AccessDenied.exit_code
    reading, title = view.reading, f"{detail.row.program} ({pid})"
    for note in _remarks(detail, view):
        remark(f"{title}: {note}", err)
    if reading is None and view.missing not in _HAS_NO_MAPPINGS:
        return AccessDenied.exit_code if view.missing is Missing.DENIED else Unavailable.exit_code
    regions = reading.regions if reading is not None else None
    if json:
        json_format.dump(_json(pid, reading, sort, limit), out)
        out.write("\n")
    elif reading is not None and regions is not None:
        way = "smaps" if reading.in_pieces is None else "pagemap"
        print(f"{title}, read from {way}: {_split(reading.split)}", file=out)
        lines = _kind_lines(regions, sort, limit) if kinds else _region_lines(regions, sort, limit)
        print("\n".join(lines), file=out)
    return 0


def _look(source: Source, pid: int, *, smaps: bool) -> tuple[Detail, RegionsView]:
    """Make one consistent reading. It starts again if the process has executed another program meanwhile, or if the
    kernel listed no mappings, as at the moment of an exec.

    Raises ProcessGone, and AccessDenied if not even stat may be read.
    """
    rows = RowSelection(only=frozenset({pid}))
    before = _identity(source, pid)
    for attempt in range(1, _ATTEMPTS + 1):
        engine = Engine(source)
        frame = engine.step(Request(rows=rows))
        if frame is None or not frame.rows:
            raise AccessDenied(str(pid)) if frame is not None and frame.hidden else ProcessGone(str(pid))
        frame = engine.view(
            Request(
                ReadingsRequest(focus=frame.rows[0].key, focus_needs=Need.MAPPINGS, once=True, whole_smaps=smaps), rows
            )
        )
        assert frame is not None and frame.detail is not None and frame.detail.regions is not None
        detail, view = frame.detail, frame.detail.regions
        if view.missing is Missing.GONE:
            raise ProcessGone(str(pid))
        before, after = _identity(source, pid), before
        if attempt == _ATTEMPTS or (before == after and view.missing is not Missing.EMPTY):
            break
    return detail, view


def _identity(source: Source, pid: int) -> tuple[int, int, int]:
    """Values that an exec changes, or another process with the same PID. Raises ProcessGone or AccessDenied."""
    stat = parse_stat(source.read(f"proc/{pid}/stat"))
    return stat.start_ticks, stat.start_code, stat.arg_start


def _remarks(detail: Detail, view: RegionsView) -> list[str]:
    """Why there is nothing to show, or remarks about what is shown."""
    if view.reading is not None:
        doubt = _doubt(view.reading, detail.row.threads)
        return [remark for remark in (doubt, _way(view.reading)) if remark]
    why = why_no_reading(view, detail.row, os.geteuid())
    return [why, what_is_known(detail)] if view.missing is Missing.DENIED else [why]


def _way(reading: Reading) -> str:
    """A note that pagemap was read, and what is therefore unknown; empty if smaps was read."""
    pieces = reading.in_pieces
    if pieces is None:
        return ""
    unread = (
        f"; {units.counted(pieces.unread, 'mapping')} {'was' if pieces.unread == 1 else 'were'} not read"
        if pieces.unread
        else ""
    )
    zero = "" if pieces.zero_pages_known else "; RSS includes zero pages (memory that was only read)"
    sampled = f", of large mappings one page in {pieces.sampled} beside a count" if pieces.sampled else ""
    return (
        f"read from pagemap in pieces within {pieces.span_s:.1f} s, none longer than {1000 * pieces.longest_s:.1f} ms"
        f"{sampled}{unread}{zero}. PSS and DIRTY are unknown; --smaps reads them, and stalls the process meanwhile"
    )


def _doubt(reading: Reading, threads: int | None) -> str:
    if reading.confidence is not Confidence.LOW:
        return ""
    stacks = reading.regions.kinds.count(RegionKind.THREAD_STACK) + 1
    return (
        f"stacks found: {stacks}, threads: {threads}. Kinds of memory without a name are less sure; "
        "after fork, the stacks of the parent's other threads stay behind"
    )


def _split(split: Split) -> str:
    parts = [
        (split.reserved_bytes, "reserved without access", True),
        (split.untouched_bytes, "no RAM behind it now", True),
        (split.resident_bytes, "resident", True),
        (split.swapped_bytes, "on swap", False),
        (split.hugetlb_bytes, "in huge pages", False),
        (split.uncounted_bytes, "of devices, the kernel, or not read", False),
    ]
    texts = [f"{units.long_size(size)} {what}" for size, what, always in parts if always or size]
    return f"VIRT {units.long_size(split.virt_bytes)} = " + " + ".join(texts)


def _touched(sizes: Sizes, hugetlb_bytes: int) -> str:
    if sizes.rss_bytes is None or not sizes.size_bytes:
        return units.UNKNOWN
    return units.percent(100 * (sizes.rss_bytes + hugetlb_bytes) / sizes.size_bytes)


def _cells(sizes: Sizes, hugetlb_bytes: int) -> str:
    size, rss, *rest = (f"{units.size(value):>6}" for value in sizes)
    return " ".join((size, rss, f"{_touched(sizes, hugetlb_bytes):>5}", *rest))


def _huge(size_bytes: int) -> str:
    return f"  +{units.long_size(size_bytes)} huge, not counted in RSS" if size_bytes else ""


_HEAD: Final = f"{'SIZE':>6} {'RSS':>6} {'%':>5} {'PSS':>6} {'DIRTY':>6} {'SWAP':>6}"


def _kinds(regions: Regions, sort: str, limit: int | None) -> list[KindSum]:
    column = Sizes._fields.index(SORTS[sort])
    return sorted(regions.by_kind(), key=lambda one: one.sizes[column] or 0, reverse=True)[:limit]


def _kind_lines(regions: Regions, sort: str, limit: int | None) -> list[str]:
    lines = [
        f"{_cells(one.sizes, one.hugetlb_bytes)} {one.count:>6} {one.kind.title}{_huge(one.hugetlb_bytes)}"
        for one in _kinds(regions, sort, limit)
    ]
    return [f"{_HEAD} {'COUNT':>6} KIND", *lines]


def _region_lines(regions: Regions, sort: str, limit: int | None) -> list[str]:
    found = regions.largest(SORTS[sort], limit)
    wide = max((len(region.kind.title) for region in found), default=4)
    return [f"{_HEAD} {'KIND':<{wide}} {'ADDRESS':<12} PERMS PATH", *(_region_line(region, wide) for region in found)]


def _region_line(region: Region, wide: int) -> str:
    mapping, cells = region.mapping, _cells(region.sizes, region.hugetlb_bytes)
    line = f"{cells} {region.kind.title:<{wide}} {mapping.start:012x} {mapping.perms:<5} "
    return (line + clean(mapping.name)).rstrip() + _huge(region.hugetlb_bytes)


def _known(sizes: Sizes, hugetlb_bytes: int) -> int | None:
    """Bytes in huge pages; None where a mapping was not read."""
    return None if sizes.rss_bytes is None else hugetlb_bytes


def _json(pid: int, reading: Reading | None, sort: str, limit: int | None) -> dict[str, object]:
    """The JSON object. Addresses are text, as in /proc, because the highest do not fit a JavaScript number."""
    if reading is None:
        return {"pid": pid, "read": None, "kinds": [], "regions": []}
    regions = reading.regions
    return {
        "pid": pid,
        "read": "smaps" if reading.in_pieces is None else "pagemap",
        "kinds": [
            {
                "kind": one.kind.key,
                "count": one.count,
                **one.sizes._asdict(),
                "hugetlb_bytes": _known(one.sizes, one.hugetlb_bytes),
            }
            for one in _kinds(regions, sort, None)
        ],
        "regions": [
            {
                "start": f"{region.mapping.start:x}",
                "end": f"{region.mapping.end:x}",
                "perms": region.mapping.perms,
                "kind": region.kind.key,
                "path": clean(region.mapping.name),
                **region.sizes._asdict(),
                "hugetlb_bytes": _known(region.sizes, region.hugetlb_bytes),
            }
            for region in regions.largest(SORTS[sort], limit)
        ],
    }

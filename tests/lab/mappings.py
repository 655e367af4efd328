"""Compares pagemap in pieces with smaps: ``python -m tests.lab.mappings PID...``.

For each process it reads smaps, pagemap and smaps again. RSS by kind from pagemap may be outside of the range of the
other two by one percent of RSS. USS is compared with the private pages of smaps_rollup in the same way. The exit code
is 1 where either differs by more.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple

from memtop.procfs.mountinfo import parse_mountinfo
from memtop.procfs.smaps_rollup import parse_rollup
from memtop.procfs.stat import parse_stat
from memtop.sampling.smaps.parse_worker import Raw, digest
from memtop.sampling.smaps.smaps_view import Reading
from memtop.sources.live.pagemap_reader import read_pagemap
from memtop.units import size

TOLERATED: Final = 0.01


class Figure(NamedTuple):
    """One number by three readings, in bytes."""

    name: str
    before: int
    pagemap: int | None
    after: int
    whole: int
    """RSS."""

    @property
    def error(self) -> float:
        """Distance of pagemap from the range of the other two, as a share of RSS."""
        low, high = sorted((self.before, self.after))
        if self.pagemap is None:
            return float("inf") if high else 0.0
        distance = max(low - self.pagemap, self.pagemap - high, 0)
        return distance / max(self.whole, 1)


def _reading(pid: int, *, in_pieces: bool) -> Reading:
    stat = parse_stat(Path(f"/proc/{pid}/stat").read_bytes())
    mounts = parse_mountinfo(Path(f"/proc/{pid}/mountinfo").read_bytes())
    data = read_pagemap("/", f"proc/{pid}/pagemap") if in_pieces else Path(f"/proc/{pid}/smaps").read_bytes()
    raw = Raw(
        data=data,
        at_s=0.0,
        took_s=0.0,
        cut=False,
        start_code=stat.start_code,
        threads=stat.threads,
        tmpfs=tuple(mount.point for mount in mounts if mount.fstype in (b"tmpfs", b"ramfs")),
        first=None,
        mark=None,
        in_pieces=in_pieces,
        hugetlbfs=tuple(mount.point for mount in mounts if mount.fstype == b"hugetlbfs"),
    )
    found = digest(raw)
    if found is None:
        raise RuntimeError(f"{pid} has ended")
    return found.reading


def _private_bytes(pid: int) -> int:
    return parse_rollup(Path(f"/proc/{pid}/smaps_rollup").read_bytes()).uss_bytes or 0


def compare(pid: int) -> list[Figure]:
    """RSS and USS of the whole process, then RSS of each kind, largest first."""
    before, uss_before = _reading(pid, in_pieces=False), _private_bytes(pid)
    pieces = _reading(pid, in_pieces=True)
    uss_after, after = _private_bytes(pid), _reading(pid, in_pieces=False)
    kinds = [{one.kind.title: one.sizes.rss_bytes for one in each.kinds} for each in (before, pieces, after)]
    whole = before.total.rss_bytes or 0
    figures = [
        Figure("RSS", whole, pieces.total.rss_bytes, after.total.rss_bytes or 0, whole),
        Figure("USS", uss_before, pieces.rollup.uss_bytes, uss_after, whole),
    ]
    titles = sorted({*kinds[0], *kinds[1], *kinds[2]}, key=lambda title: -(kinds[0].get(title) or 0))
    first, found, last = kinds
    return figures + [
        Figure(title, first.get(title) or 0, found.get(title, 0), last.get(title) or 0, whole) for title in titles
    ]


def main(pids: list[int]) -> int:
    """Print a table for each process."""
    failed = False
    for pid in pids:
        try:
            figures, name = compare(pid), Path(f"/proc/{pid}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            print(f"{pid} has ended")
            continue
        worst = max(one.error for one in figures)
        failed |= worst > TOLERATED
        exact = sum(one.pagemap in (one.before, one.after) for one in figures)
        print(f"{pid} {name}: largest error {worst:.2%}, {exact} of {len(figures)} exact")
        for one in figures:
            if one.error or one.name in ("RSS", "USS"):
                error = f"{one.error:.2%}" if one.error else "exact" if one.before == one.after else "moving"
                print(f"  {one.name:<28}{size(one.before):>8}{size(one.pagemap):>8}{size(one.after):>8}  {error}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]]))

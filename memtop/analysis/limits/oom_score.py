"""OOM rank, computed as oom_badness() of mm/oom_kill.c does, and what an OOM score says about the use of memory.

The arithmetic is the kernel's of Linux 5.9 and later, in whole pages. Niceness, CPU time, age, children: no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from memtop.procfs import statm

NEVER: Final = -1000
"""The oom_score_adj of a process that the OOM killer never kills."""


class Candidate(NamedTuple):
    """A process that an OOM kill could choose."""

    pid: int
    start_ticks: int
    rss_bytes: int
    swap_bytes: int | None
    """None if it is unknown."""
    page_tables_bytes: int
    adj: int | None
    """oom_score_adj; None if it could not be read."""
    exempt: bool = False
    """The init of the machine, which that of a PID namespace is not, or a kernel thread."""


def badness_pages(rss_bytes: int, swap_bytes: int, page_tables_bytes: int, adj: int, total_bytes: int) -> int | None:
    """oom_badness() in pages; None for a process that is never killed.

    ``total_bytes`` is RAM and swap for an OOM of the machine, or the cgroup's limit (and its swap) for an OOM in a
    cgroup.
    """
    if adj == NEVER:
        return None
    page_bytes = statm.page_bytes()
    total_pages = max(1, total_bytes // page_bytes)
    used_pages = rss_bytes // page_bytes + swap_bytes // page_bytes + page_tables_bytes // page_bytes
    return used_pages + adj * (total_pages // 1000)


def share_permille(oom_score: int, adj: int) -> int | None:
    """The share of RAM and swap that corresponds to an oom_score without its adj, to within one per mille.

    None for a process that is never killed: its score of 0 means nothing.
    """
    if adj == NEVER:
        return None
    return max(0, (oom_score * 3 + 2) // 2 - 1000 - adj)


def ranking(candidates: Iterable[Candidate], total_bytes: int) -> list[int]:
    """PIDs in the order in which they would be killed, without those that are never killed.

    It is empty where the oom_score_adj or the swap of one of them is unknown: that one may be first, or none at all. Of
    two equals the kernel takes the one that it sees last, which is the younger one.
    """
    scored: list[tuple[int, int, int]] = []
    for pid, start_ticks, rss_bytes, swap_bytes, page_tables_bytes, adj, exempt in candidates:
        if exempt or adj == NEVER:
            continue
        if adj is None or swap_bytes is None:
            return []
        pages = badness_pages(rss_bytes, swap_bytes, page_tables_bytes, adj, total_bytes)
        if pages is not None:
            scored.append((pages, start_ticks, pid))
    scored.sort(reverse=True)
    return [pid for _, _, pid in scored]

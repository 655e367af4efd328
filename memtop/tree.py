"""Rows as a tree of parents and children, with what hangs below each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memtop.frame import ProcRow, TreePlace
from memtop.sample import ProcKey


def descendants(pids: Iterable[int], rows: Iterable[ProcRow]) -> set[int]:
    """The pids and all that descend from them."""
    children: dict[int, list[int]] = {}
    for row in rows:
        if row.ppid is not None:
            children.setdefault(row.ppid, []).append(row.pid)
    found: set[int] = set()
    open_pids = list(pids)
    while open_pids:
        pid = open_pids.pop()
        if pid not in found:
            found.add(pid)
            open_pids.extend(children.get(pid, ()))
    return found


def grow(rows: Sequence[ProcRow], folded: frozenset[ProcKey]) -> tuple[tuple[ProcRow, ...], tuple[TreePlace, ...]]:
    """Rows, already in the order wanted among siblings, as a tree; what is below a folded row is left out."""
    by_pid = {row.pid: row for row in rows}
    children: dict[int | None, list[ProcRow]] = {}
    for row in rows:
        parent = row.ppid if row.ppid in by_pid and row.ppid != row.pid else None
        children.setdefault(parent, []).append(row)
    totals = _totals(children)
    shown: list[ProcRow] = []
    places: list[TreePlace] = []
    stack = [(row, "", True, 0) for row in reversed(children.get(None, ()))]
    while stack:
        row, lead, last, depth = stack.pop()
        below = children.get(row.pid, [])
        is_folded = bool(below) and row.key in folded
        virt, anon, shared = totals[row.pid]
        places.append(
            TreePlace(
                depth=depth,
                prefix="" if depth == 0 else lead + ("└─ " if last else "├─ "),
                has_children=bool(below),
                folded=is_folded,
                rss_bytes=anon + shared,
                virt_bytes=virt,
            )
        )
        shown.append(row)
        if not is_folded:
            inner = "" if depth == 0 else lead + ("   " if last else "│  ")
            stack.extend((child, inner, position == 0, depth + 1) for position, child in enumerate(reversed(below)))
    return tuple(shown), tuple(places)


def _totals(children: dict[int | None, list[ProcRow]]) -> dict[int, tuple[int, int, int]]:
    """Pid -> (VIRT, sum of anonymous, largest shared part) of its subtree, in bytes.

    Shared parts are not added up: relatives mostly share the same ones. The sum is a lower bound of what they hold.
    """
    totals: dict[int, tuple[int, int, int]] = {}
    order: list[ProcRow] = list(children.get(None, ()))
    for row in order:  # grows while it is walked: parents before children
        order.extend(children.get(row.pid, ()))
    for row in reversed(order):
        virt, anon, shared = row.virt_bytes or 0, row.anon_bytes or 0, row.shr_bytes or 0
        for child in children.get(row.pid, ()):
            child_virt, child_anon, child_shared = totals[child.pid]
            virt, anon, shared = virt + child_virt, anon + child_anon, max(shared, child_shared)
        totals[row.pid] = (virt, anon, shared)
    return totals

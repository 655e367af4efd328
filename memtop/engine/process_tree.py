"""Tree order of rows, parents before their children, with the totals of each subtree.

Parents are known by PID only, as last read. A process that has ended is no parent. If PIDs were reused so quickly that
two rows are each other's ancestors, the first of them is a root.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from memtop.engine.tree_places import in_tree_order
from memtop.model.frame import TreePlace
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey


class Totals(NamedTuple):
    """Sums over a subtree in bytes, of known values; None if none is known."""

    virt_bytes: int | None
    rss_bytes: int | None
    pss_bytes: int | None
    """None unless all values are known."""


def descendants(ancestors: Iterable[ProcessRow], rows: Sequence[ProcessRow]) -> set[ProcessKey]:
    """These rows and all their descendants."""
    children = _children(rows, _parents(rows))
    found: set[ProcessKey] = set()
    waiting = [row.key for row in ancestors]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(child.key for child in children.get(key, ()))
    return found


def grow(
    rows: Sequence[ProcessRow], folded: Container[object], *, by_branch: bool = False
) -> tuple[tuple[ProcessRow, ...], tuple[TreePlace, ...]]:
    """Rows, already sorted among siblings, as a tree. Rows below a folded row are left out.

    ``by_branch``: siblings are sorted by the first row of their subtree instead of by their own.
    """
    parents = _parents(rows)
    children = _children(_by_branch(rows, parents) if by_branch else rows, parents)
    totals = _totals(children)
    return in_tree_order(children, lambda row: row.key, lambda row: totals[row.key], folded)


def _by_branch(rows: Sequence[ProcessRow], parents: Mapping[ProcessKey, ProcessKey | None]) -> Sequence[ProcessRow]:
    """Rows with each branch of the tree where its first row is, so that the first of all is in the first branches."""
    first: dict[ProcessKey, int] = {}
    for at, row in enumerate(rows):
        key: ProcessKey | None = row.key
        while key is not None and key not in first:
            first[key] = at
            key = parents[key]
    return sorted(rows, key=lambda row: first[row.key])


def _parents(rows: Sequence[ProcessRow]) -> dict[ProcessKey, ProcessKey | None]:
    """Every row's parent among the rows, without cycles."""
    living = {row.pid: row.key for row in rows if row.gone_s is None}
    parents = {row.key: living.get(row.ppid) if row.ppid is not None else None for row in rows}
    rooted: set[ProcessKey] = set()
    for row in rows:
        path: dict[ProcessKey, None] = {}
        key: ProcessKey | None = row.key
        while key is not None and key not in rooted:
            if key in path:
                parents[key] = None
                break
            path[key] = None
            key = parents[key]
        rooted.update(path)
    return parents


def _children(
    rows: Sequence[ProcessRow], parents: Mapping[ProcessKey, ProcessKey | None]
) -> dict[ProcessKey | None, list[ProcessRow]]:
    """The children of every row, in order. Those of None are the roots."""
    children: dict[ProcessKey | None, list[ProcessRow]] = {}
    for row in rows:
        children.setdefault(parents[row.key], []).append(row)
    return children


def _totals(children: Mapping[ProcessKey | None, Sequence[ProcessRow]]) -> dict[ProcessKey, Totals]:
    """Totals of each subtree.

    The sum of RES is an upper bound: relatives usually share pages, after fork anonymous ones as well, and nothing less
    expensive than PSS says how many.
    """
    totals: dict[ProcessKey, Totals] = {}
    order: list[ProcessRow] = list(children.get(None, ()))
    for row in order:  # grows during the iteration: parents before children
        order.extend(children.get(row.key, ()))
    for row in reversed(order):
        virt, rss = row.virt_bytes, row.rss_bytes
        pss = 0 if rss == 0 else row.pss_bytes
        for child in children.get(row.key, ()):
            below = totals[child.key]
            virt, rss = _sum(virt, below.virt_bytes), _sum(rss, below.rss_bytes)
            pss = None if pss is None or below.pss_bytes is None else pss + below.pss_bytes
        totals[row.key] = Totals(virt, rss, pss)
    return totals


def _sum(one: int | None, other: int | None) -> int | None:
    """Sum of the known values."""
    return other if one is None else one if other is None else one + other

"""Tree of cgroups: each row below the nearest cgroup above it that is listed."""

from __future__ import annotations

from collections.abc import Container, Sequence

from memtop.engine.tree_places import in_tree_order
from memtop.model.frame import TreePlace
from memtop.model.group import GroupKey, GroupRow


def grow_groups(
    rows: Sequence[GroupRow], folded: Container[object]
) -> tuple[tuple[GroupRow, ...], tuple[TreePlace, ...]]:
    """Rows, already in the order wanted among siblings, as a tree; what is below a folded row is left out."""
    by_path = {row.path: row for row in rows if row.path is not None}
    children: dict[GroupKey | None, list[GroupRow]] = {}
    for row in rows:
        above = (row.path or "").rpartition("/")[0]
        while above and above not in by_path:
            above = above.rpartition("/")[0]
        parent = by_path[above].key if above else None
        children.setdefault(parent, []).append(row)
    return in_tree_order(children, lambda row: row.key, lambda row: row, folded)

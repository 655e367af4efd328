"""Tree of cgroups: each row below the nearest cgroup above it that is listed."""

from __future__ import annotations

from collections.abc import Container, Sequence

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
    shown: list[GroupRow] = []
    places: list[TreePlace] = []
    stack = [(row, "", True, 0) for row in reversed(children.get(None, ()))]
    while stack:
        row, lead, last, depth = stack.pop()
        below = children.get(row.key, [])
        is_folded = bool(below) and row.key in folded
        places.append(
            TreePlace(
                depth=depth,
                prefix="" if depth == 0 else lead + ("└─ " if last else "├─ "),
                has_children=bool(below),
                folded=is_folded,
                rss_bytes=row.rss_bytes,
                virt_bytes=row.virt_bytes,
                pss_bytes=row.pss_bytes,
            )
        )
        shown.append(row)
        if not is_folded:
            inner = "" if depth == 0 else lead + ("   " if last else "│  ")
            stack.extend((child, inner, position == 0, depth + 1) for position, child in enumerate(reversed(below)))
    return tuple(shown), tuple(places)
